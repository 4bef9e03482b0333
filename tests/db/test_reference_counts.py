from typing import Any

from msgspec import structs

from tests.factories.otus import stored_otu
from tests.factories.references import stored_reference
from tests.factories.users import viewer_named
from virtool_gql.db.database import Database
from virtool_gql.db.reference_counts import Contribution
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.indexes import Index

OWNER = viewer_named("owner")


async def stored_entry(db: Database, reference_id: str, otu_id: str, place: int, **values: Any) -> HistoryEntry:
    entry = HistoryEntry(
        id=f"{otu_id}_{place}",
        otu_id=otu_id,
        otu_name="Virus",
        otu_revision=place,
        place=place,
        reference_id=reference_id,
        verb=Verb.EDIT,
        description="Changed name to Virus",
        created_at=db.instance.clock(),
        **{"user_id": "owner"} | values,
    )
    return (await db.store.insert(entry))[0]


async def stored_build(db: Database, reference_id: str, number: int, *, ready: bool = True) -> Index:
    index = Index(
        id=db.instance.new_id(),
        reference_id=reference_id,
        number=number,
        ready=ready,
        user_id="owner",
        created_at=db.instance.clock(),
    )
    return (await db.store.insert(index))[0]


async def test_otus_and_changes_are_counted_for_each_reference(each_db: Database) -> None:
    db, counts = each_db, each_db.reference_counts
    full, empty = (await stored_reference(db)).id, (await stored_reference(db, "Empty")).id
    one, two = [(await stored_otu(db, full)).otu.id for _ in range(2)]
    for place in (1, 2):
        await stored_entry(db, full, one, place, user_id="other")
    await stored_entry(db, full, two, 1, user_id="other", index_id="index000", index_number=0)
    await stored_entry(db, full, "removed0", 1)
    ids = [full, empty, "nothing0"]
    nothing = {empty: 0, "nothing0": 0}
    assert await counts.otus(OWNER, ids) == {full: 2} | nothing
    assert await counts.unbuilt_changes(OWNER, ids) == {full: 5} | nothing  # two births among them
    assert await counts.modified_otus(OWNER, ids) == {full: 3} | nothing
    assert await counts.contributions(OWNER, ids) == {
        full: [Contribution(user_id="other", count=3), Contribution(user_id="owner", count=3)],
        empty: [],
        "nothing0": [],
    }
    assert await counts.otus(OWNER, []) == {}


async def test_the_latest_build_is_the_newest_that_is_ready(each_db: Database) -> None:
    db, counts = each_db, each_db.reference_counts
    built, building, never = [(await stored_reference(db, name)).id for name in ("A", "B", "C")]
    await stored_build(db, built, 0)
    newest = await stored_build(db, built, 11)
    await stored_build(db, built, 2)
    await stored_build(db, built, 12, ready=False)
    await stored_build(db, building, 0, ready=False)
    found = await counts.latest_builds(OWNER, [built, building, never])
    assert {id: index and index.id for id, index in found.items()} == {built: newest.id, building: None, never: None}


async def test_contributors_of_the_same_count_come_by_id(db: Database) -> None:
    reference = await stored_reference(db)
    await stored_otu(db, reference.id, user_id="b")
    await stored_otu(db, reference.id, user_id="a")
    await stored_otu(db, reference.id, user_id="c")
    await stored_otu(db, reference.id, user_id="c")
    found = await db.reference_counts.contributions(OWNER, [reference.id])
    assert [structs.astuple(contribution) for contribution in found[reference.id]] == [("c", 2), ("a", 1), ("b", 1)]
