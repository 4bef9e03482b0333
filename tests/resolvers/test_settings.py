from typing import Any

import pytest

from tests.factories.api import Api
from tests.factories.groups import stored_group
from virtool_gql.access import Viewer
from virtool_gql.models.files import File
from virtool_gql.models.users import Permission, User

FIELDS = (
    "minimumPasswordLength sampleGroup sampleGroupRead sampleGroupWrite sampleAllRead sampleAllWrite "
    "sampleUniqueNames defaultSourceTypes hmmSlug version"
)
READ = f"{{ settings {{ {FIELDS} }} }}"
UPDATE = (
    "mutation($i: UpdateSettingsInput!) "
    f"{{ updateSettings(input: $i) {{ settings {{ {FIELDS} }} errors {{ code message path }} }} }}"
)
DEFAULTS = {
    "minimumPasswordLength": 8,
    "sampleGroup": "NONE",
    "sampleGroupRead": True,
    "sampleGroupWrite": False,
    "sampleAllRead": True,
    "sampleAllWrite": False,
    "sampleUniqueNames": True,
    "defaultSourceTypes": ["isolate", "strain"],
    "hmmSlug": "virtool/virtool-hmm",
    "version": 0,
}
OTHERS = {
    "minimumPasswordLength": 12,
    "sampleGroup": "FORCE_CHOICE",
    "sampleGroupRead": False,
    "sampleGroupWrite": True,
    "sampleAllRead": False,
    "sampleAllWrite": True,
    "sampleUniqueNames": False,
    "defaultSourceTypes": ["clone"],
    "hmmSlug": "me/hmm",
}
CREATE_SAMPLE = (
    "mutation($i: CreateSampleInput!) { createSample(input: $i) { "
    "sample { id name rights { groupRead groupWrite allRead allWrite } group { id } } errors { code message path } } }"
)
RENAME = "mutation($i: UpdateSampleInput!) { updateSample(input: $i) { sample { name } errors { code message path } } }"


async def settle(api: Api, administrator: Viewer, **values: Any) -> dict[str, Any]:
    payload = await api.ask(administrator, UPDATE, i=values)
    assert payload["errors"] == []
    return dict(payload["settings"])


async def created(api: Api, owner: Viewer, name: str = "Leaf", **values: Any) -> dict[str, Any]:
    file: File = await api.file(owner)
    return dict(await api.ask(owner, CREATE_SAMPLE, i={"name": name, "fileIds": [f"file_{file.id}"], **values}))


async def test_who_reads_and_who_changes(api: Api, owner: Viewer, administrator: Viewer) -> None:
    assert await api.code(None, READ) == "UNAUTHENTICATED"
    assert await api.code(None, UPDATE, i={}) == "UNAUTHENTICATED"
    assert await api.ask(owner, READ) == DEFAULTS
    for values in ({"sampleAllRead": False}, {"sampleAllRead": None}, {"minimumPasswordLength": 0}):
        payload = await api.ask(owner, UPDATE, i=values)
        assert [error["code"] for error in payload["errors"]] == ["FORBIDDEN"]
    assert await api.ask(owner, READ) == DEFAULTS
    assert await settle(api, administrator) == DEFAULTS


@pytest.mark.parametrize("field", OTHERS)
async def test_each_field_is_changed_alone_and_none_is_null(api: Api, administrator: Viewer, field: str) -> None:
    payload = await api.ask(administrator, UPDATE, i={field: None})
    assert (payload["settings"], payload["errors"][0]["code"]) == (None, "BAD_USER_INPUT")
    assert payload["errors"][0]["path"] == [field]
    assert await api.ask(administrator, READ) == DEFAULTS
    assert await settle(api, administrator, **{field: OTHERS[field]}) == DEFAULTS | {field: OTHERS[field], "version": 1}


async def test_changes_are_told_to_everybody(api: Api, administrator: Viewer, stranger: Viewer) -> None:
    watch = f"subscription {{ settings {{ operation ids settings {{ {FIELDS} }} }} }}"
    assert [type(error).__name__ for error in await api.refused(None, watch)] == ["Unauthenticated"]
    async with api.subscribed(stranger, watch) as live:
        first = await settle(api, administrator, **OTHERS)
        assert await live.next() == {"operation": "INSERT", "ids": ["settings_settings"], "settings": first}
        second = await settle(api, administrator, hmmSlug="a/b", expectedVersion=1)
        assert await live.next() == {"operation": "UPDATE", "ids": ["settings_settings"], "settings": second}
    payload = await api.ask(administrator, UPDATE, i={"hmmSlug": "c/d", "expectedVersion": 1})
    assert payload["errors"][0]["code"] == "CONFLICT"


async def test_rights_of_new_samples(api: Api, administrator: Viewer, owner: Viewer) -> None:
    open_rights = {"groupRead": True, "groupWrite": False, "allRead": True, "allWrite": False}
    assert (await created(api, owner, "Before"))["sample"]["rights"] == open_rights
    await settle(
        api, administrator, sampleGroupRead=False, sampleGroupWrite=True, sampleAllRead=False, sampleAllWrite=True
    )
    after = (await created(api, owner, "After"))["sample"]
    assert after["rights"] == {"groupRead": False, "groupWrite": True, "allRead": False, "allWrite": True}
    samples = "{ samples { nodes { name rights { allRead } } } }"
    assert {node["name"]: node["rights"]["allRead"] for node in (await api.ask(owner, samples))["nodes"]} == {
        "Before": True,
        "After": False,
    }


async def test_groups_of_new_samples(api: Api, administrator: Viewer) -> None:
    group = await stored_group(api.db, "Virologists", Permission.CREATE_SAMPLE)
    member = await api.viewer("member", group_ids=(group.id,))
    chosen = {"groupId": f"group_{group.id}"}
    assert (await created(api, member, "A"))["sample"]["group"] is None
    assert (await created(api, member, "B", **chosen))["sample"]["group"] == {"id": chosen["groupId"]}
    await settle(api, administrator, sampleGroup="FORCE_CHOICE")
    refused = await created(api, member, "C")
    message = "Group value required for sample creation."
    assert refused["errors"] == [{"code": "BAD_USER_INPUT", "message": message, "path": ["groupId"]}]
    assert (await created(api, member, "C", **chosen))["sample"]["group"] == {"id": chosen["groupId"]}
    await settle(api, administrator, sampleGroup="USERS_PRIMARY_GROUP")
    assert (await created(api, member, "D"))["sample"]["group"] is None
    update = "mutation($i: UpdateUserInput!) { updateUser(input: $i) { errors { message } } }"
    values = {"id": f"user_{member.user_id}", "primaryGroupId": chosen["groupId"]}
    assert await api.ask(administrator, update, i=values) == {"errors": []}
    assert (await created(api, member, "E"))["sample"]["group"] == {"id": chosen["groupId"]}


async def test_names_are_unique_while_the_settings_say_so(api: Api, administrator: Viewer, owner: Viewer) -> None:
    first = (await created(api, owner, "Leaf"))["sample"]
    taken = [{"code": "CONFLICT", "message": "Sample name is already in use.", "path": ["name"]}]
    assert (await created(api, owner, "LEAF"))["errors"] == taken
    await settle(api, administrator, sampleUniqueNames=False)
    second = (await created(api, owner, "LEAF"))["sample"]
    payload = await api.ask(administrator, UPDATE, i={"sampleUniqueNames": True, "hmmSlug": "a/b"})
    (error,) = payload["errors"]
    assert (error["code"], error["path"]) == ("CONFLICT", ["sampleUniqueNames"])
    assert error["message"] == 'More than one sample is named "LEAF"; give them names of their own first.'
    assert (await api.ask(owner, READ))["hmmSlug"] == "virtool/virtool-hmm"
    assert (await api.ask(owner, RENAME, i={"id": second["id"], "name": "Stem"}))["errors"] == []
    await settle(api, administrator, sampleUniqueNames=True)
    for name in ("leaf", "STEM"):
        assert (await created(api, owner, name))["errors"] == taken
    assert (await api.ask(owner, RENAME, i={"id": first["id"], "name": "STEM"}))["errors"] == taken
    assert (await api.ask(owner, RENAME, i={"id": first["id"], "name": "LEAF"}))["sample"] == {"name": "LEAF"}


PASSWORD_PATHS = {
    "createUser": ("CreateUserInput", {"handle": "new"}),
    "updateUser": ("UpdateUserInput", {"id": "user_OTHER"}),
    "updateAccount": ("UpdateAccountInput", {"oldPassword": "correct horse"}),
}


@pytest.mark.parametrize("path", PASSWORD_PATHS)
async def test_each_path_minds_the_minimum_length(api: Api, administrator: Viewer, stranger: Viewer, path: str) -> None:
    await settle(api, administrator, minimumPasswordLength=14)
    assert (await api.ask(None, "{ server { minimumPasswordLength } }")) == {"minimumPasswordLength": 14}
    kind, values = PASSWORD_PATHS[path]
    values = {name: str(value).replace("OTHER", stranger.user_id) for name, value in values.items()}
    mutation = f"mutation($i: {kind}!) {{ {path}(input: $i) {{ errors {{ code message path }} }} }}"
    message = "Password does not meet minimum length requirement (14)."
    payload = await api.ask(administrator, mutation, i={**values, "password": "a" * 13})
    assert payload["errors"] == [{"code": "BAD_USER_INPUT", "message": message, "path": ["password"]}]
    assert (await api.ask(administrator, mutation, i={**values, "password": "a" * 14}))["errors"] == []


async def test_the_first_user_minds_the_minimum_length(api: Api, administrator: Viewer) -> None:
    await settle(api, administrator, minimumPasswordLength=14)
    user = await api.db.store.get(User, administrator.user_id)
    assert user is not None
    await api.db.store.delete(user)
    mutation = (
        "mutation($i: CreateFirstUserInput!) { createFirstUser(input: $i) { viewer { handle } errors { message } } }"
    )
    payload = await api.ask(None, mutation, i={"handle": "ada", "password": "a" * 13})
    assert payload["errors"] == [{"message": "Password does not meet minimum length requirement (14)."}]
    payload = await api.ask(None, mutation, i={"handle": "ada", "password": "a" * 14})
    assert payload["viewer"] == {"handle": "ada"}


async def test_a_reset_minds_the_minimum_length(api: Api, administrator: Viewer, stranger: Viewer) -> None:
    await settle(api, administrator, minimumPasswordLength=14)
    force = "mutation($i: UpdateUserInput!) { updateUser(input: $i) { errors { message } } }"
    values = {"id": f"user_{stranger.user_id}", "forceReset": True}
    assert await api.ask(administrator, force, i=values) == {"errors": []}
    login = "mutation($i: LoginInput!) { login(input: $i) { resetCode viewer { handle } errors { message } } }"
    code = (await api.ask(None, login, i={"handle": "stranger", "password": "correct horse"}))["resetCode"]
    reset = (
        "mutation($i: ResetPasswordInput!) "
        "{ resetPassword(input: $i) { viewer { handle } resetCode errors { message } } }"
    )
    refused = await api.ask(None, reset, i={"resetCode": code, "password": "a" * 13})
    assert refused["errors"] == [{"message": "Password does not meet minimum length requirement (14)."}]
    done = await api.ask(None, reset, i={"resetCode": refused["resetCode"], "password": "a" * 14})
    assert done == {"viewer": {"handle": "stranger"}, "resetCode": None, "errors": []}
