import hashlib
import io
from dataclasses import replace

import pytest

from tests.factories.outside import Reply, Waits, World
from virtool_gql.errors import UpstreamUnavailable
from virtool_gql.http import Client, Patience, TooLarge, download

BYTES = b"".join(hashlib.sha256(n.to_bytes(4)).digest() for n in range(100_000))
WHOLE = Reply(BYTES, headers={"etag": '"one"'})
TRIES = Patience(connect=1, read=0.5, total=60, tries=4, first_pause=1)


class Progress:
    def __init__(self) -> None:
        self.told: list[float] = []

    def __call__(self, fraction: float) -> None:
        self.told.append(fraction)


@pytest.fixture
def progress() -> Progress:
    return Progress()


async def downloaded(client: Client, world: World, progress: Progress | None = None, **options: object) -> bytes:
    file = io.BytesIO(b"what was there before" * 1_000_000)
    told = {"progress": progress} if progress else {}
    size = await download(client, f"{world.url}/file", file, "GitHub", patience=TRIES, **told, **options)  # type: ignore[arg-type] # each is of its type
    assert size == len(file.getvalue())
    return file.getvalue()


async def test_a_file_comes_as_it_is(world: World, client: Client, progress: Progress) -> None:
    world.set("/file", WHOLE)
    assert await downloaded(client, world, progress) == BYTES
    assert progress.told == sorted(progress.told)
    assert progress.told[-1] == 1.0
    assert len(progress.told) > 2


async def test_what_is_compressed_for_good_stays_so(world: World, client: Client) -> None:
    world.set("/file", Reply(b"\x1f\x8b not for us to open", headers={"content-encoding": "gzip"}))
    assert await downloaded(client, world) == b"\x1f\x8b not for us to open"
    assert world.asked[0].headers["accept-encoding"] == "identity"


async def test_it_goes_on_where_it_was_cut_off(world: World, client: Client, progress: Progress) -> None:
    world.set("/file", replace(WHOLE, cut=2_000_000), WHOLE)
    assert await downloaded(client, world, progress) == BYTES
    assert world.asked[1].headers["range"] == "bytes=2000000-"
    assert world.asked[1].headers["if-range"] == '"one"'
    assert progress.told == sorted(progress.told)


async def test_it_goes_on_after_several_cuts(world: World, client: Client) -> None:
    cut = replace(WHOLE, cut=1_000_000)
    world.set("/file", cut, cut, cut, WHOLE)
    assert await downloaded(client, world) == BYTES
    assert len(world.asked) == 4


@pytest.mark.parametrize(
    "second",
    [Reply(b"others", headers={"etag": '"two"'}), Reply(b"others", headers={"etag": '"one"'}, ranges=False)],
)
async def test_it_begins_anew_with_other_bytes(world: World, client: Client, second: Reply) -> None:
    world.set("/file", replace(WHOLE, cut=2_000_000), second)
    assert await downloaded(client, world) == b"others"


@pytest.mark.parametrize("headers", [{}, {"etag": 'W/"weak"'}])
async def test_it_begins_anew_when_nobody_knows_the_bytes(
    world: World, client: Client, headers: dict[str, str]
) -> None:
    reply = Reply(BYTES, headers=headers)
    world.set("/file", replace(reply, cut=2_000_000), reply)
    assert await downloaded(client, world) == BYTES
    assert "range" not in world.asked[1].headers


async def test_the_wrong_part_is_not_taken(world: World, client: Client) -> None:
    wrong = Reply(b"x" * 10, 206, {"content-range": "bytes 5-14/3200000", "etag": '"one"'})
    world.set("/file", replace(WHOLE, cut=2_000_000), wrong, WHOLE)
    assert await downloaded(client, world) == BYTES


async def test_a_file_that_shrank_is_taken_anew(world: World, client: Client) -> None:
    shrunk = Reply(status=416, headers={"content-range": "bytes */6"})
    world.set("/file", replace(WHOLE, cut=2_000_000), shrunk, Reply(b"others"))
    assert await downloaded(client, world) == b"others"


async def test_one_that_is_always_cut_off_fails(world: World, client: Client) -> None:
    world.set("/file", Reply(BYTES, cut=1_000, ranges=False))
    with pytest.raises(UpstreamUnavailable, match="Could not reach GitHub"):
        await downloaded(client, world)
    assert len(world.asked) == 4


async def test_a_missing_end_is_seen_by_the_size_that_was_told_elsewhere(world: World, client: Client) -> None:
    endless = Reply(BYTES, told=None)
    world.set("/file", replace(endless, cut=1_000_000), endless)
    assert await downloaded(client, world, size=len(BYTES)) == BYTES
    assert len(world.asked) == 2


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [1, 1_000_000, 50_000_000])
async def test_a_wrong_size_does_no_harm(
    world: World, client: Client, progress: Progress, size: int, *, chunked: bool
) -> None:
    """Upstream's progress raised when more bytes came than were told (defect 33)."""
    world.set("/file", Reply(BYTES, chunked=chunked))
    assert await downloaded(client, world, progress, size=size) == BYTES
    assert max(progress.told) <= 1.0


async def test_more_bytes_than_told_are_not_waited_for_without_end(world: World, client: Client) -> None:
    world.set("/file", Reply(BYTES, told=None))
    with pytest.raises(TooLarge):
        await downloaded(client, world, size=10, most_bytes=1_500_000)


async def test_too_large_is_not_tried_again(world: World, client: Client) -> None:
    world.set("/file", WHOLE)
    with pytest.raises(TooLarge, match="larger than 3 MB"):
        await downloaded(client, world, most_bytes=len(BYTES) - 1)
    assert len(world.asked) == 1
    assert await downloaded(client, world, most_bytes=len(BYTES)) == BYTES


async def test_what_is_not_there_is_told_by_its_status(world: World, client: Client) -> None:
    world.set("/file", Reply(status=404))
    with pytest.raises(UpstreamUnavailable, match="GitHub has nothing to download there: it answers 404"):
        await downloaded(client, world)


async def test_a_fault_is_tried_again(world: World, client: Client, waits: Waits) -> None:
    world.set("/file", Reply(status=503, headers={"retry-after": "9"}), WHOLE)
    assert await downloaded(client, world) == BYTES
    assert waits.seconds == [9.0]


async def test_who_stops_in_the_middle_is_asked_for_the_rest(world: World, client: Client) -> None:
    world.set("/file", Reply(BYTES, headers={"etag": '"one"'}, piece=2_000_000, pause=30), WHOLE)
    assert await downloaded(client, world) == BYTES
    assert world.asked[1].headers["range"] == "bytes=2000000-"


async def test_a_file_without_bytes_is_one(world: World, client: Client) -> None:
    world.set("/file", Reply(b""))
    assert await downloaded(client, world, size=10) == b""
    assert len(world.asked) == 1


async def test_a_file_elsewhere_is_taken_without_the_token(world: World, client: Client) -> None:
    async with World().open() as other:
        world.set("/file", Reply(status=302, headers={"location": f"{other.url}/there"}))
        other.set("/there", replace(WHOLE, cut=2_000_000), WHOLE)
        assert await downloaded(client, world) == BYTES
        assert other.asked[1].headers["range"] == "bytes=2000000-"
