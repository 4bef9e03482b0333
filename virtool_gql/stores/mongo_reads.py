"""What the MongoDB store and its transactions share: indexed collections, reading, and the errors of the driver."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import Any, TypeAlias, TypeVar

from bson.errors import BSONError
from pymongo import ASCENDING, DeleteOne, IndexModel, ReplaceOne
from pymongo.errors import BulkWriteError, ConnectionFailure, DocumentTooLarge, OperationFailure

from virtool_gql.errors import BadUserInput, DuplicateValue, PayloadTooLarge, StaleDocument, UpstreamUnavailable
from virtool_gql.models.changes import Operation
from virtool_gql.models.documents import Document, Kept
from virtool_gql.query import EVERYTHING, FIRST_PAGE, And, Filter, Order, Page, beyond, total_order
from virtool_gql.stores.documents import Found
from virtool_gql.stores.mongo_documents import UNIQUE, Stored, from_stored, to_stored, unique_name
from virtool_gql.stores.mongo_filters import mongo_filter, mongo_order

D = TypeVar("D", bound=Document)

Collection: TypeAlias = Any
Database: TypeAlias = Any
Session: TypeAlias = Any
"""Motor's classes, which `stores.mongo` alone imports."""

DUPLICATE_KEY = 11000


class Overtaken(StaleDocument):
    """The server gave up a transaction because another was faster; the same again may succeed."""


@contextmanager
def driver_errors() -> Iterator[None]:
    """Turn what the driver raises into errors for people."""
    try:
        yield
    except DocumentTooLarge as error:
        raise PayloadTooLarge("A document would be larger than the 16 MB that MongoDB holds.") from error
    except (BSONError, OverflowError, UnicodeEncodeError) as error:
        raise BadUserInput("A value cannot be stored.") from error
    except ConnectionFailure as error:
        raise UpstreamUnavailable("The MongoDB server does not answer; try again later.") from error
    except OperationFailure as error:
        if error.has_error_label("TransientTransactionError"):
            raise Overtaken("Somebody else changes this at the same time; try again.") from error
        raise


class Collections:
    """The collections of the documents; each has its indexes when it is used for the first time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._indexed: set[type[Document]] = set()

    async def of(self, kind: type[Document]) -> Collection:
        collection = self._database[kind.kept.name]
        if kind not in self._indexed:
            with driver_errors():
                await create_indexes(collection, _index_models(kind.kept))
            self._indexed.add(kind)
        return collection

    def named(self, name: str) -> Collection:
        return self._database[name]


async def create_indexes(collection: Collection, models: Sequence[IndexModel]) -> None:
    """Create the indexes that are missing; FerretDB breaks down when it is asked for those that are there."""
    there = await collection.index_information()
    if missing := [model for model in models if model.document["name"] not in there]:
        await collection.create_indexes(missing)


def _index_models(kept: Kept) -> list[IndexModel]:
    unique = [f"{UNIQUE}.{unique_name(paths)}" for paths in kept.unique]
    return [
        *(IndexModel([(name, ASCENDING)], unique=True, sparse=True) for name in unique),
        *(IndexModel(mongo_order(total_order(index))) for index in kept.indexes),
    ]


class MongoReads:
    """The reading half of a store of documents, inside or outside a session."""

    def __init__(self, collections: Collections, session: Session = None) -> None:
        self._collections = collections
        self._session = session

    async def get(self, kind: type[D], id: str, where: Filter = EVERYTHING) -> D | None:
        """Give the document of that id if it passes the filter."""
        query = {"_id": id} if where == EVERYTHING else {"$and": [{"_id": id}, mongo_filter(where)]}
        collection = await self._collections.of(kind)
        with driver_errors():
            stored = await collection.find_one(query, session=self._session)
        return None if stored is None else from_stored(kind, stored)

    async def get_many(self, kind: type[D], ids: Iterable[str], where: Filter = EVERYTHING) -> dict[str, D]:
        """Give, by id, those of the documents that exist and pass the filter, in one statement."""
        wanted = {"_id": {"$in": list(set(ids))}}
        found = await self._list(kind, {"$and": [wanted, mongo_filter(where)]})
        return {document.id: document for document in found}

    async def find(
        self,
        kind: type[D],
        where: Filter = EVERYTHING,
        order: Sequence[Order] = (),
        page: Page = FIRST_PAGE,
    ) -> Found[D]:
        """Give a page of the documents that pass the filter. `Page(first=None)` gives all of them."""
        total, backwards = total_order(order), page.last is not None
        size = page.last if backwards else page.first
        query = mongo_filter(And(where, *_within(total, page)))
        sort = mongo_order(total, backwards=backwards)
        found = await self._list(kind, query, sort=sort, limit=0 if size is None else size + 1)
        more = size is not None and len(found) > size
        documents = found[:size]
        if backwards:
            return Found(documents[::-1], has_next=page.before is not None, has_previous=more)
        return Found(documents, has_next=more, has_previous=page.after is not None)

    async def count(self, kind: type[D], where: Filter = EVERYTHING) -> int:
        """Count the documents that pass the filter."""
        collection = await self._collections.of(kind)
        with driver_errors():
            return int(await collection.count_documents(mongo_filter(where), session=self._session))

    async def _list(self, kind: type[D], query: Stored, **options: Any) -> list[D]:
        collection = await self._collections.of(kind)
        with driver_errors():
            stored = await collection.find(query, session=self._session, **options).to_list(None)
        return [from_stored(kind, document) for document in stored]


def _within(order: Sequence[Order], page: Page) -> list[Filter]:
    after = [beyond(order, page.after)] if page.after is not None else []
    before = [beyond(order, page.before, backwards=True)] if page.before is not None else []
    return [*after, *before]


def by_kind(documents: Sequence[D]) -> list[tuple[type[D], list[D]]]:
    """Split documents into runs of one kind, in their order."""
    return [(kind, list(group)) for kind, group in groupby(documents, key=type)]


async def write(collection: Collection, operation: Operation, documents: Sequence[Document], session: Session) -> None:
    """Do one write; documents that are replaced come as their next version, those that are deleted as they are."""
    with driver_errors():
        match operation:
            case Operation.INSERT:
                await collection.insert_many([to_stored(document) for document in documents], session=session)
                return
            case Operation.UPDATE:
                result = await collection.bulk_write(
                    [_replacement(document) for document in documents], session=session
                )
                touched = result.matched_count
            case Operation.DELETE:
                result = await collection.bulk_write([_removal(document) for document in documents], session=session)
                touched = result.deleted_count
    if touched != len(documents):
        raise StaleDocument("Somebody else has changed this meanwhile; look at it again.")


def _replacement(document: Document) -> ReplaceOne[Stored]:
    return ReplaceOne({"_id": document.id, "version": document.version - 1}, to_stored(document))


def _removal(document: Document) -> DeleteOne:
    return DeleteOne({"_id": document.id, "version": document.version})


def duplicate(paths: Sequence[str]) -> DuplicateValue:
    return DuplicateValue(f"The value of {' and '.join(paths)} is taken.", path=paths)


def violated_unique(kept: Kept, error: BulkWriteError) -> tuple[str, ...] | None:
    """Give the paths whose uniqueness a write violated, where the server tells it."""
    for failure in error.details.get("writeErrors", ()):
        if failure.get("code") == DUPLICATE_KEY:
            pattern = failure.get("keyPattern", {})
            named = {f"{UNIQUE}.{unique_name(paths)}": paths for paths in kept.unique} | {"_id": ("id",)}
            return next((named[name] for name in pattern if name in named), None)
    return None


OnAnnounced = Callable[[], None]
