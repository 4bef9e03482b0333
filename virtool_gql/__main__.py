"""The command line: serve, runner, migrate, export-schema, doctor, and the commands of `operators`."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

from virtool_gql import logs, operators
from virtool_gql.config import SETTINGS, Config, Machine
from virtool_gql.errors import ConfigError, VirtoolError
from virtool_gql.settings import usage
from virtool_gql.version import version

USAGE = """\
Usage: virtool-gql [COMMAND] [OPTION ...]

Commands:
  serve           serve the API, and run jobs (the default)
  runner          run jobs for servers that share the stores and the data path
  migrate         bring the stores up to date
  export-schema   print the schema in the schema definition language
  doctor          print versions, tools, limits and which services can be reached

Commands for users who are locked out, also while the server runs (--help of each tells more):
  users create-admin HANDLE
  users reset-password HANDLE
  keys create HANDLE NAME

Options (or variables: --port or VT_PORT; VT_PORT_FILE names a file that holds the value):
"""
MISTAKE = 2
FAILURE = 1
INTERRUPTED = 130

log = logging.getLogger("virtool_gql")


def serve(config: Config) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    _prepare(config)
    from virtool_gql.app import build
    from virtool_gql.serving import listen, run

    listener = listen(config)
    port = listener.getsockname()[1]
    url = f"http://{_host_for_a_browser(config.host)}:{port}/graphql"
    run(build(config), config, listener, lambda: print(f"virtool-gql {version()} is ready: {url}", flush=True))


def runner(config: Config) -> None:
    """Run jobs until Ctrl-C or SIGTERM."""
    _prepare(config)
    from virtool_gql.app import run_jobs
    from virtool_gql.serving import run_until_signal

    run_until_signal(lambda stopped: run_jobs(config, stopped))


def migrate(config: Config) -> None:
    """Bring the stores up to date."""
    _prepare(config)
    from virtool_gql.app import migrate

    asyncio.run(migrate(config))


def export_schema(_: Config) -> None:
    """Print the schema."""
    from resolvers.root import sdl

    print(sdl(), end="")


def doctor(config: Config) -> None:
    """Print what the server would find."""
    from virtool_gql.doctor import report

    for line in asyncio.run(report(config, Machine.here())):
        print(line)


def _prepare(config: Config) -> None:
    """See that the start can succeed, before the larger part of the program is loaded."""
    from virtool_gql.doctor import require_services

    config.prepare()
    asyncio.run(require_services(config))


COMMANDS: Mapping[str, Callable[[Config], None]] = {
    "serve": serve,
    "runner": runner,
    "migrate": migrate,
    "export-schema": export_schema,
    "doctor": doctor,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; give the exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments and arguments[0] in operators.NOUNS:
        return _guarded(" ".join(arguments[:2]), lambda: operators.run(arguments, _configured), INTERRUPTED)
    name, rest = _command(arguments)
    if {"--help", "-h"} & {name, *rest}:
        print(USAGE + usage(SETTINGS.values()))
        return 0
    if "--version" in {name, *rest}:
        print(version())
        return 0
    return _run(name, rest)


def _command(arguments: list[str]) -> tuple[str, list[str]]:
    if not arguments or arguments[0].startswith("-"):
        return "serve", arguments
    return arguments[0], arguments[1:]


def _run(name: str, arguments: list[str]) -> int:
    def work() -> None:
        if name not in COMMANDS:
            names = ", ".join([*COMMANDS, *operators.COMMANDS])
            raise ConfigError(f"There is no command {name}; the commands are {names}.")
        config = _configured(arguments)
        signal.signal(signal.SIGTERM, _leave)
        COMMANDS[name](config)

    return _guarded(name, work)


def _configured(arguments: Sequence[str]) -> Config:
    config = Config.load(arguments, os.environ, Machine.here())
    logs.configure(config.log_level)
    return config


def _guarded(name: str, work: Callable[[], None], interrupted: int = 0) -> int:
    """Do the work of a command; say in one sentence what went wrong, and give the exit code."""
    try:
        work()
    except VirtoolError as error:
        return _say(error.message)
    except KeyboardInterrupt:
        return interrupted
    except Exception:
        log.exception("The command %s failed.", name)
        return FAILURE
    return 0


def _say(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return MISTAKE


def _leave(_: int, __: FrameType | None) -> None:
    """End on SIGTERM before there is a loop that ends in order."""
    sys.exit(0)


def _host_for_a_browser(host: str) -> str:
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - compared, not listened on
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


if __name__ == "__main__":
    sys.exit(main())
