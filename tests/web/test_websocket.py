"""GraphQL over WebSocket, by the letter of graphql-transport-ws."""

import asyncio
from typing import Any

import orjson
import pytest
from msgspec import structs
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

from resolvers.root import schema
from schema.ids import global_id
from tests.factories.conditions import until
from tests.web.serving import Peer, Stores, Web, served
from virtool_gql.access import Viewer
from virtool_gql.models.users import User

FILES = "subscription { files { ids } }"
INIT = {"type": "connection_init"}


async def end_of(connection: ClientConnection, *messages: Any) -> tuple[int | None, str | None]:
    """Send messages; give the code and reason that the socket is closed with."""
    for message in messages:
        await connection.send(message if isinstance(message, str | bytes) else orjson.dumps(message).decode())
    return await Peer(connection).closed()


async def test_a_query_and_a_mutation_are_answered_and_completed(web: Web) -> None:
    async with web.socket() as peer:
        for id, query in (("1", "{ name }"), ("2", "mutation { wait(seconds: 0) }")):
            await peer.ask(id, query)
            answer = await peer.hear()
            assert (answer["id"], answer["type"]) == (id, "next")
            assert answer["payload"]["data"] in ({"name": "node"}, {"wait": "done"})
            assert await peer.hear() == {"id": id, "type": "complete"}


async def test_a_subscription_gives_its_events_and_completes(web: Web) -> None:
    async with web.socket() as peer:
        await peer.ask('"odd" id', "subscription { lines { number text } }")
        for number in (1, 2, 3):
            data = {"lines": {"number": number, "text": f"line {number}"}}
            assert await peer.hear() == {"id": '"odd" id', "type": "next", "payload": {"data": data}}
        assert await peer.hear() == {"id": '"odd" id', "type": "complete"}


async def test_changes_arrive_and_stop_when_the_client_completes(web: Web, ada: Viewer) -> None:
    async with web.socket(await web.cookie(ada)) as peer:
        start = await web.db.hub.cursor()
        await peer.ask("1", f'subscription {{ files(after: "{start}") {{ ids cursor }} }}')
        first = await web.api.file(ada)
        assert (await peer.hear())["payload"]["data"]["files"]["ids"] == [first.id]
        await peer.tell(id="1", type="complete")
        await web.api.file(ada)
        await peer.ask("1", "{ name }")  # the id is free again
        assert (await peer.hear())["payload"]["data"] == {"name": "node"}


async def test_pings_are_answered_also_before_the_init(web: Web) -> None:
    async with web.connected() as connection:
        peer = Peer(connection)
        await peer.tell(type="ping")
        assert await peer.hear() == {"type": "pong"}
        await peer.tell(type="ping", payload={"a": 1})
        assert await peer.hear() == {"type": "pong", "payload": {"a": 1}}
        await peer.tell(type="pong")
        await peer.tell(**INIT)
        assert await peer.hear() == {"type": "connection_ack"}


@pytest.mark.parametrize("root", ["files", "changes"])
async def test_a_subscription_that_a_ping_behind_it_proves_misses_nothing(stores: Stores, root: str) -> None:
    async with served(stores, on=schema, subscriptions_per_socket=20) as web:
        ada = await web.api.viewer("ada", administrator=True)
        async with web.socket(await web.cookie(ada)) as peer:
            for number in range(20):  # each of another name, so that none joins the source of another
                await peer.ask(str(number), f"subscription S{number} {{ {root} {{ ids }} }}")
                await peer.tell(type="ping", payload={"number": number})
                assert await peer.hear() == {"type": "pong", "payload": {"number": number}}
                file = await web.api.file(ada)
                told = [await peer.hear() for _ in range(number + 1)]
                assert {message["id"] for message in told} == {str(earlier) for earlier in range(number + 1)}
                assert {ids_of(message, root) for message in told} == {global_id("file", file.id)}


def ids_of(message: dict[str, Any], root: str) -> str:
    [id] = message["payload"]["data"][root]["ids"]
    return str(id)


@pytest.mark.parametrize(
    ("messages", "code", "reason"),
    [
        (["nonsense"], 4400, "Invalid message received"),
        (["[]"], 4400, "Invalid message received"),
        ([INIT, '{"id":"1","type":"subscribe","payload":{"query":"'], 4400, "Invalid message received"),
        ([{"no": "type"}], 4400, "Invalid message received"),
        ([{"type": "subscribe2"}], 4400, "Invalid message received"),
        ([{"type": "connection_init", "payload": []}], 4400, "Invalid message received"),
        ([b"{}"], 4400, "Messages are text"),
        ([{"id": "1", "type": "subscribe", "payload": {"query": "{ name }"}}], 4401, "Unauthorized"),
        ([INIT, INIT], 4429, "Too many initialisation requests"),
        ([INIT, {"id": "1", "type": "subscribe"}], 4400, "Invalid message received"),
        ([INIT, {"id": "1", "type": "subscribe", "payload": {}}], 4400, "Invalid message received"),
        ([INIT, {"id": "", "type": "subscribe", "payload": {"query": "{ name }"}}], 4400, "Invalid message received"),
        ([INIT, {"type": "complete"}], 4400, "Invalid message received"),
        ([{"type": "ping", "payload": {"x": "y" * (128 * 1024)}}], 1009, None),
    ],
)
async def test_a_bad_message_closes_the_socket_with_its_code(
    web: Web, messages: list[Any], code: int, reason: str | None
) -> None:
    async with web.connected() as connection:
        closed = await end_of(connection, *messages)
    assert closed[0] == code
    assert reason in (None, closed[1])


async def test_an_id_that_is_in_use_closes_the_socket(web: Web, ada: Viewer) -> None:
    async with web.socket(await web.cookie(ada)) as peer:
        await peer.ask("1", FILES)
        await peer.ask("1", FILES)
        assert await peer.closed() == (4409, "Subscriber for 1 already exists")


async def test_the_init_must_come_in_time(stores: Stores) -> None:
    async with served(stores, init_seconds=0.2) as web, web.connected() as connection:
        assert await Peer(connection).closed() == (4408, "Connection initialisation timeout")


async def test_another_subprotocol_is_not_acceptable(web: Web) -> None:
    async with web.connected(subprotocols=None) as connection:
        assert await Peer(connection).closed() == (4406, "Subprotocol not acceptable")


async def test_a_bad_operation_ends_itself_alone(web: Web, ada: Viewer) -> None:
    async with web.socket(await web.cookie(ada)) as peer:
        start = await web.db.hub.cursor()
        await peer.ask("good", f'subscription {{ files(after: "{start}") {{ ids }} }}')
        bad = {
            "{": "GRAPHQL_PARSE_FAILED",
            "{ nothing }": "GRAPHQL_VALIDATION_FAILED",
            "subscription { nothing }": "GRAPHQL_VALIDATION_FAILED",
            "query($t: String!) { echo(text: $t) }": "BAD_USER_INPUT",
            'subscription { files(after: "nonsense") { ids } }': "BAD_USER_INPUT",
            "{" + "node {" * 12 + "name" + "}" * 13: "QUERY_TOO_COMPLEX",
        }
        for query, code in bad.items():
            await peer.ask("bad", query)
            message = await peer.hear()
            assert (message["id"], message["type"]) == ("bad", "error")
            assert message["payload"][0]["extensions"]["code"] == code
        file = await web.api.file(ada)
        assert (await peer.hear())["payload"]["data"]["files"]["ids"] == [file.id]


@pytest.mark.parametrize("value", ['"\\ud800"', "1e400", "9" * 5_000, "[" * 10_000 + "]" * 10_000])
@pytest.mark.parametrize("head", ['{"id":"bad","type":"subscribe"', ' { "type" : "subscribe" , "id" : "bad"'])
async def test_a_payload_that_cannot_be_represented_ends_its_operation_alone(web: Web, head: str, value: str) -> None:
    async with web.socket() as peer:
        await peer.connection.send(head + f',"payload":{{"query":"{{ name }}","variables":{{"a":{value}}}}}}}')
        message = await peer.hear()
        assert (message["id"], message["type"]) == ("bad", "error")
        assert message["payload"][0]["extensions"]["code"] == "BAD_USER_INPUT"
        await peer.ask("good", "{ name }")
        assert (await peer.hear())["payload"]["data"] == {"name": "node"}


async def test_a_source_that_fails_ends_with_a_masked_error(web: Web) -> None:
    async with web.socket() as peer:
        await peer.ask("1", "subscription { failing { text } }")
        assert (await peer.hear())["type"] == "next"
        message = await peer.hear()
        assert message["type"] == "error"
        assert message["payload"][0]["message"] == "Internal error."
        await peer.ask("1", "{ name }")
        assert (await peer.hear())["type"] == "next"


async def test_a_field_that_fails_in_an_event_is_masked_and_the_rest_goes_on(web: Web, ada: Viewer) -> None:
    async with web.socket(await web.cookie(ada)) as peer:
        start = await web.db.hub.cursor()
        await peer.ask("1", f'subscription {{ files(after: "{start}") {{ ids broken }} }}')
        for _ in range(2):
            await web.api.file(ada)
            payload = (await peer.hear())["payload"]
            assert payload["errors"][0]["message"] == "Internal error."
            assert payload["data"]["files"]["broken"] is None


async def test_a_cursor_older_than_the_log_ends_the_subscription(web: Web, ada: Viewer) -> None:
    for _ in range(3):
        await web.api.file(ada)
    await until(lambda: reached(web, 3))
    await web.redis.xtrim("events", maxlen=1, approximate=False)
    async with web.socket(await web.cookie(ada)) as peer:
        await peer.ask("1", 'subscription { files(after: "1-0") { ids } }')
        message = await peer.hear()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "CURSOR_EXPIRED")


async def reached(web: Web, length: int) -> bool:
    return int(await web.redis.xlen("events")) >= length


# Who asks


async def test_a_socket_signs_in_by_cookie_header_or_payload(web: Web, ada: Viewer) -> None:
    cookie, key = await web.cookie(ada), await web.key(ada)
    for headers, payload in ((cookie, None), (key, None), ({}, {"Authorization": key["authorization"]})):
        async with web.socket(headers, payload) as peer:
            await peer.ask("1", "{ handle }")
            assert (await peer.hear())["payload"]["data"] == {"handle": "ada"}


async def test_a_stranger_may_ask_what_strangers_may(web: Web) -> None:
    async with web.socket() as peer:
        await peer.ask("1", "{ name }")
        assert (await peer.hear())["type"] == "next"
        await peer.hear()
        await peer.ask("2", FILES)
        message = await peer.hear()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")


@pytest.mark.parametrize("authorization", ["Bearer wrong", "nonsense"])
async def test_a_bad_credential_in_the_payload_is_forbidden(web: Web, authorization: str) -> None:
    async with web.connected() as connection:
        init = {"type": "connection_init", "payload": {"Authorization": authorization}}
        assert (await end_of(connection, init))[0] == 4403


async def test_a_cookie_needs_a_known_origin(stores: Stores) -> None:
    async with served(stores, origins=("https://lab.example",)) as web:
        cookie = await web.cookie(await web.api.viewer("ada"))
        for origin in ("https://evil.example", f"{web.url}.evil.example", "null"):
            with pytest.raises(InvalidStatus):
                async with web.connected({**cookie, "origin": origin}):
                    pass
        for origin in ("https://lab.example", web.url):
            async with web.socket({**cookie, "origin": origin}) as peer:
                await peer.ask("1", "{ handle }")
                assert (await peer.hear())["payload"]["data"] == {"handle": "ada"}


async def test_logging_in_and_out_on_a_socket_counts_for_it(web: Web, ada: Viewer) -> None:
    async with web.socket() as peer:
        await peer.ask("1", f'mutation {{ login(userId: "{ada.user_id}") }}')
        assert [(await peer.hear())["type"] for _ in range(2)] == ["next", "complete"]
        await peer.ask("2", "{ handle }")
        assert (await peer.hear())["payload"]["data"] == {"handle": "ada"}
        assert (await peer.hear())["type"] == "complete"
        await peer.ask("3", "mutation { logout }")
        assert (await peer.closed())[0] == 4403


async def test_a_socket_that_signs_in_anew_tells_the_former_user_nothing_more(web: Web, ada: Viewer) -> None:
    bob = await web.api.viewer("bob")
    async with web.socket(await web.cookie(ada)) as peer:
        await peer.ask("adas", FILES)
        await peer.ask("login", f'mutation {{ login(userId: "{bob.user_id}") }}')
        assert [(await peer.hear())["type"] for _ in range(2)] == ["next", "complete"]
        ended = await peer.hear()
        assert (ended["id"], ended["type"]) == ("adas", "error")
        assert ended["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        await peer.ask("bobs", "{ handle }")
        assert (await peer.hear())["payload"]["data"] == {"handle": "bob"}


async def test_signing_in_counts_as_opening_a_socket(stores: Stores) -> None:
    async with served(stores, sockets_per_user=1) as web:
        ada = await web.api.viewer("ada")
        async with web.socket(await web.cookie(ada)), web.socket() as second:
            await second.ask("1", f'mutation {{ login(userId: "{ada.user_id}") }}')
            assert await second.closed() == (4429, "There are 1 open sockets already; close one.")


async def test_a_login_that_is_cut_off_signs_nobody_in(web: Web, ada: Viewer) -> None:
    async with web.socket() as peer:
        await peer.ask("1", f'mutation {{ login(userId: "{ada.user_id}") wait(seconds: 60) }}')
        await until(lambda: web.redis.keys("session:*"))
        await peer.ask("2", "{ slow(seconds: 0.2) }")  # by then the caller is known to the operation
        assert [(await peer.hear())["type"] for _ in range(2)] == ["next", "complete"]
        await peer.tell(id="1", type="complete")
        await peer.ask("3", "{ handle }")
        message = await peer.hear()
        assert message["payload"]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


# Rights while the socket is open


async def test_an_ended_session_closes_its_sockets_within_two_seconds(web: Web, ada: Viewer) -> None:
    token, other = await web.token(ada), await web.token(ada)
    async with web.socket(session(token)) as peer, web.socket(session(other)) as staying:
        await peer.ask("1", FILES)
        await staying.ask("1", FILES)
        started = asyncio.get_running_loop().time()
        await web.db.sign_in.logout(token)
        assert await peer.closed() == (4403, "Signed out")
        assert asyncio.get_running_loop().time() - started < 2
        file = await web.api.file(ada)
        assert (await staying.hear())["payload"]["data"]["files"]["ids"] == [file.id]


async def test_a_revoked_key_closes_its_sockets(web: Web, ada: Viewer) -> None:
    key, secret = await web.db.keys.create(ada, "A key")
    async with web.socket({"authorization": f"Bearer {secret}"}) as peer:
        await web.db.keys.delete(ada, key.id)
        assert (await peer.closed())[0] == 4403


async def test_deactivating_a_user_closes_their_sockets(web: Web, ada: Viewer) -> None:
    async with web.socket(await web.cookie(ada)) as peer:
        user = await web.db.store.get(User, ada.user_id)
        assert user is not None
        await web.db.store.replace(structs.replace(user, active=False))
        assert (await peer.closed())[0] == 4403


async def test_a_changed_viewer_reaches_running_subscriptions(web: Web, ada: Viewer) -> None:
    async with web.socket(await web.cookie(ada)) as peer:
        await peer.ask("1", "subscription { files { handle } }")
        await until(lambda: web.edge.cohorts._all)
        user = await web.db.store.get(User, ada.user_id)
        assert user is not None
        await web.db.store.replace(structs.replace(user, handle="lovelace"))
        await until(lambda: next(iter(web.edge.cohorts._all)).caller.viewer.handle == "lovelace")
        await web.api.file(ada)
        assert (await peer.hear())["payload"]["data"]["files"]["handle"] == "lovelace"


def session(token: str) -> dict[str, str]:
    return {"cookie": f"virtool_session={token}"}


# Limits


async def test_a_socket_has_at_most_so_many_operations(stores: Stores) -> None:
    async with served(stores, subscriptions_per_socket=2) as web:
        ada = await web.api.viewer("ada")
        async with web.socket(await web.cookie(ada)) as peer:
            for id in ("1", "2", "3"):
                await peer.ask(id, FILES)
            message = await peer.hear()
            assert (message["id"], message["payload"][0]["extensions"]["code"]) == ("3", "RATE_LIMITED")
            await peer.tell(id="1", type="complete")
            await peer.ask("3", "{ name }")
            assert (await peer.hear())["type"] == "next"


async def test_a_user_has_at_most_so_many_sockets(stores: Stores) -> None:
    async with served(stores, sockets_per_user=2) as web:
        cookie = await web.cookie(await web.api.viewer("ada"))
        async with web.socket(cookie), web.socket(cookie):
            async with web.connected(cookie) as third:
                assert (await end_of(third, INIT))[0] == 4429
            async with web.socket(await web.cookie(await web.api.viewer("bob"))):
                pass
        async with web.socket(cookie):
            pass


async def test_a_frame_may_have_n_bytes_and_not_one_more(stores: Stores) -> None:
    async with served(stores, frame_bytes=1000) as web:
        async with web.socket() as peer:
            await peer.connection.send('{"type":"ping"}'.ljust(1000))
            assert await peer.hear() == {"type": "pong"}
            assert (await end_of(peer.connection, '{"type":"ping"}'.ljust(1001)))[0] == 1009
        async with web.socket() as peer:
            wide = '{"type":"ping","payload":{"u":"' + "ü" * 490 + '"}}'
            assert (await end_of(peer.connection, wide))[0] == 1009


async def test_a_client_that_does_not_read_is_ended_and_holds_up_nobody(stores: Stores) -> None:
    async with served(stores, waiting_bytes=1_000_000) as web:
        ada = await web.api.viewer("ada", administrator=True)
        cookie = await web.cookie(ada)
        query = "subscription { files { cursor filler(size: 300000) } }"
        async with web.socket(cookie, max_queue=1) as slow, web.socket(cookie) as quick:
            await slow.ask("s", query)
            await quick.ask("q", query)
            await until(lambda: sum(len(cohort.members) for cohort in web.edge.cohorts._all) == 2)
            cursors = []
            for _ in range(60):
                await web.api.file(ada)
                cursors.append((await quick.hear())["payload"]["data"]["files"]["cursor"])
            heard = []
            message = await slow.hear()
            while message["type"] == "next":
                heard.append(message["payload"]["data"]["files"]["cursor"])
                message = await slow.hear()
            assert heard == cursors[: len(heard)]
            assert len(heard) < 60
            extensions = message["payload"][0]["extensions"]
            assert (message["type"], extensions["code"]) == ("error", "SLOW_CONSUMER")
            assert extensions["cursor"] == heard[-1]
            await slow.ask("s", f'subscription {{ files(after: "{heard[-1]}") {{ cursor }} }}')
            resumed = [(await slow.hear())["payload"]["data"]["files"]["cursor"] for _ in cursors[len(heard) :]]
            assert resumed == cursors[len(heard) :]
