"""Inputs of mutations, and fresh documents for them to work on."""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputField,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_required_input_field,
)

from tests.access.operations import input_type
from tests.access.rules import Role
from tests.access.world import PASSWORD, Person, World
from virtool_gql.models.documents import Document
from virtool_gql.models.files import File
from virtool_gql.models.jobs import Job, JobState
from virtool_gql.models.labels import Label
from virtool_gql.models.samples import Sample
from virtool_gql.models.users import ApiKey, Group, User

MODELS: Mapping[str, type[Document]] = {
    "sample": Sample,
    "file": File,
    "job": Job,
    "key": ApiKey,
    "label": Label,
    "group": Group,
    "user": User,
}
numbers = itertools.count(1)


async def sample_for(world: World, person: Person) -> str:
    """Make a sample that gives as much as the role allows: whoever may not read it cannot change it either."""
    writable = person.role is not Role.READER
    owner = person.user_id if person.owns else ""
    return f"sample_{(await world.sample(owner, group_write=writable, all_write=writable)).id}"


async def job_for(world: World, person: Person, state: JobState = JobState.WAITING) -> str:
    return f"job_{(await world.job(person.user_id if person.owns else '', state=state)).id}"


async def ended_job_for(world: World, person: Person) -> str:
    return await job_for(world, person, JobState.COMPLETE)


async def key_for(world: World, person: Person) -> str:
    owner = await world.kept(User, person.user_id if person.owns else world.standing[Role.OWNER].user_id)
    return f"key_{(await world.key(owner))[0].id}"


async def file_for(world: World, _: Person) -> str:
    return f"file_{(await world.file()).id}"


async def label_for(world: World, _: Person) -> str:
    return f"label_{(await world.label()).id}"


async def group_for(world: World, _: Person) -> str:
    return f"group_{(await world.group()).id}"


async def user_for(world: World, _: Person) -> str:
    return f"user_{(await world.user(Role.STRANGER)).id}"


async def credentials_of(_: World, person: Person) -> dict[str, Any]:
    return {"handle": person.handle, "password": PASSWORD}


Target = Callable[[World, Person], Awaitable[str]]
Input = Callable[[World, Person], Awaitable[dict[str, Any]]]

TARGETS: Mapping[str, Target] = {
    "sample": sample_for,
    "job": job_for,
    "key": key_for,
    "file": file_for,
    "label": label_for,
    "group": group_for,
    "user": user_for,
}
"""What makes a document of a kind, one on which the role may do as much as it ever may."""

OF_MUTATIONS: Mapping[str, str] = {
    "updateSample": "sample",
    "updateSampleRights": "sample",
    "deleteSample": "sample",
    "deleteFile": "file",
    "cancelJob": "job",
    "deleteJob": "job",
    "deleteApiKey": "key",
}
"""Of which kind the `id` is that a mutation takes."""

INSTEAD: Mapping[str, Target] = {"deleteJob": ended_job_for}
"""Mutations whose target is of a special kind."""

SPECIAL: Mapping[str, Input] = {"login": credentials_of}
"""Inputs of which the names of the fields do not say enough."""

OPTIONAL = {"name", "notes", "description"}
"""What is given although it may be left out, so that something changes."""


async def input_of(world: World, person: Person, mutation: str) -> dict[str, Any]:
    """Make a valid input, with fresh documents."""
    if mutation in SPECIAL:
        return await SPECIAL[mutation](world, person)
    type = input_type(mutation)
    return {
        name: await _value(world, person, mutation, name, field)
        for name, field in (type.fields if type else {}).items()
        if is_required_input_field(field) or name in OPTIONAL
    }


async def target_of(world: World, person: Person, mutation: str) -> str:
    """Make the document that a mutation works on."""
    return await INSTEAD.get(mutation, TARGETS[OF_MUTATIONS[mutation]])(world, person)


async def _value(world: World, person: Person, mutation: str, name: str, field: GraphQLInputField) -> Any:
    if name == "id":
        return await target_of(world, person, mutation)
    if name.endswith(("Id", "Ids")) and (target := TARGETS.get(name.removesuffix("s").removesuffix("Id"))):
        id = await target(world, person)
        return [id] if name.endswith("Ids") else id
    return plain_value(name, field)


def plain_value(name: str, field: GraphQLInputField) -> Any:
    """Give a value of a field that names no document."""
    type = get_named_type(field.type)
    if is_list_type(get_nullable_type(field.type)):
        return []
    if isinstance(type, GraphQLEnumType):
        return next(iter(type.values))
    if "assword" in name:
        return PASSWORD
    return {"Boolean": True, "Int": 1, "Float": 0.5}.get(type.name, f"text_{next(numbers)}")
