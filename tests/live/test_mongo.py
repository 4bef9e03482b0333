"""The whole story with documents in MongoDB and rows in PostgreSQL."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.server import LiveServer, json_line, run_demo, signed_in
from tests.stores.mongo_server import fresh_database, mongo_server


@pytest.fixture(scope="module")
def on_mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with mongo_server() as url:
        data_path = tmp_path_factory.mktemp("on_mongo") / "data"
        server = LiveServer(data_path, ("--mongo-url", fresh_database(url)))
        server.start()
        yield server
        assert server.stop() == 0


def test_the_demo_runs_and_what_it_made_outlives_a_kill(on_mongo: LiveServer) -> None:
    with signed_in(on_mongo) as client:
        done = run_demo(on_mongo)
        assert done.returncode == 0, done.stderr
        assert "100% complete" in done.stdout
        on_mongo.stop(signal.SIGKILL)
        on_mongo.start()
        samples = client.run("{ samples { totalCount nodes { ready quality { count } job { state } } } }")["samples"]
        assert samples["totalCount"] == 1
        assert samples["nodes"] == [{"ready": True, "quality": {"count": 10_000}, "job": {"state": "COMPLETE"}}]


def test_an_event_of_each_store_arrives(on_mongo: LiveServer, tmp_path: Path) -> None:
    with signed_in(on_mongo) as client:
        cursor = client.run("{ cursor }")["cursor"]
        reads = tmp_path / "reads.fq"
        reads.write_text("@r\nACGT\n+\nIIII\n")
        file_id = client.upload(reads)
        made = client.run(
            "mutation($i: CreateSampleInput!) { createSample(input: $i) { sample { id } errors { message } } }",
            i={"name": "Watched", "fileIds": [file_id]},
        )["createSample"]
        query = "subscription($a: Cursor) { changes(collections: [FILES, SAMPLES], after: $a) { __typename ids } }"
        body = {"query": query, "variables": {"a": cursor}}
        expected = {("FileChange", file_id), ("SampleChange", made["sample"]["id"])}
        with client.stream("POST", "/graphql", json=body, headers={"accept": "text/event-stream"}) as stream:
            for line in stream.iter_lines():
                if line.startswith("data: {"):
                    change = json_line(line.removeprefix("data: "))["data"]["changes"]
                    expected.discard((change["__typename"], change["ids"][0]))
                if not expected:
                    break
        assert not expected
