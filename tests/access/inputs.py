"""Inputs of mutations, and fresh documents for them to work on."""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
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


async def file_for(world: World, person: Person) -> str:
    owner = person if person.owns else world.standing[Role.OWNER]
    return f"file_{(await world.file(user_id=owner.user_id)).id}"


async def label_for(world: World, _: Person) -> str:
    return f"label_{(await world.label()).id}"


async def group_for(world: World, _: Person) -> str:
    return f"group_{(await world.group()).id}"


async def user_for(world: World, _: Person) -> str:
    return f"user_{(await world.user(Role.STRANGER)).id}"


async def session_for(world: World, person: Person) -> str:
    owner = person if person.owns else world.standing[Role.OWNER]
    headers = await world.session(owner.handle)
    sessions = (await world.done(replace(owner, headers=headers), "{ viewer { sessions { id current } } }"))["viewer"]
    return next(str(session["id"]) for session in sessions["sessions"] if session["current"])


async def credentials_of(_: World, person: Person) -> dict[str, Any]:
    return {"handle": person.handle, "password": PASSWORD}


async def reset_of(world: World, person: Person) -> dict[str, Any]:
    """Have the person told to choose a new password, while they are active."""
    active = (await world.kept(User, person.user_id)).active
    await world.changed(User, person.user_id, force_reset=True, active=True)
    login = "mutation($i: LoginInput!) { login(input: $i) { resetCode } }"
    answer = await world.done(None, login, i=await credentials_of(world, person))
    await world.changed(User, person.user_id, active=active)
    return {"resetCode": answer["login"]["resetCode"], "password": f"{PASSWORD}, and a new one"}


async def labelling(world: World, person: Person) -> dict[str, Any]:
    return {"sampleIds": [await sample_for(world, person)], "addLabelIds": [await label_for(world, person)]}


async def settings(_: World, __: Person) -> dict[str, Any]:
    return {"hmmSlug": f"virtool/hmm-{next(numbers)}"}


async def no_message(world: World, _: Person) -> dict[str, Any]:
    await world.show_message()
    return {}


async def message(world: World, _: Person) -> dict[str, Any]:
    await world.show_message()
    return {"message": f"Message {next(numbers)}"}


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
    "session": session_for,
}
"""What makes a document of a kind, one on which the role may do as much as it ever may."""

OF_MUTATIONS: Mapping[str, str] = {
    "updateSample": "sample",
    "updateSampleRights": "sample",
    "deleteSample": "sample",
    "updateFile": "file",
    "deleteFile": "file",
    "cancelJob": "job",
    "deleteJob": "job",
    "deleteApiKey": "key",
    "updateApiKey": "key",
    "endSession": "session",
    "updateUser": "user",
    "updateGroup": "group",
    "deleteGroup": "group",
    "updateLabel": "label",
    "deleteLabel": "label",
}
"""Of which kind the `id` is that a mutation takes."""

INSTEAD: Mapping[str, Target] = {"deleteJob": ended_job_for}
"""Mutations whose target is of a special kind."""

SPECIAL: Mapping[str, Input] = {
    "login": credentials_of,
    "resetPassword": reset_of,
    "updateSampleLabels": labelling,
    "updateSettings": settings,
    "updateInstanceMessage": message,
    "removeInstanceMessage": no_message,
}
"""Inputs of which the names of the fields do not say enough."""

OPTIONAL = {"name", "notes", "description", "email", "showIds"}
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
    if name == "email":
        return f"person_{next(numbers)}@example.org"
    return {"Boolean": True, "Int": 1, "Float": 0.5}.get(type.name, f"text_{next(numbers)}")
