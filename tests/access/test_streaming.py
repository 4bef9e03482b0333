"""Rights that change while somebody watches: within two seconds they are told what they may read now, and no more."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from tests.access.operations import mutation
from tests.access.rules import Role
from tests.access.watching import WATCHES, Watch
from tests.access.world import PASSWORD, Person, World
from tests.factories.conditions import until
from virtool_gql.db.jobs import LOOK_AGAIN_SECONDS
from virtool_gql.models.jobs import Job
from virtool_gql.models.samples import Sample
from virtool_gql.models.users import Permission, User

WITHIN_SECONDS = 2.0
GROUPS = "subscription { groups { operation ids } }"
SAMPLES = "subscription { samples { operation ids } }"
JOBS = "subscription { jobs { operation ids } }"

Act = Callable[[World, Person], Awaitable[None]]


async def administer(world: World, name: str, **input: Any) -> None:
    """Do something as an administrator."""
    answer = await world.done(world.standing[Role.ADMINISTRATOR], mutation(name), input=input)
    assert answer[name]["errors"] == []


def user_changed(**input: Any) -> Act:
    async def act(world: World, person: Person) -> None:
        await administer(world, "updateUser", id=f"user_{person.user_id}", **input)

    return act


def done_by_themselves(name: str, **input: Any) -> Act:
    """Do something from another session of theirs."""

    async def act(world: World, person: Person) -> None:
        other = replace(person, headers=await world.session(person.handle))
        given = {key: value.format(key=f"key_{person.key_id}") for key, value in input.items()}
        answer = await world.done(other, mutation(name), **({"input": given} if given else {}))
        assert answer[name]["errors"] == []

    return act


async def signed_out(world: World, person: Person) -> None:
    assert (await world.done(person, mutation("logout")))["logout"]["errors"] == []


async def this_session_ended(world: World, person: Person) -> None:
    viewer = (await world.done(person, "{ viewer { sessions { id current } } }"))["viewer"]
    (id,) = [session["id"] for session in viewer["sessions"] if session["current"]]
    other = replace(person, headers=await world.session(person.handle))
    answer = await world.done(other, mutation("endSession"), input={"id": id})
    assert answer["endSession"]["errors"] == []


NEW = f"{PASSWORD}, and a new one"
OF_ALL: Mapping[str, Act] = {
    "deactivated": user_changed(active=False),
    "given another password": user_changed(password=NEW),
    "told to choose another password": user_changed(forceReset=True),
    "made an administrator": user_changed(administrator=True),
    "changed the password": done_by_themselves("updateAccount", oldPassword=PASSWORD, password=NEW),
}
OF_SESSIONS: Mapping[str, Act] = {
    "signed out": signed_out,
    "ended this session": this_session_ended,
    "ended the other sessions": done_by_themselves("endOtherSessions"),
}
OF_KEYS: Mapping[str, Act] = {
    "deleted the key": done_by_themselves("deleteApiKey", id="{key}"),
    "deleted all keys": done_by_themselves("deleteApiKeys"),
}
ENDS: Mapping[Role, Mapping[str, Act]] = {
    Role.STRANGER: {**OF_ALL, **OF_SESSIONS},
    Role.KEY: {**OF_ALL, **OF_KEYS},
}


async def groups_told(world: World, watch: Watch) -> None:
    """Wait until the watch tells of groups."""
    while not watch.heard["groups"]:
        await world.group()
        with suppress(TimeoutError):
            await until(lambda: watch.heard["groups"], seconds=0.2)


@pytest.mark.parametrize("carrier", WATCHES)
@pytest.mark.parametrize("role", ENDS)
async def test_whoever_may_be_here_no_more_is_told_nothing_more(world: World, role: Role, carrier: str) -> None:
    people = [await world.person(role) for _ in ENDS[role]]
    acts = zip(people, ENDS[role].values(), strict=True)
    found = await asyncio.gather(*(_ended(world, person, act, carrier) for person, act in acts))
    assert dict(zip(ENDS[role], found, strict=True)) == dict.fromkeys(ENDS[role], "ended")


async def _ended(world: World, person: Person, act: Act, carrier: str) -> str:
    async with WATCHES[carrier](world, person, {"groups": GROUPS}) as watch:
        await groups_told(world, watch)
        await act(world, person)
        try:
            await until(lambda: watch.over, seconds=WITHIN_SECONDS)
        except TimeoutError:
            return "goes on"
    if carrier == "event stream":
        assert watch.refused["groups"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    answer = await world.client.post("/graphql", json={"query": "{ viewer { id } }"}, headers=person.headers)
    assert answer.status_code == 401 or answer.json()["data"] == {"viewer": None}
    return "ended"


@pytest.mark.parametrize("carrier", WATCHES)
async def test_another_user_goes_on(world: World, carrier: str) -> None:
    """Those who stay are not disturbed by one who goes."""
    stays, goes = await world.person(Role.STRANGER), await world.person(Role.STRANGER)
    async with WATCHES[carrier](world, stays, {"groups": GROUPS}) as staying:
        await groups_told(world, staying)
        async with WATCHES[carrier](world, goes, {"groups": GROUPS}) as going:
            await groups_told(world, going)
            await user_changed(active=False)(world, goes)
            await until(lambda: going.over, seconds=WITHIN_SECONDS)
        last = f"group_{(await world.group()).id}"
        await staying.hears("groups", last)
        assert last not in going.ids("groups")
        assert not staying.over


async def sample_told(world: World, watch: Watch, hidden: Sample) -> bool:
    """Change the hidden sample, then one that all may read; say whether both were told."""
    mark = len(watch.heard["samples"])
    await world.changed(Sample, hidden.id, notes=f"Unseen {time.monotonic()}")
    last = f"sample_{(await world.sample(all_read=True)).id}"
    await watch.hears("samples", last)
    return f"sample_{hidden.id}" in watch.ids("samples", mark)


async def job_told(world: World, watch: Watch, hidden: Job) -> bool:
    mark = len(watch.heard["jobs"])
    await world.changed(Job, hidden.id, stage=f"{time.monotonic()}")
    last = f"job_{(await world.job(watch.person.user_id)).id}"
    await watch.hears("jobs", last)
    return f"job_{hidden.id}" in watch.ids("jobs", mark)


async def becomes(told: Callable[[], Awaitable[bool | None]], expected: bool) -> None:
    """Wait until it is told, or not told any more: for two seconds at most, and then for good."""
    begun = time.monotonic()
    while await told() != expected:
        assert time.monotonic() - begun < WITHIN_SECONDS
        await asyncio.sleep(0.05)  # or the machine would do nothing else
    assert [await told() for _ in range(3)] == [expected] * 3


@pytest.mark.parametrize("carrier", WATCHES)
async def test_membership_of_a_group_decides_at_once(world: World, carrier: str) -> None:
    person, group = await world.person(Role.READER), await world.group()
    hidden = await world.sample(group_id=group.id)
    person = replace(person, role=Role.WRITER)
    async with WATCHES[carrier](world, person, {"samples": SAMPLES}) as watch:
        await _samples_begun(world, watch)
        assert not await sample_told(world, watch, hidden)
        id, groups = f"user_{person.user_id}", [f"group_{group.id}"]
        await administer(world, "updateUser", id=id, groupIds=groups)
        await becomes(lambda: sample_told(world, watch, hidden), expected=True)
        await administer(world, "updateUser", id=id, groupIds=[])
        await becomes(lambda: sample_told(world, watch, hidden), expected=False)
        assert not watch.over


@pytest.mark.parametrize("carrier", WATCHES)
async def test_a_group_that_is_deleted_lets_its_members_read_nothing_more(world: World, carrier: str) -> None:
    group = await world.group()
    person = await world.person(Role.WRITER)
    await world.changed(User, person.user_id, group_ids=(group.id,))
    hidden = await world.sample(group_id=group.id)
    async with WATCHES[carrier](world, person, {"samples": SAMPLES}) as watch:
        await _samples_begun(world, watch)
        assert await sample_told(world, watch, hidden)
        await administer(world, "deleteGroup", id=f"group_{group.id}")
        await becomes(lambda: sample_told(world, watch, hidden), expected=False)


@pytest.mark.parametrize("carrier", WATCHES)
async def test_rights_of_a_sample_decide_with_the_very_next_change(world: World, carrier: str) -> None:
    person = await world.person(Role.WRITER)
    hidden = await world.sample()
    id = f"sample_{hidden.id}"
    async with WATCHES[carrier](world, person, {"samples": SAMPLES}) as watch:
        await _samples_begun(world, watch)
        assert await sample_told(world, watch, hidden)
        await administer(world, "updateSampleRights", id=id, groupRead=False)
        assert not await sample_told(world, watch, hidden)
        await administer(world, "updateSampleRights", id=id, allRead=True)
        assert await sample_told(world, watch, hidden)


@pytest.mark.parametrize("carrier", WATCHES)
@pytest.mark.parametrize("role", [Role.ENTITLED, Role.KEY])
async def test_permissions_of_a_group_decide_at_once(world: World, role: Role, carrier: str) -> None:
    """Also those of a key, which are never more than its owner's."""
    group = await world.group("", (Permission.CANCEL_JOB,))
    user = await world.user(Role.STRANGER, group_ids=(group.id,))
    headers = await world.session(user.handle)
    if role is Role.KEY:
        _, headers = await world.key(user, permissions=(Permission.CANCEL_JOB,))
    person, hidden = Person(Role.ENTITLED, user.id, user.handle, headers), await world.job()
    async with WATCHES[carrier](world, person, {"jobs": JOBS}) as watch:
        while not watch.heard["jobs"]:
            await world.job(person.user_id)
            with suppress(TimeoutError):
                await until(lambda: watch.heard["jobs"], seconds=0.2)
        assert await job_told(world, watch, hidden)
        await administer(world, "updateGroup", id=f"group_{group.id}", permissions=[])
        await becomes(lambda: job_told(world, watch, hidden), expected=False)
        await administer(world, "updateGroup", id=f"group_{group.id}", permissions=["REMOVE_JOB", "CANCEL_JOB"])
        await becomes(lambda: job_told(world, watch, hidden), expected=True)
        assert not watch.over


async def _samples_begun(world: World, watch: Watch) -> None:
    while not watch.heard["samples"]:
        await world.sample(all_read=True)
        with suppress(TimeoutError):
            await until(lambda: watch.heard["samples"], seconds=0.2)


@pytest.mark.parametrize("carrier", WATCHES)
async def test_a_log_ends_when_the_job_may_be_read_no_more(world: World, carrier: str) -> None:
    """The job goes on, and its log is looked at each second."""
    group = await world.group("", (Permission.REMOVE_JOB,))
    user = await world.user(Role.STRANGER, group_ids=(group.id,))
    person = Person(Role.ENTITLED, user.id, user.handle, await world.session(user.handle))
    job = await world.job()
    log = world.db.places.job_log(job.id)
    log.write_text("2026-01-01T00:00:00.000Z first\n")
    queries = {"log": f'subscription {{ jobLog(id: "job_{job.id}") {{ text }} }}', "groups": GROUPS}
    async with WATCHES[carrier](world, person, queries) as watch:
        await until(lambda: watch.heard["log"])
        await groups_told(world, watch)
        await administer(world, "updateGroup", id=f"group_{group.id}", permissions=[])
        await until(lambda: "log" in watch.completed, seconds=WITHIN_SECONDS + LOOK_AGAIN_SECONDS)
        assert [line["text"] for line in watch.heard["log"]] == ["first"]
        assert "groups" not in watch.completed
