"""Where groups are named: a group that is deleted leaves no trace. A collection that names groups adds itself here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from msgspec import structs

from virtool_gql.models.documents import Document, Timestamp
from virtool_gql.models.references import Reference
from virtool_gql.models.samples import Sample
from virtool_gql.models.users import Group, User
from virtool_gql.query import Eq, Filter, Has, Or, Page
from virtool_gql.stores.documents import Documents, modify

D = TypeVar("D", bound=Document)

MOST_AT_ONCE = 500
"""How many documents of a collection one transaction rids of a group."""


@dataclass(frozen=True, slots=True)
class Trace(Generic[D]):
    """A collection that names groups: which of its documents name one, and what they are without it."""

    kind: type[D]
    naming: Callable[[str], Filter]
    without: Callable[[D, str, Timestamp], D]


def _user_without(user: User, group_id: str, _: Timestamp) -> User:
    primary = None if user.primary_group_id == group_id else user.primary_group_id
    left = tuple(id for id in user.group_ids if id != group_id)
    return structs.replace(user, group_ids=left, primary_group_id=primary)


def _sample_without(sample: Sample, _: str, at: Timestamp) -> Sample:
    return structs.replace(sample, group_id=None, updated_at=at)


def _reference_without(reference: Reference, group_id: str, at: Timestamp) -> Reference:
    left = tuple(member for member in reference.groups if member.id != group_id)
    return structs.replace(reference, groups=left, updated_at=at)


TRACES: tuple[Trace[Any], ...] = (
    Trace(User, lambda group_id: Or(Has("group_ids", group_id), Eq("primary_group_id", group_id)), _user_without),
    Trace(Sample, lambda group_id: Eq("group_id", group_id), _sample_without),
    Trace(Reference, lambda group_id: Has("groups.id", group_id), _reference_without),
)


async def count_traces(documents: Documents, group_id: str) -> int:
    """Count the documents that name the group."""
    return sum([await documents.count(trace.kind, trace.naming(group_id)) for trace in TRACES])


async def remove_traces(documents: Documents, group_id: str, at: Timestamp) -> int:
    """Rid documents of the group, of each collection as many as one transaction should hold; give how many."""
    return sum([await _remove(documents, trace, group_id, at) for trace in TRACES])


async def _remove(documents: Documents, trace: Trace[Any], group_id: str, at: Timestamp) -> int:
    found = (await documents.find(trace.kind, trace.naming(group_id), page=Page(first=MOST_AT_ONCE))).documents
    if found:
        await documents.replace(*(trace.without(document, group_id, at) for document in found))
    return len(found)


async def without_deleted_group(store: Documents, sample: Sample) -> Sample:
    """Take the group away that was deleted while the sample was written, and that the deletion cannot have seen."""
    group_id = sample.group_id
    if group_id is None or await store.get(Group, group_id) is not None:
        return sample

    def without(now: Sample) -> Sample:
        return structs.replace(now, group_id=None) if now.group_id == group_id else now

    return await modify(store, Sample, sample.id, without)
