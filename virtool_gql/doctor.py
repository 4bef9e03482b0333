"""What an operator wants to know first: versions, tools, limits, and which services can be reached."""

import asyncio
import platform
import shutil
from dataclasses import asdict
from urllib.parse import parse_qs, unquote, urlsplit

from virtool_gql.config import SETTINGS, Config, Machine
from virtool_gql.embedded import service_urls
from virtool_gql.errors import ConfigError
from virtool_gql.setting_values import masked
from virtool_gql.version import version

TOOLS = ("setpriv", "git", "node", "npm", "go", "bowtie2", "samtools", "skewer", "spades.py", "hmmpress", "fastqc")
PORTS = {"postgresql": 5432, "postgres": 5432, "redis": 6379, "rediss": 6379, "mongodb": 27017}
ANSWER_SECONDS = 3.0


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
    """Raise ConfigError when nothing answers at a URL that was given."""
    for name in ("mongo_url", "postgres_url", "redis_url"):
        url, setting = getattr(config, name), SETTINGS[name]
        if url and not await reachable(url):
            cure = f"start it, or correct {setting.variable} ({setting.flag})"
            raise ConfigError(f"Nothing answers at {masked(url)}; {cure}.")


async def reachable(url: str) -> bool:
    """Tell whether something listens at the URL of a service."""
    path, host, port = _address(url)
    opening = asyncio.open_unix_connection(path) if path else asyncio.open_connection(host, port)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            _, writer = await opening
    except OSError:
        return False
    writer.close()
    return True


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
