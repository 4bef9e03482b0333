"""The collections of a MongoDB database, and what its driver raises in the words of the documents contract."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from bson.errors import BSONError
from pymongo import ASCENDING, IndexModel
from pymongo.errors import ConnectionFailure, DocumentTooLarge, OperationFailure

from virtool_gql.errors import BadUserInput, PayloadTooLarge, UpstreamUnavailable
from virtool_gql.models.documents import Document, Kept
from virtool_gql.query import total_order
from virtool_gql.stores.documents import Overtaken
from virtool_gql.stores.mongo_documents import UNIQUE, unique_name
from virtool_gql.stores.mongo_filters import mongo_order

Collection: TypeAlias = Any
Database: TypeAlias = Any
Session: TypeAlias = Any
"""Motor's classes, which `stores.mongo` alone imports."""

OnAnnounced = Callable[[], None]


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
        raise UpstreamUnavailable("The database does not answer; try again in a moment.") from error
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
