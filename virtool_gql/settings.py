"""Settings: each is a flag and a variable, both read alike, and a row in the README."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from virtool_gql.errors import ConfigError
from virtool_gql.setting_values import Read, boolean, masked

PREFIX = "VT_"
FILE_SUFFIX = "_FILE"
HIDDEN = "***"
NOT_OURS = ("VT_TEST_", "VT_REQUIRE_", "VT_DEMO_")
"""How the variables of the tests and of the demo begin."""

Settings = Mapping[str, "Setting"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting; `unless` says in words what lowers the default. What is `secret` is never shown."""

    name: str
    read: Read
    default: Any
    help: str
    unless: str = ""
    secret: bool = False

    @property
    def flag(self) -> str:
        return f"--{self.name.replace('_', '-')}"

    @property
    def variable(self) -> str:
        return f"{PREFIX}{self.name.upper()}"

    def value(self, given: str, source: str) -> Any:
        """Read what was given; raise ConfigError, which names where it was given."""
        try:
            return self.read(given)
        except ValueError as error:
            shown = "" if self.secret else f", not {self.shown(given)!r}"
            raise ConfigError(f"{source} {error}{shown}.") from None

    def shown(self, value: Any) -> str:
        """Give a value as it may be shown."""
        return HIDDEN if self.secret and value else masked(str(value))

    def row(self) -> str:
        shown = ", ".join(self.default) if isinstance(self.default, tuple) else self.default
        default = "" if shown in {None, "", False} else f"`{shown}`"
        return f"| `{self.flag}` | `{self.variable}` | {default}{self.unless} | {self.help} |"


def table(settings: Iterable[Setting]) -> str:
    """Describe settings as the README does."""
    head = ["| flag | variable | default | what it is |", "|---|---|---|---|"]
    return "\n".join([*head, *(setting.row() for setting in settings)])


def usage(settings: Iterable[Setting]) -> str:
    """Describe settings as --help does."""
    return "\n".join(f"  {setting.flag:<32}{setting.help}" for setting in settings)


def from_environ(settings: Settings, environ: Mapping[str, str]) -> dict[str, Any]:
    """Read the variables; an empty one counts as not set, and VT_X_FILE wins over VT_X."""
    given: dict[str, Any] = {}
    for variable in sorted(environ):  # VT_X comes before VT_X_FILE
        if variable.startswith(PREFIX) and not variable.startswith(NOT_OURS):
            setting, is_file = _named(variable, settings)
            value = environ[variable].strip()
            content = _content(setting, variable, value) if value and is_file else value
            if content:
                given[setting.name] = setting.value(content, variable)
    return given


def from_arguments(settings: Settings, arguments: Sequence[str]) -> dict[str, Any]:
    """Read flags, each with its value as the next argument or after an equals sign."""
    flags = {setting.flag: setting for setting in settings.values()}
    given: dict[str, Any] = {}
    remaining = iter(arguments)
    for argument in remaining:
        flag, equals, value = argument.partition("=")
        if flag not in flags:
            raise ConfigError(f"There is no option {masked(flag)}{_closest(flag, flags)}; --help lists all.")
        setting = flags[flag]
        given[setting.name] = setting.value(value if equals else _next(setting, remaining), flag)
    return given


def _named(variable: str, settings: Settings) -> tuple[Setting, bool]:
    for name, is_file in ((variable, False), (variable.removesuffix(FILE_SUFFIX), True)):
        setting = settings.get(name.removeprefix(PREFIX).lower())
        if setting is not None and name == setting.variable:
            return setting, is_file
    raise ConfigError(
        f"There is no setting {variable}{_closest(variable, [setting.variable for setting in settings.values()])}; "
        "remove the variable or correct its name."
    )


def _content(setting: Setting, variable: str, file: str) -> str:
    try:
        return Path(file).read_text().strip()
    except (OSError, ValueError):
        shown = "" if setting.secret else f", not {file!r}"  # somebody may have given the secret itself
        raise ConfigError(f"{variable} must name a text file that can be read{shown}.") from None


def _next(setting: Setting, remaining: Iterator[str]) -> str:
    if setting.read is boolean:
        return "true"
    value = next(remaining, None)
    if value is None:
        raise ConfigError(f"{setting.flag} needs a value.")
    return value


def _closest(name: str, names: Iterable[str]) -> str:
    """Offer the name that was meant: one of the same letters first, then the most alike."""
    alike = difflib.get_close_matches(name, list(names))
    alike.sort(key=lambda other: sorted(other) != sorted(name))
    return f" (did you mean {alike[0]}?)" if alike else ""
