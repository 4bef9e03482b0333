import asyncio
import fcntl
import os
import signal
import socket
import stat
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from virtool_gql.embedded import ServiceUrls, embedded_services, service_urls, shared_services
from virtool_gql.embedded.accounts import Account
from virtool_gql.embedded.folders import ServiceFolders
from virtool_gql.embedded.lock import DataPathInUse, exclusive
from virtool_gql.errors import ConfigError
from virtool_gql.executors import run_in_thread

ROOT = Path(__file__).resolve().parents[1]
STARTER = """
import asyncio, sys
from pathlib import Path
from virtool_gql.embedded import embedded_services

async def main():
    async with embedded_services(Path(sys.argv[1])):
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what another process does, of which no event tells."""
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.02)


async def execute(urls: ServiceUrls, *statements: str) -> None:
    connection = await asyncpg.connect(urls.postgres)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def values(urls: ServiceUrls) -> list[int]:
    connection = await asyncpg.connect(urls.postgres)
    try:
        return [row["value"] for row in await connection.fetch("SELECT value FROM kept ORDER BY value")]
    finally:
        await connection.close()


@asynccontextmanager
async def starter(data_path: Path) -> AsyncIterator[Process]:
    """Another process that runs the services until it is killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STARTER, str(data_path), cwd=ROOT, stdout=PIPE, stderr=PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def services_of(data_path: Path) -> list[psutil.Process]:
    """Give the live processes whose command line names the data path, but not the one that started them."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "status", "name"])
        if process.info["status"] != psutil.STATUS_ZOMBIE
        and process.info["name"] in {"postgres", "redis-server"}
        and str(data_path) in " ".join(process.info["cmdline"] or ())
    ]


async def test_the_services_answer_at_their_urls(services: ServiceUrls, redis: Redis) -> None:
    await execute(services, "SELECT 1")
    assert await redis.set("key", "value")
    assert await redis.get("key") == b"value"


async def test_redis_keeps_every_write_in_its_log(redis: Redis) -> None:
    settings = {name: (await redis.config_get(name))[name] for name in ("appendonly", "appendfsync", "save", "port")}
    assert settings == {"appendonly": "yes", "appendfsync": "everysec", "save": "", "port": "0"}


async def test_text_is_ordered_by_code_point(services: ServiceUrls) -> None:
    connection = await asyncpg.connect(services.postgres)
    assert await connection.fetchval("SELECT array_agg(t ORDER BY t) FROM unnest(ARRAY['b','é','a','B']) t") == [
        *("B", "a", "b", "é")
    ]
    assert await connection.fetchval("SELECT lower('ÉÇ')") == "éç"
    await connection.close()


async def test_data_survives_a_stop_and_a_start(tmp_path: Path) -> None:
    async with embedded_services(tmp_path) as urls:
        await execute(urls, "CREATE TABLE kept (value int)", "INSERT INTO kept VALUES (7)")
        async with Redis.from_url(urls.redis) as redis:
            await redis.set("kept", 7)
    assert services_of(tmp_path) == []
    async with embedded_services(tmp_path) as urls:
        assert await values(urls) == [7]
        async with Redis.from_url(urls.redis) as redis:
            assert await redis.get("kept") == b"7"


async def test_nothing_listens_on_tcp(tmp_path: Path) -> None:
    async with embedded_services(tmp_path):
        running = services_of(tmp_path)
        assert {process.name() for process in running} == {"postgres", "redis-server"}
        listening = [c for process in running for c in process.net_connections("inet")]
        assert listening == []


async def test_the_services_are_private_to_their_user(tmp_path: Path) -> None:
    async with embedded_services(tmp_path):
        for folder in ("", "postgres", "redis", "sockets", "postgres/data"):
            assert stat.S_IMODE((tmp_path / "services" / folder).stat().st_mode) == 0o700
        assert all(process.uids().effective != 0 for process in services_of(tmp_path))


async def test_only_the_service_that_is_asked_for_runs(tmp_path: Path) -> None:
    async with embedded_services(tmp_path, postgres=False) as urls:
        assert urls.postgres == ""
        assert [process.name() for process in services_of(tmp_path)] == ["redis-server"]


async def test_a_second_server_is_told_who_holds_the_data_path(tmp_path: Path) -> None:
    async with starter(tmp_path) as first:
        with pytest.raises(ConfigError, match=rf"Another server \(process {first.pid}\) uses the data path"):
            async with embedded_services(tmp_path):
                pass
        await execute(service_urls(tmp_path), "SELECT 1")


async def test_nothing_is_lost_when_the_server_is_killed(tmp_path: Path) -> None:
    async with starter(tmp_path) as server:
        urls = service_urls(tmp_path)
        await execute(urls, "CREATE TABLE kept (value int)", "INSERT INTO kept SELECT generate_series(0, 19)")
        async with Redis.from_url(urls.redis) as redis:
            await redis.rpush("kept", *range(20))
        server.kill()
        await server.wait()
    began = time.monotonic()
    async with embedded_services(tmp_path) as urls:
        assert time.monotonic() - began < 5
        assert await values(urls) == list(range(20))
        async with Redis.from_url(urls.redis) as redis:
            assert await redis.llen("kept") == 20
    assert services_of(tmp_path) == []


async def test_the_services_end_with_a_killed_server(tmp_path: Path) -> None:
    async with starter(tmp_path) as server:
        assert services_of(tmp_path) != []
        server.kill()
        await server.wait()
        await until(lambda: run_in_thread(lambda: services_of(tmp_path) == []))


async def test_everything_killed_at_once_is_recovered(tmp_path: Path) -> None:
    async with starter(tmp_path) as server:
        await execute(service_urls(tmp_path), "CREATE TABLE kept (value int)", "INSERT INTO kept VALUES (1)")
        for process in (*services_of(tmp_path), psutil.Process(server.pid)):
            process.kill()
        await server.wait()
    async with embedded_services(tmp_path) as urls:
        assert await values(urls) == [1]


async def test_a_lock_is_waited_for_when_its_owner_is_dead(tmp_path: Path) -> None:
    (tmp_path / "services").mkdir()
    async with starter(tmp_path / "other") as dead:
        dead.kill()
    lock = (tmp_path / "services" / "lock").open("w")
    lock.write(f"{dead.pid}\n")
    lock.flush()
    fcntl.flock(lock, fcntl.LOCK_EX)
    asyncio.get_running_loop().call_later(0.3, lock.close)
    async with embedded_services(tmp_path, postgres=False):
        assert lock.closed


async def test_no_service_starts_for_a_server_that_is_dead() -> None:
    account = Account(os.geteuid(), os.getegid())
    *command, parent, program = account.command("/bin/echo", death_signal="SIGTERM")
    assert parent == str(os.getpid())
    for given, output in ((parent, b"\n"), ("1", b"")):
        process = await asyncio.create_subprocess_exec(*command, given, program, stdout=PIPE)
        assert (await process.communicate())[0] == output


async def test_services_that_outlived_their_server_are_ended(tmp_path: Path) -> None:
    async with embedded_services(tmp_path) as urls:
        await execute(urls, "CREATE TABLE kept (value int)", "INSERT INTO kept VALUES (1)")
        left = {process.name(): process.cmdline() for process in services_of(tmp_path)}
        account = (tmp_path / "services" / "postgres").stat().st_uid
    command = ["setpriv", f"--reuid={account}", "--clear-groups", "--inh-caps=+dac_read_search"]
    command += ["--ambient-caps=+dac_read_search", "--securebits=+no_setuid_fixup"] if os.geteuid() == 0 else []
    orphan = await asyncio.create_subprocess_exec(
        *(command if os.geteuid() == 0 else []), *left["postgres"], stdout=DEVNULL, stderr=DEVNULL
    )
    pid_file = tmp_path / "services" / "postgres" / "data" / "postmaster.pid"
    await until(lambda: run_in_thread(_says_ready, pid_file))
    async with embedded_services(tmp_path) as urls:
        assert await orphan.wait() == 0
        assert await values(urls) == [1]


def _says_ready(pid_file: Path) -> bool:
    return pid_file.exists() and "ready" in pid_file.read_text()


async def test_a_stranger_with_a_pid_of_ours_is_let_alone(tmp_path: Path) -> None:
    async with embedded_services(tmp_path):
        pass
    stranger = await asyncio.create_subprocess_exec("sleep", "60")
    try:
        for name in ("postgres/data/postmaster.pid", "redis/redis.pid", "sockets/.s.PGSQL.5432.lock"):
            (tmp_path / "services" / name).write_text(f"{stranger.pid}\n")
        async with embedded_services(tmp_path) as urls:
            await execute(urls, "SELECT 1")
        assert stranger.returncode is None
    finally:
        stranger.kill()
        await stranger.wait()


@pytest.mark.parametrize("name", ["postgres", "redis-server"])
async def test_a_service_that_dies_is_started_again(tmp_path: Path, name: str) -> None:
    async with embedded_services(tmp_path) as urls:
        await execute(urls, "CREATE TABLE kept (value int)", "INSERT INTO kept VALUES (1)")
        next(process for process in services_of(tmp_path) if process.name() == name).send_signal(signal.SIGKILL)
        await until(lambda: _both_answer(urls))


async def _both_answer(urls: ServiceUrls) -> bool:
    try:
        async with Redis.from_url(urls.redis) as redis:
            return await values(urls) == [1] and bool(await redis.ping())
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, RedisError):
        return False


@pytest.mark.parametrize("name", ["a folder with 'quotes', commas: and ünïcode", "long" * 40])
async def test_any_data_path_will_do(tmp_path: Path, name: str) -> None:
    async with embedded_services(tmp_path / name) as urls:
        await execute(urls, "SELECT 1")
        async with Redis.from_url(urls.redis) as redis:
            assert await redis.ping()
        folder = Path(urls.redis.removeprefix("unix://").partition("?")[0]).parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not folder.exists()


async def test_a_half_made_cluster_is_made_anew(tmp_path: Path) -> None:
    unfinished = tmp_path / "services" / "postgres" / "unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    async with embedded_services(tmp_path, redis=False) as urls:
        await execute(urls, "SELECT 1")


async def test_the_files_of_another_postgres_are_refused(tmp_path: Path) -> None:
    data = tmp_path / "services" / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("17\n")
    with pytest.raises(ConfigError, match="made by PostgreSQL 17"):
        async with embedded_services(tmp_path):
            pass


async def test_what_a_service_says_is_told_when_it_cannot_start(tmp_path: Path) -> None:
    async with embedded_services(tmp_path):
        pass
    (tmp_path / "services" / "postgres" / "data" / "global" / "pg_control").unlink()
    with pytest.raises(ConfigError, match=r"PostgreSQL did not start: .*pg_control"):
        async with embedded_services(tmp_path):
            pass
    assert services_of(tmp_path) == []


async def test_a_data_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        async with embedded_services(tmp_path / "file"):
            pass


async def test_a_socket_folder_that_a_stranger_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "sockets").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="belongs to somebody else"):
        async with embedded_services(tmp_path):
            pass


async def test_a_stale_socket_is_no_hindrance(tmp_path: Path) -> None:
    async with embedded_services(tmp_path):
        pass
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "services" / "sockets" / "redis.sock"))
    async with embedded_services(tmp_path) as urls, Redis.from_url(urls.redis) as redis:
        assert await redis.ping()


async def test_whoever_runs_the_services_briefly_is_waited_for(tmp_path: Path) -> None:
    folders = ServiceFolders.of(tmp_path)

    async def take_turn() -> None:
        async with exclusive(folders, brief=True):
            pass

    async with exclusive(folders, brief=True):
        others = [asyncio.create_task(take_turn()) for _ in range(2)]
        assert (await asyncio.wait(others, timeout=0.5))[0] == set()
    async with asyncio.timeout(10):
        await asyncio.gather(*others)
    async with exclusive(folders):
        with pytest.raises(DataPathInUse, match=f"process {os.getpid()}\\)"):
            await take_turn()


async def test_services_are_shared_with_the_server_that_runs_them(tmp_path: Path) -> None:
    async with starter(tmp_path) as process:
        async with shared_services(tmp_path) as urls:
            await execute(urls, "CREATE TABLE kept (value int)", "INSERT INTO kept VALUES (1)")
        assert await values(service_urls(tmp_path)) == [1]
        process.kill()
        await process.wait()
    async with shared_services(tmp_path) as urls:
        assert await values(urls) == [1]
    assert services_of(tmp_path) == []
