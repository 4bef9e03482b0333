"""The store that the configuration asks for: all in PostgreSQL, or documents in MongoDB and rows in PostgreSQL."""

from tests.stores.mongo_server import fresh_database
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.files import File, FileType
from virtool_gql.models.users import Group
from virtool_gql.stores.opening import StoreUrls, open_store, outboxes_of
from virtool_gql.stores.routed import RoutedStore

AT = Timestamp("2026-01-02T03:04:05.678Z")
FILE = File(id="f1", name="reads.fq", type=FileType.READS, user_id=None, created_at=AT)
GROUP = Group(id="g1", name="plants", name_key="plants", created_at=AT)


async def test_without_mongodb_everything_is_in_postgresql(postgres_url: str) -> None:
    announced: list[None] = []
    async with open_store(StoreUrls(postgres_url), on_announced=lambda: announced.append(None)) as store:
        await store.insert(FILE, GROUP)
        assert announced
        assert outboxes_of(store) == [store]
        assert len(await outboxes_of(store)[0].waiting(10)) == 2


async def test_with_mongodb_documents_are_there_and_rows_are_not(postgres_url: str, mongo_url: str) -> None:
    async with open_store(StoreUrls(postgres_url, fresh_database(mongo_url))) as store:
        assert isinstance(store, RoutedStore)
        await store.insert(FILE, GROUP)
        assert await store.rows.get(File, "f1") is not None
        assert await store.documents.get(Group, "g1") is not None
        assert [len(await outbox.waiting(10)) for outbox in outboxes_of(store)] == [1, 1]
