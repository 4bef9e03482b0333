import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import select, text

from tests.factories.files import ready_file, ready_file_ids
from tests.factories.samples import stored_sample
from tests.factories.users import viewer_named
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.names import comparable
from virtool_gql.db.sample_names import KEYLESS
from virtool_gql.db.samples import NewSample, SampleChanges
from virtool_gql.db.settings import SettingsChanges, SettingsWrapper
from virtool_gql.errors import BadUserInput, Conflict, Forbidden
from virtool_gql.models.documents import Document
from virtool_gql.models.files import File
from virtool_gql.models.jobs import Job
from virtool_gql.models.samples import Sample
from virtool_gql.models.settings import SampleGroup, Settings
from virtool_gql.models.users import Permission
from virtool_gql.query import Page
from virtool_gql.stores.postgres import PostgresStore
from virtool_gql.stores.tables import table_of


@pytest.fixture
def documents(db: Database) -> PostgresStore:
    """Give the store without what writes the audit log."""
    store = db.store.store
    assert isinstance(store, PostgresStore)
    return store


ADMINISTRATOR = viewer_named("admin", administrator=True)
KEY = viewer_named("admin", *Permission, key_id="key00000")
OWNER = viewer_named("owner", Permission.CREATE_SAMPLE)
WITH_DUPLICATES = SettingsChanges(sample_unique_names=False)
WITHOUT_DUPLICATES = SettingsChanges(sample_unique_names=True)


@pytest.mark.parametrize("viewer", [viewer_named("stranger"), viewer_named("able", *Permission), KEY])
async def test_only_administrators_change_settings(db: Database, viewer: Viewer) -> None:
    with pytest.raises(Forbidden):
        await db.settings.update(viewer, SettingsChanges(minimum_password_length=-1))
    assert await db.settings.get() == Settings(id="settings")


async def test_the_first_change_stores_the_settings(db: Database) -> None:
    assert await db.settings.update(ADMINISTRATOR, SettingsChanges(minimum_password_length=8)) == Settings(
        id="settings"
    )
    assert await db.store.count(Settings) == 0
    changed = await db.settings.update(ADMINISTRATOR, SettingsChanges(sample_all_read=False), expected_version=0)
    assert changed == Settings(id="settings", version=1, sample_all_read=False) == await db.settings.get()
    again = await db.settings.update(ADMINISTRATOR, SettingsChanges(hmm_slug=" virtool/hmm.v-2 "))
    assert (again.sample_all_read, again.hmm_slug, again.version) == (False, "virtool/hmm.v-2", 2)
    assert await db.settings.update(ADMINISTRATOR, SettingsChanges(sample_all_read=False)) == again


async def test_an_expected_version_keeps_from_overwriting(db: Database) -> None:
    await db.settings.update(ADMINISTRATOR, SettingsChanges(sample_all_read=False))
    for changes in (SettingsChanges(sample_all_write=True), SettingsChanges(sample_all_read=False), WITHOUT_DUPLICATES):
        with pytest.raises(Conflict, match="Somebody else changed the settings first"):
            await db.settings.update(ADMINISTRATOR, changes, expected_version=0)
    off = await db.settings.update(ADMINISTRATOR, WITH_DUPLICATES, expected_version=1)
    with pytest.raises(Conflict, match="Somebody else"):
        await db.settings.update(ADMINISTRATOR, WITHOUT_DUPLICATES, expected_version=1)
    assert await db.settings.get() == off


async def test_of_a_hundred_changes_at_once_none_is_lost(each_db: Database) -> None:
    changes: list[dict[str, Any]] = [
        {"minimum_password_length": 12},
        {"sample_group": SampleGroup.FORCE_CHOICE},
        {"sample_group_read": False},
        {"sample_all_read": False},
        {"hmm_slug": "a/b"},
    ]
    update = each_db.settings.update
    await asyncio.gather(*(update(ADMINISTRATOR, SettingsChanges(**changes[number % 5])) for number in range(100)))
    expected: dict[str, Any] = {name: value for change in changes for name, value in change.items()}
    assert await each_db.settings.get() == Settings(id="settings", version=5, **expected)


async def test_servers_that_change_the_settings_at_once_lose_nothing(each_db: Database) -> None:
    others = [SettingsWrapper(each_db.instance) for _ in range(10)]
    lengths = range(10, 20)
    changes = [SettingsChanges(minimum_password_length=length) for length in lengths]
    await asyncio.gather(
        *(other.update(ADMINISTRATOR, change) for other, change in zip(others, changes, strict=True)),
        each_db.settings.update(ADMINISTRATOR, SettingsChanges(hmm_slug="a/b")),
    )
    settings = await each_db.settings.get()
    assert (settings.version, settings.hmm_slug) == (11, "a/b")
    assert settings.minimum_password_length in lengths


async def test_what_is_not_stored_has_its_default(db: Database, documents: PostgresStore) -> None:
    old = '{"id": "settings", "version": 3, "minimum_password_length": 12, "enable_api": true}'
    async with documents.engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO documents.settings (id, version, doc) VALUES ('settings', 3, CAST(:doc AS JSONB))"),
            {"doc": old},
        )
    assert await db.settings.get() == Settings(id="settings", version=3, minimum_password_length=12)
    changed = await db.settings.update(ADMINISTRATOR, SettingsChanges(hmm_slug="a/b"), expected_version=3)
    assert changed == Settings(id="settings", version=4, minimum_password_length=12, hmm_slug="a/b")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (SettingsChanges(minimum_password_length=0), "minimum_password_length"),
        (SettingsChanges(minimum_password_length=101), "minimum_password_length"),
        (SettingsChanges(default_source_types=()), "default_source_types"),
        (SettingsChanges(default_source_types=("isolate", " ")), "default_source_types"),
        (SettingsChanges(default_source_types=("a" * 51,)), "default_source_types"),
        (SettingsChanges(default_source_types=("a\nb",)), "default_source_types"),
        (SettingsChanges(default_source_types=tuple(f"type {n}" for n in range(51))), "default_source_types"),
        *(
            (SettingsChanges(hmm_slug=slug), "hmm_slug")
            for slug in ("", "virtool", "a/b/c", "-a/b", "a-/b", "a--b/c", "a/..", "a/.", "a b/c", "a/b c", "/", "ä/b")
        ),
        (SettingsChanges(hmm_slug=f"{'a' * 40}/b"), "hmm_slug"),
        (SettingsChanges(hmm_slug=f"a/{'b' * 101}"), "hmm_slug"),
        (SettingsChanges(hmm_slug="https://github.com/virtool/virtool-hmm"), "hmm_slug"),
    ],
)
async def test_a_value_that_is_not_acceptable_is_refused(db: Database, changes: SettingsChanges, field: str) -> None:
    with pytest.raises(BadUserInput) as refused:
        await db.settings.update(ADMINISTRATOR, changes)
    assert refused.value.path == (field,)
    assert await db.store.count(Settings) == 0


async def test_source_types_are_kept_once_each_in_lower_case(db: Database) -> None:
    changes = SettingsChanges(default_source_types=(" Isolate", "STRAIN ", "isolate", "Klon Ä"))
    assert (await db.settings.update(ADMINISTRATOR, changes)).default_source_types == ("isolate", "strain", "klon ä")


async def keyless(db: Database) -> int:
    return await db.store.count(Sample, KEYLESS)


async def test_names_need_not_be_unique_and_then_must_be_again(each_db: Database) -> None:
    db = each_db
    first = await stored_sample(db)
    await db.settings.update(ADMINISTRATOR, WITH_DUPLICATES)
    second = await stored_sample(db, name="LEAF")
    assert (await db.samples.update(OWNER, first.id, SampleChanges(host="Vine"))).name == "Leaf"
    before = [await db.store.get(Sample, sample.id) for sample in (first, second)], await db.settings.get()
    with pytest.raises(Conflict, match='More than one sample is named "LEAF"; give'):
        await db.settings.update(ADMINISTRATOR, SettingsChanges(sample_unique_names=True, sample_all_read=False))
    assert ([await db.store.get(Sample, sample.id) for sample in (first, second)], await db.settings.get()) == before
    await db.samples.update(OWNER, second.id, SampleChanges(name="Stem"))
    await db.settings.update(ADMINISTRATOR, WITHOUT_DUPLICATES)
    assert await keyless(db) == 0
    for taken in ("leaf", "\uff33tem"):
        with pytest.raises(Conflict, match="Sample name is already in use"):
            await stored_sample(db, name=taken)
    assert (await db.samples.update(OWNER, first.id, SampleChanges(name="LEAF"))).name == "LEAF"
    with pytest.raises(Conflict, match="Sample name is already in use"):
        await db.samples.update(OWNER, first.id, SampleChanges(name="STEM"))


async def test_up_to_ten_names_that_are_used_again_are_told(db: Database) -> None:
    await db.settings.update(ADMINISTRATOR, WITH_DUPLICATES)
    await insert_samples(db, *(f"Plant {number:02}" for number in range(12)), *(f"plant {n:02}" for n in range(12)))
    with pytest.raises(Conflict) as refused:
        await db.settings.update(ADMINISTRATOR, WITHOUT_DUPLICATES)
    assert refused.value.path == ("sample_unique_names",)
    names = refused.value.message.partition("; ")[0]
    assert names.count('"') == 20
    assert names.endswith(" and others")
    assert not (await db.settings.get()).sample_unique_names
    assert await keyless(db) == 24


async def insert_samples(db: Database, *names: str) -> None:
    at = db.instance.clock()
    await db.store.insert(
        *(
            Sample(id=f"n{number:07}", name=name, unique_key=None, user_id="owner", created_at=at, updated_at=at)
            for number, name in enumerate(names)
        )
    )


async def test_no_sample_that_is_made_meanwhile_escapes(each_db: Database) -> None:
    db = each_db
    await db.settings.update(ADMINISTRATOR, WITH_DUPLICATES)
    await insert_samples(db, *(f"Plant {number}" for number in range(150)))
    files = await ready_file_ids(db, 20)
    made = [
        db.samples.create(OWNER, NewSample(name=f"New {number}", file_ids=(file_id,)))
        for number, file_id in enumerate(files)
    ]
    renamed = [db.samples.update(OWNER, f"n{n:07}", SampleChanges(name=f"Renamed {n}")) for n in range(0, 150, 10)]
    await asyncio.gather(*made[:10], db.settings.update(ADMINISTRATOR, WITHOUT_DUPLICATES), *renamed, *made[10:])
    assert await db.store.count(Sample) == 170
    assert await keyless(db) == 0
    samples = (await db.store.find(Sample, page=Page(first=None))).documents
    assert all(sample.unique_key == comparable(sample.name) for sample in samples)


class Held:
    """A document that nobody else can write while the block lasts."""

    def __init__(self, documents: PostgresStore, document: Document) -> None:
        self._documents = documents
        self._document = document

    async def while_blocked(self, work: Awaitable[Any], then: Callable[[], Awaitable[Any]]) -> Any:
        """Begin the work, do something else when it waits for the document, and give what becomes of the work."""
        table = table_of(type(self._document))
        async with self._documents.engine.connect() as connection:
            await connection.execute(select(table.c.id).where(table.c.id == self._document.id).with_for_update())
            begun = asyncio.ensure_future(work)
            async with asyncio.timeout(10):
                while not await self._is_waited_for():  # noqa: ASYNC110 - no event tells of a lock
                    await asyncio.sleep(0.01)
            await then()
            await connection.rollback()
        return await begun

    async def _is_waited_for(self) -> bool:
        async with self._documents.engine.connect() as connection:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            mine = f"{waiting} AND datname = current_database()"
            return bool((await connection.execute(text(mine))).scalar())


def turn_on(db: Database) -> Callable[[], Awaitable[Any]]:
    return lambda: db.settings.update(ADMINISTRATOR, WITHOUT_DUPLICATES)


async def test_a_sample_that_was_begun_before_gets_its_key(db: Database, documents: PostgresStore) -> None:
    await db.settings.update(ADMINISTRATOR, WITH_DUPLICATES)
    file = await ready_file(db)
    creation = db.samples.create(OWNER, NewSample(name="Leaf", file_ids=(file.id,)))
    sample, job = await Held(documents, file).while_blocked(creation, turn_on(db))
    assert sample.unique_key == "leaf"
    assert await db.store.get(Sample, sample.id) == sample
    assert await db.store.get(Job, job.id) == job


async def test_a_sample_that_was_begun_before_gives_way_to_its_name(db: Database, documents: PostgresStore) -> None:
    first = await stored_sample(db)
    await db.settings.update(ADMINISTRATOR, WITH_DUPLICATES)
    file = await ready_file(db, "other.fq")
    creation = db.samples.create(OWNER, NewSample(name="LEAF", file_ids=(file.id,)))
    with pytest.raises(Conflict, match="Sample name is already in use"):
        await Held(documents, file).while_blocked(creation, turn_on(db))
    assert await db.store.count(Sample) == 1
    assert await db.store.get(Sample, first.id) == first
    released = await db.store.get(File, file.id)
    assert released is not None
    assert released.reserved_by is None
    assert (await db.settings.get()).sample_unique_names


@pytest.mark.parametrize("taken", [False, True])
async def test_a_renaming_that_was_begun_before_is_settled(db: Database, documents: PostgresStore, taken: bool) -> None:
    sample = await stored_sample(db)
    if taken:
        await stored_sample(db, name="Stem")
    await db.settings.update(ADMINISTRATOR, WITH_DUPLICATES)
    renaming = Held(documents, sample).while_blocked(
        db.samples.update(OWNER, sample.id, SampleChanges(name="STEM")), turn_on(db)
    )
    if taken:
        with pytest.raises(Conflict, match="Sample name is already in use"):
            await renaming
    else:
        assert (await renaming).unique_key == "stem"
    stored = await db.store.get(Sample, sample.id)
    assert stored is not None
    assert (stored.name, stored.unique_key) == (("Leaf", "leaf") if taken else ("STEM", "stem"))


async def test_two_samples_of_one_name_that_are_made_meanwhile_undo_the_change(
    db: Database, documents: PostgresStore
) -> None:
    before = await db.settings.update(ADMINISTRATOR, WITH_DUPLICATES)
    change = SettingsChanges(sample_unique_names=True, sample_all_read=False)
    with pytest.raises(Conflict, match='More than one sample is named "Leaf"'):
        await Held(documents, before).while_blocked(
            db.settings.update(ADMINISTRATOR, change), lambda: insert_samples(db, "Leaf", "LEAF")
        )
    settings = await db.settings.get()
    assert structs.replace(settings, version=before.version) == before


async def test_a_sample_that_was_changed_meanwhile_gets_its_key(db: Database, documents: PostgresStore) -> None:
    await db.settings.update(ADMINISTRATOR, WITH_DUPLICATES)
    await insert_samples(db, "Leaf", "Stem")
    sample = await db.store.get(Sample, "n0000000")
    assert sample is not None

    async def change() -> None:
        statement = "UPDATE documents.samples SET version = version + 1, doc = jsonb_set(doc, '{version}', '2')"
        async with documents.engine.begin() as connection:
            await connection.execute(text(f"{statement} WHERE id = 'n0000001'"))

    await Held(documents, sample).while_blocked(turn_on(db)(), change)
    assert await keyless(db) == 0


async def test_what_a_killed_creator_left_is_mended(db: Database, caplog: pytest.LogCaptureFixture) -> None:
    await insert_samples(db, "Leaf")
    await db.settings.mend_names()
    assert await keyless(db) == 0
    await db.settings.update(ADMINISTRATOR, WITH_DUPLICATES)
    stray = await stored_sample(db, name="LEAF")
    await db.settings.mend_names()
    assert await keyless(db) == 1
    settings = await db.store.get(Settings, "settings")
    assert settings is not None
    await db.store.replace(structs.replace(settings, sample_unique_names=True))
    await db.settings.mend_names()
    assert await db.store.get(Sample, stray.id) == stray
    assert 'More than one sample is named "LEAF"' in caplog.text
