"""Nobody gives themselves anything: each mutation, with all that an administrator could ask for."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLEnumType, get_named_type, get_nullable_type, is_list_type

from tests.access.inputs import OF_MUTATIONS, TARGETS, input_of
from tests.access.operations import input_type, mutation, root
from tests.access.rules import Role
from tests.access.world import Person, World
from virtool_gql.models.users import ApiKey, Permission, User

POWERS = "{ viewer { id administrator permissions groups { id } primaryGroup { id } } }"
ROLES = [Role.STRANGER, Role.OWNER, Role.ENTITLED, Role.KEY, Role.PLAIN_KEY]
SIGNS_OUT = {"logout", "login", "createFirstUser", "resetPassword"}
"""Mutations after which the old session is no more; another is begun before powers are looked at."""


def wishes(world: World, person: Person, name: str) -> dict[str, Any]:
    """Give every field of a mutation's input that sounds like power the most powerful value there is."""
    type = input_type(name)
    everything = [f"group_{world.groups[group].id}" for group in world.groups]
    ids = {"groupIds": everything, "groupId": everything[0], "primaryGroupId": everything[0]}
    wanted: dict[str, Any] = {}
    for field, definition in (type.fields if type else {}).items():
        if field in {"expectedVersion", "idempotencyKey"}:
            continue
        inner = get_named_type(definition.type)
        if field in ids:
            wanted[field] = ids[field]
        elif isinstance(inner, GraphQLEnumType) and is_list_type(get_nullable_type(definition.type)):
            wanted[field] = list(inner.values)
        elif inner.name == "Boolean":
            wanted[field] = field != "forceReset"
        elif field in OF_ONESELF.get(name, {}):
            wanted[field] = OF_ONESELF[name][field](world, person)
    return wanted


OF_ONESELF: dict[str, dict[str, Any]] = {
    "updateUser": {"id": lambda _, person: f"user_{person.user_id}"},
    "updateGroup": {"id": lambda world, _: f"group_{world.groups['Diagnostics'].id}"},
    "updateApiKey": {"id": lambda _, person: f"key_{person.key_id or 'none'}"},
}
"""Whom or what somebody would change who wants more: themselves, their group, their key."""


async def powers(world: World, person: Person) -> dict[str, Any]:
    return await world.done(person, POWERS)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", root("Mutation"))
async def test_no_mutation_gives_its_user_more_power(world: World, name: str, role: Role) -> None:
    person = await world.person(role)
    before = await powers(world, person)
    stored = await world.kept(User, person.user_id)
    input = {**await input_of(world, person, name), **wishes(world, person, name)}
    await world.ask(person, mutation(name), input=input)
    if name in SIGNS_OUT and not person.key_id:
        await world.changed(User, person.user_id, password_hash=world.password_hash, force_reset=False, active=True)
        person = Person(role, person.user_id, person.handle, await world.session(person.handle))
    if name not in {"deleteApiKeys", "deleteApiKey", "resetPassword"} or not person.key_id:
        assert await powers(world, person) == before
    after = await world.kept(User, person.user_id)
    assert (after.administrator, after.group_ids) == (stored.administrator, stored.group_ids)
    assert {id: (await world.kept(type(group), id)).permissions for id, group in _groups(world)} == {
        id: group.permissions for id, group in _groups(world)
    }


def _groups(world: World) -> Iterator[tuple[str, Any]]:
    return ((group.id, group) for group in world.groups.values())


@pytest.mark.parametrize("role", [Role.STRANGER, Role.OWNER, Role.ENTITLED])
async def test_a_key_is_never_more_than_its_owner(world: World, role: Role) -> None:
    """Made with all permissions, and changed to have them all; also when its owner loses what they had."""
    person = await world.person(role)
    mine = (await powers(world, person))["viewer"]
    everything = [permission.upper() for permission in sorted(Permission)]
    made = await world.done(person, mutation("createApiKey"), input={"name": "k", "permissions": everything})
    secret, id = made["createApiKey"]["key"], made["createApiKey"]["apiKey"]["id"]
    for input in ({"permissions": everything}, {"administrator": True}):
        await world.done(person, mutation("updateApiKey"), input={"id": id, **input})
    key = Person(Role.PLAIN_KEY if role is Role.STRANGER else role, person.user_id, person.handle, bearer(secret))
    theirs = (await powers(world, key))["viewer"]
    assert (theirs["administrator"], theirs["permissions"]) == (False, mine["permissions"])
    await world.changed(ApiKey, id.partition("_")[2], permissions=tuple(Permission), administrator=True)
    theirs = (await powers(world, key))["viewer"]
    assert (theirs["administrator"], theirs["permissions"]) == (False, mine["permissions"])
    await world.changed(User, person.user_id, group_ids=())
    assert (await powers(world, key))["viewer"]["permissions"] == []


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def test_each_kind_that_somebody_may_change_is_known() -> None:
    assert set(OF_MUTATIONS.values()) <= TARGETS.keys()
    assert OF_ONESELF.keys() <= root("Mutation").keys()
