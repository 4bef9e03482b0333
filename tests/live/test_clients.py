"""Other people's clients: graphql-ws, graphql-sse and the Relay compiler, from the npm packages of the explorer."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.live.server import ROOT, LiveServer, SignedIn, json_line

EXPLORER = ROOT / "explorer"
CLIENTS = Path(__file__).parent / "clients"
CHANGES = """subscription($after: Cursor) {
  files(after: $after) { cursor operation ids file { name } }
}"""


@pytest.fixture(autouse=True)
def node() -> None:
    if shutil.which("node") is None or not (EXPLORER / "node_modules").is_dir():
        pytest.skip("The clients of npm are left out: they need node and explorer/node_modules (script/setup test).")


@contextmanager
def running(script: str, server: LiveServer, client: SignedIn, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = ["node", str(CLIENTS / script), server.url, client.cookie, *arguments]
    environment = {**os.environ, "EXPLORER": str(EXPLORER)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def answers(process: subprocess.Popen[str], count: int) -> list[dict[str, Any]]:
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(count)]
    assert all(lines), process.stderr.read() if process.stderr else lines
    return [json_line(line) for line in lines]


@pytest.mark.parametrize("script", ["ws.mjs", "sse.mjs"])
def test_a_client_gets_what_it_missed_and_what_comes(
    script: str, server: LiveServer, client: SignedIn, tmp_path: Path
) -> None:
    reads = tmp_path / "first.fq"
    reads.write_text("@r\nACGT\n+\nIIII\n")
    cursor = client.run("{ cursor }")["cursor"]
    first = client.upload(reads)
    with running(script, server, client, CHANGES, json.dumps({"after": cursor}), "3") as process:
        connected, *replayed = answers(process, 3)
        assert connected == {"connected": True}
        assert [change["data"]["files"]["ids"] for change in replayed] == [[first], [first]]
        assert [change["data"]["files"]["operation"] for change in replayed] == ["INSERT", "UPDATE"]
        second = client.upload(reads.rename(tmp_path / "second.fq"))
        (live,) = answers(process, 1)
        assert live["data"]["files"]["ids"] == [second]
        assert live["data"]["files"]["file"]["name"] == "second.fq"
        assert process.wait(timeout=20) == 0


def test_the_relay_compiler_takes_the_schema(tmp_path: Path) -> None:
    shutil.copy(ROOT / "schema" / "schema.graphql", tmp_path / "schema.graphql")
    source = tmp_path / "src"
    source.mkdir()
    (source / "Samples.js").write_text(
        """import { graphql } from 'react-relay';
graphql`query SamplesQuery { viewer { id ...Samples_viewer } ...Samples_query }`;
graphql`fragment Samples_viewer on Viewer { handle }`;
graphql`fragment Samples_query on Query
@refetchable(queryName: "SamplesPage")
@argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" }) {
  samples(first: $count, after: $cursor) @connection(key: "Samples_samples") {
    edges { cursor node { id name user { handle } } }
    pageInfo { hasNextPage endCursor }
  }
}`;
"""
    )
    (tmp_path / "relay.config.json").write_text(
        json.dumps({"src": "./src", "schema": "./schema.graphql", "language": "javascript", "eagerEsModules": True})
    )
    done = subprocess.run(
        ["node", str(EXPLORER / "node_modules" / "relay-compiler" / "cli.js"), "relay.config.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (source / "__generated__" / "SamplesQuery.graphql.js").exists()
