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
from tests.access.references import otu_of, reference_of, remote_of
from tests.access.rules import Role
from tests.access.world import PASSWORD, Person, World
from tests.factories.outside import SLUG
from tests.factories.references import member
from virtool_gql.models.documents import Document
from virtool_gql.models.files import File, FileType
from virtool_gql.models.history import HistoryEntry
from virtool_gql.models.indexes import Index
from virtool_gql.models.jobs import Job, JobState
from virtool_gql.models.labels import Label
from virtool_gql.models.otus import OTU, Sequence
from virtool_gql.models.references import Reference
from virtool_gql.models.samples import Sample
from virtool_gql.models.settings import Settings
from virtool_gql.models.tasks import Task
from virtool_gql.models.users import ApiKey, Group, User

MODELS: Mapping[str, type[Document]] = {
    "sample": Sample,
    "file": File,
    "job": Job,
    "key": ApiKey,
    "label": Label,
    "group": Group,
    "user": User,
    "reference": Reference,
    "otu": OTU,
    "sequence": Sequence,
    "history": HistoryEntry,
    "index": Index,
    "task": Task,
}
numbers = itertools.count(1)

Target = Callable[[World, Person], Awaitable[str]]
Input = Callable[[World, Person], Awaitable[dict[str, Any]]]


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


async def reference_for(world: World, person: Person) -> str:
    """Make a reference with an OTU that can be built."""
    reference = await reference_of(world, person)
    await otu_of(world, reference)
    return f"reference_{reference.id}"


async def archived_for(world: World, person: Person) -> str:
    return f"reference_{(await reference_of(world, person, archived=True)).id}"


async def remote_for(world: World, person: Person) -> str:
    return f"reference_{(await remote_of(world, person)).id}"


async def otu_for(world: World, person: Person) -> str:
    return f"otu_{(await otu_of(world, await reference_of(world, person))).otu.id}"


async def isolate_for(world: World, person: Person) -> str:
    """Make an isolate that is not the default one."""
    return f"isolate_{(await otu_for(world, person)).partition('_')[2]}_i1"


async def sequence_for(world: World, person: Person) -> str:
    return f"sequence_{(await otu_for(world, person)).partition('_')[2]}s0"


async def change_for(world: World, person: Person) -> str:
    return f"history_{(await otu_for(world, person)).partition('_')[2]}_0"


def member_for(target: Target, plural: str, id: str, name: str) -> Input:
    """Make the input of what changes or removes a member: a user or a group that has been added."""

    async def input(world: World, person: Person) -> dict[str, Any]:
        reference_id = await reference_for(world, person)
        member_id = await target(world, person)
        made = member(member_id.partition("_")[2])
        reference = await world.kept(Reference, reference_id.partition("_")[2])
        members = (*getattr(reference, plural), made)
        await world.changed(Reference, reference.id, **{plural: members})
        rights = {} if name == "remove" else {"build": True}
        return {"referenceId": reference_id, id: member_id, **rights}

    return input


async def imported(world: World, person: Person) -> dict[str, Any]:
    owner = person if person.owns else world.standing[Role.OWNER]
    file = await world.file(type=FileType.REFERENCE, name="reference.json.gz", user_id=owner.user_id)
    return {"fileId": f"file_{file.id}", "name": f"Imported {next(numbers)}"}


async def installed(_: World, __: Person) -> dict[str, Any]:
    return {"slug": SLUG, "name": f"Installed {next(numbers)}"}


async def new_sequence(world: World, person: Person) -> dict[str, Any]:
    isolate_id = await isolate_for(world, person)
    return {"isolateId": isolate_id, "accession": "NC_1", "definition": "A sequence", "sequence": "ACGT"}


async def edited_otu(world: World, person: Person) -> dict[str, Any]:
    return {"id": await otu_for(world, person), "name": f"Virus {next(numbers)}"}


async def edited_isolate(world: World, person: Person) -> dict[str, Any]:
    return {"id": await isolate_for(world, person), "sourceName": f"Isolate {next(numbers)}"}


async def edited_sequence(world: World, person: Person) -> dict[str, Any]:
    return {"id": await sequence_for(world, person), "definition": f"Sequence {next(numbers)}"}


async def hmm_release(world: World, _: Person) -> dict[str, Any]:
    """Have a release of the profile HMMs where the settings say that they are."""
    slug = (await world.kept(Settings, "settings")).hmm_slug
    world.outside.publish(world.outside.release("v1.0.0", id=next(numbers)), slug=slug)
    return {}


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


TARGETS: Mapping[str, Target] = {
    "sample": sample_for,
    "job": job_for,
    "key": key_for,
    "file": file_for,
    "label": label_for,
    "group": group_for,
    "user": user_for,
    "session": session_for,
    "reference": reference_for,
    "otu": otu_for,
    "isolate": isolate_for,
    "sequence": sequence_for,
    "history": change_for,
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
    "updateReference": "reference",
    "archiveReference": "reference",
    "restoreReference": "reference",
    "deleteReference": "reference",
    "checkReferenceRelease": "reference",
    "updateReferenceFromRelease": "reference",
    "updateOtu": "otu",
    "deleteOtu": "otu",
    "updateIsolate": "isolate",
    "setDefaultIsolate": "isolate",
    "deleteIsolate": "isolate",
    "updateSequence": "sequence",
    "deleteSequence": "sequence",
    "revertChange": "history",
}
"""Of which kind the `id` is that a mutation takes."""

INSTEAD: Mapping[str, Target] = {
    "deleteJob": ended_job_for,
    "restoreReference": archived_for,
    "checkReferenceRelease": remote_for,
    "updateReferenceFromRelease": remote_for,
}
"""Mutations whose target is of a special kind."""

SPECIAL: Mapping[str, Input] = {
    "login": credentials_of,
    "resetPassword": reset_of,
    "updateSampleLabels": labelling,
    "updateSettings": settings,
    "updateInstanceMessage": message,
    "removeInstanceMessage": no_message,
    "importReference": imported,
    "installReference": installed,
    "createSequence": new_sequence,
    "updateOtu": edited_otu,
    "updateIsolate": edited_isolate,
    "updateSequence": edited_sequence,
    "updateReferenceUser": member_for(user_for, "users", "userId", "update"),
    "removeReferenceUser": member_for(user_for, "users", "userId", "remove"),
    "updateReferenceGroup": member_for(group_for, "groups", "groupId", "update"),
    "removeReferenceGroup": member_for(group_for, "groups", "groupId", "remove"),
    "checkHmmRelease": hmm_release,
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
