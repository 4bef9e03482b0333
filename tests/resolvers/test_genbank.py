import pytest
from redis.asyncio import Redis

from tests.db.reaching import client, waits, world
from tests.db.test_genbank_records import RECORD
from tests.factories.api import Api
from tests.factories.outside import Reply, World, outside, reaching
from virtool_gql.access import Viewer
from virtool_gql.http import Client

__all__ = ["client", "waits", "world"]

GENBANK = "query($a: String!) { genbank(accession: $a) { accession definition sequence host } }"


@pytest.fixture
def reached(api: Api, redis: Redis, world: World, client: Client) -> Api:
    """Give an API that can reach the world."""
    return Api(reaching(api.db, redis, outside(world, client, api.clock)), api.clock)


async def test_strangers_are_not_helped(reached: Api, world: World) -> None:
    assert await reached.code(None, GENBANK, a="NC_001929") == "UNAUTHENTICATED"
    assert world.asked == []


async def test_genbank_is_asked(reached: Api, world: World, stranger: Viewer) -> None:
    world.set("/efetch.fcgi", Reply(RECORD.encode()))
    record = await reached.ask(stranger, GENBANK, a="NC_001929")
    assert record["accession"] == "NC_001929.1"
    assert record["host"].startswith("Abutilon sellovianum")
    assert record["sequence"].startswith("ATATTATTACC")


@pytest.mark.parametrize(
    ("accession", "status", "code"),
    [("nonsense!", 200, "BAD_USER_INPUT"), ("NC_999999", 400, "NOT_FOUND"), ("NC_001929", 500, "UPSTREAM_UNAVAILABLE")],
)
async def test_what_genbank_does_not_give_is_told(
    reached: Api, world: World, *, accession: str, status: int, code: str
) -> None:
    world.set("/efetch.fcgi", Reply(status=status))
    assert await reached.code(await reached.viewer("anybody"), GENBANK, a=accession) == code
