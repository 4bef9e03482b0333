import asyncio
from typing import Any

import pytest
from msgspec import structs

from tests.factories.database import LIMITS
from tests.factories.files import begun_file, ready_file, ready_file_ids
from tests.factories.groups import stored_group
from tests.factories.jobs import changed_job
from tests.factories.samples import stored_sample
from tests.factories.users import viewer_named
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.db.samples import NewSample, RightsChanges, SampleChanges
from virtool_gql.errors import BadUserInput, Conflict, Forbidden, NotFound, VirtoolError
from virtool_gql.models.files import File, FileType
from virtool_gql.models.jobs import Job, JobState
from virtool_gql.models.samples import LibraryType, Sample
from virtool_gql.models.settings import SampleGroup, Settings
from virtool_gql.models.users import Permission, User
from virtool_gql.workflows import CANCEL_CHANNEL, Workflow

STRANGER = viewer_named("stranger")
OWNER = viewer_named("owner", Permission.CREATE_SAMPLE)
MEMBER = viewer_named("member", groups=["virology"])
ADMINISTRATOR = viewer_named("admin", administrator=True)
KEY = viewer_named("admin", key_id="key00000")

PRIVATE: dict[str, Any] = {"all_read": False, "group_id": "virology", "group_read": False, "group_write": True}
GROUP_READS: dict[str, Any] = {"all_read": False, "group_id": "virology", "group_read": True}
GROUP_WRITES: dict[str, Any] = GROUP_READS | {"group_write": True}
ALL_READ: dict[str, Any] = {"all_read": True}
ALL_WRITE: dict[str, Any] = {"all_read": True, "all_write": True}
WRITE_ONLY: dict[str, Any] = {"all_read": False, "all_write": True}

WRITE = [
    (STRANGER, PRIVATE, NotFound),
    (STRANGER, WRITE_ONLY, NotFound),
    (STRANGER, ALL_READ, Forbidden),
    (STRANGER, ALL_WRITE, None),
    (MEMBER, PRIVATE, NotFound),
    (MEMBER, GROUP_READS, Forbidden),
    (MEMBER, GROUP_WRITES, None),
    (KEY, GROUP_WRITES, NotFound),
    (OWNER, PRIVATE, None),
    (ADMINISTRATOR, PRIVATE, None),
]


@pytest.mark.parametrize(
    ("viewer", "may"),
    [(STRANGER, False), (MEMBER, False), (KEY, False), (OWNER, True), (ADMINISTRATOR, True)],
)
async def test_who_may_create(db: Database, viewer: Viewer, may: bool) -> None:
    new = NewSample(name="Leaf", file_ids=await ready_file_ids(db))
    if may:
        assert (await db.samples.create(viewer, new))[0].user_id == viewer.user_id
    else:
        with pytest.raises(Forbidden, match="CREATE_SAMPLE"):
            await db.samples.create(viewer, new)
        assert await db.store.count(Sample) == 0


@pytest.mark.parametrize(("viewer", "rights", "error"), WRITE)
async def test_who_may_update(
    db: Database, viewer: Viewer, rights: dict[str, Any], error: type[VirtoolError] | None
) -> None:
    sample = await stored_sample(db, **rights)
    if error is None:
        assert (await db.samples.update(viewer, sample.id, SampleChanges(host="Vine"))).host == "Vine"
    else:
        with pytest.raises(error):
            await db.samples.update(viewer, sample.id, SampleChanges(host="Vine"))
        assert await db.store.get(Sample, sample.id) == sample


@pytest.mark.parametrize(("viewer", "rights", "error"), WRITE)
async def test_who_may_delete(
    db: Database, viewer: Viewer, rights: dict[str, Any], error: type[VirtoolError] | None
) -> None:
    sample = await stored_sample(db, **rights)
    if error is None:
        assert await db.samples.delete(viewer, sample.id) == sample
        assert await db.store.count(Sample) == 0
    else:
        with pytest.raises(error):
            await db.samples.delete(viewer, sample.id)
        assert await db.store.get(Sample, sample.id) == sample


@pytest.mark.parametrize(
    ("viewer", "rights", "error"),
    [
        (STRANGER, PRIVATE, NotFound),
        (STRANGER, ALL_WRITE, Forbidden),
        (MEMBER, GROUP_WRITES, Forbidden),
        (KEY, ALL_WRITE, Forbidden),
        (OWNER, PRIVATE, None),
        (ADMINISTRATOR, PRIVATE, None),
    ],
)
async def test_who_may_change_rights(
    db: Database, viewer: Viewer, rights: dict[str, Any], error: type[VirtoolError] | None
) -> None:
    sample = await stored_sample(db, **rights)
    changes = RightsChanges(all_read=True, all_write=True, group_read=True, group_write=True, group_id=None)
    if error is None:
        changed = await db.samples.update_rights(viewer, sample.id, changes)
        assert changed.all_write
        assert changed.group_id is None
    else:
        with pytest.raises(error) as raised:
            await db.samples.update_rights(viewer, sample.id, changes)
        if error is Forbidden:
            assert "owner of the sample or an administrator" in raised.value.message


async def test_a_sample_comes_with_its_job_and_reserves_its_files(db: Database) -> None:
    ids = await ready_file_ids(db, 2)
    new = NewSample(
        name="  Leaf ", file_ids=ids, library_type=LibraryType.SRNA, host="Vine", notes="one\r\ntwo", locale="Here"
    )
    sample, job = await db.samples.create(OWNER, new)
    assert (sample.name, sample.host, sample.notes, sample.locale) == ("Leaf", "Vine", "one\ntwo", "Here")
    assert (sample.library_type, sample.paired, sample.ready) == (LibraryType.SRNA, True, False)
    assert (sample.file_ids, sample.job_id, sample.version) == (ids, job.id, 1)
    assert (job.workflow, job.user_id, job.proc, job.mem) == ("create_sample", "owner", LIMITS.sm_proc, LIMITS.sm_mem)
    assert job.args == {"sample_id": sample.id, "file_ids": list(ids)}
    assert [entry.state for entry in job.status] == [JobState.WAITING]
    assert await db.queues.waiting() == {job.id}
    files = await db.store.get_many(File, ids)
    assert {file.reserved_by for file in files.values()} == {sample.id}
    assert await db.store.get(Sample, sample.id) == sample
    assert await db.store.get(Job, job.id) == job


@pytest.mark.parametrize("count", [0, 3])
async def test_a_sample_is_made_from_one_or_two_files(db: Database, count: int) -> None:
    with pytest.raises(BadUserInput, match="one or two files"):
        await db.samples.create(OWNER, NewSample(name="Leaf", file_ids=await ready_file_ids(db, count)))


async def test_files_that_cannot_be_used_are_refused(db: Database) -> None:
    good = (await ready_file(db)).id
    fasta = (await ready_file(db, "host.fa", FileType.SUBTRACTION)).id
    unready = (await begun_file(db, "slow.fq")).id
    taken = (await stored_sample(db, name="Other")).file_ids[0]
    await refused(db, [good, good], BadUserInput, "must differ")
    await refused(db, [good, "nothing0"], BadUserInput, r"File does not exist: file_nothing0\.")
    await refused(db, ["../x\0", "nothing0"], BadUserInput, "File does not exist: file_../x\0, file_nothing0")
    await refused(db, [good, fasta], BadUserInput, "“host.fa” was not uploaded as reads")
    await refused(db, [unready], Conflict, "“slow.fq” is still being uploaded")
    await refused(db, [good, taken], Conflict, "already being used by a sample")
    assert await db.store.count(Sample) == await db.store.count(Job) == 1
    assert (await db.files.get(OWNER, good)).reserved_by is None


async def refused(db: Database, ids: list[str], error: type[VirtoolError], message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        await db.samples.create(OWNER, NewSample(name="Leaf", file_ids=tuple(ids)))
    assert raised.value.path == ("file_ids",)


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "Le\0af"}, "name"),
        ({"host": "x" * 256}, "host"),
        ({"isolate": "a\nb"}, "isolate"),
        ({"locale": "\x1b"}, "locale"),
        ({"notes": "x" * 10_001}, "notes"),
        ({"notes": "\0"}, "notes"),
        ({"label_ids": ("7",)}, "label_ids"),
        ({"subtraction_ids": ("host",)}, "subtraction_ids"),
        ({"group_id": "nothing0"}, "group_id"),
        ({"group_id": "\0"}, "group_id"),
    ],
)
async def test_values_are_checked(db: Database, values: dict[str, Any], path: str) -> None:
    new = structs.replace(NewSample(name="Leaf", file_ids=await ready_file_ids(db)), **values)
    with pytest.raises(BadUserInput) as error:
        await db.samples.create(OWNER, new)
    assert error.value.path == (path,)
    sample = await stored_sample(db)
    change = (
        db.samples.update_rights(OWNER, sample.id, RightsChanges(**values))
        if path == "group_id"
        else db.samples.update(OWNER, sample.id, SampleChanges(**values))
    )
    with pytest.raises(BadUserInput):
        await change
    assert await db.store.get(Sample, sample.id) == sample


async def test_a_name_is_used_once_unless_the_settings_allow_more(db: Database) -> None:
    first = await stored_sample(db, name="Straße 1")
    with pytest.raises(Conflict, match=r"Sample name is already in use\.") as error:
        await stored_sample(db, name="STRASSE 1")
    assert error.value.path == ("name",)
    second = await stored_sample(db, name="Other")
    with pytest.raises(Conflict, match=r"Sample name is already in use\."):
        await db.samples.update(OWNER, second.id, SampleChanges(name="strasse 1"))
    assert (await db.samples.update(OWNER, first.id, SampleChanges(name="STRASSE 1"))).name == "STRASSE 1"
    await db.store.insert(Settings(id="settings", sample_unique_names=False))
    again = await stored_sample(db, name="Same")
    assert (await stored_sample(db, name="Same")).name == again.name == "Same"


async def test_a_refused_name_leaves_the_files_free(db: Database) -> None:
    await stored_sample(db, name="Leaf")
    ids = await ready_file_ids(db)
    with pytest.raises(Conflict):
        await db.samples.create(OWNER, NewSample(name="leaf", file_ids=ids))
    assert (await db.files.get(OWNER, ids[0])).reserved_by is None


async def test_of_many_samples_racing_for_the_same_files_one_is_made(db: Database) -> None:
    ids = await ready_file_ids(db, 2)
    news = [NewSample(name=f"Leaf {n}", file_ids=ids if n % 2 else ids[::-1]) for n in range(40)]
    answers = await asyncio.gather(*(db.samples.create(OWNER, new) for new in news), return_exceptions=True)
    assert [type(answer) for answer in answers].count(tuple) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 39
    assert await db.store.count(Sample) == await db.store.count(Job) == 1


async def test_the_same_idempotency_key_gives_the_same_sample(db: Database) -> None:
    new = NewSample(name="Leaf", file_ids=await ready_file_ids(db, 2))
    answers = await asyncio.gather(*(db.samples.create(OWNER, new, idempotency_key="once") for _ in range(100)))
    assert len({(sample.id, job.id) for sample, job in answers}) == 1
    assert await db.store.count(Sample) == await db.store.count(Job) == 1
    assert await db.queues.waiting() == {answers[0][1].id}
    changed = structs.replace(new, name="Root", file_ids=("nothing0",))
    assert (await db.samples.create(OWNER, changed, idempotency_key="once"))[0].name == "Leaf"


async def test_an_idempotency_key_is_its_users_own(db: Database) -> None:
    first = await db.samples.create(OWNER, NewSample(name="a", file_ids=await ready_file_ids(db)), idempotency_key="k")
    other = await db.samples.create(
        ADMINISTRATOR, NewSample(name="b", file_ids=await ready_file_ids(db)), idempotency_key="k"
    )
    assert first[0].id != other[0].id
    with pytest.raises(BadUserInput, match="idempotency key"):
        await db.samples.create(OWNER, NewSample(name="c", file_ids=()), idempotency_key="")


async def test_a_key_whose_create_was_refused_can_be_used_again(db: Database) -> None:
    with pytest.raises(BadUserInput):
        await db.samples.create(OWNER, NewSample(name="a", file_ids=()), idempotency_key="k")
    new = NewSample(name="a", file_ids=await ready_file_ids(db))
    assert (await db.samples.create(OWNER, new, idempotency_key="k"))[0].name == "a"


async def test_rights_of_a_new_sample_are_those_of_the_settings(db: Database) -> None:
    values: dict[str, Any] = {
        "sample_group_read": False,
        "sample_group_write": True,
        "sample_all_read": False,
        "sample_all_write": True,
    }
    await db.store.insert(Settings(id="settings", **values))
    sample = await stored_sample(db)
    assert (sample.group_read, sample.group_write, sample.all_read, sample.all_write) == (False, True, False, True)


async def test_the_settings_say_which_group_a_new_sample_has(db: Database) -> None:
    group = await stored_group(db)
    settings = (await db.store.insert(Settings(id="settings", sample_group=SampleGroup.FORCE_CHOICE)))[0]
    new = NewSample(name="Leaf", file_ids=await ready_file_ids(db))
    with pytest.raises(BadUserInput, match=r"Group value required for sample creation\."):
        await db.samples.create(OWNER, new)
    with pytest.raises(BadUserInput, match=r"Group does not exist\."):
        await db.samples.create(OWNER, structs.replace(new, group_id="nothing0"))
    assert (await db.samples.create(OWNER, structs.replace(new, group_id=group.id)))[0].group_id == group.id
    await db.store.replace(structs.replace(settings, sample_group=SampleGroup.USERS_PRIMARY_GROUP))
    user = await db.users.create("owner", "correct horse", group_ids=[group.id])
    await db.store.replace(structs.replace(user, primary_group_id=group.id))
    assert (await stored_sample(db, user.id, "Primary")).group_id == group.id
    assert (await stored_sample(db, "without", "None")).group_id is None
    assert await db.store.count(User) == 1


async def test_an_update_is_partial_and_writes_only_what_changed(db: Database) -> None:
    sample = await stored_sample(db)
    changed = await db.samples.update(OWNER, sample.id, SampleChanges(notes="one\n", isolate=" A "))
    assert (changed.name, changed.notes, changed.isolate, changed.version) == ("Leaf", "one", "A", 2)
    assert changed.updated_at > sample.updated_at
    assert await db.samples.update(OWNER, sample.id, SampleChanges(notes="one")) == changed


async def test_an_expected_version_keeps_from_overwriting(db: Database) -> None:
    sample = await stored_sample(db)
    changed = await db.samples.update(OWNER, sample.id, SampleChanges(host="Vine"), expected_version=sample.version)
    for change in (
        db.samples.update(OWNER, sample.id, SampleChanges(host="Apple"), expected_version=sample.version),
        db.samples.update_rights(OWNER, sample.id, RightsChanges(all_read=False), expected_version=sample.version),
    ):
        with pytest.raises(Conflict, match="Somebody else changed the sample first"):
            await change
    assert await db.store.get(Sample, sample.id) == changed


async def test_updates_at_once_lose_nothing(db: Database) -> None:
    sample = await stored_sample(db)
    fields = ("host", "isolate", "locale", "notes", "name")
    changes = [structs.replace(SampleChanges(), **{name: name}) for name in fields]
    await asyncio.gather(*(db.samples.update(OWNER, sample.id, change) for change in changes))
    stored = await db.samples.get(OWNER, sample.id)
    assert [getattr(stored, name) for name in fields] == list(fields)


async def test_rights_taken_away_during_an_update_count(db: Database) -> None:
    sample = await stored_sample(db, **ALL_WRITE)
    async with db.store.transaction() as documents:
        await documents.replace(structs.replace(sample, all_write=False))
        updating = asyncio.ensure_future(db.samples.update(STRANGER, sample.id, SampleChanges(host="Vine")))
        await asyncio.wait([updating], timeout=0.2)
    with pytest.raises(Forbidden):
        await updating


async def test_deleting_calls_off_a_waiting_job_and_frees_files_and_bytes(db: Database) -> None:
    sample = await stored_sample(db)
    folder = db.places.sample(sample.id)
    folder.mkdir()
    db.places.reads(sample.id, 1).write_bytes(b"reads")
    await db.samples.delete(OWNER, sample.id)
    job = await db.store.get(Job, sample.job_id or "")
    assert job is not None
    assert (job.state, job.status[-1].state) == (JobState.CANCELLED, JobState.CANCELLED)
    assert await db.queues.waiting() == set()
    file = await db.files.get(OWNER, sample.file_ids[0])
    assert file.reserved_by is None
    assert db.places.file(file.id).exists()
    assert not folder.exists()
    assert (await stored_sample(db, name="Leaf")).name == "Leaf"


async def test_deleting_asks_the_runner_to_end_a_running_job(db: Database) -> None:
    sample = await stored_sample(db)
    job = await db.store.get(Job, sample.job_id or "")
    assert job is not None
    job = await changed_job(db, job, state=JobState.RUNNING)
    async with db.signals.listening(CANCEL_CHANNEL) as messages:
        await db.samples.delete(OWNER, sample.id)
        assert await anext(messages) == job.id
    stored = await db.store.get(Job, job.id)
    assert stored is not None
    assert (stored.state, stored.cancel_requested) == (JobState.RUNNING, True)


@pytest.mark.parametrize("state", [JobState.ERROR, JobState.COMPLETE, JobState.TIMEOUT])
async def test_a_sample_whose_job_has_ended_or_is_gone_can_be_deleted(db: Database, state: JobState) -> None:
    sample = await stored_sample(db)
    job = await db.store.get(Job, sample.job_id or "")
    assert job is not None
    job = await changed_job(db, job, state=state)
    if state is JobState.TIMEOUT:
        await db.store.delete(job)
    await db.samples.delete(OWNER, sample.id)
    assert await db.store.count(Sample) == 0
    assert (await db.files.get(OWNER, sample.file_ids[0])).reserved_by is None


async def test_of_many_who_delete_one_does(db: Database) -> None:
    sample = await stored_sample(db)
    answers = await asyncio.gather(*(db.samples.delete(OWNER, sample.id) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(answer, Sample) for answer in answers) == 1
    assert sum(isinstance(answer, NotFound) for answer in answers) == 19


async def test_the_lists_of_waiting_jobs_know_the_workflow(db: Database) -> None:
    sample = await stored_sample(db)
    assert await db.queues.pop([Workflow.CREATE_SAMPLE], 1) == sample.job_id
