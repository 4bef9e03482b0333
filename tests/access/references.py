"""References of the matrix with all that is in them, and fresh ones for whatever destroys them."""

from typing import TYPE_CHECKING, Any

from msgspec import structs

from tests.access.rules import Role
from tests.db.test_genbank_records import RECORD
from tests.factories.indexes import stored_index
from tests.factories.otus import RNA_A, joined_isolate, joined_otu, joined_sequence, stored_otu
from tests.factories.outside import SLUG, Reply
from tests.factories.outside import World as Outside
from tests.factories.references import member, stored_reference
from tests.factories.tasks import stored_task
from virtool_gql.db.otu_inputs import NewIsolate
from virtool_gql.db.otu_writes import Stored
from virtool_gql.db.outside import SOFTWARE_SLUG
from virtool_gql.models.documents import new_id, now
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.indexes import Index
from virtool_gql.models.otus import Sequence
from virtool_gql.models.references import (
    ClonedFrom,
    DataType,
    ImportedFrom,
    Reference,
    Release,
    RemotesFrom,
    Right,
    Target,
    Update,
)
from virtool_gql.models.status import HMM_STATUS_ID, SOFTWARE_STATUS_ID, Status
from virtool_gql.models.tasks import CloneReference, Problem, Task, TaskState, TaskType

if TYPE_CHECKING:
    from tests.access.world import Person, World

HIDDEN = "Unseen"
HMM_SLUG = "virtool/hmm"
OLD = Release(id="1", name="v1.0.0", body="Old", filename="reference.json.gz", size=5)
NEW = structs.replace(OLD, id="2", name="v99.0.0", newer=True)


def show_outside(outside: Outside) -> None:
    """Have releases to install and a record of GenBank."""
    release = outside.release("v99.0.0", b"{}", id=2)
    for slug in (SLUG, HMM_SLUG, SOFTWARE_SLUG):
        outside.publish(release, slug=slug)
    outside.set("/efetch.fcgi", Reply(RECORD.encode()))


def installation(release: Release, user_id: str) -> Update:
    return Update(id=release.id, name=release.name, ready=True, user_id=user_id, created_at=now())


async def reference_of(world: "World", person: "Person | None" = None, **values: Any) -> Reference:
    """Make a reference of the owner that members of the group may read, and somebody who is a writer may edit.

    An owner who is named, and a key of theirs, have one of their own.
    """
    owner = person.user_id if person and person.owns else world.standing[Role.OWNER].user_id
    writer = person if person and person.role is Role.WRITER else world.standing[Role.WRITER]
    made: dict[str, Any] = {
        "description": f"{HIDDEN} description",
        "organism": f"{HIDDEN} organism",
        "users": (member(owner, *Right), member(writer.user_id, Right.BUILD, Right.MODIFY_OTU)),
        "groups": (member(world.groups["Diagnostics"].id),),
    }
    name = f"{HIDDEN} {next(world.numbers)}"
    return await stored_reference(world.db, name, owner, **made | values)


async def readable_reference_of(world: "World", person: "Person") -> Reference:
    """Make a reference that the person may read, and do nothing else with."""
    stays = world.read_by.get(person.user_id)
    if stays is None:
        stays = await another_readable_reference_of(world, person)
        world.read_by[person.user_id] = stays
    return stays


async def another_readable_reference_of(world: "World", person: "Person", **values: Any) -> Reference:
    owner = world.standing[Role.OWNER].user_id
    name = f"Seen {next(world.numbers)}"
    return await stored_reference(world.db, name, owner, users=(member(person.user_id),), **values)


async def otu_of(world: "World", reference: Reference, **values: Any) -> Stored:
    """Make a verified OTU with two isolates of a sequence each."""
    id, word = new_id(), world.word_of(reference)
    isolates = [
        joined_isolate(
            f"i{number}",
            [joined_sequence(f"{id}s{number}", definition=f"{word} sequence")],
            source_name=word,
            default=not number,
        )
        for number in range(2)
    ]
    made: dict[str, Any] = {"name": f"{word} virus {id}", "abbreviation": f"{word[:2]}{id}", "schema": (RNA_A,)}
    return await stored_otu(
        world.db, reference.id, joined_otu(id, isolates, **made | values), user_id=reference.user_id
    )


async def sequence_of(world: "World", reference: Reference) -> Sequence:
    """Make a sequence of an OTU that is not there."""
    id, word = new_id(), world.word_of(reference)
    return await world.insert(
        Sequence(
            id=id,
            reference_id=reference.id,
            otu_id=new_id(),
            isolate_id="i0",
            accession=f"NC_{id}",
            definition=f"{word} sequence",
            length=4,
            sequence="ACGT",
        )
    )


async def entry_of(world: "World", reference: Reference) -> HistoryEntry:
    """Make a change of an OTU that is not there."""
    otu_id, word = new_id(), world.word_of(reference)
    return await world.insert(
        HistoryEntry(
            id=f"{otu_id}_1",
            otu_id=otu_id,
            otu_name=f"{word} virus",
            otu_revision=1,
            place=1,
            reference_id=reference.id,
            verb=Verb.EDIT,
            description=f"Changed name to {word} virus",
            user_id=reference.user_id,
            created_at=now(),
            diff="[]",
        )
    )


async def index_of(world: "World", reference: Reference, **values: Any) -> Index:
    """Make a finished index; its job is the owner's."""
    made: dict[str, Any] = {"job_id": world.shown["job"].partition("_")[2], "user_id": reference.user_id}
    return await stored_index(world.db, reference.id, next(world.numbers), **made | values)


async def task_of(world: "World", reference: Reference, **values: Any) -> Task:
    """Make a task of the owner's that is about a reference; nobody does it."""
    args = CloneReference(reference_id=reference.id, source_id="secret00", manifest={})
    made: dict[str, Any] = {
        "state": TaskState.FAILED,
        "step": "copy_otus",
        "error": f"{world.word_of(reference)} error",
    }
    return await stored_task(
        world.db,
        world.standing[Role.OWNER].user_id,
        TaskType.CLONE_REFERENCE,
        args,
        reference_id=reference.id,
        **made | values,
    )


async def status_of(world: "World") -> Status:
    """Change what is known of the profile HMMs."""
    return await world.changed(Status, HMM_STATUS_ID, checked_at=now())


async def remote_of(world: "World", person: "Person | None" = None) -> Reference:
    """Make a reference that came from a release, and for which there is a newer one."""
    owner = world.standing[Role.OWNER].user_id
    return await reference_of(
        world,
        person,
        remotes_from=RemotesFrom(slug=SLUG),
        release=NEW,
        installed=installation(OLD, owner),
        updates=(installation(OLD, owner),),
    )


async def show_references(world: "World") -> None:
    """Make the references that stay, and all that is in them, each with a value in every field."""
    world.hidden = await reference_of(world)
    task = await _show_reference(world)
    release = structs.replace(OLD, name="v99.0.0", newer=True)
    installed = installation(OLD, world.standing[Role.ADMINISTRATOR].user_id)
    for id in (HMM_STATUS_ID, SOFTWARE_STATUS_ID):
        await world.insert(
            Status(
                id=id,
                release=release,
                releases=(release,),
                installed=installed,
                updates=(installed,),
                errors=("It could not be asked for.",),
                task_id=task.id,
                checked_at=now(),
            )
        )
    world.shown |= {"status": f"status_{HMM_STATUS_ID}", "software": f"status_{SOFTWARE_STATUS_ID}"}


async def _show_reference(world: "World") -> Task:
    owner = world.standing[Role.OWNER].user_id
    source = await reference_of(world, groups=(), users=(member(owner),))
    problem = Problem(message=f"{HIDDEN} problem", otu_id="secret00", otu_name=f"{HIDDEN} virus")
    reference = await reference_of(
        world,
        data_type=DataType.BARCODE,
        targets=(Target(name="CO1", description="A gene", required=True, length=600),),
        cloned_from=ClonedFrom(id=source.id, name=source.name),
        imported_from=ImportedFrom(
            file_id=world.shown["file"].partition("_")[2], file_name="r.gz", size=1, uploaded_at=now(), user_id=owner
        ),
        remotes_from=RemotesFrom(slug=SLUG),
        release=NEW,
        installed=installation(OLD, owner),
        updates=(installation(OLD, owner),),
    )
    task = await task_of(world, reference, problems=(problem,), warnings=(problem,))
    otu_id = await _show_otu(world, reference)
    await world.changed(Reference, reference.id, task_id=task.id, internal_control_id=otu_id)
    world.shown |= {"reference": f"reference_{reference.id}", "task": f"task_{task.id}"}
    return task


async def _show_otu(world: "World", reference: Reference) -> str:
    """Make an OTU of which one change is in an index and one is not, and with which something is wrong."""
    otu = (await otu_of(world, reference, remote_id="remote00")).joined
    index = await index_of(world, reference, manifest={otu.id: 0}, otu_count=1, change_count=1, modified_otu_count=1)
    await world.changed(HistoryEntry, f"{otu.id}_0", index_id=index.id, index_number=index.number)
    owner = await world.db.users.viewer(reference.user_id)
    assert owner is not None
    await world.db.isolates.create(owner, otu.id, NewIsolate(source_type="isolate", source_name=HIDDEN))
    world.shown |= {
        "otu": f"otu_{otu.id}",
        "isolate": f"isolate_{otu.id}_{otu.isolates[0].id}",
        "sequence": f"sequence_{otu.isolates[0].sequences[0].id}",
        "history": f"history_{otu.id}_0",
        "index": f"index_{index.id}",
    }
    return otu.id
