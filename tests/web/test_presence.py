"""Open connections, looked at again and again."""

from contextlib import AsyncExitStack

from resolvers.root import schema
from tests.factories.users import PASSWORD
from tests.web.serving import Stores, served


async def test_many_sockets_are_checked_with_few_statements(stores: Stores) -> None:
    async with served(stores, recheck_seconds=3600, sockets_per_user=100) as web, AsyncExitStack() as stack:
        for number in range(5):
            viewer = await web.api.viewer(f"user{number}")
            for _ in range(4):
                await stack.enter_async_context(web.socket(await web.cookie(viewer)))
        with web.api.statements() as statements:
            await web.edge.presence.recheck()
        assert len(statements) == 1
        assert len(web.edge.presence._connections) == 20


async def test_a_check_closes_only_what_has_ended(stores: Stores) -> None:
    async with served(stores, recheck_seconds=3600) as web:
        ada = await web.api.viewer("ada")
        token = await web.token(ada)
        headers = {"cookie": f"virtool_session={token}"}
        key = await web.key(ada)
        async with web.socket(headers) as ended, web.socket(key) as by_key, web.socket() as stranger:
            await web.db.sign_in.logout(token)
            await web.edge.presence.recheck()
            assert (await ended.closed())[0] == 4403
            for peer in (by_key, stranger):
                await peer.tell(type="ping")
                assert await peer.hear() == {"type": "pong"}


async def test_sockets_outlive_a_store_that_does_not_answer_for_a_moment(stores: Stores) -> None:
    async with served(stores, recheck_seconds=0.05) as web:
        cookie = await web.cookie(await web.api.viewer("ada"))
        async with web.socket(cookie) as peer:
            await stores.redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            await peer.ask("1", "{ handle }")
            assert (await peer.hear())["payload"]["data"] == {"handle": "ada"}


async def test_a_socket_that_changes_its_password_is_itself_at_once(stores: Stores) -> None:
    async with served(stores, on=schema, recheck_seconds=3600) as web:
        ada = await web.api.viewer("ada")
        async with web.socket(await web.cookie(ada)) as peer:
            change = f'{{oldPassword: "{PASSWORD}", password: "a better horse"}}'
            await peer.ask("1", f"mutation {{ updateAccount(input: {change}) {{ errors {{ message }} }} }}")
            assert (await peer.hear())["payload"]["data"] == {"updateAccount": {"errors": []}}
            assert (await peer.hear())["type"] == "complete"
            await peer.ask("2", 'mutation { createApiKey(input: {name: "A key"}) { key } }')
            key = (await peer.hear())["payload"]["data"]["createApiKey"]["key"]
            assert await web.db.sign_in.by_key(key) is not None
