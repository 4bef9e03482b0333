import asyncio
from typing import Any

import pytest
from msgspec import structs

from tests.factories.labels import stored_label
from tests.factories.samples import stored_sample
from tests.factories.users import viewer_named
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.sample_labels import LabelEdits
from virtool_gql.db.samples import SampleChanges
from virtool_gql.errors import BadUserInput, Forbidden, NotFound, VirtoolError
from virtool_gql.models.samples import Sample
from virtool_gql.models.users import Permission
from virtool_gql.query import Has

STRANGER = viewer_named("stranger")
OWNER = viewer_named("owner", Permission.CREATE_SAMPLE)
MEMBER = viewer_named("member", groups=["virology"])
ADMINISTRATOR = viewer_named("admin", administrator=True)
KEY = viewer_named("owner", key_id="key00000")

PRIVATE: dict[str, Any] = {"all_read": False, "group_id": "virology", "group_read": False, "group_write": True}
GROUP_READS: dict[str, Any] = {"all_read": False, "group_id": "virology", "group_read": True}
GROUP_WRITES: dict[str, Any] = GROUP_READS | {"group_write": True}


@pytest.mark.parametrize(
    ("viewer", "rights", "error"),
    [
        (STRANGER, PRIVATE, NotFound),
        (STRANGER, {"all_read": False, "all_write": True}, NotFound),
        (STRANGER, {"all_read": True}, Forbidden),
        (STRANGER, {"all_read": True, "all_write": True}, None),
        (MEMBER, PRIVATE, NotFound),
        (MEMBER, GROUP_READS, Forbidden),
        (MEMBER, GROUP_WRITES, None),
        (KEY, PRIVATE, None),
        (OWNER, PRIVATE, None),
        (ADMINISTRATOR, PRIVATE, None),
    ],
)
async def test_who_may_label(
    db: Database, viewer: Viewer, rights: dict[str, Any], error: type[VirtoolError] | None
) -> None:
    label = await stored_label(db)
    sample = await stored_sample(db, **rights)
    outcomes = await db.sample_labels.update(viewer, [sample.id], LabelEdits(add=(label.id,)))
    stored = await db.store.get(Sample, sample.id)
    if error is None:
        assert outcomes == await db.store.get_many(Sample, [sample.id])
        assert stored
        assert stored.label_ids == (label.id,)
        assert stored.updated_at > sample.updated_at
    else:
        assert type(outcomes[sample.id]) is error
        assert stored == sample


async def test_one_sample_keeps_no_other_from_its_labels(db: Database) -> None:
    a, b, c = [await stored_label(db, name) for name in "abc"]
    mine = await stored_sample(db, name="Mine", label_ids=(b.id, c.id))
    read_only = await stored_sample(db, "other", name="Read only")
    hidden = await stored_sample(db, "other", name="Hidden", all_read=False)
    open_to_all = await stored_sample(db, "other", name="Open", all_write=True)
    ids = [hidden.id, open_to_all.id, "nothing0", mine.id, read_only.id, "\0", mine.id]
    outcomes = await db.sample_labels.update(OWNER, ids, LabelEdits(add=(a.id, a.id), remove=(b.id, "gone0000")))
    assert list(outcomes) == [hidden.id, open_to_all.id, "nothing0", mine.id, read_only.id, "\0"]
    kinds = [type(outcome) for outcome in outcomes.values()]
    assert kinds == [NotFound, Sample, NotFound, Sample, Forbidden, NotFound]
    missing = [outcomes[id] for id in (hidden.id, "nothing0", "\0")]
    assert len({error.message for error in missing if isinstance(error, VirtoolError)}) == 1
    assert (await db.samples.get(OWNER, mine.id)).label_ids == (c.id, a.id)
    assert (await db.samples.get(OWNER, open_to_all.id)).label_ids == (a.id,)
    assert await db.store.count(Sample, Has("label_ids", a.id)) == 2


async def test_what_changes_nothing_writes_nothing(db: Database) -> None:
    label, other = await stored_label(db), await stored_label(db, "Other")
    samples = [await stored_sample(db, name=name, label_ids=(label.id,)) for name in "ab"]
    ids = [sample.id for sample in samples]
    before = await db.store.get_many(Sample, ids)
    for edits in (LabelEdits(add=(label.id,)), LabelEdits(remove=(other.id,)), LabelEdits()):
        assert await db.sample_labels.update(OWNER, ids, edits) == before
    assert await db.store.get_many(Sample, ids) == before


async def test_what_cannot_be_done_to_any_sample_is_refused_as_a_whole(db: Database) -> None:
    label = await stored_label(db)
    sample = await stored_sample(db)
    for ids, edits, path, message in (
        ([sample.id], LabelEdits(add=("b0", label.id, "\0", "a0")), "add_label_ids", "label_b0, label_\0, label_a0"),
        ([sample.id], LabelEdits(add=(label.id,), remove=(label.id,)), "remove_label_ids", "put on and taken off"),
        ([sample.id], LabelEdits(remove=tuple(map(str, range(101)))), "remove_label_ids", "At most 100"),
        ([str(number) for number in range(501)], LabelEdits(add=(label.id,)), "sample_ids", "At most 500"),
    ):
        with pytest.raises(BadUserInput, match=message) as error:
            await db.sample_labels.update(OWNER, ids, edits)
        assert error.value.path == (path,)
    assert await db.store.get(Sample, sample.id) == sample
    assert await db.sample_labels.update(OWNER, [], LabelEdits(add=(label.id,))) == {}


async def test_a_sample_has_at_most_a_hundred_labels(db: Database) -> None:
    labels = [(await stored_label(db, f"Label {number}")).id for number in range(101)]
    full = await stored_sample(db, name="Full", label_ids=tuple(labels[:100]))
    bare = await stored_sample(db, name="Bare")
    outcomes = await db.sample_labels.update(OWNER, [full.id, bare.id], LabelEdits(add=(labels[100],)))
    assert isinstance(outcomes[full.id], BadUserInput)
    assert isinstance(outcomes[bare.id], Sample)
    exchanged = await db.sample_labels.update(OWNER, [full.id], LabelEdits(add=(labels[100],), remove=(labels[0],)))
    assert isinstance(exchanged[full.id], Sample)


async def test_labelling_many_at_once_loses_nothing(db: Database) -> None:
    samples = [await stored_sample(db, name=f"Leaf {number}") for number in range(9)]
    ids = [sample.id for sample in samples]
    labels = [(await stored_label(db, f"Label {number}")).id for number in range(8)]
    labelling = (db.sample_labels.update(OWNER, ids, LabelEdits(add=(label,))) for label in labels)
    editing = (db.samples.update(OWNER, id, SampleChanges(host="Vine")) for id in ids)
    outcomes = [each async for each in _done(*labelling, *editing)]
    assert all(isinstance(outcome, Sample) for outcome in outcomes)
    for sample in (await db.store.get_many(Sample, ids)).values():
        assert sorted(sample.label_ids) == sorted(labels)
        assert (sample.host, sample.version) == ("Vine", 1 + len(labels) + 1)


async def _done(*works: Any) -> Any:
    for answer in await asyncio.gather(*works):
        for outcome in answer.values() if isinstance(answer, dict) else [answer]:
            yield outcome


async def test_labels_that_are_put_on_and_taken_off_at_once_end_either_way(db: Database) -> None:
    sample = await stored_sample(db)
    label = await stored_label(db)
    edits = [LabelEdits(add=(label.id,)), LabelEdits(remove=(label.id,))] * 10
    await asyncio.gather(*(db.sample_labels.update(OWNER, [sample.id], edit) for edit in edits))
    stored = await db.samples.get(OWNER, sample.id)
    assert stored.label_ids in {(), (label.id,)}


async def test_a_sample_that_is_deleted_meanwhile_is_not_found(db: Database) -> None:
    samples = [await stored_sample(db, name=f"Leaf {number}") for number in range(6)]
    label = await stored_label(db)
    update = db.sample_labels.update(OWNER, [sample.id for sample in samples], LabelEdits(add=(label.id,)))
    outcomes, *_ = await asyncio.gather(update, *(db.samples.delete(OWNER, sample.id) for sample in samples[::2]))
    for number, sample in enumerate(samples):
        assert isinstance(outcomes[sample.id], Sample | NotFound)
        assert number % 2 == 0 or isinstance(outcomes[sample.id], Sample)


async def test_rights_taken_away_meanwhile_count(db: Database) -> None:
    label = await stored_label(db)
    sample = await stored_sample(db, "other", all_write=True)
    async with db.store.transaction() as documents:
        await documents.replace(structs.replace(sample, all_write=False))
        labelling = asyncio.ensure_future(db.sample_labels.update(OWNER, [sample.id], LabelEdits(add=(label.id,))))
        await asyncio.wait([labelling], timeout=0.2)
    assert isinstance((await labelling)[sample.id], Forbidden)
