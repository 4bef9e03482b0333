"""Who is told of what belongs to a reference: those who may read it at that moment, as the stream of changes says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path

from msgspec import structs
from redis.asyncio import Redis

from tests.factories.conditions import until
from tests.factories.database import SteppingClock, opened
from tests.factories.otus import stored_otu
from tests.factories.references import member, stored_reference
from tests.factories.users import viewer_named
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.reference_access import ReferenceAccess
from virtool_gql.embedded import ServiceUrls
from virtool_gql.events import STREAM
from virtool_gql.models.changes import Change, Operation
from virtool_gql.models.documents import to_builtins
from virtool_gql.models.otus import OTU
from virtool_gql.models.references import Reference
from virtool_gql.models.tasks import Task, TaskType
from virtool_gql.query import Eq
from virtool_gql.stores.opening import StoreUrls

STRANGER = viewer_named("stranger")
OWNER = viewer_named("owner")
READER = viewer_named("reader")
GROUP_MEMBER = viewer_named("colleague", groups=["virology"])
ADMINISTRATOR = viewer_named("admin", administrator=True)
EVERYBODY = (STRANGER, READER, GROUP_MEMBER, OWNER, ADMINISTRATOR)

INSERT, UPDATE, DELETE = Operation.INSERT, Operation.UPDATE, Operation.DELETE
Told = list[tuple[str, Operation]]


def _same(viewer: Viewer) -> Viewer:
    return viewer


async def shared_reference(db: Database, name: str = "Shared", **values: object) -> Reference:
    """Make a reference with a reader and a group of readers."""
    return await stored_reference(
        db, name, users=(member("owner"), member("reader")), groups=(member("virology"),), **values
    )


async def renamed(db: Database, otu: OTU, name: str) -> OTU:
    return (await db.store.replace(structs.replace(otu, name=name, name_key=name.lower())))[0]


async def told(db: Database, viewer: Viewer, cursor: str, collections: list[str]) -> Told:
    """Give what the log tells the viewer after the cursor; all of it is in there by now."""
    last = await stored_reference(db, "Last", user_id=viewer.user_id)
    answer: Told = []
    changes = db.changes(partial(_same, viewer), ["references", *collections], cursor)
    async with asyncio.timeout(20), aclosing(changes):
        while (change := await anext(changes)).ids != (last.id,):
            if change.collection in collections:
                answer.append((change.ids[0], change.operation))
    await db.store.delete(last)
    return answer


@asynccontextmanager
async def watching(db: Database, viewer: Viewer) -> AsyncIterator[Callable[[], list[Change]]]:
    """Watch OTUs as they change while the block lasts."""
    seen: list[Change] = []

    async def watch() -> None:
        async with aclosing(db.otus.changes(lambda: viewer)) as changes:
            while True:
                seen.append(await anext(changes))

    before = len(db.hub._live["otus"])
    task = asyncio.create_task(watch())
    await until(lambda: len(db.hub._live["otus"]) > before)
    try:
        yield lambda: seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_changes_of_parts_are_told_to_those_who_may_read_the_reference(each_db: Database) -> None:
    cursor = await each_db.hub.cursor()
    reference = await shared_reference(each_db)
    stored = await stored_otu(each_db, reference.id)
    otu = await renamed(each_db, stored.otu, "Renamed")
    answers = {viewer.handle: await told(each_db, viewer, cursor, ["otus", "history"]) for viewer in EVERYBODY}
    everything = answers.pop("admin")
    assert [operation for id, operation in everything if id == otu.id] == [INSERT, UPDATE]
    assert len(everything) == 3
    assert answers == {"stranger": [], "reader": everything, "colleague": everything, "owner": everything}


async def test_rights_follow_the_members_while_changes_come(each_db: Database) -> None:
    cursor = await each_db.hub.cursor()
    reference = await stored_reference(each_db)
    otu = (await stored_otu(each_db, reference.id)).otu
    await told(each_db, OWNER, cursor, ["otus"])  # by now all of it is in the log
    async with (
        watching(each_db, ADMINISTRATOR) as of_all,
        watching(each_db, READER) as of_reader,
        watching(each_db, GROUP_MEMBER) as of_colleague,
    ):
        for name, users, groups in (
            ("Reader", ["reader"], []),
            ("Virology", [], ["virology"]),
            ("Nobody", [], ["other"]),
            ("Both", ["reader"], ["virology"]),
        ):
            members = {"users": tuple(map(member, users)), "groups": tuple(map(member, groups))}
            (reference,) = await each_db.store.replace(structs.replace(reference, **members))
            otu = await renamed(each_db, otu, name)
            await until(partial(all_have_read, each_db, of_all, name))
        assert [change.document["name"] for change in of_reader()] == ["Reader", "Both"]
        assert [change.document["name"] for change in of_colleague()] == ["Virology", "Both"]


def all_have_read(db: Database, seen: Callable[[], list[Change]], name: str) -> bool:
    """Tell whether the change to that name has come to everybody who watches."""
    there = any(change.document["name"] == name for change in seen())
    return there and not any(subscription._changes for subscription in db.hub._live["otus"])


async def test_a_replay_is_judged_by_the_members_of_now(each_db: Database) -> None:
    cursor = await each_db.hub.cursor()
    reference = await shared_reference(each_db)
    otu = (await stored_otu(each_db, reference.id)).otu
    await each_db.store.replace(structs.replace(reference, users=(member("stranger"),), groups=()))
    await told(each_db, OWNER, cursor, ["otus"])  # by now all of it is in the log
    told_to = {viewer.handle: await told(each_db, viewer, cursor, ["otus"]) for viewer in EVERYBODY}
    born = [(otu.id, INSERT)]
    assert told_to == {"stranger": born, "reader": [], "colleague": [], "owner": born, "admin": born}


async def test_filters_and_ids_choose_among_parts(db: Database) -> None:
    cursor = await db.hub.cursor()
    hidden, shared = await stored_reference(db, "Hidden"), await shared_reference(db)
    await stored_otu(db, hidden.id)
    first, second = [(await stored_otu(db, shared.id)).otu for _ in range(2)]
    by_reference = db.otus.changes(lambda: READER, Eq("reference_id", shared.id), after=cursor)
    by_id = db.otus.changes(lambda: READER, ids=[second.id], after=cursor)
    async with asyncio.timeout(20), aclosing(by_reference), aclosing(by_id):
        assert (await anext(by_reference)).ids == (first.id,)
        assert (await anext(by_id)).ids == (second.id,)


async def test_members_are_told_of_the_end_of_the_parts_of_a_deleted_reference(each_db: Database) -> None:
    cursor = await each_db.hub.cursor()
    reference = await shared_reference(each_db)
    otu = (await stored_otu(each_db, reference.id)).otu
    await told(each_db, OWNER, cursor, ["otus"])  # by now all of it is in the log
    async with watching(each_db, READER) as of_reader, watching(each_db, STRANGER) as of_stranger:
        await each_db.store.delete(reference)
        await each_db.store.delete(otu)
        mine = (await stored_otu(each_db, (await stored_reference(each_db, user_id="stranger")).id)).otu
        await until(of_reader)
        await until(of_stranger)
        assert [(change.ids, change.operation) for change in of_reader()] == [((otu.id,), DELETE)]
        assert [(change.ids, change.operation) for change in of_stranger()] == [((mine.id,), INSERT)]


async def test_the_end_of_parts_is_replayed_to_the_members_that_a_deleted_reference_had_at_last(
    services: ServiceUrls, split_urls: StoreUrls, redis: Redis, tmp_path: Path, clock: SteppingClock
) -> None:
    """By a process that began after the deletion, and knows of it from the log."""
    async with opened(split_urls, services.redis, redis, tmp_path, clock) as db:
        cursor = await db.hub.cursor()
        reference = await shared_reference(db)
        otu = (await stored_otu(db, reference.id)).otu
        (reference,) = await db.store.replace(structs.replace(reference, groups=()))
        await db.store.delete(reference)
        await db.store.delete(otu)
        expected = [(otu.id, INSERT), (otu.id, DELETE)]
        assert await told(db, OWNER, cursor, ["otus"]) == expected
    async with opened(split_urls, services.redis, redis, tmp_path, clock) as db:
        answers = {viewer.handle: await told(db, viewer, cursor, ["otus"]) for viewer in EVERYBODY}
    assert answers == {"stranger": [], "reader": expected, "colleague": [], "owner": expected, "admin": expected}


async def test_parts_of_a_reference_that_nobody_remembers_are_told_to_administrators_alone(db: Database) -> None:
    cursor = await db.hub.cursor()
    otu = (await stored_otu(db, "nothing0")).otu
    answers = {viewer.handle: await told(db, viewer, cursor, ["otus"]) for viewer in EVERYBODY}
    assert answers == {"stranger": [], "reader": [], "colleague": [], "owner": [], "admin": [(otu.id, INSERT)]}


async def test_a_task_without_a_reference_is_told_to_who_began_it(db: Database) -> None:
    cursor, at = await db.hub.cursor(), db.instance.clock()
    reference = await shared_reference(db)
    common = {"args": {}, "due_at": at, "created_at": at, "updated_at": at}
    await db.store.insert(
        Task(id="of0owner", type=TaskType.REFRESH_HMMS, user_id="owner", **common),  # type: ignore[arg-type]
        Task(id="of0shard", type=TaskType.DELETE_REFERENCE, reference_id=reference.id, **common),  # type: ignore[arg-type]
    )
    answers = {viewer.handle: [id for id, _ in await told(db, viewer, cursor, ["tasks"])] for viewer in EVERYBODY}
    assert answers == {
        "stranger": [],
        "reader": ["of0shard"],
        "colleague": ["of0shard"],
        "owner": ["of0owner", "of0shard"],
        "admin": ["of0owner", "of0shard"],
    }


# What is remembered


async def known(access: ReferenceAccess, reference: Reference) -> list[str]:
    found = await access.of(reference.id)
    assert found is not None
    return [user["id"] for user in found["users"]]


async def test_a_change_that_comes_while_a_reference_is_read_is_not_undone(db: Database) -> None:
    reference = await stored_reference(db)
    access = ReferenceAccess(db.store, db.hub)
    reading = asyncio.create_task(access.of(reference.id))
    await asyncio.sleep(0)  # the store has been asked, and has not answered
    assert not reading.done()
    newer = structs.replace(reference, users=(member("reader"),))
    change = Change(
        collection="references",
        operation=UPDATE,
        ids=(reference.id,),
        at=db.instance.clock(),
        document=to_builtins(newer),
    )
    access._observe(change)
    found = await reading
    assert found is not None
    assert [user["id"] for user in found["users"]] == ["reader"]


async def test_what_is_not_known_is_learned_when_it_comes_to_be(db: Database) -> None:
    access = ReferenceAccess(db.store, db.hub)
    assert await access.of("nothing0") is None
    reference = structs.replace(await stored_reference(db, "Pattern"), id="nothing0", name="Late")
    (reference,) = await db.store.insert(reference)
    await until(lambda: access._known.get("nothing0"))
    assert await known(access, reference) == ["owner"]


async def test_nothing_is_remembered_of_before_changes_got_lost(db: Database, redis: Redis) -> None:
    cursor = await db.hub.cursor()
    reference = await stored_reference(db)
    await told(db, OWNER, cursor, ["otus"])  # by now all of it is in the log
    access = ReferenceAccess(db.store, db.hub)
    assert await known(access, reference) == ["owner"]
    await redis.delete(STREAM)
    await stored_reference(db, "Another")
    await until(lambda: reference.id not in access._known)
    await db.store.replace(structs.replace(reference, users=(member("reader"),)))
    assert await known(access, reference) == ["reader"]


async def test_only_so_many_references_are_remembered(db: Database) -> None:
    references = [await stored_reference(db, f"Reference {number}") for number in range(3)]
    access = ReferenceAccess(db.store, db.hub, most_remembered=2)
    for _ in range(2):
        assert [await known(access, each) for each in references] == [["owner"]] * 3
        assert len(access._known) == 2


async def test_the_log_is_read_once_for_all_that_is_gone(db: Database) -> None:
    cursor = await db.hub.cursor()
    gone = [await stored_reference(db, f"Gone {number}", users=(member(f"u{number}"),)) for number in range(3)]
    await db.store.delete(*gone)
    await told(db, OWNER, cursor, ["otus"])  # by now all of it is in the log
    access = ReferenceAccess(db.store, db.hub)
    answers = await asyncio.gather(*(access.of(id) for id in (*(each.id for each in gone), "nothing0")))
    assert [answer and answer["users"][0]["id"] for answer in answers] == ["u0", "u1", "u2", None]
    first = asyncio.create_task(access.of("nothing1"))
    assert await first is None


async def test_who_gives_up_waiting_for_the_log_does_not_keep_it_from_others(db: Database) -> None:
    cursor = await db.hub.cursor()
    gone = await stored_reference(db)
    await db.store.delete(gone)
    await told(db, OWNER, cursor, ["otus"])
    access = ReferenceAccess(db.store, db.hub)
    impatient = asyncio.create_task(access._read_log())
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.gather(impatient, return_exceptions=True)
    assert await known(access, gone) == ["owner"]
