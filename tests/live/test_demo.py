"""The demo, as the README tells people to run it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.server import ROOT, LiveServer, run_demo

REAL_READS = ROOT.parent / "shared" / "data" / "reads"


@pytest.mark.usefixtures("client")
def test_simulated_reads_go_from_upload_to_quality(server: LiveServer) -> None:
    done = run_demo(server)
    assert done.returncode == 0, done.stderr
    assert "100% complete" in done.stdout
    assert "10,000 reads of" in done.stdout
    assert "Mean quality by position" in done.stdout


@pytest.mark.usefixtures("client")
def test_real_reads_go_from_upload_to_quality(server: LiveServer) -> None:
    if not REAL_READS.is_dir():
        pytest.skip("The real reads are left out: ../shared/data is not there.")
    done = run_demo(server, str(REAL_READS / "paired_1.fq.gz"), str(REAL_READS / "paired_2.fq.gz"))
    assert done.returncode == 0, done.stderr
    assert "20,000 reads of 36 to 151 bases, 45.0 % GC, Sanger / Illumina 1.9" in done.stdout


@pytest.mark.usefixtures("client")
def test_reads_that_are_no_fastq_stop_the_demo_with_the_reason(server: LiveServer, tmp_path: Path) -> None:
    text = tmp_path / "notes.fastq"
    text.write_text("These are not reads.\n")
    done = run_demo(server, str(text))
    assert done.returncode == 1
    assert "notes.fastq" in done.stderr
    assert "line 1" in done.stderr


def test_a_server_that_is_not_there_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "script/demo.py", "--url", "http://127.0.0.1:9"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Start it with script/server" in done.stderr
