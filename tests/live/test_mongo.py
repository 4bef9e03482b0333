"""The whole story with documents in MongoDB and rows in PostgreSQL."""

import gzip
import json
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.factories.conditions import eventually
from tests.factories.reference_files import Contents, canonical, changed, made_up_reference, written
from tests.live.server import LiveServer, SignedIn, json_line, run_demo, signed_in
from tests.stores.mongo_server import fresh_database, mongo_server

IMPORTED_OTUS = 50
READS = "@r\nACGT\n+\nIIII\n"
OTU = "query($id: ID!, $version: Int!) { otu(id: $id) { %s atVersion(version: $version) { %s } } }"
OTU %= ("version verified name isolates { sequences { accession } }",) * 2
NO_POWER = "You are no administrator any more."


@pytest.fixture(scope="module")
def on_mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with mongo_server() as url:
        data_path = tmp_path_factory.mktemp("on_mongo") / "data"
        server = LiveServer(data_path, ("--mongo-url", fresh_database(url), "--watch-quiet-seconds", "0.5"))
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
        missed = untold(client, cursor, {("FileChange", file_id), ("SampleChange", made["sample"]["id"])})
        assert not missed


def untold(client: SignedIn, cursor: str, expected: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Read changes after the cursor until all of the expected ones have come; give those that have not."""
    body = {"query": "subscription($a: Cursor) { changes(after: $a) { __typename ids } }", "variables": {"a": cursor}}
    missed = set(expected)
    with client.stream("POST", "/graphql", json=body, headers={"accept": "text/event-stream"}) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: {"):
                change = json_line(line.removeprefix("data: "))["data"]["changes"]
                missed.discard((change["__typename"], change["ids"][0]))
            if not missed:
                break
    return missed


def attempt(client: SignedIn, mutation: str, fields: str, /, **values: object) -> dict[str, Any]:
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    query = f"mutation($i: {kind}!) {{ {mutation}(input: $i) {{ {fields} errors {{ message }} }} }}"
    return dict(client.run(query, i=values)[mutation])


def done(client: SignedIn, mutation: str, fields: str, /, **values: object) -> dict[str, Any]:
    """Do what is allowed, and give what it was done to."""
    payload = attempt(client, mutation, f"document: {fields}", **values)
    assert payload["errors"] == []
    return dict(payload["document"])


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(work, range(count)))


def some_samples(client: SignedIn, folder: Path, count: int, **values: object) -> list[str]:
    def sample(number: int) -> str:
        path = folder / f"{folder.name}{number}.fq"
        path.write_text(READS)
        files = [client.upload(path)]
        return str(done(client, "createSample", "sample { id }", name=path.stem, fileIds=files, **values)["id"])

    return [sample(number) for number in range(count)]


def test_a_label_and_a_group_that_are_deleted_leave_the_samples(on_mongo: LiveServer, tmp_path: Path) -> None:
    with signed_in(on_mongo) as client:
        kept, gone = (done(client, "createLabel", "label { id }", name=name)["id"] for name in ("Kept", "Gone"))
        group = done(client, "createGroup", "group { id }", name="Mycology")["id"]
        samples = some_samples(client, tmp_path, 4, labelIds=[gone], groupId=group)
        labelled = attempt(
            client,
            "updateSampleLabels",
            "results { sample { labels { id } } errors { code } }",
            sampleIds=[*samples, "sample_00000000"],
            addLabelIds=[kept],
        )["results"]
        both = {"sample": {"labels": [{"id": gone}, {"id": kept}]}, "errors": []}
        assert labelled[:-1] == [both] * 4
        assert labelled[-1] == {"sample": None, "errors": [{"code": "NOT_FOUND"}]}
        done(client, "deleteLabel", "label { id }", id=gone)
        done(client, "deleteGroup", "group { id }", id=group)
        query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Sample { group { id } labels { id sampleCount } } } }"
        left = {"group": None, "labels": [{"id": kept, "sampleCount": 4}]}
        assert client.run(query, ids=samples)["nodes"] == [left] * 4
        query = "query($ids: [ID!]) { samples(filter: { labelIds: $ids }) { totalCount } }"
        assert client.run(query, ids=[gone])["samples"]["totalCount"] == 0


def test_names_are_unique_from_one_moment_to_another(on_mongo: LiveServer, tmp_path: Path) -> None:
    with signed_in(on_mongo) as client:
        one, two = some_samples(client, tmp_path, 2)
        done(client, "updateSettings", "settings { version }", sampleUniqueNames=False)
        done(client, "updateSample", "sample { id }", id=one, name="Twin")
        done(client, "updateSample", "sample { id }", id=two, name="TWIN")
        assert attempt(client, "updateSettings", "settings { version }", sampleUniqueNames=True)["errors"]
        done(client, "updateSample", "sample { id }", id=two, name="Single")
        done(client, "updateSettings", "settings { version }", sampleUniqueNames=True)
        assert attempt(client, "updateSample", "sample { id }", id=two, name="twin")["errors"]


def test_what_is_asked_for_many_times_at_once_is_made_once(on_mongo: LiveServer, tmp_path: Path) -> None:
    with signed_in(on_mongo) as client:
        path = tmp_path / "once.fq"
        path.write_text(READS)
        inputs: dict[str, dict[str, object]] = {
            "Group": {"name": "Once"},
            "Label": {"name": "Once"},
            "Sample": {"name": "Once", "fileIds": [client.upload(path)]},
        }
        for name, values in inputs.items():
            fields = f"{name.lower()} {{ id }}"
            made = at_once(10, lambda _: done(client, f"create{name}", fields, **values, idempotencyKey="once"))  # noqa: B023 - called at once
            assert len({document["id"] for document in made}) == 1


def test_no_edit_is_lost_and_one_administrator_is_left(on_mongo: LiveServer) -> None:
    with signed_in(on_mongo) as client, SignedIn(base_url=on_mongo.url, timeout=60) as rival:
        credentials = {"handle": "eve", "password": "difference engine"}
        made = done(client, "createUser", "user { id version }", **credentials, forceReset=False, administrator=True)
        edits = at_once(
            15, lambda n: done(client, "updateUser", "user { version }", id=made["id"], email=f"{n}@example.org")
        )
        assert sorted(edit["version"] - made["version"] for edit in edits) == list(range(1, 16))
        done(rival, "login", "viewer { handle }", **credentials)
        ada = client.run("{ viewer { id } }")["viewer"]["id"]
        duel = ((client, made["id"]), (rival, ada))
        outcomes = at_once(
            2, lambda n: attempt(duel[n][0], "updateUser", "user { id }", id=duel[n][1], administrator=False)
        )
        assert sorted([error["message"] for error in outcome["errors"]] for outcome in outcomes) == [[], [NO_POWER]]
        if outcomes[1]["errors"] == []:
            done(rival, "updateUser", "user { id }", id=ada, administrator=True)


def test_files_in_rows_follow_the_folders(on_mongo: LiveServer) -> None:
    with signed_in(on_mongo) as client:
        files = 'query { files(search: "watched") { nodes { id ready } } }'
        (on_mongo.watch_path / "watched.fq").write_text(READS)
        eventually(lambda: [file["ready"] for file in client.run(files)["files"]["nodes"]] == [True])
        (file,) = client.run(files)["files"]["nodes"]
        (on_mongo.data_path / "files" / file["id"].removeprefix("file_")).unlink()
        eventually(lambda: client.run(files)["files"]["nodes"] == [])


def test_writes_to_either_store_are_told_and_audited(on_mongo: LiveServer, tmp_path: Path) -> None:
    with signed_in(on_mongo) as client:
        cursor = client.run("{ cursor }")["cursor"]
        label = done(client, "createLabel", "label { id }", name="Told")["id"]
        group = done(client, "createGroup", "group { id }", name="Told")["id"]
        (sample,) = some_samples(client, tmp_path, 1, labelIds=[label])
        shown = at_once(
            5,
            lambda n: done(client, "setInstanceMessage", "instanceMessage { id }", message=f"No {n}", color="RED")[
                "id"
            ],
        )
        entries = "{ auditEntries(first: 100) { nodes { id collection deed documentId handle requestId } } }"
        audited = client.run(entries)["auditEntries"]["nodes"]
        inserted = {node["documentId"]: node for node in audited if node["deed"] == "INSERT"}
        assert {label, group, sample, *shown} <= inserted.keys()
        ours = [inserted[id] for id in (label, group, sample, *shown)]
        assert all(node["handle"] == "ada" and node["requestId"] for node in ours)
        told = {("LabelChange", label), ("GroupChange", group), ("SampleChange", sample)}
        told |= {("InstanceMessageChange", id) for id in shown} | {("AuditEntryChange", node["id"]) for node in ours}
        assert not untold(client, cursor, told)


def curated(client: SignedIn) -> tuple[str, str, str]:
    """Make a reference of one OTU with an isolate and its two sequences; give the id of each."""
    reference = done(client, "createReference", "reference { id }", name="Curated")["id"]
    schema = [{"name": name, "molecule": "SS_RNA_PLUS"} for name in ("RNA 1", "RNA 2")]
    otu = done(client, "createOtu", "otu { id }", referenceId=reference, name="Rose mosaic virus", schema=schema)["id"]
    isolate = done(client, "createIsolate", "isolate { id }", otuId=otu, sourceType="strain", sourceName="A")["id"]
    for segment in ("RNA 1", "RNA 2"):
        values = {"accession": segment, "definition": segment, "segment": segment, "sequence": "ACGT"}
        done(client, "createSequence", "sequence { id }", isolateId=isolate, **values)
    return reference, otu, isolate


def latest_change(client: SignedIn, otu: str) -> str:
    entries = client.run("query($id: ID) { history(first: 1, otuId: $id) { nodes { id } } }", id=otu)["history"]
    return str(entries["nodes"][0]["id"])


def unbuilt(client: SignedIn, reference: str) -> int:
    query = "query($id: ID) { history(referenceId: $id, unbuilt: true) { totalCount } }"
    return int(client.run(query, id=reference)["history"]["totalCount"])


def test_otus_are_edited_and_what_was_done_is_taken_back(on_mongo: LiveServer) -> None:
    with signed_in(on_mongo) as client:
        reference, otu, isolate = curated(client)
        first = client.run(OTU, id=otu, version=1)["otu"]
        assert (first["version"], first["verified"], first["atVersion"]["isolates"]) == (3, True, [{"sequences": []}])
        edits = at_once(
            4, lambda n: attempt(client, "updateOtu", "otu { id }", id=otu, name=f"{n}", expectedVersion=3)["errors"]
        )
        assert sorted(map(len, edits)) == [0, 1, 1, 1]
        done(client, "deleteIsolate", "otu { version }", id=isolate)
        left = client.run(OTU, id=otu, version=3)["otu"]
        assert (left["version"], left["verified"], left["isolates"]) == (5, False, [])
        assert left["atVersion"] == {**left["atVersion"], "name": "Rose mosaic virus", "isolates": first["isolates"]}
        done(client, "revertChange", "otu { version }", id=latest_change(client, otu))
        done(client, "deleteOtu", "otu { id }", id=otu)
        assert client.run(OTU, id=otu, version=0)["otu"] is None
        back = done(client, "revertChange", "otu { verified isolates { id } }", id=latest_change(client, otu))
        assert back == {"verified": True, "isolates": [{"id": isolate}]}
        assert unbuilt(client, reference) == 5


def test_a_build_takes_the_changes_and_gives_them_back_when_it_is_cancelled(on_mongo: LiveServer) -> None:
    with signed_in(on_mongo) as client:
        reference, otu, _ = curated(client)
        fields = "index { version ready changeCount manifest { otuId version } job { id } }"
        built = done(client, "buildIndex", fields, referenceId=reference)
        job = built.pop("job")["id"]
        manifest = [{"otuId": otu, "version": 3}]
        assert built == {"version": 0, "ready": False, "changeCount": 4, "manifest": manifest}
        assert unbuilt(client, reference) == 0
        assert attempt(client, "revertChange", "otu { id }", id=latest_change(client, otu))["errors"]
        assert attempt(client, "buildIndex", "index { id }", referenceId=reference)["errors"]
        done(client, "cancelJob", "job { id }", id=job)
        eventually(lambda: unbuilt(client, reference) == 4)
        assert client.run("query($id: ID) { indexes(referenceId: $id) { totalCount } }", id=reference) == {
            "indexes": {"totalCount": 0}
        }


def imported(client: SignedIn, path: Path) -> tuple[str, dict[str, Any]]:
    """Import a file; give the id of the reference, and the task when it has ended."""
    begun = done(client, "importReference", "task { id reference { id } }", fileId=client.upload(path, "REFERENCE"))
    query = "query($id: ID!) { task(id: $id) { state error complete problems { otuName } } }"

    def look() -> dict[str, Any] | None:
        task = dict(client.run(query, id=begun["id"])["task"])
        return task if task["state"] in {"COMPLETE", "FAILED"} else None

    task = eventually(look)
    assert task
    return begun["reference"]["id"], task


def exported(client: SignedIn, reference: str) -> Contents:
    answer = client.get(f"/downloads/references/{reference}/reference.json.gz")
    assert answer.status_code == 200
    return dict(json.loads(gzip.decompress(answer.content)))


def test_a_reference_comes_as_it_is_and_goes(on_mongo: LiveServer, tmp_path: Path) -> None:
    contents = made_up_reference(IMPORTED_OTUS)
    with signed_in(on_mongo) as client:
        reference, task = imported(client, written(tmp_path / "whole.json.gz", contents))
        assert (task["state"], task["error"]) == ("COMPLETE", None)
        assert exported(client, reference) == canonical(contents)
        assert unbuilt(client, reference) == IMPORTED_OTUS
        done(client, "deleteReference", "reference { id }", id=reference)
        deletions = "{ tasks(filter: { type: DELETE_REFERENCE }) { nodes { state } } }"
        eventually(lambda: {task["state"] for task in client.run(deletions)["tasks"]["nodes"]} == {"COMPLETE"})
        query = "query($id: ID) { otus(referenceId: $id) { totalCount } history(referenceId: $id) { totalCount } }"
        assert client.run(query, id=reference) == {"otus": {"totalCount": 0}, "history": {"totalCount": 0}}


def test_a_reference_with_a_mistake_is_not_made(on_mongo: LiveServer, tmp_path: Path) -> None:
    contents = changed(made_up_reference(3), "otus.1.isolates", [])
    with signed_in(on_mongo) as client:
        reference, task = imported(client, written(tmp_path / "broken.json.gz", contents))
        assert task["state"] == "FAILED"
        assert task["problems"] == [{"otuName": "Made-up virus 00001"}]
        assert client.run("query($id: ID!) { reference(id: $id) { id } }", id=reference) == {"reference": None}
