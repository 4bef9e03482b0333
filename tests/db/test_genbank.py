import asyncio
import logging

import pytest
from redis.asyncio import Redis

from tests.db.reaching import client, waits, world
from tests.db.test_genbank_records import RECORD
from tests.factories.outside import Reply, Waits, World, outside
from tests.factories.users import viewer_named
from virtool_gql.db.genbank import ACCESSION, MOST_BYTES, REQUESTS_OF_A_USER_PER_MINUTE, GenBank
from virtool_gql.errors import BadUserInput, NotFound, RateLimited, UpstreamUnavailable
from virtool_gql.http import Client
from virtool_gql.models.documents import now
from virtool_gql.stores.redis import RateLimit

__all__ = ["client", "waits", "world"]

EFETCH = "/efetch.fcgi"
VIEWER = viewer_named("curator")


@pytest.fixture
def genbank(world: World, client: Client, redis: Redis) -> GenBank:
    return GenBank(outside(world, client, now), redis)


@pytest.fixture
def keyed(world: World, client: Client, redis: Redis) -> GenBank:
    return GenBank(outside(world, client, now, ncbi_api_key="geheim"), redis)


async def test_a_record_is_asked_for_by_its_accession(world: World, genbank: GenBank) -> None:
    world.set(EFETCH, Reply(RECORD.encode()))
    record = await genbank.get(VIEWER, " nc_001929 ")
    assert (record.accession, len(record.sequence)) == ("NC_001929.1", 70)
    assert world.asked[0].query == {
        "db": "nuccore",
        "id": "NC_001929",
        "rettype": "gb",
        "retmode": "text",
        "tool": "virtool",
        "email": "dev@virtool.ca",
    }


@pytest.mark.parametrize(
    "accession", ["NC_001929", "AY123456.1", "U12345", "NZ_CP012345.2", "ABCD01000001", "LC1234567"]
)
def test_accessions(accession: str) -> None:
    assert ACCESSION.fullmatch(accession)


@pytest.mark.parametrize(
    "accession",
    [
        "",
        " ",
        "12345",
        "NC_",
        "NC_001929&db=protein",
        "NC_001929,AY123456",
        "../x",
        "A" * 300,
        "NC_٠٠١٩٢٩",
        "NC_001929\n1",
    ],
)
async def test_what_is_no_accession_is_not_asked_for(world: World, genbank: GenBank, accession: str) -> None:
    with pytest.raises(BadUserInput, match="That is no accession") as raised:
        await genbank.get(VIEWER, accession)
    assert raised.value.path == ("accession",)
    assert world.asked == []


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=404),
        Reply(b""),
        Reply(b"\n"),
        Reply(b"Failed to retrieve sequence: NC_999999", status=400),
        Reply(b"Error: F a i l e d  t o  u n d e r s t a n d  i d : NC_999999"),
    ],
)
async def test_what_ncbi_does_not_have_is_not_found(world: World, genbank: GenBank, reply: Reply) -> None:
    world.set(EFETCH, reply)
    with pytest.raises(NotFound, match="There is no record NC_999999 in GenBank"):
        await genbank.get(VIEWER, "NC_999999")


@pytest.mark.parametrize("status", [403, 500, 502])
async def test_faults_are_ncbis(world: World, genbank: GenBank, status: int) -> None:
    world.set(EFETCH, Reply(status=status))
    with pytest.raises(UpstreamUnavailable, match=r"^Could not reach NCBI$"):
        await genbank.get(VIEWER, "NC_001929")


async def test_who_does_not_answer_is_ncbi(client: Client, redis: Redis) -> None:
    nobody = World()
    nobody.url = "http://127.0.0.1:9"
    with pytest.raises(UpstreamUnavailable, match=r"^Could not reach NCBI$"):
        await GenBank(outside(nobody, client, now), redis).get(VIEWER, "NC_001929")


async def test_half_an_answer_is_none(world: World, genbank: GenBank) -> None:
    world.set(EFETCH, Reply(RECORD.encode()[:700]))
    with pytest.raises(UpstreamUnavailable, match="half a record"):
        await genbank.get(VIEWER, "NC_001929")


async def test_ncbi_may_say_when_to_come_again(world: World, genbank: GenBank, waits: Waits) -> None:
    world.set(EFETCH, Reply(status=429, headers={"retry-after": "2"}), Reply(RECORD.encode()))
    assert (await genbank.get(VIEWER, "NC_001929")).accession == "NC_001929.1"
    assert waits.seconds == [2.0]


async def test_a_genome_is_not_a_virus(world: World, genbank: GenBank) -> None:
    world.set(EFETCH, Reply(b"LOCUS\n" + b"a" * MOST_BYTES))
    with pytest.raises(BadUserInput, match="larger than 10 MB"):
        await genbank.get(VIEWER, "NC_001929")


async def test_the_key_is_sent_and_never_told(world: World, keyed: GenBank, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    refused = b'{"error":"API key invalid","api-key":"geheim","type":"client","status":"unknown"}'
    world.set(EFETCH, Reply(RECORD.encode()), Reply(refused, status=400), Reply(status=500))
    await keyed.get(VIEWER, "NC_001929")
    assert world.asked[0].query["api_key"] == "geheim"
    told = []
    for _ in range(2):
        with pytest.raises(UpstreamUnavailable) as raised:
            await keyed.get(VIEWER, "NC_001929")
        told.append(raised.value.message)
    assert told == ["NCBI refuses the key of this server; tell an administrator", "Could not reach NCBI"]
    assert "geheim" not in caplog.text


@pytest.mark.parametrize(("key", "allowed"), [(None, 3), ("geheim", 10)])
async def test_ncbis_rate_holds_for_all_processes_together(
    world: World, client: Client, redis: Redis, key: str | None, allowed: int
) -> None:
    """Three servers that wait for no turn get no more answers in a second than NCBI allows one."""

    async def no_turn(_: float) -> None:
        raise RateLimited("Wait.")

    world.set(EFETCH, Reply(RECORD.encode()))
    servers = [GenBank(outside(world, client, now, ncbi_api_key=key), redis, sleep=no_turn) for _ in range(3)]
    answers = await asyncio.gather(
        *(server.get(VIEWER, "NC_001929") for server in servers for _ in range(5)), return_exceptions=True
    )
    assert sum(not isinstance(answer, Exception) for answer in answers) == len(world.asked) == allowed
    assert sum(isinstance(answer, RateLimited) for answer in answers) == 15 - allowed


async def test_a_turn_comes_after_a_while(world: World, genbank: GenBank) -> None:
    world.set(EFETCH, Reply(RECORD.encode()))
    assert len(await asyncio.gather(*(genbank.get(VIEWER, "NC_001929") for _ in range(5)))) == 5


async def test_who_waits_too_long_is_told(world: World, client: Client, redis: Redis) -> None:
    waits = Waits()
    world.set(EFETCH, Reply(RECORD.encode()))
    crowded = GenBank(outside(world, client, now), redis, sleep=waits.sleep)
    with pytest.raises(RateLimited, match="Too many ask NCBI"):
        await asyncio.gather(*(crowded.get(VIEWER, "NC_001929") for _ in range(4)))
    assert sum(waits.seconds) > 1.5


async def test_one_user_does_not_ask_for_all(world: World, genbank: GenBank, redis: Redis) -> None:
    world.set(EFETCH, Reply(RECORD.encode()))
    of_users = RateLimit(redis, "ncbi_of_user", REQUESTS_OF_A_USER_PER_MINUTE, 60)
    for _ in range(REQUESTS_OF_A_USER_PER_MINUTE - 1):
        await of_users.take(VIEWER.user_id)
    await genbank.get(VIEWER, "NC_001929")
    with pytest.raises(RateLimited, match="Too many tries"):
        await genbank.get(VIEWER, "NC_001929")
    assert len(world.asked) == 1
    await genbank.get(viewer_named("other"), "NC_001929")
