"""Sessions and keys that end all at once."""

from redis.asyncio import Redis

from tests.factories.users import stored_user
from tests.redis_server import redis_server
from virtool_gql.db.credentials import Credentials, ended, works
from virtool_gql.db.database import Database
from virtool_gql.models.users import ApiKey, User
from virtool_gql.stores.redis import connect
from virtool_gql.stores.reset_codes import ResetCodes
from virtool_gql.stores.sessions import Sessions


async def logged_in(db: Database, user: User) -> str:
    return await db.sign_in.start_session(user, remember=False, address="192.0.2.1")


async def test_sessions_and_keys_end_with_the_version_of_the_credentials(db: Database, redis: Redis) -> None:
    user, viewer = await stored_user(db, "alice")
    kept, other = [await logged_in(db, user) for _ in range(2)]
    _, secret = await db.keys.create(viewer, "Script")
    [kept_id] = [session.id for session in (await db.credentials.sessions.peek_many([kept])).values()]
    user = (await db.store.replace(ended(user, but=kept_id)))[0]
    assert set(await db.sign_in.still_sessions([kept, other])) == {kept}
    assert await db.sign_in.by_session(kept) is not None
    assert await db.sign_in.by_session(other) is None
    assert await db.sign_in.by_key(secret) is None
    await db.credentials.forget(user.id)
    assert await db.store.count(ApiKey) == 0
    assert len(await redis.keys("session:*")) == 1
    await db.store.replace(ended(user))
    assert await db.sign_in.by_session(kept) is None
    await db.credentials.forget(user.id)
    assert await redis.keys("session*") == []


async def test_forgetting_leaves_what_works_and_what_others_have(db: Database) -> None:
    user, viewer = await stored_user(db, "alice")
    bob, _ = await stored_user(db, "bob")
    tokens = [await logged_in(db, somebody) for somebody in (user, bob)]
    _, secret = await db.keys.create(viewer, "Script")
    await db.credentials.forget(viewer.user_id)
    await db.credentials.forget("nobody00")
    assert set(await db.sign_in.still_sessions(tokens)) == set(tokens)
    assert await db.sign_in.by_key(secret) is not None


async def test_nobody_has_the_credentials_of_another(db: Database) -> None:
    alice, viewer = await stored_user(db, "alice")
    bob, _ = await stored_user(db, "bob")
    key, _ = await db.keys.create(viewer, "Script")
    assert works(alice, key)
    assert not works(bob, key)


async def test_credentials_end_although_redis_does_not_answer(db: Database) -> None:
    user, viewer = await stored_user(db, "alice")
    _, secret = await db.keys.create(viewer, "Script")
    async with redis_server() as server, connect(server.url) as client:
        await server.kill()
        user = (await db.store.replace(ended(user)))[0]
        await Credentials(db.store, Sessions(client), ResetCodes(client)).forget(user.id)
    assert await db.sign_in.by_key(secret) is None
    assert await db.store.count(ApiKey) == 0
