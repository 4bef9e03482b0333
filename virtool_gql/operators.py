"""The commands of an operator: for users who are locked out, whether the server runs or not."""

import asyncio
import getpass
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from virtool_gql.actors import Actor, acting
from virtool_gql.config import Config
from virtool_gql.embedded.folders import ServiceFolders
from virtool_gql.errors import BadUserInput, ConfigError
from virtool_gql.models.users import Permission
from virtool_gql.operands import Command, Given, Option, parsed
from virtool_gql.setting_values import masked

if TYPE_CHECKING:
    from virtool_gql.db.operators import Operators

LONGEST_LINE = 10_000
MOST_DAYS = 3_650


async def create_admin(operators: "Operators", given: Given, password: str) -> None:
    """Make a user who is an administrator."""
    user = await operators.create_administrator(given.operands[0], password)
    _tell(f"{user.handle} can sign in, and is an administrator.")


async def reset_password(operators: "Operators", given: Given, password: str) -> None:
    """Set a user's password."""
    keep = given.has("--keep")
    user = await operators.reset_password(given.operands[0], password, activate=given.has("--activate"), keep=keep)
    if user.active:
        _tell(f"{user.handle} can sign in" + ("." if keep else ", and must choose another password then."))
    else:
        _tell(f"{user.handle} has a new password, but is deactivated; --activate ends that.")


async def create_key(operators: "Operators", given: Given, _: str) -> None:
    """Make an API key of a user."""
    handle, name = given.operands
    user, secret = await operators.create_key(
        handle,
        name,
        _permissions(given.options.get("--permission", ())),
        administrator=given.has("--administrator"),
        days=_days(given.options.get("--expires", ())),
    )
    print(secret, flush=True)
    _tell(f"This is a key of {user.handle}; it is shown only now.")


GENERATE = {"--generate": Option("make a password up and print it, instead of reading one")}
COMMANDS = {
    command.name: command
    for command in (
        Command(
            "users create-admin",
            ("HANDLE",),
            "Make a user who is an administrator. The password is asked for, or is the first line of the input.",
            create_admin,
            GENERATE,
            sets_password=True,
            needs_data=False,
        ),
        Command(
            "users reset-password",
            ("HANDLE",),
            "Set a user's password, and end all their sessions and API keys. The password is asked for, or is the\n"
            "first line of the input; the user must choose another at the next login.",
            reset_password,
            {
                **GENERATE,
                "--activate": Option("let a user who is deactivated sign in again"),
                "--keep": Option("let the user keep this password"),
            },
            sets_password=True,
        ),
        Command(
            "keys create",
            ("HANDLE", "NAME"),
            "Make an API key of a user, and print it.",
            create_key,
            {
                "--permission": Option("what the key may do; may be given several times", "PERMISSION"),
                "--administrator": Option("let the key do all that the user may as an administrator"),
                "--expires": Option("after how many days it ends; it never does when left out", "DAYS"),
            },
        ),
    )
}
NOUNS = tuple(dict.fromkeys(name.split()[0] for name in COMMANDS))


def run(arguments: Sequence[str], configured: Callable[[Sequence[str]], Config]) -> None:
    """Do what the arguments say; raise a VirtoolError for a mistake in them."""
    if {"--help", "-h"} & set(arguments):
        print(_usage(arguments))
        return
    command = _named(arguments)
    given, rest = parsed(command, arguments[2:])
    config = configured(rest)
    _check_data(command, config)
    password = _password() if command.sets_password and not given.has("--generate") else None
    asyncio.run(_work(command, given, config, password))


def _usage(arguments: Sequence[str]) -> str:
    command = COMMANDS.get(" ".join(arguments[:2]))
    return command.usage() if command else "\n\n".join(command.summary() for command in _of(arguments[0]))


def _named(arguments: Sequence[str]) -> Command:
    command = COMMANDS.get(" ".join(arguments[:2]))
    if command is None:
        names = ", ".join(command.name for command in _of(arguments[0]))
        raise ConfigError(f"There is no such command; those of {arguments[0]} are: {names}.")
    return command


def _of(noun: str) -> list[Command]:
    return [command for command in COMMANDS.values() if command.name.startswith(f"{noun} ")]


def _check_data(command: Command, config: Config) -> None:
    """Keep a command that was started in the wrong folder from making a new database there."""
    data = ServiceFolders.of(config.data_path).postgres
    if command.needs_data and config.postgres_url is None and not data.is_dir():
        raise ConfigError(f"No server has been run on the data path {config.data_path}; give it with --data-path.")


def _password() -> str:
    """Ask for a password twice, or take the first line of an input that is no terminal."""
    if not sys.stdin.isatty():
        return _first_line()
    try:
        password, again = getpass.getpass("Password: "), getpass.getpass("Again: ")
    except EOFError:
        raise ConfigError("No password was given.") from None
    if password != again:
        raise ConfigError("The two passwords are not the same.")
    return password


def _first_line() -> str:
    try:
        password = sys.stdin.buffer.readline(LONGEST_LINE).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ConfigError("The password must be text in UTF-8.") from None
    if not password:
        raise ConfigError("No password was given; write it on the first line of the input, or give --generate.")
    return password


def _permissions(names: Iterable[str]) -> list[Permission]:
    try:
        return [Permission(name.lower()) for name in names]
    except ValueError:
        every = ", ".join(permission.name for permission in Permission)
        raise BadUserInput(f"There is no such permission; they are {every}.") from None


def _days(given: Sequence[str]) -> int | None:
    if not given:
        return None
    if not given[-1].isascii() or not given[-1].isdigit() or not 1 <= int(given[-1][:9]) <= MOST_DAYS:
        raise BadUserInput(f"--expires must be a number of days from 1 to {MOST_DAYS}, not {masked(given[-1][:80])!r}.")
    return int(given[-1])


async def _work(command: Command, given: Given, config: Config, password: str | None) -> None:
    from virtool_gql.doctor import require_services

    config.prepare()
    await require_services(config)
    actor = Actor(user_id=None, handle="operator", action=command.name)
    async with _opened(config) as operators:
        made_up = password is None and command.sets_password
        password = await operators.new_password() if made_up else password
        with acting(actor):
            await command.work(operators, given, password or "")
        if made_up:
            print(password, flush=True)


@asynccontextmanager
async def _opened(config: Config) -> AsyncIterator["Operators"]:
    """Open the stores, of the server that runs or by ourselves."""
    from virtool_gql.db.database import Database
    from virtool_gql.db.jobs import JobLimits
    from virtool_gql.db.operators import Operators
    from virtool_gql.db.passwords import Passwords
    from virtool_gql.embedded import shared_services
    from virtool_gql.events import Hub
    from virtool_gql.files import Places
    from virtool_gql.stores.migrations import migrate
    from virtool_gql.stores.opening import StoreUrls, open_store
    from virtool_gql.stores.redis import connect

    async with AsyncExitStack() as stack:
        postgres_url, redis_url = config.postgres_url, config.redis_url
        if postgres_url is None or redis_url is None:
            ours = await stack.enter_async_context(
                shared_services(config.data_path, postgres=postgres_url is None, redis=redis_url is None)
            )
            postgres_url, redis_url = postgres_url or ours.postgres, redis_url or ours.redis
        await migrate(postgres_url)
        store = await stack.enter_async_context(open_store(StoreUrls(postgres_url, config.mongo_url)))
        redis = connect(redis_url)
        stack.push_async_callback(redis.aclose)
        limits = JobLimits(sm_proc=config.sm_proc, sm_mem=config.sm_mem, lg_proc=config.lg_proc, lg_mem=config.lg_mem)
        db = Database(store, redis, Hub(redis_url), Places(config.data_path), job_limits=limits)
        yield Operators(db, Passwords())


def _tell(sentence: str) -> None:
    """Say what was done, apart from what is printed for other programs."""
    print(sentence, file=sys.stderr)
