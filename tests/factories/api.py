"""The API as a viewer meets it: operations on the real schema, database and stores."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from inspect import isawaitable
from pathlib import Path
from typing import Any

import pytest
from graphql import ExecutionResult, execute, parse, subscribe, validate
from redis.asyncio import Redis
from sqlalchemy import event

from resolvers.root import schema
from schema.context import Caller, Context
from schema.loaders import fresh_context
from tests.factories.database import LIMITS, SteppingClock
from tests.factories.groups import stored_group
from tests.factories.users import stored_user
from virtool_gql.access import Viewer
from virtool_gql.db.database import Database
from virtool_gql.embedded import ServiceUrls
from virtool_gql.errors import VirtoolError
from virtool_gql.events import Hub, Relay
from virtool_gql.files import Places
from virtool_gql.models.files import File, FileType
from virtool_gql.models.jobs import Job
from virtool_gql.models.samples import Sample
from virtool_gql.models.users import Permission
from virtool_gql.stores.postgres import PostgresStore
from virtool_gql.web.executor import AttributeExecutor
from virtool_gql.workflows import Workflow

GRAPHQL = schema._schema


class Watched:
    """The events of one subscription."""

    def __init__(self, results: AsyncIterator[ExecutionResult]) -> None:
        self._results = results

    async def next(self) -> dict[str, Any]:
        result = await anext(self._results)
        assert result.errors is None
        assert result.data is not None
        return dict(next(iter(result.data.values())))


class Api:
    """Operations as somebody; documents for them to work on."""

    def __init__(self, db: Database, clock: SteppingClock) -> None:
        self.db = db
        self.clock = clock
        assert isinstance(db.store.store, PostgresStore)
        self.store = db.store.store
        self.numbers = iter(range(1_000_000))

    def context(self, viewer: Viewer | None, *, token: str | None = None) -> Context:
        return fresh_context(self.db, Caller(viewer, "192.0.2.1", session_token=token))

    async def run(self, context: Viewer | Context | None, operation: str, **variables: Any) -> ExecutionResult:
        """Execute an operation, whatever comes of it."""
        if not isinstance(context, Context):
            context = self.context(context)
        document = parse(operation)
        assert validate(GRAPHQL, document) == []
        result = execute(
            GRAPHQL, document, context_value=context, variable_values=variables, executor_class=AttributeExecutor
        )
        return result if isinstance(result, ExecutionResult) else await result

    async def ask(self, context: Viewer | Context | None, operation: str, **variables: Any) -> Any:
        """Execute an operation without top-level errors; give the value of its only root field."""
        result = await self.run(context, operation, **variables)
        assert result.errors is None
        assert result.data is not None
        (value,) = result.data.values()
        return value

    async def code(self, context: Viewer | Context | None, operation: str, **variables: Any) -> str:
        """Execute an operation that has one top-level error; give its code."""
        result = await self.run(context, operation, **variables)
        (error,) = result.errors or []
        assert isinstance(error.original_error, VirtoolError)
        return str(error.original_error.code)

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Collect the SQL statements that are executed in the block."""
        executed: list[str] = []

        def note(_: Any, __: Any, statement: str, *___: Any) -> None:
            if "outbox" not in statement:
                executed.append(statement)

        event.listen(self.store.engine.sync_engine, "before_cursor_execute", note)
        try:
            yield executed
        finally:
            event.remove(self.store.engine.sync_engine, "before_cursor_execute", note)

    async def cursor(self, viewer: Viewer) -> str:
        """Give the cursor after all that was written until now."""
        async with asyncio.timeout(10):
            while await self.store.waiting(1):  # noqa: ASYNC110 # the relay is another process in earnest
                await asyncio.sleep(0.01)
        return str(await self.ask(viewer, "{ cursor }"))

    @asynccontextmanager
    async def subscribed(self, context: Viewer | Context, operation: str, **variables: Any) -> AsyncIterator[Watched]:
        if not isinstance(context, Context):
            context = self.context(context)
        document = parse(operation)
        assert validate(GRAPHQL, document) == []
        results: Any = subscribe(
            GRAPHQL, document, context_value=context, variable_values=variables, executor_class=AttributeExecutor
        )
        results = await results if isawaitable(results) else results
        assert not isinstance(results, ExecutionResult), results
        async with aclosing(results):
            yield Watched(results)

    async def refused(self, viewer: Viewer | None, operation: str, **variables: Any) -> list[Exception | None]:
        """Subscribe to what is refused; give the errors that it is refused with."""
        result: Any = subscribe(
            GRAPHQL, parse(operation), context_value=self.context(viewer), variable_values=variables
        )
        result = await result if isawaitable(result) else result
        assert isinstance(result, ExecutionResult)
        return [error.original_error for error in result.errors or []]

    async def viewer(
        self, handle: str, *permissions: Permission, administrator: bool = False, group_ids: tuple[str, ...] = ()
    ) -> Viewer:
        """Make a user of a group with the permissions; give them as a viewer."""
        if permissions:
            group_ids = (*group_ids, (await stored_group(self.db, f"Group of {handle}", *permissions)).id)
        _, viewer = await stored_user(self.db, handle, administrator=administrator, group_ids=group_ids)
        return viewer

    async def sample(self, owner: Viewer, **fields: Any) -> Sample:
        number = next(self.numbers)
        at = self.clock()
        made: dict[str, Any] = {"name": f"Sample {number}", "unique_key": f"sample {number}", "user_id": owner.user_id}
        return await self._stored(Sample(id=f"sample{number:02}", created_at=at, updated_at=at, **made | fields))

    async def file(self, owner: Viewer | None, **fields: Any) -> File:
        number = next(self.numbers)
        made = {"name": f"reads_{number}.fq.gz", "type": FileType.READS, "ready": True, "size": 10_000_000_000}
        user_id = owner.user_id if owner else None
        return await self._stored(
            File(id=f"file{number:04}", user_id=user_id, created_at=self.clock(), **made | fields),
        )

    async def job(self, owner: Viewer, **fields: Any) -> Job:
        made: dict[str, Any] = {
            "workflow": Workflow.CREATE_SAMPLE,
            "args": {"sample_id": "s1", "file_ids": []},
            "proc": 1,
            "mem": 2,
        }
        id = f"job{next(self.numbers):05}"
        return await self._stored(Job(id=id, user_id=owner.user_id, created_at=self.clock(), **made | fields))

    async def _stored(self, document: Any) -> Any:
        return (await self.db.store.insert(document))[0]


@pytest.fixture
async def api(services: ServiceUrls, postgres_url: str, redis: Redis, tmp_path: Path) -> AsyncIterator[Api]:
    """Give the API of an instance in which nothing is yet."""
    clock, places, hub = SteppingClock(), Places(tmp_path), Hub(services.redis)
    places.create()
    async with PostgresStore.open(postgres_url, clock=clock) as store:
        relay = Relay(redis, [store])
        async with relay.running(), hub.running():
            yield Api(Database(store, redis, hub, places, job_limits=LIMITS, clock=clock, bcrypt_rounds=4), clock)


@pytest.fixture
async def owner(api: Api) -> Viewer:
    return await api.viewer("owner", Permission.CREATE_SAMPLE, Permission.UPLOAD_FILE)


@pytest.fixture
async def stranger(api: Api) -> Viewer:
    """Give somebody who is signed in and may do nothing special."""
    return await api.viewer("stranger")


@pytest.fixture
async def administrator(api: Api) -> Viewer:
    return await api.viewer("administrator", administrator=True)
