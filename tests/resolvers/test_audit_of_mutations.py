"""Each mutation of the schema leaves at least one entry of its own name in the audit log, and nothing secret."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from schema.context import Context
from tests.factories.api import GRAPHQL, Api
from tests.factories.groups import stored_group
from tests.factories.otus import full_otu, stored_otu
from tests.factories.outside import SLUG, World, outside, reaching
from tests.factories.references import LONG_AGO, member, stored_reference
from tests.factories.users import PASSWORD, stored_user
from virtool_gql.access import Viewer
from virtool_gql.db.outside import SOFTWARE_SLUG
from virtool_gql.http import Client
from virtool_gql.models.audit import AuditEntry
from virtool_gql.models.files import FileType
from virtool_gql.models.references import Release, RemotesFrom, Update
from virtool_gql.models.users import ApiKey, User
from virtool_gql.query import Eq, Page

assert GRAPHQL.mutation_type is not None
MUTATIONS = GRAPHQL.mutation_type.fields

NEW_PASSWORD = "another battery"
RESETS = """mutation($input: UpdateUserInput!) { updateUser(input: $input) { errors { message } } }"""
LOGIN = """mutation($input: LoginInput!) { login(input: $input) { resetCode errors { message } } }"""

Input = dict[str, Any]

HMM_SLUG = "virtool/virtool-hmm"
NEW = Release(id="2", name="v99.0.0", filename="reference.json.gz", newer=True)
OLD = Update(id="1", name="v1.0.0", ready=True, user_id="owner", created_at=LONG_AGO)
RIGHTS = dict.fromkeys(("build", "modify", "modifyOtu", "remove"), True)


class Stage:
    """An instance, an administrator who is signed in, and things for them to change."""

    def __init__(self, api: Api, viewer: Viewer, context: Context) -> None:
        self.api = api
        self.viewer = viewer
        self.context = context
        self.secrets = {PASSWORD, NEW_PASSWORD, context.caller.session_token or ""}

    async def session(self) -> str:
        """Begin another session of the administrator; give its token."""
        user = await self.api.store.get(User, self.viewer.user_id)
        assert user is not None
        token = await self.api.db.sign_in.start_session(user, remember=False, address="192.0.2.2")
        self.secrets.add(token)
        return token

    async def other_session_id(self) -> str:
        await self.session()
        own = await self.api.db.account.session_id(self.context.caller.session_token)
        sessions = await self.api.db.account.sessions(self.viewer)
        return f"session_{next(session.id for session in sessions if session.id != own)}"

    async def group(self) -> str:
        return f"group_{(await stored_group(self.api.db, 'Virologists')).id}"

    async def user(self) -> str:
        return f"user_{(await stored_user(self.api.db, 'bob'))[0].id}"

    async def key(self) -> str:
        key, secret = await self.api.db.keys.create(self.viewer, "Script")
        self.secrets |= {secret, key.key_hash}
        return f"key_{key.id}"

    async def sample(self) -> str:
        return f"sample_{(await self.api.sample(self.viewer)).id}"

    async def file(self) -> str:
        return f"file_{(await self.api.file(self.viewer)).id}"

    async def job(self, state: str = "waiting") -> str:
        return f"job_{(await self.api.job(self.viewer, state=state)).id}"

    async def label(self) -> str:
        shown = await self.api.ask(
            self.viewer, 'mutation { createLabel(input: {name: "Old"}) { label { id } errors { message } } }'
        )
        return str(shown["label"]["id"])

    async def message(self) -> Input:
        set_message = (
            "mutation($input: SetInstanceMessageInput!) { setInstanceMessage(input: $input) { errors { code } } }"
        )
        await self.api.ask(self.viewer, set_message, input={"message": "Old", "color": "BLUE"})
        return {}

    async def reference(self, *, remote: bool = False, **values: Any) -> str:
        """Make a reference with an OTU that can be built."""
        if remote:
            values |= {"remotes_from": RemotesFrom(slug=SLUG), "release": NEW, "installed": OLD}
        reference = await stored_reference(self.api.db, user_id=self.viewer.user_id, **values)
        await stored_otu(self.api.db, reference.id, full_otu("apple"))
        return f"reference_{reference.id}"

    async def otu(self) -> str:
        await self.reference()
        return "otu_apple"

    async def isolate(self) -> str:
        return f"isolate_{(await self.otu()).partition('_')[2]}_applei1"

    async def sequence(self) -> str:
        return f"sequence_{(await self.otu()).partition('_')[2]}i0s0"

    async def change(self) -> str:
        return f"history_{(await self.otu()).partition('_')[2]}_0"

    async def with_member(self, kind: str) -> Input:
        """Make a reference of which a user or a group is a member."""
        id = await (self.user() if kind == "user" else self.group())
        members = (member(id.partition("_")[2]),)
        return {"referenceId": await self.reference(**{f"{kind}s": members}), f"{kind}Id": id}

    async def reference_file(self) -> str:
        return f"file_{(await self.api.file(self.viewer, type=FileType.REFERENCE)).id}"

    async def nobody(self) -> Input:
        """Have no user at all, and a stranger as the caller."""
        users = (await self.api.store.find(User, page=Page(first=None))).documents
        await self.api.store.delete(*users)
        return self.stranger()

    def stranger(self) -> Input:
        self.context.caller.viewer = self.context.caller.session_token = None
        return {}

    async def reset_code(self) -> str:
        await self.api.ask(self.viewer, RESETS, input={"id": await self.user(), "forceReset": True})
        shown = await self.api.ask(None, LOGIN, input={"handle": "bob", "password": PASSWORD})
        self.secrets.add(shown["resetCode"])
        self.stranger()
        return str(shown["resetCode"])


async def given(*inputs: Awaitable[Input], **input: Any) -> Input:
    parts = [await each for each in inputs]
    own = {name: await value if isinstance(value, Awaitable) else value for name, value in input.items()}
    return {name: value for part in (*parts, own) for name, value in part.items()}


CASES: dict[str, Callable[[Stage], Awaitable[Input | None]]] = {
    "createFirstUser": lambda stage: given(**stage.stranger(), handle="first", password=PASSWORD, _=stage.nobody()),
    "login": lambda stage: given(**stage.stranger(), handle="administrator", password=PASSWORD),
    "resetPassword": lambda stage: given(resetCode=stage.reset_code(), password=NEW_PASSWORD),
    "logout": lambda _: given(),
    "updateAccount": lambda _: given(email="new@example.org", password=NEW_PASSWORD, oldPassword=PASSWORD),
    "updateAccountSettings": lambda _: given(showIds=False),
    "endSession": lambda stage: given(id=stage.other_session_id()),
    "endOtherSessions": lambda stage: given(_=stage.other_session_id()),
    "createUser": lambda _: given(handle="bob", password=PASSWORD),
    "updateUser": lambda stage: given(id=stage.user(), password=NEW_PASSWORD),
    "createGroup": lambda _: given(name="Virologists"),
    "updateGroup": lambda stage: given(id=stage.group(), name="Bacteriologists"),
    "deleteGroup": lambda stage: given(id=stage.group()),
    "createApiKey": lambda _: given(name="Script", permissions=[]),
    "updateApiKey": lambda stage: given(id=stage.key(), name="Another"),
    "deleteApiKey": lambda stage: given(id=stage.key()),
    "deleteApiKeys": lambda stage: given(_=stage.key()),
    "createSample": lambda stage: given(name="New", fileIds=_listed(stage.file())),
    "updateSample": lambda stage: given(id=stage.sample(), notes="New"),
    "updateSampleRights": lambda stage: given(id=stage.sample(), allRead=False),
    "updateSampleLabels": lambda stage: given(sampleIds=_listed(stage.sample()), addLabelIds=_listed(stage.label())),
    "deleteSample": lambda stage: given(id=stage.sample()),
    "createLabel": lambda _: given(name="New"),
    "updateLabel": lambda stage: given(id=stage.label(), name="New"),
    "deleteLabel": lambda stage: given(id=stage.label()),
    "createReference": lambda _: given(name="New", dataType="GENOME"),
    "cloneReference": lambda stage: given(referenceId=stage.reference()),
    "importReference": lambda stage: given(fileId=stage.reference_file()),
    "installReference": lambda _: given(slug=SLUG),
    "updateReference": lambda stage: given(id=stage.reference(), name="New"),
    "archiveReference": lambda stage: given(id=stage.reference()),
    "restoreReference": lambda stage: given(id=stage.reference(archived=True)),
    "deleteReference": lambda stage: given(id=stage.reference()),
    "checkReferenceRelease": lambda stage: given(id=stage.reference(remote=True)),
    "updateReferenceFromRelease": lambda stage: given(id=stage.reference(remote=True)),
    "addReferenceUser": lambda stage: given(referenceId=stage.reference(), userId=stage.user(), **RIGHTS),
    "updateReferenceUser": lambda stage: given(stage.with_member("user"), build=True),
    "removeReferenceUser": lambda stage: given(stage.with_member("user")),
    "addReferenceGroup": lambda stage: given(referenceId=stage.reference(), groupId=stage.group(), **RIGHTS),
    "updateReferenceGroup": lambda stage: given(stage.with_member("group"), build=True),
    "removeReferenceGroup": lambda stage: given(stage.with_member("group")),
    "createOtu": lambda stage: given(referenceId=stage.reference(), name="New"),
    "updateOtu": lambda stage: given(id=stage.otu(), name="New"),
    "deleteOtu": lambda stage: given(id=stage.otu()),
    "createIsolate": lambda stage: given(otuId=stage.otu(), sourceName="New"),
    "updateIsolate": lambda stage: given(id=stage.isolate(), sourceName="New"),
    "setDefaultIsolate": lambda stage: given(id=stage.isolate()),
    "deleteIsolate": lambda stage: given(id=stage.isolate()),
    "createSequence": lambda stage: given(
        isolateId=stage.isolate(), accession="NC_1", definition="New", sequence="ACGT"
    ),
    "updateSequence": lambda stage: given(id=stage.sequence(), definition="New"),
    "deleteSequence": lambda stage: given(id=stage.sequence()),
    "revertChange": lambda stage: given(id=stage.change()),
    "buildIndex": lambda stage: given(referenceId=stage.reference()),
    "checkHmmRelease": lambda _: given(),
    "checkSoftwareReleases": lambda _: given(),
    "updateFile": lambda stage: given(id=stage.file(), name="new.fq.gz"),
    "deleteFile": lambda stage: given(id=stage.file()),
    "cancelJob": lambda stage: given(id=stage.job("running")),
    "deleteJob": lambda stage: given(id=stage.job("complete")),
    "updateSettings": lambda _: given(minimumPasswordLength=9),
    "setInstanceMessage": lambda _: given(message="New", color="BLUE"),
    "updateInstanceMessage": lambda stage: given(_=stage.message(), message="New"),
    "removeInstanceMessage": lambda stage: given(_=stage.message()),
}
"""How each mutation succeeds."""


async def _listed(id: Awaitable[str]) -> list[str]:
    return [await id]


@pytest.fixture
async def stage(api: Api, administrator: Viewer, redis: Redis) -> AsyncIterator[Stage]:
    async with World().open() as world, Client() as client:
        for slug in (SLUG, HMM_SLUG, SOFTWARE_SLUG):
            world.publish(world.release("v99.0.0", id=2), slug=slug)
        api.db = reaching(api.db, redis, outside(world, client, api.clock))
        yield await staged(api, administrator)


async def staged(api: Api, administrator: Viewer) -> Stage:
    user = await api.store.get(User, administrator.user_id)
    assert user is not None
    token = await api.db.sign_in.start_session(user, remember=False, address="192.0.2.1")
    context = api.context(administrator, token=token)
    context.caller.request_id = "request-1"
    return Stage(api, administrator, context)


async def run(stage: Stage, context: Context, name: str, input: Input) -> Any:
    """Execute the mutation; give its payload, or None when it is refused as a whole."""
    input = {key: value for key, value in input.items() if key != "_"}
    arguments = MUTATIONS[name].args
    head, call = (f"($input: {arguments['input'].type})", "(input: $input)") if arguments else ("", "")
    operation = f"mutation{head} {{ {name}{call} {{ errors {{ message }} }} }}"
    result = await stage.api.run(context, operation, **({"input": input} if arguments else {}))
    return result.data[name] if result.data else None


async def told(stage: Stage, name: str) -> list[AuditEntry]:
    return (await stage.api.store.find(AuditEntry, Eq("action", name), page=Page(first=None))).documents


@pytest.mark.parametrize("name", MUTATIONS)
async def test_a_mutation_is_told_by_its_name(stage: Stage, name: str) -> None:
    assert name in CASES, f"Say in CASES how {name} succeeds."
    input = await CASES[name](stage) or {}
    before = {entry.id for entry in await told(stage, name)}
    assert await run(stage, stage.context, name, input) == {"errors": []}
    entries = [entry for entry in await told(stage, name) if entry.id not in before]
    assert entries
    assert {(entry.address, entry.request_id) for entry in entries} == {("192.0.2.1", "request-1")}
    await nothing_secret_is_told(stage)


async def nothing_secret_is_told(stage: Stage) -> None:
    everything = (await stage.api.store.find(AuditEntry, page=Page(first=None))).documents
    text = msgspec.json.encode(everything).decode()
    users = (await stage.api.store.find(User, page=Page(first=None))).documents
    keys = (await stage.api.store.find(ApiKey, page=Page(first=None))).documents
    hashes = {user.password_hash for user in users} | {key.key_hash for key in keys}
    assert not [secret for secret in stage.secrets | hashes if secret and secret in text]


@pytest.mark.parametrize("name", sorted(MUTATIONS.keys() - {"createFirstUser", "login", "resetPassword"}))
async def test_a_refused_mutation_is_not_told(stage: Stage, name: str) -> None:
    input = await CASES[name](stage) or {}
    before = await told(stage, name)
    stranger = stage.api.context(None)
    answer = await run(stage, stranger, name, input)
    assert answer is None or answer["errors"]
    assert await told(stage, name) == before


async def test_a_failed_sign_in_is_not_told(stage: Stage) -> None:
    for name, input in (
        ("login", {"handle": "administrator", "password": NEW_PASSWORD}),
        ("resetPassword", {"resetCode": "nothing", "password": NEW_PASSWORD}),
        ("createFirstUser", {"handle": "first", "password": PASSWORD}),
        ("updateAccount", {"password": NEW_PASSWORD, "oldPassword": NEW_PASSWORD}),
        ("createUser", {"handle": "ADMINISTRATOR", "password": PASSWORD}),
    ):
        answer = await run(stage, stage.context, name, input)
        assert answer["errors"]
        assert await told(stage, name) == []


async def test_who_signs_in_is_told_as_themselves(stage: Stage) -> None:
    input = await CASES["resetPassword"](stage) or {}
    assert await run(stage, stage.context, "resetPassword", input) == {"errors": []}
    entries = await told(stage, "resetPassword")
    assert {entry.handle for entry in entries} == {"bob"}
    assert {(entry.deed.value, entry.fields[:1]) for entry in entries} == {("update", ("password",)), ("login", ())}


async def test_what_follows_a_sign_in_is_told_of_the_user(stage: Stage) -> None:
    stage.stranger()
    operation = """mutation($input: LoginInput!) { login(input: $input) { errors { code } }
        createGroup(input: {name: "Virologists"}) { errors { code } } }"""
    result = await stage.api.run(stage.context, operation, input={"handle": "administrator", "password": PASSWORD})
    assert result.errors is None
    for name in ("login", "createGroup"):
        (entry,) = await told(stage, name)
        assert (entry.user_id, entry.handle) == (stage.viewer.user_id, "administrator")
