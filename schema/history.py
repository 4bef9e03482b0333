"""What was changed in OTUs, by whom, and how it was before."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from inspect import isawaitable
from typing import TYPE_CHECKING, Annotated, Any, Self

import msgspec
import orjson
import strawberry
from strawberry.scalars import JSON

from schema.arguments import described as argument
from schema.connections import Connection, listing
from schema.context import Context, Info
from schema.enums import described
from schema.ids import global_id
from schema.inputs import before, containing, given, one_of, optional, since, with_id, with_ids
from schema.nodes import Node
from schema.orders import Ordering
from schema.payloads import Payload
from schema.references import Reference
from schema.relations import RELATION, Relation, fetch_nodes_ahead, related
from schema.users import User
from virtool_gql.db.history import NEWEST_FIRST as PLACES
from virtool_gql.db.history import AtVersion, Newest
from virtool_gql.models import history as models
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.history import Verb
from virtool_gql.query import EVERYTHING, And, Eq, Exists, Filter
from virtool_gql.stores.documents import Found

if TYPE_CHECKING:
    from schema.indexes import Index
    from schema.otus import OTU

LazyIndex = Annotated["Index", strawberry.lazy("schema.indexes")]
LazyOTU = Annotated["OTU", strawberry.lazy("schema.otus")]
Version = Annotated[int, argument("The version; one that was never there, or was reverted, gives null.")]

AS_TEXT = 100_000  # characters of JSON, from which on it goes into the answer as it is
FIELD = 1_000  # characters of a diff that count as a field of the answer
MOST_FIELDS = 10_000  # that one diff counts as, so that each can be had alone

described(
    Verb,
    "What was done to an OTU. `CREATE`, `CLONE`, `IMPORT` and `REMOTE` are how it came to be.",
    {
        Verb.CREATE: "It was created.",
        Verb.CLONE: "It was copied from another reference.",
        Verb.IMPORT: "It was imported from a file.",
        Verb.REMOTE: "It was installed from a release.",
        Verb.UPDATE: "It was updated from a newer release.",
        Verb.EDIT: "Its names or its schema were changed.",
        Verb.REMOVE: "It was removed.",
        Verb.ADD_ISOLATE: "An isolate was added.",
        Verb.EDIT_ISOLATE: "An isolate was renamed.",
        Verb.SET_AS_DEFAULT: "Another isolate was made the default one.",
        Verb.REMOVE_ISOLATE: "An isolate was removed.",
        Verb.CREATE_SEQUENCE: "A sequence was added to an isolate.",
        Verb.EDIT_SEQUENCE: "A sequence was changed.",
        Verb.REMOVE_SEQUENCE: "A sequence was removed.",
    },
    name="HistoryVerb",
)


async def at_hand(loader: Any, id: Hashable) -> Any:
    """Give what a list has fetched ahead, else what the loader gives."""
    found = loader.at_hand(id)
    return await found if isawaitable(found) else found


def at_versions_by(key: str) -> Relation:
    """Give the relation to the OTU whose id is in `key`, at the version that the field is asked for."""

    def wanted(entity: Any, arguments: Mapping[str, Any], _: Context) -> Iterable[AtVersion]:
        return (AtVersion(getattr(entity, key), arguments["version"]),)

    return Relation("otu_at_version", key, wanted=wanted)


def as_json(text: str | None) -> Any:
    """Give JSON text as what it means, or as itself when it is so long that reading and writing it would take time."""
    if text is None:
        return None
    return orjson.Fragment(text) if len(text) > AS_TEXT else msgspec.json.decode(text)


@strawberry.type(
    description="One change of an OTU. Members of its reference may read it, also when the OTU is gone; the right "
    "`modifyOtu` on the reference is needed to revert it."
)
class HistoryEntry(Node):
    """One change of an OTU."""

    verb: Verb = strawberry.field(description="What was done.")
    description: str = strawberry.field(description="What was done, in a sentence.")
    created_at: Timestamp = strawberry.field(description="When it was done.")
    otu_id: strawberry.ID = strawberry.field(description="The id of the OTU, also when that is gone.")
    otu_name: str = strawberry.field(description="The name of the OTU before the change, or of a new one.")
    otu_version: int | None = strawberry.field(description="The version that the change made; null for a removal.")
    unbuilt: bool = strawberry.field(description="Whether it is in no index yet: only then can it be reverted.")
    stored_id: strawberry.Private[str]
    stored_otu_id: strawberry.Private[str]
    reference_id: strawberry.Private[str]
    user_id: strawberry.Private[str]
    index_id: strawberry.Private[str | None]

    user = related("user", "user_id", User, "Who did it.")
    reference = related("reference", "reference_id", Reference, "The reference that the OTU belongs to.")
    index = related("index", "index_id", LazyIndex, "The index that it was first built into; null while it is unbuilt.")
    otu = related("otu", "stored_otu_id", LazyOTU, "The OTU as it is now; null when it is gone.")

    @strawberry.field(
        description="What dictdiffer gives between the OTU before and after, with its isolates and their sequences, as "
        "it is stored; for one that came to be or was removed, the whole of it. The ids in it are without prefixes.",
        metadata={RELATION: Relation("history_diff", "stored_id")},
    )
    async def diff(self, info: Info) -> JSON | None:
        text = await at_hand(info.context.loaders.history_diff, self.stored_id)
        info.context.spend(min(len(text or "") // FIELD, MOST_FIELDS))
        diff: JSON | None = as_json(text)
        return diff

    @strawberry.field(
        description="The OTU as it was at a version, also one that is gone by now.",
        metadata={RELATION: at_versions_by("stored_otu_id")},
    )
    async def at_version(self, info: Info, version: Version) -> LazyOTU | None:
        then: OTU | None = await at_hand(info.context.loaders.otu_at_version, AtVersion(self.stored_otu_id, version))
        return then

    @classmethod
    def from_document(cls, entry: models.HistoryEntry) -> Self:
        return cls(
            id=global_id("history", entry.id),
            verb=entry.verb,
            description=entry.description,
            created_at=entry.created_at,
            otu_id=global_id("otu", entry.otu_id),
            otu_name=entry.otu_name,
            otu_version=entry.otu_revision,
            unbuilt=entry.index_id is None,
            stored_id=entry.id,
            stored_otu_id=entry.otu_id,
            reference_id=entry.reference_id,
            user_id=entry.user_id,
            index_id=entry.index_id,
        )


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """The newest changes of an OTU."""

    found: Found[models.HistoryEntry]
    entries: list[HistoryEntry]

    @classmethod
    def of(cls, found: Found[models.HistoryEntry]) -> Self:
        return cls(found, [HistoryEntry.from_document(entry) for entry in found.documents])


def newest_of(otu: Any, arguments: Mapping[str, Any], context: Context) -> Iterable[Newest]:
    """Give what the arguments ask for of the history of an OTU, when that is the newest changes and nothing else."""
    if any(arguments.get(name) is not None for name in ("after", "last", "before")):
        return ()
    size = arguments.get("first")
    size = context.limits.size_when_left_out if size is None else size
    return (Newest(otu.otu_id, otu.document.last_revision, size),) if 0 <= size <= context.limits.page else ()


NEWEST_OF_OTU = Relation("otu_history", "otu_id", wanted=newest_of, paged=True)


async def history_of(  # noqa: PLR0913, PLR0917 - an OTU, and the arguments of a Relay connection
    info: Info, otu: Any, first: int | None, after: str | None, last: int | None, before: str | None
) -> Connection[HistoryEntry]:
    """Give a page of the changes of an OTU, newest first."""
    places = listing(models.HistoryEntry, PLACES)
    page = places.page(given(first), given(after), given(last), given(before), info.context.limits)
    arguments = {"first": given(first), "after": given(after), "last": given(last), "before": given(before)}
    histories, viewer, where = info.context.db.history, info.context.viewer, Eq("otu_id", otu.otu_id)
    newest = next(iter(newest_of(otu, arguments, info.context)), None)
    if newest is not None:
        shown = await at_hand(info.context.loaders.otu_history, newest)
    else:
        shown = HistoryPage.of(await histories.find(viewer, where, places.order, page))
    raw = info._raw_info  # noqa: SLF001 # as in listings
    await fetch_nodes_ahead(raw, shown.entries, raw.field_nodes)
    return Connection(
        entries=shown.entries, found=shown.found, listing=places, count=lambda: histories.count(viewer, where)
    )


@strawberry.input(description="Which changes of OTUs: those to which all that is given applies.")
class HistoryFilter:
    """Which changes of OTUs."""

    search: str | None = optional("Words that are each in the description or in the name of the OTU.")
    ids: list[strawberry.ID] | None = optional("One of these changes.")
    reference_id: strawberry.ID | None = optional("Of OTUs of this reference.")
    otu_id: strawberry.ID | None = optional("Of this OTU, also when it is gone.")
    index_id: strawberry.ID | None = optional("First built into this index.")
    unbuilt: bool | None = optional("Changes that are in no index yet, or the others.")
    verbs: list[Verb] | None = optional("Of one of these kinds.")
    user_id: strawberry.ID | None = optional("Made by this user.")
    created_after: Timestamp | None = optional("Made at this moment or later.")
    created_before: Timestamp | None = optional("Made before this moment.")

    def where(self) -> Filter:
        return And(
            containing(self.search, "description", "otu_name"),
            with_ids("id", "history", self.ids),
            with_id("reference_id", "reference", self.reference_id),
            with_id("otu_id", "otu", self.otu_id),
            with_id("index_id", "index", self.index_id),
            unbuilt_or_not(given(self.unbuilt)),
            one_of("verb", self.verbs),
            with_id("user_id", "user", self.user_id),
            since("created_at", self.created_after),
            before("created_at", self.created_before),
        )


def unbuilt_or_not(value: bool | None) -> Filter:
    """Match changes that are in no index yet, or the others."""
    if value is None:
        return EVERYTHING
    return Eq("index_id", None) if value else Exists("index_id")


class HistoryOrderField(StrEnum):
    """By what changes of OTUs are ordered."""

    CREATED_AT = "created_at"
    OTU_NAME = "otu_name"
    OTU_VERSION = "place"


described(
    HistoryOrderField,
    "By what changes of OTUs are ordered.",
    {
        HistoryOrderField.CREATED_AT: "When the change was made.",
        HistoryOrderField.OTU_NAME: "The name that the OTU had.",
        HistoryOrderField.OTU_VERSION: "The version that the change made; a removal comes after all of them.",
    },
)


@strawberry.input(description="One key of an ordering of changes of OTUs; ties are broken by id.")
class HistoryOrder(Ordering):
    """One key of an ordering of changes of OTUs."""

    field: HistoryOrderField = strawberry.field(description="By what to order.")


@strawberry.input(description="Which change to revert.")
class RevertChangeInput:
    """Which change to revert."""

    id: strawberry.ID = strawberry.field(description="The change; all later ones of its OTU are reverted with it.")


@strawberry.type(description="What `revertChange` answers with.")
class RevertChangePayload(Payload):
    """What `revertChange` answers with."""

    otu: LazyOTU | None = strawberry.field(
        default=None, description="The OTU as it is now; null when it is gone, because its creation was reverted."
    )
    reverted_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="The changes that were reverted, newest first: they are gone."
    )
