"""Isolates of OTUs. The stored id of one is that of its OTU, an underscore, and the id that it has within the OTU."""

from collections.abc import Collection, Iterable

from virtool_gql.access import Viewer
from virtool_gql.db.creation import creation_key
from virtool_gql.db.curation import Asked, curated
from virtool_gql.db.instance import Instance
from virtool_gql.db.otu_edits import (
    Edit,
    add_isolate,
    check_source_type,
    edit_isolate,
    isolate_of,
    remove_isolate,
    set_as_default,
)
from virtool_gql.db.otu_inputs import IsolateChanges, NewIsolate, cleaned_isolate
from virtool_gql.db.otu_writes import Stored
from virtool_gql.db.otus import OTUs
from virtool_gql.db.updates import to_values
from virtool_gql.errors import NotFound
from virtool_gql.models.documents import NewId
from virtool_gql.models.joined import JoinedIsolate
from virtool_gql.models.otus import OTU, Isolate
from virtool_gql.models.references import Reference

__all__ = ["IsolateChanges", "Isolates", "NewIsolate"]

SHORTEST_ID = 3
TRIES_OF_A_LENGTH = 30

OfOTU = tuple[OTU, Isolate]

AN_ISOLATE = Asked("isolate")
ITS_OTU = Asked(path="otu_id")


class Isolates:
    """The isolates of the OTUs that a viewer may read; the right MODIFY_OTU is needed to change them."""

    noun = "isolate"

    def __init__(self, instance: Instance, otus: OTUs) -> None:
        self.instance = instance
        self._otus = otus

    async def get(self, viewer: Viewer, id: str) -> OfOTU:
        """Give an isolate and its OTU; NotFound alike when it is missing and when the viewer may not read it."""
        found = (await self.get_many(viewer, [id])).get(id)
        if found is None:
            raise NotFound("There is no isolate of that id.", path=["id"])
        return found

    async def get_many(self, viewer: Viewer, ids: Iterable[str]) -> dict[str, OfOTU]:
        """Give by id those that the viewer may read, each with its OTU."""
        places = {id: split_id(id) for id in ids}
        otus = await self._otus.get_many(viewer, {otu_id for otu_id, _ in places.values()})
        return {
            id: (otu, isolate)
            for id, (otu_id, isolate_id) in places.items()
            if (otu := otus.get(otu_id)) is not None and (isolate := _isolate(otu, isolate_id)) is not None
        }

    async def create(
        self,
        viewer: Viewer,
        otu_id: str,
        new: NewIsolate,
        *,
        idempotency_key: str | None = None,
        expected_version: int | None = None,
    ) -> OfOTU:
        """Add an isolate to an OTU. The same user's same idempotency key gives the same isolate again."""
        key = creation_key(viewer, idempotency_key)
        ids: list[str] = []

        async def edit(before: Stored, reference: Reference) -> Edit:
            values = cleaned_isolate(to_values(new))
            check_source_type(reference, values["source_type"])
            taken = {isolate.id for isolate in before.otu.isolates}
            ids[:] = [free_id(self.instance.new_id, taken)]
            edit = add_isolate(before.joined, JoinedIsolate(id=ids[0], **values))
            return edit._replace(keys={ids[0]: key})

        def is_done(before: Stored) -> bool:
            ids[:] = [isolate.id for isolate in before.otu.isolates if key is not None and isolate.creation_key == key]
            return bool(ids)

        otu = await curated(
            self.instance, viewer, otu_id, edit, expected_version=expected_version, is_done=is_done, asked=ITS_OTU
        )
        return otu, _there(otu, ids[0])

    async def update(
        self, viewer: Viewer, id: str, changes: IsolateChanges, *, expected_version: int | None = None
    ) -> OfOTU:
        otu_id, isolate_id = split_id(id)

        async def edit(before: Stored, reference: Reference) -> Edit | None:
            values = cleaned_isolate(to_values(changes))
            source_type = values.get("source_type")
            if source_type not in {None, isolate_of(before.joined, isolate_id).source_type}:
                check_source_type(reference, source_type)
            return edit_isolate(before.joined, isolate_id, values)

        otu = await curated(self.instance, viewer, otu_id, edit, expected_version=expected_version, asked=AN_ISOLATE)
        return otu, _there(otu, isolate_id)

    async def set_default(self, viewer: Viewer, id: str, *, expected_version: int | None = None) -> OfOTU:
        """Make an isolate the default one of its OTU, which no other one is then."""
        otu_id, isolate_id = split_id(id)

        async def edit(before: Stored, _: Reference) -> Edit | None:
            return set_as_default(before.joined, isolate_id)

        otu = await curated(self.instance, viewer, otu_id, edit, expected_version=expected_version, asked=AN_ISOLATE)
        return otu, _there(otu, isolate_id)

    async def delete(self, viewer: Viewer, id: str, *, expected_version: int | None = None) -> OfOTU:
        """Remove an isolate with its sequences; give the OTU as it is now, and the isolate as it was."""
        otu_id, isolate_id = split_id(id)
        gone: list[Isolate] = []

        async def edit(before: Stored, _: Reference) -> Edit:
            edit = remove_isolate(before.joined, isolate_id)
            gone[:] = [_there(before.otu, isolate_id)]
            return edit

        otu = await curated(self.instance, viewer, otu_id, edit, expected_version=expected_version, asked=AN_ISOLATE)
        return otu, gone[0]


def split_id(id: str) -> tuple[str, str]:
    """Give the id of the OTU, and that of the isolate within it."""
    otu_id, _, isolate_id = id.partition("_")
    return otu_id, isolate_id


def free_id(new_id: NewId, taken: Collection[str]) -> str:
    """Give an id that no isolate of the OTU has: of three characters, and of more when these run out."""
    length = SHORTEST_ID
    while True:
        for _ in range(TRIES_OF_A_LENGTH):
            id = new_id()[:length]
            if id not in taken:
                return id
        length += 1


def _isolate(otu: OTU, isolate_id: str) -> Isolate | None:
    return next((isolate for isolate in otu.isolates if isolate.id == isolate_id), None)


def _there(otu: OTU, isolate_id: str) -> Isolate:
    isolate = _isolate(otu, isolate_id)
    if isolate is None:
        raise NotFound("There is no isolate of that id.", path=["id"])
    return isolate
