import asyncio
from contextlib import aclosing
from functools import partial
from typing import Any

import pytest
from msgspec import structs

from tests.factories.conditions import until
from tests.factories.groups import stored_group
from tests.factories.jobs import stored_job
from tests.factories.samples import stored_sample
from tests.factories.users import viewer_named
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.errors import BadUserInput, NotFound
from virtool_gql.events.hub import PAGE_LENGTH
from virtool_gql.models.changes import Change, Operation
from virtool_gql.models.samples import Sample
from virtool_gql.models.users import Permission
from virtool_gql.query import Eq, Exists, Order, Page, Text

STRANGER = viewer_named("stranger")
OWNER = viewer_named("owner")
MEMBER = viewer_named("member", groups=["virology"])
ADMINISTRATOR = viewer_named("admin", administrator=True)
KEY = viewer_named("admin", key_id="key00000")
"""A key of an administrator that is not one itself."""

HIDDEN: dict[str, Any] = {"all_read": False, "group_read": False, "group_id": "virology"}
SHARED: dict[str, Any] = {"all_read": False, "group_read": True, "group_id": "virology"}


@pytest.mark.parametrize(
    ("viewer", "rights", "reads"),
    [
        (STRANGER, HIDDEN, False),
        (STRANGER, SHARED, False),
        (STRANGER, {"all_read": True}, True),
        (MEMBER, HIDDEN, False),
        (MEMBER, SHARED, True),
        (MEMBER, {"all_read": False, "group_read": True, "group_id": None}, False),
        (KEY, HIDDEN, False),
        (OWNER, HIDDEN, True),
        (ADMINISTRATOR, HIDDEN, True),
    ],
)
async def test_rights_decide_alike_in_every_question(
    db: Database, viewer: Viewer, rights: dict[str, Any], reads: bool
) -> None:
    cursor = await db.hub.cursor()
    sample = await stored_sample(db, **rights)
    listed = await db.store.get_many(Sample, [sample.id] * reads)
    assert (await db.samples.find(viewer)).documents == list(listed.values())
    assert await db.samples.count(viewer) == reads
    assert await db.samples.get_many(viewer, [sample.id, "nothing0"]) == listed
    if reads:
        assert await db.samples.get(viewer, sample.id) == sample
    else:
        with pytest.raises(NotFound):
            await db.samples.get(viewer, sample.id)
    await db.store.delete(sample)
    told = await replayed(viewer, cursor, db)
    # When it was created everybody could read it: how it stood when it was deleted decides of that too.
    assert [change.operation for change in told] == [Operation.INSERT, Operation.UPDATE, Operation.DELETE] * reads


async def replayed(viewer: Viewer, cursor: str, db: Database) -> list[Change]:
    """Give the changes of samples after the cursor, all of which are in the log by now, to the viewer."""
    last = await stored_sample(db, "somebody", f"Last for {viewer.handle}", all_read=True)
    for to in (ADMINISTRATOR, viewer):
        told: list[Change] = []
        changes = db.samples.changes(partial(_same, to), after=cursor)
        async with aclosing(changes):
            while (change := await anext(changes)).ids != (last.id,) or change.operation is Operation.INSERT:
                told.append(change)
    return [change for change in told if change.ids != (last.id,)]


async def test_what_is_missing_and_what_is_forbidden_are_told_alike(db: Database) -> None:
    sample = await stored_sample(db, **HIDDEN)
    messages = set()
    for id in (sample.id, "nothing0", "../../etc", "a\0", ""):
        with pytest.raises(NotFound) as error:
            await db.samples.get(STRANGER, id)
        messages.add((error.value.message, error.value.path))
    assert messages == {("There is no sample of that id.", ("id",))}


async def test_where_order_and_page_are_those_of_the_store(db: Database) -> None:
    for name in ("Leaf c", "Leaf a", "Leaf b", "Root"):
        await stored_sample(db, name=name)
    found = await db.samples.find(STRANGER, Text("name", "leaf"), [Order("name")], Page(first=2))
    assert [sample.name for sample in found.documents] == ["Leaf a", "Leaf b"]
    assert found.has_next
    assert await db.samples.count(STRANGER, Text("name", "leaf")) == 3


async def test_changes_are_chosen_by_filter_and_ids(db: Database) -> None:
    cursor = await db.hub.cursor()
    leaf, root = await stored_sample(db, name="Leaf"), await stored_sample(db, name="Root")
    by_name = db.samples.changes(lambda: OWNER, Eq("name", "Root"), after=cursor)
    by_id = db.samples.changes(lambda: OWNER, ids=[leaf.id], after=cursor)
    async with aclosing(by_name), aclosing(by_id):
        assert (await anext(by_name)).ids == (root.id,)
        assert (await anext(by_id)).ids == (leaf.id,)


async def test_rights_are_those_at_delivery(db: Database) -> None:
    cursor = await db.hub.cursor()
    hidden = [await stored_sample(db, name=f"Leaf {number}", **HIDDEN) for number in range(3)]
    viewer: Viewer | None = ADMINISTRATOR
    changes = db.samples.changes(lambda: viewer, Eq("all_read", value=False), after=cursor)
    async with aclosing(changes):
        assert (await anext(changes)).ids == (hidden[0].id,)
        viewer = STRANGER
        readable = await stored_sample(db, "stranger", "Mine", all_read=False)
        assert (await anext(changes)).ids == (readable.id,)
        viewer = None
        await stored_sample(db, name="After", all_read=False)
        assert [change async for change in changes] == []


async def test_a_closed_subscription_leaves_the_hub(db: Database) -> None:
    changes = db.samples.changes(lambda: OWNER)
    waiting = asyncio.ensure_future(anext(changes))
    await until(lambda: db.hub._live["samples"])
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await changes.aclose()
    assert not db.hub._live["samples"]


async def test_several_collections_are_told_each_by_its_own_rights(db: Database) -> None:
    cursor = await db.hub.cursor()
    await db.keys.create(OWNER, "Script")
    await stored_job(db, "owner")
    group = await stored_group(db)
    changes = db.changes(lambda: STRANGER, after=cursor)
    async with aclosing(changes):
        assert (await anext(changes)).ids == (group.id,)
    told = db.changes(lambda: OWNER, ["jobs", "keys"], cursor)
    async with aclosing(told):
        first, second = await anext(told), await anext(told)
    assert [first.collection, second.collection] == ["keys", "jobs"]
    assert "key_hash" not in first.document
    looking_after_jobs = db.changes(lambda: viewer_named("x", Permission.CANCEL_JOB), ["jobs", "keys"], cursor)
    async with aclosing(looking_after_jobs):
        assert (await anext(looking_after_jobs)).collection == "jobs"


@pytest.mark.parametrize("name", ["outbox", "sessions", ""])
async def test_other_collections_are_not_told(db: Database, name: str) -> None:
    with pytest.raises(BadUserInput, match="Collections do not exist"):
        db.changes(lambda: ADMINISTRATOR, ["samples", name])


async def test_what_was_hidden_since_is_not_replayed(db: Database) -> None:
    cursor = await db.hub.cursor()
    hidden = await stored_sample(db, **HIDDEN)  # everybody could read it when it was created
    last = await stored_sample(db, "somebody", "Last")
    for viewer, times in ((OWNER, 2), (ADMINISTRATOR, 2), (STRANGER, 0)):
        told = []
        changes = db.changes(partial(_same, viewer), ["samples"], cursor)
        async with aclosing(changes):
            while (change := await anext(changes)).ids != (last.id,):
                told.append(change.ids)
        assert told == [(hidden.id,)] * times


async def test_what_was_hidden_and_then_deleted_is_not_replayed(db: Database) -> None:
    cursor = await db.hub.cursor()
    hidden = [await stored_sample(db, name=f"Leaf {number}", **HIDDEN) for number in range(3)]
    public = [await stored_sample(db, name=f"Root {number}", all_read=True) for number in range(3)]
    for number in range(3 * PAGE_LENGTH // 2):  # the deletions are on later pages of the log than what they decide of
        await stored_group(db, f"Group {number}")
    await db.store.delete(*hidden[1:], *public[1:])
    seen: dict[str, list[list[str]]] = {}
    for viewer in (OWNER, STRANGER):
        told = await replayed(viewer, cursor, db)
        seen[viewer.handle] = [
            [change.operation for change in told if change.ids == (sample.id,)] for sample in hidden + public
        ]
    there, gone = ["insert", "update"], ["insert", "update", "delete"]
    assert seen == {
        "owner": [there, gone, gone, there, gone, gone],
        "stranger": [[], [], [], there, gone, gone],
    }


async def test_what_is_gone_is_decided_anew_for_rights_that_changed_meanwhile(db: Database) -> None:
    cursor = await db.hub.cursor()
    samples = [await stored_sample(db, name=f"Leaf {number}", **SHARED) for number in range(2)]
    mine = await stored_sample(db, "member", "Mine")
    await db.store.delete(*samples)
    await replayed(MEMBER, cursor, db)  # by now all of it is in the log
    viewer = MEMBER
    changes = db.samples.changes(lambda: viewer, after=cursor)
    async with aclosing(changes):
        assert (await anext(changes)).ids == (samples[0].id,)
        viewer = viewer_named("member")
        assert (await anext(changes)).ids == (mine.id,)


def _same(viewer: Viewer) -> Viewer:
    return viewer


async def test_a_group_that_is_left_shows_no_more(db: Database) -> None:
    cursor = await db.hub.cursor()
    sample: Sample = await stored_sample(db, **SHARED)
    viewer = MEMBER
    changes = db.samples.changes(lambda: viewer, Exists("host"), after=cursor)
    async with aclosing(changes):
        sample = (await db.store.replace(structs.replace(sample, host="Vine")))[0]
        while (await anext(changes)).document["host"] != "Vine":
            pass
        viewer = viewer_named("member")
        await db.store.replace(structs.replace(sample, host="Apple"))
        mine = await stored_sample(db, "member", "Mine", **HIDDEN)
        told = await anext(changes)
    assert told.ids == (mine.id,)
