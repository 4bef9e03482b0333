import logging
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.factories.outside import Reply, Waits, World, gzipped, json_reply, limited
from virtool_gql.errors import UpstreamUnavailable
from virtool_gql.http import Client, Patience, TooLarge
from virtool_gql.http.client import _safe
from virtool_gql.version import running

QUICK = Patience(connect=1, read=0.2, total=20, tries=3, first_pause=1)
HURRIED = Patience(connect=1, read=5, total=0.3, tries=1)


@contextmanager
def unreachable(sentence: str) -> Iterator[None]:
    with pytest.raises(UpstreamUnavailable) as raised:
        yield
    assert raised.value.message == sentence


async def test_everybody_is_told_who_asks(world: World, client: Client) -> None:
    world.set("/x", Reply(b"yes"))
    assert (await client.get(f"{world.url}/x", "GitHub")).text == "yes"
    assert world.asked[0].headers["user-agent"] == f"virtool-gql/{running()}"


async def test_an_answer_that_was_compressed_for_the_way_is_read(world: World, client: Client) -> None:
    world.set("/x", gzipped(json_reply({"a": [1]})))
    assert (await client.get(f"{world.url}/x", "GitHub")).json(dict[str, list[int]]) == {"a": [1]}


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": ', b'{"a": "one"}', b"\xff"])
async def test_what_is_no_json_of_the_type_is_told_as_such(world: World, client: Client, body: bytes) -> None:
    world.set("/x", Reply(body))
    with pytest.raises(ValueError, match=r".+"):
        (await client.get(f"{world.url}/x", "GitHub")).json(dict[str, list[int]])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_what_will_not_change_is_not_asked_again(world: World, client: Client, status: int) -> None:
    world.set("/x", Reply(status=status))
    assert (await client.get(f"{world.url}/x", "GitHub", patience=QUICK)).status == status
    assert len(world.asked) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_fault_is_asked_again_after_pauses(world: World, client: Client, waits: Waits, status: int) -> None:
    world.set("/x", Reply(status=status), Reply(status=status), Reply(b"yes"))
    assert (await client.get(f"{world.url}/x", "GitHub", patience=QUICK)).text == "yes"
    assert waits.seconds == [1.0, 2.0]


def test_pauses_are_spread() -> None:
    assert (QUICK.pause(1, 0.0), QUICK.pause(1, 1.0), QUICK.pause(3, 0.5)) == (0.5, 1.5, 4.0)


async def test_a_fault_that_stays_is_the_answer(world: World, client: Client) -> None:
    world.set("/x", Reply(status=500))
    assert (await client.get(f"{world.url}/x", "GitHub", patience=QUICK)).status == 500
    assert len(world.asked) == 3


@pytest.mark.parametrize("status", [429, 403, 503])
async def test_who_says_how_long_to_wait_is_believed(world: World, client: Client, waits: Waits, status: int) -> None:
    world.set("/x", Reply(status=status, headers={"retry-after": "3"}), Reply(b"yes"))
    assert (await client.get(f"{world.url}/x", "NCBI", patience=QUICK)).text == "yes"
    assert waits.seconds == [3.0]


async def test_a_date_to_wait_for_is_believed(world: World, client: Client, waits: Waits) -> None:
    world.set("/x", Reply(status=429, headers={"retry-after": "Fri, 15 Jan 2027 08:00:07 GMT"}), Reply(b"yes"))
    assert (await client.get(f"{world.url}/x", "NCBI", patience=QUICK)).text == "yes"
    assert waits.seconds == [7.0]


async def test_nobody_is_asked_again_before_a_limit_ends(world: World, client: Client, waits: Waits) -> None:
    world.set("/x", limited(3_000, waits.now), Reply(b"yes"))
    for _ in range(3):
        with unreachable("GitHub takes no more requests before 08:50 UTC"):
            await client.get(f"{world.url}/x", "GitHub", patience=QUICK)
    assert len(world.asked) == 1
    assert waits.seconds == []
    waits.now += 3_001
    assert (await client.get(f"{world.url}/x", "GitHub", patience=QUICK)).text == "yes"


async def test_a_limit_of_one_is_no_limit_of_another(world: World, client: Client, waits: Waits) -> None:
    world.set("/x", limited(3_000, waits.now))
    with pytest.raises(UpstreamUnavailable):
        await client.get(f"{world.url}/x", "GitHub", patience=QUICK)
    async with World().open() as other:
        other.set("/x", Reply(b"yes"))
        assert (await client.get(f"{other.url}/x", "NCBI", patience=QUICK)).text == "yes"


async def test_a_limit_without_an_end_ends_after_the_tries(world: World, client: Client) -> None:
    world.set("/x", Reply(status=429))
    with unreachable("NCBI takes no more requests at the moment"):
        await client.get(f"{world.url}/x", "NCBI", patience=QUICK)
    assert len(world.asked) == 3


@pytest.mark.parametrize("asked", ["9999999999", "-5", "soon", "\u0663", "Fri, 99 Foo 2027"])
async def test_nonsense_and_eternity_are_not_believed(world: World, waits: Waits, asked: str) -> None:
    world.set("/x", Reply(status=429, headers={"retry-after": asked.encode().decode("latin-1")}), Reply(b"yes"))
    client = waits.client()
    if asked == "9999999999":
        with unreachable("NCBI takes no more requests before 10:00 UTC"):
            await client.get(f"{world.url}/x", "NCBI", patience=QUICK)
    else:
        assert (await client.get(f"{world.url}/x", "NCBI", patience=QUICK)).text == "yes"
    await client.close()


async def test_who_cannot_be_reached_is_named_and_not_where(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with unreachable("Could not reach NCBI"):
        await client.get("http://127.0.0.1:9/x", "NCBI", params={"api_key": "geheim"}, patience=QUICK)
    assert "Could not reach NCBI: ConnectError" in caplog.text
    assert "geheim" not in caplog.text


async def test_keys_are_in_no_log(world: World, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.set("/x", Reply(status=500))
    token = {"authorization": "Bearer geheim"}
    await client.get(f"{world.url}/x", "NCBI", params={"api_key": "geheim"}, headers=token, patience=QUICK)
    assert world.asked[0].query == {"api_key": "geheim"}
    assert "geheim" not in caplog.text


async def test_who_hangs_is_left_after_a_while(world: World, client: Client) -> None:
    world.set("/x", Reply(hangs=True))
    with unreachable("Could not reach GitHub"):
        await client.get(f"{world.url}/x", "GitHub", patience=QUICK)
    assert len(world.asked) == 3


async def test_who_drips_is_left_when_the_time_is_over(world: World, client: Client) -> None:
    world.set("/x", Reply(b"x" * 1_000, piece=1, pause=0.02))
    with unreachable("Could not reach GitHub"):
        await client.get(f"{world.url}/x", "GitHub", patience=HURRIED)


async def test_an_answer_that_is_cut_off_is_asked_for_again(world: World, client: Client) -> None:
    world.set("/x", Reply(b"whole", cut=2), Reply(b"whole"))
    assert (await client.get(f"{world.url}/x", "GitHub", patience=QUICK)).text == "whole"


async def test_what_says_that_it_is_compressed_and_is_not_is_no_answer(world: World, client: Client) -> None:
    world.set("/x", Reply(b"plain", headers={"content-encoding": "gzip"}))
    with unreachable("Could not reach GitHub"):
        await client.get(f"{world.url}/x", "GitHub", patience=QUICK)


@pytest.mark.parametrize(
    "reply", [Reply(b"x" * 1_001), gzipped(Reply(b"x" * 100_000)), Reply(b"x" * 1_001, chunked=True)]
)
async def test_an_answer_can_be_too_large(world: World, client: Client, reply: Reply) -> None:
    world.set("/x", Reply(b"x" * 1_000))
    assert len((await client.get(f"{world.url}/x", "NCBI", most_bytes=1_000)).body) == 1_000
    world.set("/x", reply)
    with pytest.raises(TooLarge):
        await client.get(f"{world.url}/x", "NCBI", most_bytes=1_000, patience=QUICK)
    assert len(world.asked) == 2


async def test_a_redirect_is_followed(world: World, client: Client) -> None:
    world.set("/old", Reply(status=301, headers={"location": "/new"}))
    world.set("/new", Reply(b"yes"))
    token = {"authorization": "Bearer geheim"}
    assert (await client.get(f"{world.url}/old", "GitHub", headers=token)).text == "yes"
    assert world.asked[1].headers["authorization"] == "Bearer geheim"


async def test_a_token_is_for_one_host_alone(world: World, client: Client) -> None:
    async with World().open() as other:
        world.set("/old", Reply(status=302, headers={"location": f"{other.url}/new", "set-cookie": "a=b"}))
        other.set("/new", Reply(b"yes"))
        token = {"authorization": "Bearer geheim"}
        assert (await client.get(f"{world.url}/old", "GitHub", headers=token)).text == "yes"
        assert "authorization" not in other.asked[0].headers
        assert "cookie" not in other.asked[0].headers


@pytest.mark.parametrize(
    ("to", "allowed"), [("http://a/y", False), ("http://b/y", False), ("https://b/y", True), ("https://a/y", True)]
)
def test_a_redirect_leads_to_no_less_safety(to: str, *, allowed: bool) -> None:
    request, following = httpx.Request("GET", "https://a/x"), httpx.Request("GET", to)
    if allowed:
        assert _safe(request, following) is following
    else:
        with pytest.raises(httpx.UnsupportedProtocol):
            _safe(request, following)


@pytest.mark.parametrize("location", ["/x", "ftp://example.org/x", "http://[", "file:///etc/passwd"])
async def test_a_redirect_to_nowhere_is_no_answer(world: World, client: Client, location: str) -> None:
    world.set("/x", Reply(status=302, headers={"location": location}))
    with unreachable("Could not reach GitHub"):
        await client.get(f"{world.url}/x", "GitHub", patience=Patience(tries=1))


@pytest.mark.parametrize("url", ["", "nonsense", "http://", "http://[::", "gopher://x/", "http://a b/"])
async def test_what_is_no_url_is_not_reached(client: Client, url: str) -> None:
    with unreachable("Could not reach GitHub"):
        await client.get(url, "GitHub", patience=QUICK)


async def test_a_proxy_is_asked_for_everything(world: World, waits: Waits) -> None:
    world.set("/x", Reply(b"by the proxy"))
    client = waits.client(world.url)
    assert (await client.get("http://nowhere.invalid/x", "GitHub")).text == "by the proxy"
    assert world.asked[0].headers["host"] == "nowhere.invalid"
    await client.close()


async def test_a_proxy_that_refuses_is_told(world: World, waits: Waits, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.set("/x", Reply(status=407))
    client = waits.client(world.url.replace("//", "//ada:geheim@"))
    with unreachable("Could not reach GitHub: the proxy refuses"):
        await client.get("http://nowhere.invalid/x", "GitHub")
    with unreachable("Could not reach GitHub: the proxy refuses"):
        await client.get("https://nowhere.invalid/x", "GitHub")
    assert "geheim" not in caplog.text
    await client.close()


async def test_the_client_can_be_closed_and_used_again(world: World, client: Client) -> None:
    world.set("/x", Reply(b"yes"))
    await client.close()
    await client.get(f"{world.url}/x", "GitHub")
    await client.close()
    assert (await client.get(f"{world.url}/x", "GitHub")).text == "yes"
