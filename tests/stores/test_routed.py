"""Documents in one PostgreSQL database and rows in another, or documents in MongoDB: the same code."""

import pytest
from msgspec import structs

from tests.stores.fixtures import AT, AnyStore
from tests.stores.plants import Plant
from virtool_gql.errors import DuplicateValue
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.files import File, FileType
from virtool_gql.models.tasks import Task, TaskType
from virtool_gql.query import Eq, Order
from virtool_gql.stores.postgres import PostgresStore
from virtool_gql.stores.routed import RoutedStore


@pytest.fixture
def routed(documents_store: AnyStore, rows: PostgresStore) -> RoutedStore:
    return RoutedStore(documents_store, rows)


def file(id: str) -> File:
    return File(id=id, name=f"{id}.fq", type=FileType.READS, user_id=None, created_at=AT)


async def test_each_collection_is_in_its_store(
    routed: RoutedStore, documents_store: AnyStore, rows: PostgresStore
) -> None:
    a, b, c = await routed.insert(file("a"), Plant(id="b", tags=("t",)), file("c"))
    assert await rows.get_many(File, ["a", "c"]) == await routed.get_many(File, "ac") == {"a": a, "c": c}
    assert await documents_store.get(Plant, "b") == await routed.get(Plant, "b") == b
    assert (await routed.find(File, Eq("name", "a.fq"))).documents == [a]
    a, b = await routed.replace(a, b)
    assert (a.version, b.version, await routed.count(Plant)) == (2, 2, 1)
    assert await routed.tally(Plant, "tags", "tu") == {"t": 1, "u": 0}
    await routed.delete(a, b, c)
    assert (await routed.count(Plant), await routed.count(File)) == (0, 0)
    assert (len(await rows.waiting(10)), len(await documents_store.waiting(10))) == (5, 3)


async def test_a_transaction_spans_both(routed: RoutedStore) -> None:
    async with routed.transaction() as transaction:
        (a,) = await transaction.insert(file("a"))
        await transaction.insert(Plant(id="p"))
        async with transaction.transaction() as inner:
            await inner.replace(structs.replace(a, reserved_by="p"))
    assert await routed.count(File, Eq("reserved_by", "p")) == 1
    assert await routed.count(Plant) == 1


@pytest.mark.parametrize("refused", [Plant(id="p"), file("f")], ids=["by documents", "by rows"])
async def test_what_one_store_refuses_the_other_does_not_keep(routed: RoutedStore, refused: Plant | File) -> None:
    await routed.insert(file("f"), Plant(id="p"))
    with pytest.raises(DuplicateValue):
        await routed.insert(file("a"), Plant(id="b"), refused)
    assert (await routed.count(File), await routed.count(Plant)) == (1, 1)


async def test_rows_are_counted_and_found_by_their_columns(routed: RoutedStore, rows: PostgresStore) -> None:
    late = Timestamp("2027-01-02T03:04:05.678Z")
    a, _, c = await routed.insert(
        structs.replace(file("a"), reserved_by="p", size=5),
        structs.replace(file("b"), reserved_by="p", size=6, ready=True),
        structs.replace(file("c"), created_at=late, type=FileType.HMM),
    )
    assert await routed.counts(File, ["reserved_by"]) == {("p",): 2, (None,): 1}
    assert repr(await routed.counts(File, ["ready"], Eq("reserved_by", "p"))) in {
        "{(True,): 1, (False,): 1}",
        "{(False,): 1, (True,): 1}",
    }
    assert await routed.counts(File, ["created_at", "type"]) == {(AT, "reads"): 2, (late, "hmm"): 1}
    assert await routed.counts(File, ["type"], distinct="size") == {("reads",): 2}
    by_type = await routed.first_of_each(File, "type", ["reads", "hmm", "subtraction"], order=[Order("size")])
    assert by_type == {"reads": a, "hmm": c}
    assert await routed.first_of_each(File, "created_at", [late, "x"]) == {late: c}
    await routed.insert(Task(id="t", type=TaskType.REFRESH_HMMS, args={}, due_at=AT, created_at=AT, updated_at=AT))
    assert await rows.counts(Task, ["state", "progress", "attempts"]) == {("waiting", 0.0, 0): 1}
