"""What each role is told by each subscription, over WebSocket and over server-sent events.

That something is not told is proved by what is told after it; nobody waits for nothing.
"""

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type

from tests.access.events import CAUSES, readable, through_its_life
from tests.access.operations import ANSWERS, fields_of, kind_of, root, selection_of, written
from tests.access.rules import COLLECTIONS, FIELDS, FOR_ADMINISTRATORS, OWN_OR_ALL, Role, ruled
from tests.access.watching import WATCHES, Watch
from tests.access.world import Person, World
from tests.factories.conditions import until

RULES = ruled()
OTHERS = {"changes", "jobLog"}
"""Subscriptions with tests of their own."""

KINDS = {collection: kind_of(collection.lower()) for collection in COLLECTIONS}


def entity_of(name: str) -> tuple[str, str]:
    """Give the field of a change that holds its document, and the type of that."""
    change = get_named_type(root("Subscription")[name].type)
    assert isinstance(change, GraphQLObjectType)
    (entity,) = change.fields.keys() - {"cursor", "operation", "ids", "at"}
    return entity, get_named_type(change.fields[entity].type).name


def query_of(name: str) -> str:
    """Write the subscription of one collection, with all fields of its documents."""
    entity, type = entity_of(name)
    if type not in FIELDS:
        return f"subscription {{ {name} {{ cursor operation ids at {entity} {{ __typename ... on Node {{ id }} }} }} }}"
    fields = " ".join(
        TRACEBACK.get(f"{type}.{field}", f"{written(field, each, {})}{selection_of(each)}")
        for field, each in fields_of(type)
    )
    return f"subscription {{ {name} {{ cursor operation ids at {entity} {{ {fields} }} }} }}"


TRACEBACK = {"Job.error": "error { type message details traceback }"}
QUERIES = {name: query_of(name) for name in root("Subscription") if name not in OTHERS}
CHANGES = "subscription { changes { __typename cursor operation ids at } }"


async def begun(world: World, watch: Watch, person: Person, kinds: dict[str, str]) -> None:
    """Wait until each subscription has told of something that the person may read."""
    async with asyncio.timeout(20):
        while missing := {name: kind for name, kind in kinds.items() if not watch.heard[name]}:
            for kind in set(missing.values()):
                await readable(world, kind, person)
            with suppress(TimeoutError):
                await until(lambda: all(watch.heard[name] for name in missing), seconds=0.5)


@pytest.mark.parametrize("carrier", WATCHES)
@pytest.mark.parametrize("role", Role)
async def test_subscriptions(world: World, role: Role, carrier: str) -> None:
    person = world.standing[role]
    rules = {name: RULES[f"Subscription.{name}"][role] for name in QUERIES}
    open_to = {name: kind_of(name) for name, answer in rules.items() if answer in {"yes", "404"}}
    async with WATCHES[carrier](world, person, QUERIES) as watch:
        await until(lambda: watch.refused.keys() == rules.keys() - open_to.keys())
        await begun(world, watch, person, open_to)
        found = {name: refusal(watch.refused[name]) for name in watch.refused}
        for name, kind in open_to.items():
            mark = len(watch.heard[name])
            id, last = await through_its_life(world, kind), await readable(world, kind, person)
            await until(lambda: last in watch.ids(name, mark))  # noqa: B023 # awaited here
            told = watch.of(name, id, mark)[: len(CAUSES[kind].life)]
            assert told in ([], [*CAUSES[kind].life]), f"{name} told {told}"
            found[name] = "yes" if told else "404"
            check_fields(name, role, [each for each in watch.heard[name][mark:] if id in each["ids"]])
    assert found == rules


def check_fields(name: str, role: Role, told: list[dict[str, Any]]) -> None:
    """See that documents in events tell each role of their fields what they tell it in queries."""
    entity, type = entity_of(name)
    if type not in FIELDS:
        return  # a union
    documents = [each[entity] for each in told if each[entity] is not None]
    hidden = {field: RULES[f"{type}.{field}"] for field, _ in fields_of(type)}
    for document in documents:
        for field, rule in hidden.items():
            if "-" in rule.answers:
                own = rule is not OWN_OR_ALL or role is Role.ADMINISTRATOR  # these events are of another owner
                assert (document[field] in EMPTY) == (rule[role] == "-" or not own), (name, field, document[field])
        if type == "Job" and document["error"]:
            assert (document["error"]["traceback"] == []) == (FOR_ADMINISTRATORS[role] == "-")


EMPTY: tuple[Any, ...] = (None, [], "")


def refusal(errors: list[dict[str, Any]]) -> str:
    (error,) = errors
    return ANSWERS[error["extensions"]["code"]]


@pytest.mark.parametrize("carrier", WATCHES)
async def test_those_who_watch_the_same_at_once_share_nothing_that_only_some_may_read(
    world: World, carrier: str
) -> None:
    """An owner and a key of theirs, a group reader and a stranger: the server executes one operation for many."""
    names, roles = ("samples", "jobs", "users"), RULES["Subscription.samples"].roles("401")
    async with AsyncExitStack() as stack:
        watches = {
            role: await stack.enter_async_context(
                WATCHES[carrier](world, world.standing[role], {name: QUERIES[name] for name in names})
            )
            for role in Role
            if role not in roles
        }
        for role, watch in watches.items():
            await begun(world, watch, world.standing[role], {name: kind_of(name) for name in names})
        for name in names:
            id = await through_its_life(world, kind_of(name))
            lasts = {role: await readable(world, kind_of(name), world.standing[role]) for role in watches}
            for role, watch in watches.items():
                await watch.hears(name, lasts[role])
                told = watch.of(name, id)
                assert told == ([*CAUSES[kind_of(name)].life] if RULES[f"Subscription.{name}"][role] == "yes" else [])
                check_fields(name, role, [each for each in watch.heard[name] if id in each["ids"]])


@pytest.mark.parametrize("carrier", WATCHES)
@pytest.mark.parametrize("role", Role)
async def test_changes_of_all_collections(world: World, role: Role, carrier: str) -> None:
    person = world.standing[role]
    expected = {collection: rule[role] for collection, rule in COLLECTIONS.items()}
    async with WATCHES[carrier](world, person, {"changes": CHANGES}) as watch:
        if RULES["Subscription.changes"][role] == "401":
            await until(lambda: watch.refused)
            assert refusal(watch.refused["changes"]) == "401"
            return
        await begun(world, watch, person, {"changes": "group"})
        ids = {collection: await through_its_life(world, kind) for collection, kind in KINDS.items()}
        await watch.hears("changes", await readable(world, "group", person))
        found = {collection: watch.of("changes", id) for collection, id in ids.items()}
    lives = {collection: [*CAUSES[kind].life] for collection, kind in KINDS.items()}
    assert found == {collection: lives[collection] if expected[collection] == "yes" else [] for collection in KINDS}


@pytest.mark.parametrize("role", Role)
async def test_what_was_missed_is_told_by_the_same_rights(world: World, role: Role) -> None:
    """A subscription that resumes after a cursor reads the log, and not what comes live."""
    person = world.standing[role]
    if RULES["Subscription.changes"][role] == "401":
        return
    cursor = (await world.done(person, "{ cursor }"))["cursor"]
    ids = {collection: await through_its_life(world, kind) for collection, kind in KINDS.items()}
    last = await readable(world, "group", person)
    query = CHANGES.replace("changes {", f'changes(after: "{cursor}") {{')
    async with WATCHES["WebSocket"](world, person, {"changes": query}) as watch:
        await watch.hears("changes", last)
        told = {collection: bool(watch.of("changes", id)) for collection, id in ids.items()}
    assert told == {collection: rule[role] == "yes" for collection, rule in COLLECTIONS.items()}


@pytest.mark.parametrize("carrier", WATCHES)
@pytest.mark.parametrize("role", Role)
async def test_the_log_of_a_job(world: World, role: Role, carrier: str) -> None:
    query = f'subscription {{ jobLog(id: "{world.shown["job"]}") {{ number text }} }}'
    async with WATCHES[carrier](world, world.standing[role], {"log": query}) as watch:
        await until(lambda: watch.refused or len(watch.heard["log"]) == 2)
        found = refusal(watch.refused["log"]) if watch.refused else "yes"
    assert found == RULES["Subscription.jobLog"][role]
    assert (watch.heard["log"] != []) == (found == "yes")


def test_each_subscription_is_tested() -> None:
    assert QUERIES.keys() | OTHERS == root("Subscription").keys()
    assert {kind_of(name) for name in QUERIES} <= CAUSES.keys()
    assert set(KINDS.values()) <= CAUSES.keys()
