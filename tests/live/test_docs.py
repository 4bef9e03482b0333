"""The commands of docs/api.md, run as they stand there by a newcomer on a fresh server."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.server import ROOT, LiveServer

API = (ROOT / "docs" / "api.md").read_text()
ADDRESS = "http://127.0.0.1:9950"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language} run\n(.*?)^```$", API, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def fresh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("docs") / "data")
    live.start()
    yield live
    assert live.stop() == 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="The commands of docs/api.md are left out: they need curl.")
def test_the_commands_do_what_the_text_says(fresh_server: LiveServer, tmp_path: Path) -> None:
    (watch,) = blocks("python")
    (tmp_path / "watch.py").write_text(watch)
    script = "\n".join(["set -euo pipefail", *(f"{block}\necho" for block in blocks("sh"))])
    script = script.replace(ADDRESS, fresh_server.url).replace("python3 ", f"{sys.executable} ")
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout
    assert '"errors":[{' not in said
    assert '"setupRequired":true' in said
    assert said.count('"viewer":{"handle":"ada"') == 4
    assert re.search(r'"name":"reads_1.fq.gz","size":\d+,"ready":true,"reserved":false', said)
    assert re.search(r'event: next\nid: 1\ndata: .*"text":"Step check_files"', said)
    assert '"operation":"INSERT"' in said
    assert "{'state': 'COMPLETE', 'progress': 1.0}" in said
    assert '"quality":{"count":2,"length":[10,10],"gc":50.0' in said
    assert "@read_1\nACGTACGTAC\n+\nIIIIIIIIII\n" in said
    assert re.search(r"^10$", said, flags=re.MULTILINE)
    assert '"totalCount":1' in said
    assert '"labels":[{"name":"Greenhouse"}]' in said
    assert '"color":"#33AA66","sampleCount":1' in said
    assert re.search(r'"results":\[{"sampleId":"sample_\w+","sample":{"labels":\[\]}', said)
    assert '"isolate":"A1"' in said
    assert '"memberCount":1,"members":[{"handle":"grace","forceReset":true}]' in said
    assert '"user":{"handle":"grace","active":false,"email":"grace@example.org"}' in said
    assert '"deleteGroup":{"group":{"name":"Virologists"}' in said
    assert '"updateApiKey":{"apiKey":{"name":"Robot 2","expiresAt":null}' in said
    assert '"settings":{"showIds":false,"quickAnalyzeWorkflow":"NUVS"}' in said
    assert '"endOtherSessions":{"count":1' in said
    assert '"updateAccount":{"viewer":{"email":"ada@example.org"' in said
    assert '"resetPassword":{"viewer":{"handle":"charles"},"resetCode":null' in said
    assert '"sourceTypes":["isolate","strain","clone"],"restrictSourceTypes":true,"version":2' in said
    assert '{"user":null,"group":{"name":"Curators"},"modifyOtu":true}' in said
    assert '"officialInstalled":false' in said
    assert '"deleteReference":{"reference":{"name":"A copy"},"task":{"type":"DELETE_REFERENCE"}' in said
    assert re.search(
        r'"task":{"state":"COMPLETE","progress":1(\.0)?,"error":null,"problems":\[\],"warnings":\[\]}', said
    )
    assert '"otus":[{"_id":"tmv00001","name":"Tobacco mosaic virus","abbreviation":"TMV"' in said
    assert '"deleteApiKey":{"apiKey":{"name":"Robot 2"}' in said


def test_each_block_is_run_or_shows_no_command() -> None:
    assert set(re.findall(r"^```(.+)$", API, flags=re.MULTILINE)) == {"sh run", "python run"}
