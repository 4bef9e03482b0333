import pytest

from virtool_gql.errors import ConfigError
from virtool_gql.operands import parsed
from virtool_gql.operators import COMMANDS

KEY = COMMANDS["keys create"]
RESET = COMMANDS["users reset-password"]


def test_options_stand_anywhere() -> None:
    arguments = ["--expires=3", "ada", "--data-path", "/x", "--permission", "a", "my key", "--permission=b"]
    given, rest = parsed(KEY, arguments)
    assert given.operands == ("ada", "my key")
    assert given.options == {"--expires": ["3"], "--permission": ["a", "b"]}
    assert rest == ["--data-path", "/x"]


def test_a_switch_takes_no_value() -> None:
    given, rest = parsed(RESET, ["--secure-cookies", "ada", "--keep"])
    assert (given.operands, given.has("--keep"), given.has("--activate")) == (("ada",), True, False)
    assert rest == ["--secure-cookies"]
    with pytest.raises(ConfigError, match="--keep takes no value"):
        parsed(RESET, ["ada", "--keep=no"])


def test_what_begins_with_a_hyphen_comes_after_two() -> None:
    assert parsed(RESET, ["--keep", "--", "--ada"])[0].operands == ("--ada",)


@pytest.mark.parametrize("arguments", [[], ["ada", "geheim"], ["ada", "--", "geheim"]])
def test_a_wrong_number_of_operands_is_told_without_them(arguments: list[str]) -> None:
    with pytest.raises(ConfigError) as told:
        parsed(RESET, arguments)
    assert told.value.message == "The arguments of users reset-password are: HANDLE; --help tells more."


@pytest.mark.parametrize("arguments", [["ada", "x", "--expires"], ["ada", "x", "--data-path"]])
def test_a_value_that_is_missing_is_told(arguments: list[str]) -> None:
    with pytest.raises(ConfigError, match=f"{arguments[-1]} needs a value"):
        parsed(KEY, arguments)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_tells_how_it_is_used(name: str) -> None:
    command = COMMANDS[name]
    usage = command.usage()
    assert usage.startswith(f"Usage: virtool-gql {name} {' '.join(command.operands)} [OPTION ...]\n")
    assert all(option in usage for option in ("--data-path", *command.options))
