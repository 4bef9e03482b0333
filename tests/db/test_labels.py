import asyncio
from typing import Any

import pytest
from msgspec import structs

from tests.factories.labels import stored_label
from tests.factories.samples import stored_sample
from tests.factories.users import viewer_named
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.labels import LabelChanges, Labels, NewLabel
from virtool_gql.db.sample_labels import LabelEdits
from virtool_gql.db.samples import SampleChanges
from virtool_gql.errors import BadUserInput, Conflict, Forbidden, NotFound
from virtool_gql.models.labels import Label
from virtool_gql.models.samples import Sample
from virtool_gql.models.users import Permission
from virtool_gql.query import Has

STRANGER = viewer_named("stranger")
OWNER = viewer_named("owner", Permission.CREATE_SAMPLE)
KEY = viewer_named("owner", Permission.UPLOAD_FILE, key_id="key00000")
ADMINISTRATOR = viewer_named("admin", administrator=True)

WRITE = [(STRANGER, False), (KEY, False), (OWNER, True), (ADMINISTRATOR, True)]


@pytest.mark.parametrize(("viewer", "may"), WRITE)
async def test_who_may_write_labels(db: Database, viewer: Viewer, may: bool) -> None:
    label = await stored_label(db)
    writes = [
        lambda: db.labels.create(viewer, NewLabel(name="New")),
        lambda: db.labels.update(viewer, label.id, LabelChanges(name="Changed")),
        lambda: db.labels.update(viewer, "nothing0", LabelChanges(color="bad")),
        lambda: db.labels.delete(viewer, label.id),
    ]
    if may:
        for write in (writes[0], writes[1], writes[3]):
            assert isinstance(await write(), Label)
        return
    for write in writes:
        with pytest.raises(Forbidden, match="CREATE_SAMPLE"):
            await write()
    assert (await db.store.find(Label)).documents == [label]


async def test_everybody_who_is_signed_in_reads_labels(db: Database) -> None:
    label = await stored_label(db)
    assert await db.labels.get(STRANGER, label.id) == label
    assert (await db.labels.find(STRANGER)).documents == [label]


async def test_a_label_is_made_as_it_is_kept(db: Database) -> None:
    label = await db.labels.create(OWNER, NewLabel(name=" Virus  found ", color="#abc", description="seen\r\nonce "))
    assert (label.name, label.color, label.description) == ("Virus  found", "#AABBCC", "seen\nonce")
    assert (label.user_id, label.version) == ("owner", 1)
    assert (await db.labels.create(OWNER, NewLabel(name="Plain"))).color == "#A0AEC0"
    assert (await db.labels.create(OWNER, NewLabel(name="Upper", color="#a0b1c2"))).color == "#A0B1C2"


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"name": " "}, "name"),
        ({"name": "\u200b\u3164"}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "x" * 10_000_000}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"color": ""}, "color"),
        ({"color": "red"}, "color"),
        ({"color": "#ABCD"}, "color"),
        ({"color": "#GGG"}, "color"),
        ({"color": "A0AEC0"}, "color"),
        ({"color": "#A0AEC0\n"}, "color"),
        ({"color": "#" * 10_000_000}, "color"),
        ({"color": "#\uff21\uff22\uff23"}, "color"),
        ({"description": "x" * 1_001}, "description"),
        ({"description": "\x1b"}, "description"),
    ],
    ids=lambda value: None if isinstance(value, dict) else str(value),
)
async def test_values_are_checked(db: Database, values: dict[str, Any], path: str) -> None:
    label = await stored_label(db, "Kept")
    for write in (
        db.labels.create(OWNER, structs.replace(NewLabel(name="New"), **values)),
        db.labels.update(OWNER, label.id, LabelChanges(**values)),
    ):
        with pytest.raises(BadUserInput) as error:
            await write
        assert error.value.path == (path,)
    assert (await db.store.find(Label)).documents == [label]


@pytest.mark.parametrize("name", ["STRASSE", "straße", " Straße\u200b", "\uff33trasse", "Strasse "])
async def test_a_name_is_used_once_whatever_its_form(db: Database, name: str) -> None:
    first = await stored_label(db, "Straße")
    other = await stored_label(db, "Other")
    for write in (
        db.labels.create(OWNER, NewLabel(name=name)),
        db.labels.update(OWNER, other.id, LabelChanges(name=name)),
    ):
        with pytest.raises(Conflict, match=r"^Label name already exists\.$") as error:
            await write
        assert error.value.path == ("name",)
    assert (await db.labels.update(OWNER, first.id, LabelChanges(name="STRASSE"))).name == "STRASSE"


async def test_of_many_who_create_one_name_one_does(db: Database) -> None:
    creations = (db.labels.create(OWNER, NewLabel(name="Same")) for _ in range(50))
    answers = await asyncio.gather(*creations, return_exceptions=True)
    assert sum(isinstance(answer, Label) for answer in answers) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 49


async def test_the_same_idempotency_key_gives_the_same_label(db: Database) -> None:
    creations = (db.labels.create(OWNER, NewLabel(name="Once"), idempotency_key="k") for _ in range(100))
    labels = await asyncio.gather(*creations)
    assert len({label.id for label in labels}) == await db.store.count(Label) == 1
    assert (await db.labels.create(OWNER, NewLabel(name="Else"), idempotency_key="k")).name == "Once"
    with pytest.raises(Conflict):
        await db.labels.create(ADMINISTRATOR, NewLabel(name="Once"), idempotency_key="k")
    with pytest.raises(BadUserInput, match="idempotency key"):
        await db.labels.create(OWNER, NewLabel(name="New"), idempotency_key=" ")


async def test_an_update_is_partial_and_writes_only_what_changed(db: Database) -> None:
    label = await stored_label(db, "Virus", color="#112233", description="Seen")
    changed = await db.labels.update(OWNER, label.id, LabelChanges(color="#FFF"))
    assert (changed.name, changed.color, changed.description, changed.version) == ("Virus", "#FFFFFF", "Seen", 2)
    for nothing in (LabelChanges(), LabelChanges(name="Virus", color="#ffffff")):
        assert await db.labels.update(OWNER, label.id, nothing) == changed
    assert (await db.labels.update(OWNER, label.id, LabelChanges(description=""))).description == ""


async def test_an_expected_version_keeps_from_overwriting(db: Database) -> None:
    label = await stored_label(db)
    changed = await db.labels.update(OWNER, label.id, LabelChanges(name="New"), expected_version=1)
    with pytest.raises(Conflict, match="Somebody else changed the label first"):
        await db.labels.update(OWNER, label.id, LabelChanges(name="Newer"), expected_version=1)
    assert await db.labels.get(OWNER, label.id) == changed


async def test_updates_at_once_lose_nothing(db: Database) -> None:
    label = await stored_label(db)
    changes = [LabelChanges(name="N"), LabelChanges(color="#111"), LabelChanges(description="D")] * 10
    await asyncio.gather(*(db.labels.update(OWNER, label.id, change) for change in changes))
    stored = await db.labels.get(OWNER, label.id)
    assert (stored.name, stored.color, stored.description, stored.version) == ("N", "#111111", "D", 4)


@pytest.mark.parametrize("id", ["nothing0", "", "\0", "../x", "A"])
async def test_what_is_not_there_cannot_be_changed(db: Database, id: str) -> None:
    for write in (db.labels.update(OWNER, id, LabelChanges()), db.labels.delete(OWNER, id)):
        with pytest.raises(NotFound, match="no label of that id"):
            await write


@pytest.mark.parametrize("count", [0, 1, 3, 4, 10])
async def test_deleting_takes_the_label_off_all_samples(db: Database, count: int) -> None:
    label, other = await stored_label(db, "Gone"), await stored_label(db, "Stays")
    kept = await stored_sample(db, name="Kept", label_ids=(other.id,))
    private = {"user_id": "somebody", "all_read": False}
    for number in range(count):
        await stored_sample(db, name=f"Leaf {number}", label_ids=(label.id, other.id), **private)
    assert await Labels(db.instance, samples_at_once=3).delete(OWNER, label.id) == label
    assert (await db.store.find(Label)).documents == [other]
    assert await db.store.count(Sample, Has("label_ids", label.id)) == 0
    assert await db.store.count(Sample, Has("label_ids", other.id)) == count + 1
    assert await db.store.get(Sample, kept.id) == kept
    with pytest.raises(NotFound):
        await db.labels.delete(OWNER, label.id)


async def test_a_deletion_is_told_with_every_sample_that_it_changed(db: Database) -> None:
    label = await stored_label(db)
    samples = [await stored_sample(db, name=f"Leaf {number}", label_ids=(label.id,)) for number in range(7)]
    viewer = lambda: OWNER  # noqa: E731 - who listens
    changes = db.changes(viewer, ["samples", "labels"])
    first = asyncio.ensure_future(anext(changes))
    while not first.done():  # until the subscription stands
        await db.store.replace(await db.labels.get(OWNER, label.id))
        await asyncio.wait([first], timeout=0.05)
    await Labels(db.instance, samples_at_once=3).delete(OWNER, label.id)
    told = []
    async with asyncio.timeout(10):
        async for change in changes:
            if change.collection == "samples" and change.document["version"] == samples[0].version + 1:
                assert change.document["label_ids"] == []
                told.append(change.ids[0])
            if change.operation == "delete":
                assert change.ids == (label.id,)
            if len(told) == len(samples):
                break
    await changes.aclose()
    assert sorted(told) == sorted(sample.id for sample in samples)


async def test_of_many_who_delete_one_does(db: Database) -> None:
    label = await stored_label(db)
    await stored_sample(db, label_ids=(label.id,))
    answers = await asyncio.gather(*(db.labels.delete(OWNER, label.id) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(answer, Label) for answer in answers) == 1
    assert sum(isinstance(answer, NotFound) for answer in answers) == 19


async def test_samples_labelled_while_the_label_is_deleted_end_without_it(db: Database) -> None:
    samples = [await stored_sample(db, name=f"Leaf {number}") for number in range(12)]
    ids = [sample.id for sample in samples]
    for round in range(5):
        label = await stored_label(db, f"Label {round}")
        started = asyncio.Event()

        async def labelling(number: int, label: Label = label, started: asyncio.Event = started) -> None:
            started.set()
            if number % 2:
                await db.sample_labels.update(OWNER, ids, LabelEdits(add=(label.id,)))
            else:
                await db.samples.update(OWNER, ids[number], SampleChanges(label_ids=(label.id,)))

        async def deleting(label: Label = label, started: asyncio.Event = started) -> None:
            await started.wait()
            await Labels(db.instance, samples_at_once=5).delete(OWNER, label.id)

        answers = await asyncio.gather(deleting(), *map(labelling, range(12)), return_exceptions=True)
        assert all(answer is None or isinstance(answer, BadUserInput) for answer in answers), answers
        assert await db.store.count(Sample, Has("label_ids", label.id)) == 0


async def test_counts_are_of_what_the_viewer_may_read(db: Database) -> None:
    one, two = await stored_label(db, "One"), await stored_label(db, "Two")
    await stored_sample(db, name="Open", label_ids=(one.id, two.id))
    await stored_sample(db, name="Hidden", label_ids=(one.id,), all_read=False)
    ids = [one.id, two.id, "nothing0"]
    assert await db.labels.sample_counts(STRANGER, ids) == {one.id: 1, two.id: 1, "nothing0": 0}
    for viewer in (OWNER, ADMINISTRATOR):
        assert await db.labels.sample_counts(viewer, ids) == {one.id: 2, two.id: 1, "nothing0": 0}


async def test_labels_lie_in_rows_and_samples_in_documents(split_db: Database) -> None:
    label = await split_db.labels.create(OWNER, NewLabel(name="Split"))
    sample = await stored_sample(split_db)
    await split_db.sample_labels.update(OWNER, [sample.id], LabelEdits(add=(label.id,)))
    assert await split_db.labels.sample_counts(OWNER, [label.id]) == {label.id: 1}
    await split_db.labels.delete(OWNER, label.id)
    stored = await split_db.samples.get(OWNER, sample.id)
    assert (stored.label_ids, await split_db.store.count(Label)) == ((), 0)
