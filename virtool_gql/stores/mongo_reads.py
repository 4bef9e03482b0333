"""Reading documents from MongoDB, inside or outside a session."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from msgspec import UNSET, structs

from virtool_gql.models.documents import Document
from virtool_gql.query import (
    EVERYTHING,
    FIRST_PAGE,
    And,
    Exists,
    Filter,
    In,
    Order,
    Page,
    Scalar,
    total_order,
    value_at,
)
from virtool_gql.stores.documents import Found
from virtool_gql.stores.mongo_collections import Collections, Session, driver_errors
from virtool_gql.stores.mongo_documents import Stored, from_stored, plain, stored_path
from virtool_gql.stores.mongo_filters import checked_value, mongo_filter, mongo_order
from virtool_gql.stores.pages import Wanted
from virtool_gql.stores.slices import in_slices

D = TypeVar("D", bound=Document)


class MongoReads:
    """The reading half of a store of documents, inside or outside a session."""

    def __init__(self, collections: Collections, session: Session = None) -> None:
        self._collections = collections
        self._session = session

    async def get(self, kind: type[D], id: str, where: Filter = EVERYTHING) -> D | None:
        """Give the document of that id if it passes the filter."""
        id = checked_value(id)
        query = {"_id": id} if where == EVERYTHING else {"$and": [{"_id": id}, mongo_filter(where)]}
        collection = await self._collections.of(kind)
        with driver_errors():
            stored = await collection.find_one(query, session=self._session)
        return None if stored is None else from_stored(kind, stored)

    async def get_many(
        self, kind: type[D], ids: Iterable[str], where: Filter = EVERYTHING, *, whole: bool = False
    ) -> dict[str, D]:
        """Give, by id, those of the documents that exist and pass the filter, in one statement."""
        wanted = {"_id": {"$in": [checked_value(id) for id in set(ids)]}}
        found = await self._list(kind, {"$and": [wanted, mongo_filter(where)]}, whole=whole)
        return {document.id: document for document in found}

    async def find(
        self,
        kind: type[D],
        where: Filter = EVERYTHING,
        order: Sequence[Order] = (),
        page: Page = FIRST_PAGE,
    ) -> Found[D]:
        """Give a page of the documents that pass the filter. `Page(first=None)` gives all of them."""
        wanted = Wanted(where, total_order(order), page)
        sort = mongo_order(wanted.order, backwards=wanted.backwards)
        by_apart = any(key.path.split(".")[0] in kind.kept.apart for key in wanted.order)
        query, limit = mongo_filter(wanted.filter), wanted.limit or 0
        read = await self._list(kind, query, whole=by_apart, sort=sort, limit=limit)
        return await wanted.found(read, lambda rest, _: self._any(kind, rest))

    async def count(self, kind: type[D], where: Filter = EVERYTHING) -> int:
        """Count the documents that pass the filter."""
        collection = await self._collections.of(kind)
        with driver_errors():
            return int(await collection.count_documents(mongo_filter(where), session=self._session))

    async def tally(
        self, kind: type[Document], path: str, values: Iterable[str], where: Filter = EVERYTHING
    ) -> dict[str, int]:
        """Count the documents by what their list at the path holds of the values."""
        wanted, held = [checked_value(value) for value in values], stored_path(path)
        if not wanted:
            return {}
        stages: list[Stored] = [
            {"$match": {"$and": [mongo_filter(where), {held: {"$in": wanted}}]}},
            {"$unwind": f"${held}"},
            {"$match": {held: {"$in": wanted}}},
            {"$group": {"_id": {"document": "$_id", "value": f"${held}"}}},
            {"$group": {"_id": "$_id.value", "count": {"$sum": 1}}},
        ]
        counts = await self._aggregated(kind, stages)
        return dict.fromkeys(wanted, 0) | {each["_id"]: int(each["count"]) for each in counts}

    async def counts(
        self, kind: type[Document], by: Sequence[str], where: Filter = EVERYTHING, *, distinct: str | None = None
    ) -> dict[tuple[Scalar, ...], int]:
        """Count the documents, or the different values of a field of theirs, by the values of some fields."""
        keys = {f"by{place}": f"${stored_path(path)}" for place, path in enumerate(by)}
        groups: list[Stored] = [{"$group": {"_id": keys, "count": {"$sum": 1}}}]
        if distinct is not None:
            where = And(where, Exists(distinct))
            groups = [
                {"$group": {"_id": {**keys, "value": f"${stored_path(distinct)}"}}},
                {"$group": {"_id": {name: f"$_id.{name}" for name in keys}, "count": {"$sum": 1}}},
            ]
        counted = await self._aggregated(kind, [{"$match": mongo_filter(where)}, *groups])
        counts: dict[tuple[Scalar, ...], int] = {}
        for each in counted:
            key = tuple(plain(each["_id"].get(name)) for name in keys)
            counts[key] = counts.get(key, 0) + int(each["count"])  # missing and null are two in MongoDB
        return counts

    async def first_of_each(
        self, kind: type[D], by: str, values: Iterable[str], where: Filter = EVERYTHING, order: Sequence[Order] = ()
    ) -> dict[str, D]:
        """Give, for each of the values of a text field, the first document in the order that passes the filter.

        FerretDB cannot give the first of a group; so the ids of all are read, and then the documents.
        """
        query = {"$and": [mongo_filter(In(by, tuple(set(values)))), mongo_filter(where)]}
        path, sort = stored_path(by), mongo_order(total_order(order))
        collection = await self._collections.of(kind)
        first: dict[str, str] = {}
        with driver_errors():
            async for stored in collection.find(query, {"_id": 1, path: 1}, session=self._session, sort=sort):
                first.setdefault(value_at(stored, path), stored["_id"])
        documents = await self.get_many(kind, first.values())
        return {value: documents[id] for value, id in first.items() if id in documents}

    async def _aggregated(self, kind: type[Document], stages: Sequence[Stored]) -> list[Stored]:
        collection = await self._collections.of(kind)
        with driver_errors():
            return [each async for each in collection.aggregate(stages, session=self._session)]

    async def _any(self, kind: type[Document], where: Filter) -> bool:
        collection = await self._collections.of(kind)
        with driver_errors():
            return await collection.find_one(mongo_filter(where), {"_id": 1}, session=self._session) is not None

    async def _list(self, kind: type[D], query: Stored, *, whole: bool, **options: Any) -> list[D]:
        apart = () if whole else kind.kept.apart
        unread = dict.fromkeys(apart, UNSET)
        left_out = {stored_path(name): 0 for name in apart} or None
        collection = await self._collections.of(kind)

        def document(stored: Stored) -> D:
            read = from_stored(kind, stored)
            return structs.replace(read, **unread) if unread else read

        with driver_errors():
            found = await collection.find(query, left_out, session=self._session, **options).to_list(None)
        return await in_slices(document, found)
