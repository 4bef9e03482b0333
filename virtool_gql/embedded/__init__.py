"""The PostgreSQL and Redis that a server runs when it is given none: in its data path, on Unix sockets only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from virtool_gql.embedded.accounts import service_account
from virtool_gql.embedded.children import Child
from virtool_gql.embedded.folders import ServiceFolders
from virtool_gql.embedded.lock import DataPathInUse, exclusive
from virtool_gql.embedded.postgres import create_cluster, postgres_program, postgres_url
from virtool_gql.embedded.redis import redis_program, redis_url

__all__ = ["ServiceUrls", "embedded_services", "service_urls", "shared_services"]

SERVER_START_SECONDS = 60.0
PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class ServiceUrls:
    """Where the services are; empty for one that is not ours."""

    postgres: str
    redis: str


def service_urls(data_path: Path, *, postgres: bool = True, redis: bool = True) -> ServiceUrls:
    """Tell where the services of a data path are to be found while a server runs them."""
    sockets = ServiceFolders.of(data_path).sockets
    return ServiceUrls(postgres_url(sockets) if postgres else "", redis_url(sockets) if redis else "")


@asynccontextmanager
async def embedded_services(
    data_path: Path, *, postgres: bool = True, redis: bool = True, brief: bool = False
) -> AsyncIterator[ServiceUrls]:
    """Run the services while the block lasts; raise ConfigError when another server runs them on this data path.

    Others who want to run them wait for the end of a brief block. Enter it in the main thread: the services end with
    the thread that started them, so that none outlives the server.
    """
    folders = ServiceFolders.of(data_path)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(exclusive(folders, brief=brief))
        account = service_account(folders)
        folders.create(account)
        stack.callback(folders.clear)
        if postgres:
            await create_cluster(folders, account)
            await stack.enter_async_context(Child(postgres_program(folders), account).running())
        if redis:
            await stack.enter_async_context(Child(redis_program(folders), account).running())
        yield service_urls(data_path, postgres=postgres, redis=redis)


@asynccontextmanager
async def shared_services(data_path: Path, *, postgres: bool = True, redis: bool = True) -> AsyncIterator[ServiceUrls]:
    """Have the services for a moment: those of the server that runs them, also if it is just starting, or else ours."""
    time = asyncio.get_running_loop().time
    deadline = time() + SERVER_START_SECONDS
    async with AsyncExitStack() as stack:
        while True:
            try:
                ours = embedded_services(data_path, postgres=postgres, redis=redis, brief=True)
                urls = await stack.enter_async_context(ours)
                break
            except DataPathInUse:
                if await _answer(data_path, postgres=postgres, redis=redis):
                    urls = service_urls(data_path, postgres=postgres, redis=redis)
                    break
                if time() > deadline:
                    raise
            await asyncio.sleep(PAUSE_SECONDS)
        yield urls


async def _answer(data_path: Path, *, postgres: bool, redis: bool) -> bool:
    folders = ServiceFolders.of(data_path)
    programs = [*([postgres_program(folders)] if postgres else []), *([redis_program(folders)] if redis else [])]
    return all([await program.answers() for program in programs])
