"""The demo, as the README tells people to run it."""

import os
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from tests.live.server import HANDLE, PASSWORD, ROOT, LiveServer, run_demo, signed_in

REAL_READS = ROOT.parent / "shared" / "data" / "reads"


@pytest.mark.usefixtures("client")
def test_simulated_reads_go_from_upload_to_quality(server: LiveServer) -> None:
    done = run_demo(server)
    assert done.returncode == 0, done.stderr
    assert "with the label Demo" in done.stdout
    assert "100% complete" in done.stdout
    assert "10,000 reads of" in done.stdout
    assert "Mean quality by position" in done.stdout
    assert "has 20 OTUs; the first is Demonstration virus 1 (XX000001.1, XX000001.2)" in done.stdout
    assert "/reference.json.gz (" in done.stdout
    assert "bytes, 20 OTUs)" in done.stdout


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


def test_a_server_that_stops_meanwhile_is_told_in_one_sentence(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data", arguments=("--no-runner",))  # nobody does the job, so the demo waits for it
    server.start()
    with signed_in(server):
        command = [sys.executable, "script/demo.py", "--url", server.url, "--handle", HANDLE]
        environment = {**os.environ, "VT_DEMO_PASSWORD": PASSWORD, "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=PIPE, stderr=PIPE, text=True) as demo:
            assert demo.stdout
            while "Created the sample" not in demo.stdout.readline():
                assert demo.poll() is None
            while demo.stdout.read(1) != "]":  # the bar, drawn for the first change
                assert demo.poll() is None
            server.stop()
            _, errors = demo.communicate(timeout=30)
    assert demo.returncode == 1
    assert errors.startswith("\nThe demo stopped: the server ended the connection (")
    assert errors.count("\n") == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--url", "nonsense"), "The URL of a server looks like http://127.0.0.1:9950, not 'nonsense'."),
        (("--url", "http://127.0.0.1:1"), "No server answers at http://127.0.0.1:1 "),
        (("a", "b", "c"), "A sample is made of one or two files, not 3."),
        (("/nowhere.fq",), "[Errno 2] No such file or directory: '/nowhere.fq'"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    command = [sys.executable, "script/demo.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"\nThe demo stopped: {sentence}")
    assert done.stderr.count("\n") == 2
