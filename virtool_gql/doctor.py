"""What an operator wants to know first: versions, tools, limits, and which services can be reached."""

import asyncio
import platform
import shutil
from dataclasses import asdict
from urllib.parse import parse_qs, unquote, urlsplit

from virtool_gql.config import SETTINGS, Config, Machine
from virtool_gql.embedded import service_urls
from virtool_gql.errors import ConfigError
from virtool_gql.executors import run_in_thread
from virtool_gql.setting_values import masked
from virtool_gql.version import version

TOOLS = ("setpriv", "git", "node", "npm", "go", "bowtie2", "samtools", "skewer", "spades.py", "hmmpress", "fastqc")
PORTS = {"postgresql": 5432, "postgres": 5432, "redis": 6379, "rediss": 6379, "mongodb": 27017}
ANSWER_SECONDS = 3.0
TRIAL_SECONDS = 10.0


async def report(config: Config, machine: Machine) -> list[str]:
    """Describe the machine, the configuration, the services and the tools, a finding in each line."""
    findings = {
        "virtool-gql": version(),
        "python": platform.python_version(),
        "machine": f"{machine.proc} processors, {machine.mem} GB",
        **config.shown(),
        **{f"limit {name}": str(value) for name, value in asdict(config.limits).items()},
        **await _services(config),
        **{f"tool {name}": shutil.which(name) or "not found" for name in TOOLS},
    }
    return [f"{name:<32}{finding}" for name, finding in findings.items()]


async def _services(config: Config) -> dict[str, str]:
    own = service_urls(config.data_path)
    urls = {
        "PostgreSQL": config.postgres_url or own.postgres,
        "Redis": config.redis_url or own.redis,
        "MongoDB": config.mongo_url or "",
    }
    return {f"service {name}": await _finding(url) for name, url in urls.items() if url}


async def _finding(url: str) -> str:
    return f"{masked(url)} {'answers' if await reachable(url) else 'does not answer'}"


async def require_services(config: Config) -> None:
    """Raise ConfigError when a URL was given and nothing answers there, or what answers refuses us."""
    for name, try_out in (("mongo_url", _try_mongo), ("postgres_url", _try_postgres), ("redis_url", _try_redis)):
        url, cure = getattr(config, name), f"correct {SETTINGS[name].variable} ({SETTINGS[name].flag})"
        if url is None:
            continue
        if not await reachable(url):
            raise ConfigError(f"Nothing answers at {masked(url)}; start it, or {cure}.")
        try:
            async with asyncio.timeout(TRIAL_SECONDS):
                await try_out(url)
        except Exception as error:
            raise ConfigError(f"Cannot use {masked(url)} ({_reason(error)}); {cure}.") from error


def _reason(error: Exception) -> str:
    """Give the first line of what a driver says."""
    said = str(getattr(error, "orig", error)) or "it does not answer"
    return masked(said.splitlines()[0].rstrip("."))


async def _try_mongo(url: str) -> None:
    from virtool_gql.stores.mongo import try_out

    await try_out(url)


async def _try_postgres(url: str) -> None:
    from virtool_gql.stores.engine import engine_for

    engine = engine_for(url)
    try:
        async with engine.connect():
            pass
    finally:
        await engine.dispose()


async def _try_redis(url: str) -> None:
    from virtool_gql.stores.redis import connect

    async with connect(url) as redis:
        await redis.ping()


async def reachable(url: str) -> bool:
    """Tell whether something listens at the URL of a service."""
    try:
        path, host, port = await run_in_thread(_looked_up, url)
        opening = asyncio.open_unix_connection(path) if path else asyncio.open_connection(host, port)
        async with asyncio.timeout(ANSWER_SECONDS):
            _, writer = await opening
    except OSError:
        return False
    writer.close()
    return True


def _looked_up(url: str) -> tuple[str, str, int]:
    """Give the address of a URL; `mongodb+srv` names no server, but a record of the DNS that does."""
    if not url.startswith("mongodb+srv:"):
        return _address(url)
    from pymongo.errors import PyMongoError
    from pymongo.uri_parser import parse_uri

    try:
        host, port = parse_uri(url)["nodelist"][0]
    except PyMongoError as error:
        raise OSError(str(error)) from error
    return "", host, port


def _address(url: str) -> tuple[str, str, int]:
    """Give the path of a Unix socket, or else a host and a port."""
    parts = urlsplit(url)
    folder = parse_qs(parts.query).get("host", [""])[0]
    if parts.scheme == "unix":
        return unquote(parts.path), "", 0
    if folder.startswith("/"):
        return f"{folder}/.s.PGSQL.5432", "", 0
    hosts = parts.netloc.rpartition("@")[2]
    first = urlsplit(f"//{hosts.split(',')[0]}")
    return "", first.hostname or folder, first.port or PORTS[parts.scheme.partition("+")[0]]
