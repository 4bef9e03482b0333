"""What is MongoDB's own; what every store does is in test_contract."""

import asyncio
import logging
import signal
import sys
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from msgspec import structs

from tests.stores.mongo_server import fresh_database
from tests.stores.plants import Weed
from virtool_gql.errors import (
    BadUserInput,
    ConfigError,
    DuplicateValue,
    PayloadTooLarge,
    StaleDocument,
    UpstreamUnavailable,
)
from virtool_gql.models.changes import Change, Operation
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.jobs import Job
from virtool_gql.models.otus import Sequence
from virtool_gql.models.samples import Quality, Sample
from virtool_gql.models.settings import Settings
from virtool_gql.models.users import Group, User
from virtool_gql.query import And, Empty, Eq, Exists, Filter, Has, In, Not, Or, Order, Page, Range, Text, matches
from virtool_gql.stores.documents import modify
from virtool_gql.stores.mongo import MongoStore
from virtool_gql.stores.mongo_documents import to_stored
from virtool_gql.stores.mongo_intents import MOST_MADE_READY
from virtool_gql.workflows import Workflow

AT = Timestamp("2026-01-02T03:04:05.678Z")


@pytest.fixture
def url(mongo_url: str) -> str:
    return fresh_database(mongo_url)


def group(id: str, name: str | None = None) -> Group:
    return Group(id=id, name=name or id, name_key=(name or id).lower(), created_at=AT)


def sample(id: str, **fields: object) -> Sample:
    given: dict[str, object] = {"name": id, "unique_key": None, "user_id": "u", "created_at": AT, "updated_at": AT}
    return Sample(**{"id": id, **given, **fields})  # type: ignore[arg-type] # a factory


def job(id: str, **args: object) -> Job:
    return Job(id=id, workflow=Workflow.CREATE_SAMPLE, args=args, user_id="u", proc=1, mem=1, created_at=AT)


def sequence(id: str, bases: str) -> Sequence:
    return Sequence(
        id=id,
        reference_id="r",
        otu_id="o",
        isolate_id="i",
        accession=id,
        definition="",
        length=len(bases),
        sequence=bases,
    )


async def changes(store: MongoStore) -> list[tuple[Operation, str, int]]:
    found = [msgspec.json.decode(payload, type=Change) for _, payload in await store.waiting(1000)]
    return [(change.operation, change.ids[0], change.document["version"]) for change in found]


async def test_it_reads_back_what_it_wrote(mongo: MongoStore) -> None:
    quality = Quality(
        count=1,
        encoding="x",
        length=(1, 2),
        gc=0.5,
        bases=((1.0, 2.0), (3.0,)),
        composition=((), (0.25,)),
        sequences=(1, 2**40),
    )
    odd = job("j", **{"a.b": 1, "$c": [[[1], {"d%.": None}], "ü"], "": {"%list": [1]}, "_id": 2**40})
    (written,) = await mongo.insert(sample("s", quality=quality))
    assert (written, await mongo.insert(odd)) == (
        sample("s", quality=quality, version=1),
        [structs.replace(odd, version=1)],
    )
    assert await mongo.get(Sample, "s") == written
    assert await mongo.get(Job, "j") == structs.replace(odd, version=1)
    msgspec.json.encode(await mongo.get(Job, "j"))  # without a class of the driver's in it
    assert await mongo.find(Sample, Has("quality.bases", 2)) == await mongo.find(Sample)
    assert (await mongo.find(Sample, Has("quality.bases", 4))).documents == []


@pytest.mark.parametrize("value", ["\0", float("nan"), 2**70, "\ud800", {"a\0": 1}])
async def test_it_refuses_what_no_store_can_hold(mongo: MongoStore, value: object) -> None:
    with pytest.raises(BadUserInput):
        await mongo.insert(job("a"), job("b", value=value))
    assert (await mongo.count(Job), await changes(mongo)) == (0, [])


VALUES: list[Any] = [
    *(None, 0, 1, 1.0, 2.5, True, False, "", "a", "K", "\u212a", "\u017f", "ß", "ẞ", "[a"),
    *([], [1], [None], ["a"], [[1]], {}, [{"b": 1}], [[{"b": 1}]], {"b": 1}, {"b": [1, "x"]}, {"b": None}),
]
DOCUMENTS: list[dict[str, Any]] = [{}, *({"a": value} for value in VALUES)]
FILTERS: list[Filter] = [
    *(Eq(path, value) for path in ("a", "a.b") for value in (None, 0, 1, True, "a", "", 2**80)),
    *(In("a", values) for values in ((), (None,), (1, "a"), (None, True), (0, False))),
    *(Has(path, value) for path in ("a", "a.b") for value in (1, True, "a", "x")),
    *(
        Range("a", **bounds)
        for bounds in ({}, {"gt": 0}, {"lte": 1}, {"gte": "a"}, {"lt": "b", "gt": ""}, {"gte": False})
    ),
    *(Text("a", text) for text in ("", "k", "K", "s", "ß", "[A", ".", "\u212a", "^")),
    Exists("a"),
    Exists("a.b"),
    Empty("a"),
    Empty("a.b"),
    And(),
    Or(),
    Not(Or(Exists("a.b"), Eq("a", 1))),
    And(Exists("a"), Not(Eq("a", value=True))),
]


async def test_a_filter_means_what_it_means_in_python(mongo: MongoStore) -> None:
    documents = [job(f"{number:03}", **fields) for number, fields in enumerate(DOCUMENTS)]
    await mongo.insert(*documents)
    for filter in FILTERS:
        below = _below_args(filter)
        expected = [each.id for each in documents if matches(below, msgspec.to_builtins(each))]
        found = await mongo.find(Job, below, (Order("id"),), Page(first=None))
        assert [each.id for each in found.documents] == expected, filter
        assert await mongo.count(Job, below) == len(expected)


def _below_args(filter: Filter) -> Filter:
    match filter:
        case And(parts) | Or(parts):
            return type(filter)(*map(_below_args, parts))
        case Not(part):
            return Not(_below_args(part))
    return type(filter)(**{**{name: getattr(filter, name) for name in filter.__slots__}, "path": f"args.{filter.path}"})


async def test_pages_go_through_everything_once(mongo: MongoStore) -> None:
    values = [None, 2, 1, "b", "ä", "a", "\U0001f600", "\uffff"]
    await mongo.insert(
        *(
            sample(f"{number}{copy}", group_id=value and str(value))
            for number, value in enumerate(values)
            for copy in "xy"
        )
    )
    for order in ((Order("group_id"),), (Order("group_id", descending=True),), ()):
        whole = (await mongo.find(Sample, order=order, page=Page(first=None))).documents
        keys = [(*(getattr(each, key.path) for key in order), each.id) for each in whole]
        for start, each in enumerate(keys):
            onwards = await mongo.find(Sample, order=order, page=Page(first=3, after=each))
            assert onwards.documents == whole[start + 1 : start + 4]
            back = await mongo.find(Sample, order=order, page=Page(last=3, before=each))
            assert back.documents == whole[max(0, start - 3) : start]


@pytest.mark.parametrize("unique_key", ["k", "ü.$%"])
async def test_unique_values_are_unique_and_null_is_not(mongo: MongoStore, unique_key: str) -> None:
    await mongo.insert(sample("a"), sample("b"), sample("c", unique_key=unique_key))
    with pytest.raises(DuplicateValue) as caught:
        await mongo.insert(sample("d"), sample("e", unique_key=unique_key))
    assert (caught.value.path, await mongo.count(Sample)) == (("unique_key",), 3)
    a = await mongo.get(Sample, "a")
    assert a
    with pytest.raises(DuplicateValue):
        await mongo.replace(structs.replace(a, unique_key=unique_key))
    with pytest.raises(DuplicateValue) as caught:
        await mongo.insert(sample("f"), sample("a"))
    assert caught.value.path == ("id",)
    assert await mongo.get(Sample, "a") == a
    assert len(await changes(mongo)) == 3


async def test_writes_of_many_happen_as_a_whole(mongo: MongoStore) -> None:
    written = await mongo.insert(*(group(f"{number:03}") for number in range(200)))
    (stale,) = await mongo.replace(written[150])
    with pytest.raises(StaleDocument):
        await mongo.replace(*written)
    with pytest.raises(StaleDocument):
        await mongo.delete(*written)
    assert await mongo.count(Group, Eq("version", 1)) == 199
    written[150] = stale
    await mongo.delete(*written)
    assert await mongo.count(Group) == 0
    assert [operation for operation, _, _ in await changes(mongo)][-1] is Operation.DELETE
    assert len(await mongo.waiting(10_000)) == 401


async def write_and_fail(store: MongoStore, a: Group, b: Group) -> None:
    async with store.transaction() as transaction, transaction.transaction() as same:
        assert same is transaction
        (again,) = await same.replace(structs.replace(a, name="A"))
        await transaction.replace(structs.replace(again, name="AA"))
        await transaction.delete(b)
        await transaction.insert(group("d"), sample("s"))
        assert await transaction.get(Group, "b") is None
        _ = 1 / 0


async def test_a_transaction_that_raises_leaves_nothing(mongo: MongoStore) -> None:
    a, b, c = await mongo.insert(group("a"), group("b"), group("c"))
    await mongo.remove([id for id, _ in await mongo.waiting(10)])
    with pytest.raises(ZeroDivisionError):
        await write_and_fail(mongo, a, b)
    assert (await mongo.find(Group)).documents == [a, b, c]
    assert (await mongo.count(Sample), await changes(mongo)) == (0, [])


async def write_what_is_taken(store: MongoStore) -> None:
    async with store.transaction() as transaction:
        await transaction.insert(group("d"))
        with pytest.raises(DuplicateValue):
            await transaction.insert(group("e"), group("f", "C"))


async def test_a_failed_write_makes_its_transaction_void(mongo: MongoStore) -> None:
    await mongo.insert(group("c"))
    with pytest.raises(DuplicateValue):
        await write_what_is_taken(mongo)
    assert [found.id for found in (await mongo.find(Group)).documents] == ["c"]


async def test_changes_come_when_their_transaction_ends(url: str) -> None:
    announced: list[None] = []
    async with MongoStore.open(url, on_announced=lambda: announced.append(None)) as mongo:
        async with mongo.transaction() as transaction:
            (a,) = await transaction.insert(group("a"))
            await transaction.replace(a)
            assert (await changes(mongo), announced) == ([], [])
        assert await changes(mongo) == [(Operation.INSERT, "a", 1), (Operation.UPDATE, "a", 2)]
        assert len(announced) == 1


async def test_a_cancelled_transaction_leaves_nothing(mongo: MongoStore) -> None:
    inside = asyncio.Event()

    async def write() -> None:
        async with mongo.transaction() as transaction:
            await transaction.insert(group("a"))
            inside.set()
            await transaction.insert(*(group(f"b{number}") for number in range(500)))
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await mongo.count(Group), await changes(mongo)) == (0, [])


async def test_nobody_writes_what_an_open_transaction_wrote(mongo: MongoStore) -> None:
    (a,) = await mongo.insert(group("a"))
    async with mongo.transaction() as transaction:
        (newer,) = await transaction.replace(structs.replace(a, name="newer"))
        other = asyncio.create_task(mongo.replace(structs.replace(a, name="other")))
        unrelated = await mongo.insert(group("b"))
        assert unrelated
    with pytest.raises(StaleDocument):
        await other
    assert await mongo.get(Group, "a") == newer


async def test_of_many_who_change_one_document_none_is_lost(mongo: MongoStore) -> None:
    await mongo.insert(Settings(id="settings", minimum_password_length=0))

    def one_more(settings: Settings) -> Settings:
        return structs.replace(settings, minimum_password_length=settings.minimum_password_length + 1)

    await asyncio.gather(*(modify(mongo, Settings, "settings", one_more) for _ in range(20)))
    settings = await mongo.get(Settings, "settings")
    assert settings
    assert (settings.minimum_password_length, settings.version) == (20, 21)
    assert all(a[2] < b[2] for a, b in pairwise(await changes(mongo)))


async def test_changes_of_one_document_keep_its_order_when_clocks_differ(url: str) -> None:
    async with (
        MongoStore.open(url, nanoseconds=lambda: 2**60) as behind,
        MongoStore.open(url, nanoseconds=lambda: 2**60 + 10**15) as ahead,
    ):
        await _write_in_turn(behind, ahead)


async def _write_in_turn(behind: MongoStore, ahead: MongoStore) -> None:
    (a,) = await ahead.insert(group("a"))
    (a,) = await behind.replace(a)
    (b,) = await behind.insert(group("b"))
    await ahead.replace(a)
    assert [change[1:] for change in await changes(behind)] == [("a", 1), ("b", 1), ("a", 2), ("a", 3)]
    assert [msgspec.json.decode(payload)["ids"] for _, payload in await behind.waiting(2)] == [["b"]]
    assert b


CRASHING_WRITER = """
import asyncio, sys
from virtool_gql.models.users import Group
from virtool_gql.stores.mongo import MongoStore
from virtool_gql.stores.mongo_documents import to_stored
from virtool_gql.stores.mongo_intents import MOST_MADE_READY

async def write():
    async with MongoStore.open(sys.argv[1]) as store, store.transaction() as transaction:
        group = await store.get(Group, "a")
        await transaction.insert(Group(id="b", name="b", name_key="b", created_at="2026-01-02T03:04:05.678Z"))
        await transaction.replace(group)
        print("written", flush=True)
        await asyncio.Event().wait()

asyncio.run(write())
"""


async def test_what_a_killed_process_wrote_is_announced_once(url: str) -> None:
    async with MongoStore.open(url, settle_after_seconds=1) as mongo:
        await mongo.insert(group("a"))
        await mongo.remove([id for id, _ in await mongo.waiting(10)])
        writer = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", CRASHING_WRITER, url), stdout=asyncio.subprocess.PIPE
        )
        assert writer.stdout
        assert await asyncio.wait_for(writer.stdout.readline(), 30) == b"written\n"
        assert await changes(mongo) == []
        writer.send_signal(signal.SIGKILL)
        await writer.wait()
        delivered: list[tuple[Operation, str, int]] = []
        async with asyncio.timeout(20):
            (newer,) = [await modify(mongo, Group, "a", lambda found: structs.replace(found, name="mine"))]
            while len(delivered) < 3:
                delivered += await changes(mongo)
                await mongo.remove([id for id, _ in await mongo.waiting(10)])
        assert sorted(delivered) == [(Operation.INSERT, "b", 1), (Operation.UPDATE, "a", 2), (Operation.UPDATE, "a", 3)]
        assert delivered.index((Operation.UPDATE, "a", 2)) < delivered.index((Operation.UPDATE, "a", 3))
        assert (newer.version, await mongo._intents.outbox.count_documents({})) == (3, 0)


async def test_an_intent_that_nothing_was_written_of_is_forgotten(url: str) -> None:
    async with MongoStore.open(url, settle_after_seconds=0.2) as mongo:
        (a,) = await mongo.insert(group("a"))
        await mongo.remove([id for id, _ in await mongo.waiting(10)])
        intended = [
            (Operation.UPDATE, structs.replace(a, version=2)),
            (Operation.INSERT, group("b")),
            (Operation.DELETE, a),
        ]
        for operation, document in intended:
            await mongo._intents.claim(f"dead {operation}", operation, [document], set())
        async with asyncio.timeout(10):
            while await mongo._intents.outbox.count_documents({}):
                assert await mongo.waiting(10) == []


async def test_many_changes_are_announced_once_in_their_order(url: str) -> None:
    many = [group(f"{number:03}") for number in range(2 * MOST_MADE_READY)]
    async with MongoStore.open(url) as mongo:
        async with mongo.transaction() as transaction:
            await transaction.insert(*many)
            (first,) = await transaction.replace(structs.replace(many[0], version=1, name="again"))
            await transaction.insert(Weed(id="silent"))
        assert await changes(mongo) == [
            *((Operation.INSERT, each.id, 1) for each in many),
            (Operation.UPDATE, first.id, 2),
        ]
        assert await mongo._intents.outbox.count_documents({}) == len(many) + 1
        await mongo.replace(first)


async def test_what_a_killed_process_had_made_ready_is_announced_once(url: str) -> None:
    """It died while it exchanged its intents: that of `a` had not been taken away yet, and `c` had not been written."""
    async with MongoStore.open(url, settle_after_seconds=0.2) as mongo:
        outbox = mongo._intents.outbox
        documents = [structs.replace(group(id), version=1) for id in "abc"]
        entries = await mongo._intents.claim("dead", Operation.INSERT, documents, set())
        for document in documents[:2]:
            await mongo._client.get_default_database()["groups"].insert_one(to_stored(document))
        await outbox.insert_one({**entries[0], "_id": f"{entries[0]['_id']}r", "state": "ready", "lock": "none"})
        async with asyncio.timeout(10):
            while await outbox.count_documents({"state": {"$ne": "ready"}}):
                await mongo.waiting(1)
        assert await changes(mongo) == [(Operation.INSERT, "a", 1), (Operation.INSERT, "b", 1)]


@pytest.mark.parametrize("bases", [17_000_000, 50_000_000])
async def test_what_is_too_large_for_a_document_is_named(mongo: MongoStore, bases: int) -> None:
    small, large = sequence("small", "ACGT"), sequence("large", "A" * bases)
    with pytest.raises(PayloadTooLarge, match="cannot hold sequences large"):
        await mongo.insert(small, large)
    assert await mongo.count(Sequence) == 0
    (small,) = await mongo.insert(small)
    with pytest.raises(PayloadTooLarge, match="sequences small"):
        await mongo.replace(structs.replace(large, id="small", version=1))
    assert await mongo.get(Sequence, "small") == small
    assert await changes(mongo) == [(Operation.INSERT, "small", 1)]


async def test_what_just_fits_into_a_document_is_kept(mongo: MongoStore) -> None:
    (large,) = await mongo.insert(sequence("large", "A" * 16_700_000))
    assert await mongo.get(Sequence, "large") == large


async def test_a_slow_transaction_is_not_taken_for_a_dead_one(url: str) -> None:
    async with MongoStore.open(url, settle_after_seconds=0.4) as mongo:
        async with mongo.transaction() as transaction:
            await transaction.insert(group("a"))
            until = asyncio.get_running_loop().time() + 1.5
            while asyncio.get_running_loop().time() < until:
                assert await mongo.waiting(10) == []
        assert await changes(mongo) == [(Operation.INSERT, "a", 1)]


async def test_it_says_what_a_standalone_server_loses(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        async with MongoStore.open(url) as mongo:
            hello = await mongo._client.admin.command("hello")
    assert ("no transactions" in caplog.text) == ("setName" not in hello)


async def test_opening_twice_creates_the_indexes_once(url: str) -> None:
    async with MongoStore.open(url) as first, MongoStore.open(url) as second:
        indexes = await first._client.get_default_database()["users"].index_information()
        assert indexes["_unique.handle_key_1"]["unique"]
        assert indexes["created_at_-1__id_-1"]
        assert await second.count(User) == 0


async def test_a_server_that_does_not_answer_is_unavailable() -> None:
    with pytest.raises(UpstreamUnavailable):
        async with MongoStore.open("mongodb://127.0.0.1:9/virtool?serverSelectionTimeoutMS=100"):
            pass


@pytest.mark.parametrize("url", ["postgres://x", "mongodb://", "mongodb://a:b:c"])
async def test_a_wrong_url_stops_the_start(url: str) -> None:
    with pytest.raises(ConfigError, match="URL"):
        async with MongoStore.open(url):
            pass
