from typing import Any

import pytest
from msgspec import structs

from tests.factories.files import ready_file_ids
from tests.factories.labels import stored_label, stored_subtraction
from tests.factories.samples import stored_sample
from tests.factories.users import viewer_named
from virtool_gql.db.database import Database
from virtool_gql.db.sample_links import without_deleted_labels
from virtool_gql.db.samples import NewSample, SampleChanges
from virtool_gql.errors import BadUserInput
from virtool_gql.models.samples import Sample
from virtool_gql.models.users import Permission

OWNER = viewer_named("owner", Permission.CREATE_SAMPLE)


async def new_sample(db: Database, **values: Any) -> NewSample:
    return structs.replace(NewSample(name="New", file_ids=await ready_file_ids(db)), **values)


async def test_a_sample_is_created_and_changed_with_labels_and_subtractions(db: Database) -> None:
    a, b = [(await stored_label(db, name)).id for name in "ab"]
    host, other = [(await stored_subtraction(db, name)).id for name in ("Host", "Other")]
    new = await new_sample(db, label_ids=(b, a, b), subtraction_ids=(host, host))
    sample, _ = await db.samples.create(OWNER, new)
    assert (sample.label_ids, sample.subtraction_ids) == ((b, a), (host,))
    changes = SampleChanges(label_ids=(a,), subtraction_ids=(other, host))
    changed = await db.samples.update(OWNER, sample.id, changes)
    assert (changed.label_ids, changed.subtraction_ids, changed.version) == ((a,), (other, host), 2)
    assert await db.samples.update(OWNER, sample.id, changes) == changed
    assert (await db.samples.update(OWNER, sample.id, SampleChanges(host="Vine"))).label_ids == (a,)
    emptied = await db.samples.update(OWNER, sample.id, SampleChanges(label_ids=(), subtraction_ids=()))
    assert (emptied.label_ids, emptied.subtraction_ids) == ((), ())


async def test_what_cannot_be_linked_is_named(db: Database) -> None:
    label = await stored_label(db)
    ready = await stored_subtraction(db)
    deleted = await stored_subtraction(db, "Deleted", deleted=True)
    unready = await stored_subtraction(db, "Slow", ready=False, gc=None, count=None)
    unusable = ["subtraction_x", f"subtraction_{deleted.id} (deleted)", f"subtraction_{unready.id} (not ready)"]
    sample = await stored_sample(db)
    for values, message in (
        ({"label_ids": ("b", label.id, "a\0")}, "Labels do not exist: label_b, label_a\0."),
        (
            {"subtraction_ids": ("x", ready.id, deleted.id, unready.id)},
            f"Subtractions do not exist: {', '.join(unusable)}.",
        ),
        ({"label_ids": tuple(map(str, range(101)))}, "At most 100 ids can be given."),
        ({"subtraction_ids": tuple(map(str, range(101)))}, "At most 100 ids can be given."),
    ):
        for write in (
            db.samples.create(OWNER, await new_sample(db, **values)),
            db.samples.update(OWNER, sample.id, SampleChanges(**values)),
        ):
            with pytest.raises(BadUserInput) as error:
                await write
            assert error.value.message == message
            assert error.value.path == tuple(values)
    assert await db.store.count(Sample) == 1
    assert await db.store.get(Sample, sample.id) == sample


async def test_labels_that_are_gone_are_taken_off_again(db: Database) -> None:
    label, gone = await stored_label(db), await stored_label(db, "Gone")
    both = await stored_sample(db, name="Both", label_ids=(label.id, gone.id))
    one = await stored_sample(db, name="One", label_ids=(label.id,))
    lost = await stored_sample(db, name="Lost", label_ids=(gone.id,))
    await db.store.delete(gone)
    await db.samples.delete(OWNER, lost.id)
    mended = await without_deleted_labels(db.store, [both, one, lost])
    assert [sample.label_ids for sample in mended] == [(label.id,), (label.id,), (gone.id,)]
    assert await db.samples.get(OWNER, both.id) == mended[0]
    assert mended[1:] == [one, lost]
    assert await without_deleted_labels(db.store, [both]) == mended[:1]
