import asyncio
from typing import Any

import pytest

from tests.factories.api import Api
from tests.factories.groups import stored_group
from tests.factories.references import member, stored_reference
from tests.factories.users import stored_user
from virtool_gql.access import Viewer
from virtool_gql.models.references import Reference, Right

FIELDS = "members { user { handle } group { name } build modify modifyOtu remove } version rights { modify }"
ERRORS = "errors { code message path }"

NO_RIGHTS = {"build": False, "modify": False, "modifyOtu": False, "remove": False}

Input = dict[str, Any]


def mutation(name: str) -> str:
    return f"""mutation($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{
        reference {{ {FIELDS} }} {ERRORS} }} }}"""


class Stage:
    """A reference of the owner, and somebody who is to be its member."""

    def __init__(self, api: Api, kind: str, reference: Reference, id: str) -> None:
        self.api, self.kind, self.reference = api, kind, reference
        self.about: Input = {"referenceId": f"reference_{reference.id}", f"{kind.lower()}Id": id}

    async def ask(self, viewer: Viewer, verb: str, **values: Any) -> Any:
        return await self.api.ask(viewer, mutation(f"{verb}Reference{self.kind}"), input={**self.about, **values})

    async def code(self, verb: str) -> str:
        return await self.api.code(None, mutation(f"{verb}Reference{self.kind}"), input=self.about)

    def rights(self, payload: Input) -> Input:
        """Give the rights of the member that was changed last."""
        assert payload["errors"] == []
        (shown,) = [each for each in payload["reference"]["members"] if named(each) not in {"owner", "reader"}]
        return {name: shown[name] for name in NO_RIGHTS}


def named(shown: Input) -> str:
    return str(shown["user"]["handle"] if shown["user"] else shown["group"]["name"])


def codes(payload: Input) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["path"]) for error in payload["errors"]]


@pytest.fixture
async def reader(api: Api) -> Viewer:
    return await api.viewer("reader")


@pytest.fixture(params=["User", "Group"])
async def stage(request: pytest.FixtureRequest, api: Api, owner: Viewer, reader: Viewer) -> Stage:
    members = (member(owner.user_id, *Right), member(reader.user_id))
    reference = await stored_reference(api.db, "Shared", owner.user_id, users=members)
    if request.param == "User":
        id = f"user_{(await stored_user(api.db, 'alice'))[0].id}"
    else:
        id = f"group_{(await stored_group(api.db)).id}"
    return Stage(api, request.param, reference, id)


async def test_who_may_change_members(stage: Stage, reader: Viewer, stranger: Viewer) -> None:
    for verb in ("add", "update", "remove"):
        assert await stage.code(verb) == "UNAUTHENTICATED"
        assert codes(await stage.ask(stranger, verb)) == [("NOT_FOUND", ["referenceId"])]
        refused = await stage.ask(reader, verb)
        assert codes(refused) == [("FORBIDDEN", [])]
        assert "MODIFY" in refused["errors"][0]["message"]


async def test_members_come_change_and_go(stage: Stage, owner: Viewer, administrator: Viewer) -> None:
    assert stage.rights(await stage.ask(owner, "add")) == NO_RIGHTS
    assert stage.rights(await stage.ask(owner, "update", modifyOtu=True)) == {**NO_RIGHTS, "modifyOtu": True}
    assert stage.rights(await stage.ask(administrator, "update", build=True, modifyOtu=False)) == {
        **NO_RIGHTS,
        "build": True,
    }
    again = await stage.ask(owner, "add", remove=True)
    assert again["errors"] == [
        {"code": "CONFLICT", "message": f"{stage.kind} already exists.", "path": [f"{stage.kind.lower()}Id"]}
    ]
    stale = await stage.ask(owner, "update", build=False, expectedVersion=1)
    assert codes(stale) == [("CONFLICT", [])]
    assert codes(await stage.ask(owner, "update", build=None)) == [("BAD_USER_INPUT", ["build"])]
    removed = await stage.ask(owner, "remove")
    assert [named(each) for each in removed["reference"]["members"]] == ["owner", "reader"]
    path = f"{stage.kind.lower()}Id"
    for verb in ("remove", "update"):
        assert codes(await stage.ask(owner, verb)) == [("NOT_FOUND", [path])]
    rights = {"build": True, "modify": True, "modifyOtu": False, "remove": True}
    assert stage.rights(await stage.ask(owner, "add", **rights)) == rights


async def test_members_of_an_archived_reference_lose_rights_and_get_none(stage: Stage, owner: Viewer) -> None:
    await stage.ask(owner, "add", build=True, remove=True)
    await stage.api.db.references.archive(owner, stage.reference.id)
    assert stage.rights(await stage.ask(owner, "update", build=False)) == {**NO_RIGHTS, "remove": True}
    refused = await stage.ask(owner, "update", build=True)
    assert codes(refused) == [("CONFLICT", [])]
    assert "archived" in refused["errors"][0]["message"]
    removed = await stage.ask(owner, "remove")
    assert [named(each) for each in removed["reference"]["members"]] == ["owner", "reader"]
    assert codes(await stage.ask(owner, "add")) == [("CONFLICT", [])]


async def test_a_member_is_added_once(stage: Stage, owner: Viewer) -> None:
    payloads = await asyncio.gather(*(stage.ask(owner, "add") for _ in range(20)))
    outcomes = [codes(payload) for payload in payloads]
    assert outcomes.count([]) == 1
    assert outcomes.count([("CONFLICT", [f"{stage.kind.lower()}Id"])]) == 19


async def test_what_is_not_there_is_named(stage: Stage, owner: Viewer) -> None:
    path, prefix = f"{stage.kind.lower()}Id", stage.kind.lower()
    missing = await stage.ask(owner, "add", **{path: f"{prefix}_nothere1"})
    assert missing["errors"] == [{"code": "BAD_USER_INPUT", "message": f"{stage.kind} does not exist.", "path": [path]}]
    for wrong in ("sample_x", "\0", ""):
        assert codes(await stage.ask(owner, "add", **{path: wrong})) == [("NOT_FOUND", [path])]
        for verb in ("add", "update", "remove"):
            assert codes(await stage.ask(owner, verb, referenceId=wrong)) == [("NOT_FOUND", ["referenceId"])]


async def test_who_removes_themselves_is_shown_what_is_left(api: Api, owner: Viewer, stranger: Viewer) -> None:
    members = (member(stranger.user_id, Right.MODIFY), member(owner.user_id))
    reference = await stored_reference(api.db, "Shared", owner.user_id, users=members)
    about = {"referenceId": f"reference_{reference.id}", "userId": f"user_{stranger.user_id}"}
    less = await api.ask(stranger, mutation("updateReferenceUser"), input={**about, "build": True})
    assert less["reference"]["members"][0]["build"]
    removed = await api.ask(stranger, mutation("removeReferenceUser"), input=about)
    assert [named(each) for each in removed["reference"]["members"]] == ["owner"]
    assert removed["reference"]["rights"] == {"modify": False}
    refused = await api.ask(stranger, mutation("removeReferenceUser"), input=about)
    assert codes(refused) == [("NOT_FOUND", ["referenceId"])]
