"""How all that belongs to a reference is removed, some at a time, and how what was left behind is found."""

from collections.abc import Callable, Iterable

from virtool_gql.db.diff_files import remove_diffs
from virtool_gql.db.files import remove_folder
from virtool_gql.db.indexes import call_off_builds
from virtool_gql.db.instance import Instance
from virtool_gql.db.retries import retried
from virtool_gql.executors import run_in_thread
from virtool_gql.models.documents import Document
from virtool_gql.models.history import HistoryEntry
from virtool_gql.models.indexes import Index
from virtool_gql.models.otus import OTU, Sequence
from virtool_gql.models.references import Reference
from virtool_gql.query import Eq, Page
from virtool_gql.stores.documents import Documents

PARTS: tuple[type[Document], ...] = (Index, OTU, Sequence, HistoryEntry)
"""What belongs to a reference, in the order in which it goes."""

AT_ONCE = 250


async def remove_parts(
    instance: Instance, reference_id: str, told: Callable[[float], None] = lambda _: None, *, at_once: int = AT_ONCE
) -> int:
    """Remove all that belongs to a reference, as often as one likes; give how many documents it were.

    What is being built of it is called off. What others add meanwhile is removed too, until a look finds nothing at
    all.
    """
    total = await _count(instance.store, reference_id)
    removed = 0
    while True:
        removed_before = removed
        await call_off_builds(instance, reference_id)
        for kind in PARTS:
            while some := await retried(lambda: _remove_some(instance, kind, reference_id, at_once)):  # noqa: B023 - called at once
                removed += some
                told(removed / max(total, removed))
        if removed == removed_before:
            break
    await run_in_thread(remove_folder, instance.places.reference(reference_id))
    return removed


async def _count(store: Documents, reference_id: str) -> int:
    return sum([await store.count(kind, Eq("reference_id", reference_id)) for kind in PARTS])


async def _remove_some(instance: Instance, kind: type[Document], reference_id: str, at_once: int) -> int:
    some = (await instance.store.find(kind, Eq("reference_id", reference_id), page=Page(first=at_once))).documents
    await instance.store.delete(*some)
    await remove_diffs(instance, (entry for entry in some if isinstance(entry, HistoryEntry)))
    return len(some)


async def orphaned_reference_ids(store: Documents) -> set[str]:
    """Give the ids of references that do not exist and of which there are parts."""
    ids = {str(id) for kind in PARTS for (id,) in await store.counts(kind, ["reference_id"])}
    return ids - (await store.get_many(Reference, ids)).keys()


def told_within(told: Callable[[float], None], ids: Iterable[str]) -> Iterable[tuple[str, Callable[[float], None]]]:
    """Give each of several ids with what tells of its part of the progress."""
    all_ids = sorted(ids)
    for number, id in enumerate(all_ids):
        yield id, lambda fraction, number=number: told((number + fraction) / len(all_ids))  # type: ignore[misc] # of the loop
