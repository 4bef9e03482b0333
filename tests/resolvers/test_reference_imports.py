"""References are made from uploaded files through the API."""

from pathlib import Path
from typing import Any

import pytest

from tests.factories.api import Api
from tests.factories.reference_files import changed, made_up_reference, written
from tests.factories.tasks import performed
from virtool_gql.access import Viewer
from virtool_gql.models.files import File, FileType
from virtool_gql.models.users import Permission

IMPORT = """mutation($input: ImportReferenceInput!) { importReference(input: $input) {
  reference { id name organism ready otuCount task { id } importedFrom { name size file { id } user { handle } } }
  task { id type state progress reference { id } user { handle } }
  errors { code message path }
} }"""
REFERENCE = "query($id: ID!) { reference(id: $id) { ready organism otuCount task { state } } }"
TASK = """query($id: ID!) { task(id: $id) { state error problems { message otuId otuName } warnings { otuName }
  reference { id } } }"""


@pytest.fixture
async def curator(api: Api) -> Viewer:
    return await api.viewer("curator", Permission.CREATE_REF)


async def uploaded(api: Api, owner: Viewer, contents: Any) -> File:
    file: File = await api.file(owner, name="plants.json.gz", type=FileType.REFERENCE, size=123)
    path: Path = api.db.places.file(file.id)
    written(path, contents)
    return file


async def test_a_file_becomes_a_reference(api: Api, owner: Viewer, curator: Viewer) -> None:
    file = await uploaded(api, owner, made_up_reference(3))
    answer = await api.ask(curator, IMPORT, input={"fileId": f"file_{file.id}", "name": "Plants"})
    reference, task = answer["reference"], answer["task"]
    assert answer["errors"] == []
    assert (reference["name"], reference["ready"], reference["otuCount"]) == ("Plants", False, 0)
    assert reference["importedFrom"] == {
        "name": "plants.json.gz",
        "size": 123,
        "file": {"id": f"file_{file.id}"},
        "user": {"handle": "owner"},
    }
    assert (task["type"], task["state"], task["progress"]) == ("IMPORT_REFERENCE", "WAITING", 0)
    assert (reference["task"]["id"], task["reference"]["id"]) == (task["id"], reference["id"])
    await performed(api.db, task["id"].removeprefix("task_"))
    ready = await api.ask(curator, REFERENCE, id=reference["id"])
    assert ready == {"ready": True, "organism": "virus", "otuCount": 3, "task": {"state": "COMPLETE"}}


async def test_all_that_is_wrong_with_a_file_is_told(api: Api, owner: Viewer, curator: Viewer) -> None:
    broken = changed(changed(made_up_reference(2), "otus.0.isolates", []), "otus.1.name", 7)
    file = await uploaded(api, owner, broken)
    answer = await api.ask(curator, IMPORT, input={"fileId": f"file_{file.id}"})
    await performed(api.db, answer["task"]["id"].removeprefix("task_"))
    task = await api.ask(curator, TASK, id=answer["task"]["id"])
    assert (task["state"], task["error"]) == ("FAILED", "The file has problems; nothing was imported from it.")
    assert task["problems"] == [
        {"message": "The OTU is empty: it has no isolates.", "otuId": "otu00000", "otuName": "Made-up virus 00000"},
        {"message": "otus[1].name must be a text, not 7.", "otuId": "otu00001", "otuName": None},
    ]
    assert task["reference"] is None
    assert await api.ask(curator, REFERENCE, id=answer["reference"]["id"]) is None


async def test_what_cannot_be_imported_is_told_at_once(api: Api, owner: Viewer, curator: Viewer) -> None:
    reads = await api.file(owner)
    for id, code in ((f"file_{reads.id}", "BAD_USER_INPUT"), ("file_none0000", "NOT_FOUND"), ("x", "NOT_FOUND")):
        (error,) = (await api.ask(curator, IMPORT, input={"fileId": id}))["errors"]
        assert (error["code"], error["path"]) == (code, ["fileId"])
    file = await uploaded(api, owner, made_up_reference(1))
    (error,) = (await api.ask(owner, IMPORT, input={"fileId": f"file_{file.id}"}))["errors"]
    assert error["code"] == "FORBIDDEN"


async def test_one_key_makes_one_reference(api: Api, owner: Viewer, curator: Viewer) -> None:
    file = await uploaded(api, owner, made_up_reference(1))
    given = {"fileId": f"file_{file.id}", "idempotencyKey": "once"}
    first, second = [await api.ask(curator, IMPORT, input=given) for _ in range(2)]
    assert first == second
