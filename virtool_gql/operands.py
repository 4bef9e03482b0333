"""The commands of an operator as they are written: what each takes, and what was given to it."""

from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from virtool_gql.config import SETTINGS
from virtool_gql.errors import ConfigError
from virtool_gql.setting_values import boolean
from virtool_gql.settings import usage

if TYPE_CHECKING:
    from virtool_gql.db.operators import Operators


@dataclass(frozen=True, slots=True)
class Given:
    """What was given to a command: its operands, and the values of its options."""

    operands: tuple[str, ...]
    options: Mapping[str, Sequence[str]]

    def has(self, option: str) -> bool:
        return option in self.options


@dataclass(frozen=True, slots=True)
class Option:
    """An option; `value` is what its value is called, if it takes one."""

    help: str
    value: str = ""


Work = Callable[["Operators", Given, str], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True)
class Command:
    """One command, and how it does its work with what was given and the password."""

    name: str
    operands: tuple[str, ...]
    help: str
    work: Work
    options: Mapping[str, Option] = field(default_factory=dict)
    sets_password: bool = False
    needs_data: bool = True

    def summary(self) -> str:
        options = "".join(f"\n  {f'{flag} {option.value}':<32}{option.help}" for flag, option in self.options.items())
        return f"Usage: virtool-gql {self.name} {' '.join(self.operands)} [OPTION ...]\n\n{self.help}\n{options}"

    def usage(self) -> str:
        shared = usage(SETTINGS.values())
        return f"{self.summary()}\n\nOptions that say where the server's data are, as for `serve`:\n{shared}"


def parsed(command: Command, arguments: Sequence[str]) -> tuple[Given, list[str]]:
    """Split arguments into what is given to the command, and what is left for the configuration."""
    operands: list[str] = []
    options: defaultdict[str, list[str]] = defaultdict(list)
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        flag, equals, value = argument.partition("=")
        if argument == "--":
            operands += remaining
        elif flag in command.options:
            takes = bool(command.options[flag].value)
            if bool(equals) and not takes:
                raise ConfigError(f"{flag} takes no value.")
            options[flag].append(value if equals or not takes else _next(flag, remaining))
        elif flag.startswith("-"):
            rest += [argument] if equals or not _takes_value(flag) else [argument, _next(flag, remaining)]
        else:
            operands.append(argument)
    if len(operands) != len(command.operands):
        # What was given is not repeated: it may be a password.
        raise ConfigError(f"The arguments of {command.name} are: {' '.join(command.operands)}; --help tells more.")
    return Given(tuple(operands), dict(options)), rest


def _takes_value(flag: str) -> bool:
    return any(setting.flag == flag and setting.read is not boolean for setting in SETTINGS.values())


def _next(flag: str, remaining: Iterator[str]) -> str:
    value = next(remaining, None)
    if value is None:
        raise ConfigError(f"{flag} needs a value.")
    return value
