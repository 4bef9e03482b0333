"""The composition root: opens the stores, and puts the parts together."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import strawberry
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from jobs.manager import JobManager
from jobs.manager import Limits as JobRoom
from jobs.workflow import ServiceUrls
from resolvers.root import schema
from schema.loaders import fresh_context
from virtool_gql.config import Config
from virtool_gql.db.database import Database
from virtool_gql.db.jobs import JobLimits
from virtool_gql.db.outside import Outside
from virtool_gql.embedded import embedded_services
from virtool_gql.events import Hub, Relay
from virtool_gql.executors import run_in_thread
from virtool_gql.files import Places
from virtool_gql.serving import ON_SHUTDOWN
from virtool_gql.stores.documents import Documents
from virtool_gql.stores.migrations import migrate as migrate_tables
from virtool_gql.stores.opening import StoreUrls, open_store, outboxes_of
from virtool_gql.stores.redis import connect
from virtool_gql.tasks.file_manager import file_manager
from virtool_gql.tasks.periodic import repeated
from virtool_gql.tasks.settings import Settings
from virtool_gql.tasks.supervisor import Supervisor
from virtool_gql.web.downloads import Downloads
from virtool_gql.web.edge import Edge, make_edge
from virtool_gql.web.explorer import Explorer
from virtool_gql.web.exports import Exports
from virtool_gql.web.fasta import FastaDownloads
from virtool_gql.web.health import Health
from virtool_gql.web.http import GraphQLEndpoint
from virtool_gql.web.identity import PREFLIGHT, Identifier
from virtool_gql.web.operations import Operations
from virtool_gql.web.plain import EXCEPTION_HANDLERS, Stamped
from virtool_gql.web.streams import Streams
from virtool_gql.web.uploads import Uploads

SWEEP_SECONDS = 600.0
EXPIRY_SECONDS = 5.0
GC_THRESHOLDS = (5_000, 3, 500)
"""Small collections, so that none holds the event loop for long; few of all that thousands of subscriptions keep."""


@dataclass(frozen=True, slots=True)
class Instance:
    """Everything that is open."""

    urls: ServiceUrls
    redis: Redis
    db: Database


@asynccontextmanager
async def services(config: Config) -> AsyncIterator[ServiceUrls]:
    """Have all services while the block lasts, those that are not configured as children of ours."""
    places = Places(config.data_path)
    await run_in_thread(places.create)
    own = {"postgres": config.postgres_url is None, "redis": config.redis_url is None}
    async with AsyncExitStack() as stack:
        ours = (
            await stack.enter_async_context(embedded_services(config.data_path, **own)) if any(own.values()) else None
        )
        yield ServiceUrls(
            stores=StoreUrls(config.postgres_url or (ours.postgres if ours else ""), config.mongo_url),
            redis=config.redis_url or (ours.redis if ours else ""),
        )


async def migrate(config: Config) -> None:
    """Bring the stores to what this version needs."""
    async with services(config) as urls:
        await _migrate(urls.stores)


async def _migrate(urls: StoreUrls) -> None:
    await migrate_tables(urls.postgres)
    async with open_store(urls):
        pass  # MongoDB's indexes are made by opening it


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[Instance]:
    """Open everything, and close it in reverse."""
    async with AsyncExitStack() as stack:
        urls = await stack.enter_async_context(services(config))
        await _migrate(urls.stores)
        redis = connect(urls.redis)
        stack.push_async_callback(redis.aclose)
        relays: list[Relay] = []
        store = await stack.enter_async_context(
            open_store(urls.stores, on_announced=lambda: relays[0].wake() if relays else None)
        )
        relays.append(Relay(redis, outboxes_of(store)))
        await stack.enter_async_context(relays[0].running())
        yield Instance(urls, redis, await _database(stack, config, store, redis, urls.redis))


async def _database(stack: AsyncExitStack, config: Config, store: Documents, redis: Redis, redis_url: str) -> Database:
    hub = Hub(redis_url)
    await stack.enter_async_context(hub.running())
    limits = JobLimits(sm_proc=config.sm_proc, sm_mem=config.sm_mem, lg_proc=config.lg_proc, lg_mem=config.lg_mem)
    outside = Outside.of(config)
    await stack.enter_async_context(outside.client)
    return Database(
        store,
        redis,
        hub,
        Places(config.data_path),
        job_limits=limits,
        logins_per_minute=config.limits.logins_per_minute,
        outside=outside,
    )


def job_manager(config: Config, instance: Instance) -> JobManager:
    return JobManager(instance.db.instance, instance.urls, JobRoom(proc=config.proc, mem=config.mem))


def task_supervisor(config: Config, instance: Instance) -> Supervisor:
    urls = instance.urls
    return Supervisor(Settings(stores=urls.stores, redis=urls.redis, server_pid=os.getpid(), config=config))


async def run_jobs(config: Config, stopped: asyncio.Event) -> None:
    """Run jobs, and nothing else, until the event is set."""
    async with opened(config) as instance, job_manager(config, instance).running():
        await stopped.wait()


def edge_of(config: Config, db: Database, on: strawberry.Schema) -> Edge:
    """Make the GraphQL edge of a database."""
    operations = Operations(on, lambda caller: fresh_context(db, caller, config.limits), db.hub.cursor, config.limits)
    return make_edge(
        operations,
        Identifier(db.sign_in),
        config.limits,
        frozenset(config.allowed_origins),
        secure_cookies=config.secure_cookies,
    )


class Application:
    """What uvicorn serves. `/graphql` comes before everything else, because it is what most requests want."""

    def __init__(self, config: Config, on: strawberry.Schema = schema) -> None:
        self.config = config
        self.schema = on
        self.graphql: ASGIApp | None = None
        self.others: ASGIApp = Starlette(lifespan=self._lifespan)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.graphql is not None and scope["type"] != "lifespan" and scope["path"] == "/graphql":
            await self.graphql(scope, receive, send)
        else:
            await self.others(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            instance = await stack.enter_async_context(opened(self.config))
            if self.config.postgres_url is None:
                await instance.db.sweeps.remove_unfinished()  # a database of ours has no other server
                await instance.db.task_runs.abandon_all()
            edge = await stack.enter_async_context(self.serving(instance.db, instance.redis))
            for name, work, seconds in (
                ("Removing abandoned uploads", instance.db.sweeps.remove_abandoned_uploads, SWEEP_SECONDS),
                ("Removing deleted samples", instance.db.sweeps.remove_deleted_samples, SWEEP_SECONDS),
                ("Removing stray diffs", instance.db.sweeps.remove_stray_diffs, SWEEP_SECONDS),
                ("Giving keys to the names of samples", instance.db.settings.mend_names, SWEEP_SECONDS),
                ("Removing expired files", instance.db.sweeps.remove_expired, EXPIRY_SECONDS),
            ):
                await stack.enter_async_context(repeated(name, work, seconds))
            if not self.config.no_file_manager:
                await stack.enter_async_context(file_manager(self.config, instance.db))
            if not self.config.no_tasks:
                await stack.enter_async_context(task_supervisor(self.config, instance).running())
            if not self.config.no_runner:
                await stack.enter_async_context(job_manager(self.config, instance).running())
            _tune_collector()
            yield {ON_SHUTDOWN: edge.presence.hang_up}

    @asynccontextmanager
    async def serving(self, db: Database, redis: Redis) -> AsyncIterator[Edge]:
        """Answer requests from the database while the block lasts."""
        edge = edge_of(self.config, db, self.schema)
        explorer, streams = Explorer(), Streams()
        routes = [
            *Uploads(db, edge.identifier).routes(),
            *Downloads(db, edge.identifier).routes(),
            *FastaDownloads(db, edge.identifier, streams).routes(),
            *Exports(db, edge.identifier, streams).routes(),
            *Health(db.store, redis).routes(),
            *explorer.routes(),
        ]
        self.others = Stamped(Starlette(routes=routes, exception_handlers=EXCEPTION_HANDLERS))
        async with edge.presence.running():
            self.graphql = GraphQLEndpoint(edge, explorer.page)
            try:
                yield edge
            finally:
                self.graphql = None
                await edge.cohorts.close()
                await db.jobs.close()


def build(config: Config) -> ASGIApp:
    """Make the application; what it needs is opened when it starts."""
    application = Application(config)
    return with_origins(application, config.allowed_origins) if config.allowed_origins else application


def with_origins(application: ASGIApp, origins: tuple[str, ...]) -> ASGIApp:
    """Let pages of other origins read our answers."""
    return CORSMiddleware(
        application,
        allow_origins=origins,
        allow_credentials=True,
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type", "last-event-id", PREFLIGHT],
        expose_headers=["x-request-id", "x-virtool-version"],
    )


def _tune_collector() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
