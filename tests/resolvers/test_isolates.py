from typing import Any

import pytest
from msgspec import structs

from tests.factories.api import Api
from tests.factories.otus import full_otu, joined_otu, stored_otu
from tests.factories.payloads import failure
from tests.factories.references import member, stored_reference
from virtool_gql.access import Viewer
from virtool_gql.models.references import Reference

ANSWER = """{ isolate { id name default sourceType sourceName sequences { accession } }
    otu { version isolates { name default } } errors { code message path } }"""
CREATE = f"mutation($input: CreateIsolateInput!) {{ createIsolate(input: $input) {ANSWER} }}"
UPDATE = f"mutation($input: UpdateIsolateInput!) {{ updateIsolate(input: $input) {ANSWER} }}"
SET_DEFAULT = f"mutation($input: SetDefaultIsolateInput!) {{ setDefaultIsolate(input: $input) {ANSWER} }}"
DELETE = f"mutation($input: DeleteIsolateInput!) {{ deleteIsolate(input: $input) {ANSWER} }}"


@pytest.fixture
async def reference(api: Api, owner: Viewer) -> Reference:
    reference = await stored_reference(api.db, user_id=owner.user_id)
    await stored_otu(api.db, reference.id, full_otu("o", 2, 1))
    return reference


def shown(payload: Any) -> list[tuple[str, bool]]:
    assert payload["errors"] == []
    return [(isolate["name"], isolate["default"]) for isolate in payload["otu"]["isolates"]]


async def test_isolates_are_added_changed_and_deleted(api: Api, owner: Viewer, reference: Reference) -> None:
    await stored_otu(api.db, reference.id, joined_otu("empty"))
    payload = await api.ask(owner, CREATE, input={"otuId": "otu_empty"})
    assert shown(payload) == [("Unnamed Isolate", True)]
    created = {"otuId": "otu_o", "sourceType": "STRAIN", "sourceName": "Z", "default": True, "idempotencyKey": "k"}
    payload = await api.ask(owner, CREATE, input=created)
    assert shown(payload) == [("Isolate OI0", False), ("Isolate OI1", False), ("Strain Z", True)]
    assert (payload["otu"]["version"], payload["isolate"]["sourceType"]) == (1, "strain")
    id = payload["isolate"]["id"]
    assert id.startswith("isolate_o_")
    assert (await api.ask(owner, CREATE, input=created))["isolate"]["id"] == id
    payload = await api.ask(owner, UPDATE, input={"id": id, "sourceName": "Y", "expectedVersion": 1})
    assert (payload["isolate"]["name"], payload["otu"]["version"]) == ("Strain Y", 2)
    payload = await api.ask(owner, SET_DEFAULT, input={"id": "isolate_o_oi1"})
    assert payload["isolate"]["sequences"] == [{"accession": "NC_oi1s0"}]
    assert shown(payload) == [("Isolate OI0", False), ("Isolate OI1", True), ("Strain Y", False)]
    payload = await api.ask(owner, DELETE, input={"id": "isolate_o_oi1"})
    assert (payload["isolate"]["name"], payload["isolate"]["sequences"]) == ("Isolate OI1", [])
    assert shown(payload) == [("Isolate OI0", True), ("Strain Y", False)]


async def test_what_a_user_can_mend_comes_with_its_path(
    api: Api, owner: Viewer, stranger: Viewer, reference: Reference
) -> None:
    for mutation, input, expected in (
        (CREATE, {"otuId": "otu_nothing0"}, ("NOT_FOUND", "There is no OTU of that id.", ["otuId"])),
        (CREATE, {"otuId": "isolate_o_oi0"}, ("NOT_FOUND", None, ["otuId"])),
        (UPDATE, {"id": "isolate_o_x"}, ("NOT_FOUND", "There is no isolate of that id.", ["id"])),
        (UPDATE, {"id": "isolate_o_oi0", "sourceName": None}, ("BAD_USER_INPUT", None, ["sourceName"])),
        (SET_DEFAULT, {"id": "isolate_o"}, ("NOT_FOUND", None, ["id"])),
        (DELETE, {"id": "isolate_o_oi0", "expectedVersion": 1}, ("CONFLICT", None, ["expectedVersion"])),
    ):
        code, message, path = await failure(api, owner, mutation, **input)
        assert (code, path) == (expected[0], expected[2])
        assert expected[1] in {None, message}
    assert (await failure(api, stranger, DELETE, id="isolate_o_oi0"))[0] == "NOT_FOUND"
    restricted = structs.replace(reference, restrict_source_types=True, users=(member(stranger.user_id),))
    await api.db.store.replace(restricted)
    administrator = await api.viewer("administrator", administrator=True)
    assert await failure(api, administrator, CREATE, otuId="otu_o", sourceType="clone") == (
        "BAD_USER_INPUT",
        "Source type is not allowed.",
        ["sourceType"],
    )
    assert (await failure(api, stranger, SET_DEFAULT, id="isolate_o_oi1"))[0] == "FORBIDDEN"
