"""The commands of an operator, as real processes on a real data path."""

import asyncio
import os
import pty
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from tests.programs import ENVIRONMENT, ROOT, port_of, run, server, start
from virtool_gql.embedded import ServiceUrls
from virtool_gql.models.users import User
from virtool_gql.query import Page
from virtool_gql.stores.postgres import PostgresStore

LOGIN = (
    "mutation($i: LoginInput!) { login(input: $i) { resetCode viewer { handle administrator } errors { message } } }"
)
VIEWER = "{ viewer { handle administrator permissions } }"


class Client(httpx.AsyncClient):
    """A client of a server on this machine."""

    async def ask(self, query: str, **variables: Any) -> Any:
        answer = (await self.post("/graphql", json={"query": query, "variables": variables})).json()
        assert "errors" not in answer, answer
        (value,) = answer["data"].values()
        return value

    async def login(self, handle: str, password: str) -> Any:
        return await self.ask(LOGIN, i={"handle": handle, "password": password})


@asynccontextmanager
async def client(port: int, **headers: str) -> AsyncIterator[Client]:
    async with Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as opened:
        yield opened


async def test_an_operator_helps_while_no_server_runs(tmp_path: Path) -> None:
    at = ("--data-path", str(tmp_path / "data"))
    code, password, told = await run("users", "create-admin", "ada", "--generate", *at)
    assert (code, told) == (0, "ada can sign in, and is an administrator.\n")
    assert len(password.rstrip("\n")) == 20
    code, output, told = await run("users", "reset-password", "ADA", "--keep", *at, input="analytical engine\nmore\n")
    assert (code, output, told) == (0, "", "ada can sign in.\n")
    code, key, told = await run("keys", "create", "ada", "my key", "--administrator", "--permission=create_sample", *at)
    assert (code, told) == (0, "This is a key of ada; it is shown only now.\n")
    async with server(tmp_path / "data") as (_, port):
        async with client(port) as person:
            assert (await person.login("ada", password.strip()))["errors"] == [
                {"message": "Invalid username or password."}
            ]
            assert (await person.login("ada", "analytical engine"))["viewer"] == {
                "handle": "ada",
                "administrator": True,
            }
        async with client(port, authorization=f"Bearer {key.strip()}") as script:
            viewer = {"handle": "ada", "administrator": True, "permissions": ["CREATE_SAMPLE"]}
            assert await script.ask(VIEWER) == viewer


async def test_an_operator_helps_while_the_server_runs(tmp_path: Path) -> None:
    at = ("--data-path", str(tmp_path))
    async with server(tmp_path) as (process, port), client(port) as person:
        assert (await run("users", "create-admin", "ada", *at, input="analytical engine\n"))[0] == 0
        assert (await person.login("ada", "analytical engine"))["viewer"]["administrator"] is True
        assert (await person.ask(VIEWER))["handle"] == "ada"
        code, password, told = await run("users", "reset-password", "ada", "--generate", *at)
        assert (code, told) == (0, "ada can sign in, and must choose another password then.\n")
        assert await person.ask(VIEWER) is None
        answer = await person.login("ada", password.strip())
        assert (answer["viewer"], answer["errors"]) == (None, [])
        assert answer["resetCode"]
        assert (await run("users", "reset-password", "ada", "--keep", *at, input="analytical engine\n"))[0] == 0
        await person.login("ada", "analytical engine")
        log = "{ auditEntries { nodes { user { handle } handle action deed address collection } } }"
        entries = (await person.ask(log))["nodes"]
        operators = [entry["action"] for entry in entries if entry["handle"] == "operator"]
        assert operators == ["users reset-password", "users reset-password", "users create-admin"]
        assert all(
            entry["user"] is None and entry["address"] == "local" for entry in entries if entry["handle"] == "operator"
        )
        process.send_signal(signal.SIGTERM)
        _, errors = await process.communicate()
        assert "analytical" not in errors.decode()
        assert password.strip() not in errors.decode()


async def test_commands_and_a_server_start_at_once(tmp_path: Path) -> None:
    at = ("--data-path", str(tmp_path))
    handles = [f"user{number}" for number in range(3)]
    commands = [asyncio.ensure_future(run("users", "create-admin", handle, "--generate", *at)) for handle in handles]
    process = await start("serve", "--port", "0", *at)
    try:
        results = await asyncio.gather(*commands)
        async with client(await port_of(process)) as person:
            for handle, (code, password, told) in zip(handles, results, strict=True):
                assert (code, told) == (0, f"{handle} can sign in, and is an administrator.\n")
                assert (await person.login(handle, password.strip()))["viewer"]["handle"] == handle
        process.terminate()
        assert (await process.communicate())[1].decode().count("Traceback") == 0
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_of_the_same_command_twice_at_once_one_wins(tmp_path: Path) -> None:
    results = await asyncio.gather(
        *(run("users", "create-admin", "ada", "--generate", "--data-path", str(tmp_path)) for _ in range(2))
    )
    assert sorted(code or 0 for code, _, _ in results) == [0, 2]
    assert {told for _, _, told in results} == {"ada can sign in, and is an administrator.\n", "User already exists.\n"}


async def test_services_of_the_operators_own_are_used(
    tmp_path: Path, services: ServiceUrls, postgres_url: str, store: PostgresStore
) -> None:
    variables = {"VT_POSTGRES_URL": postgres_url, "VT_REDIS_URL": services.redis, "VT_DATA_PATH": str(tmp_path)}
    code, password, told = await run("users", "create-admin", "ada", "--generate", **variables)
    assert (code, told) == (0, "ada can sign in, and is an administrator.\n")
    assert len(password) == 21
    assert (await run("users", "reset-password", "ada", "--generate", **variables))[0] == 0
    (user,) = (await store.find(User, page=Page(first=None))).documents
    assert (user.handle, user.force_reset, user.version) == ("ada", True, 2)
    assert not (tmp_path / "services").exists()


@pytest.fixture(scope="module")
async def data_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data path with an administrator."""
    path: Path = tmp_path_factory.mktemp("operators")
    assert (await run("users", "create-admin", "ada", "--generate", "--data-path", str(path)))[0] == 0
    return path


@pytest.mark.parametrize(
    ("arguments", "input", "sentence"),
    [
        (("users",), None, "There is no such command; those of users are: users create-admin, users reset-password."),
        (("keys", "make"), None, "There is no such command; those of keys are: keys create."),
        (("users", "create-admin"), None, "The arguments of users create-admin are: HANDLE; --help tells more."),
        (("users", "create-admin", "bob", "geheim"), None, "The arguments of users create-admin are: HANDLE"),
        (("users", "create-admin", "bob", "--password=geheim"), None, "There is no option --password"),
        (("users", "create-admin", "bob"), None, "No password was given; write it on the first line of the input"),
        (("users", "create-admin", "bob"), "\ngeheim", "No password was given; write it on the first line"),
        (("users", "create-admin", "bob"), "geheim", "Password does not meet minimum length requirement (8)."),
        (("users", "create-admin", "bob"), "geheim" * 200, "A password has at most 1000 characters."),
        (("users", "create-admin", "virtool", "--generate"), None, "Reserved user name: virtool."),
        (("users", "create-admin", "ADA", "--generate"), None, "User already exists."),
        (("users", "reset-password", "bob", "--generate"), None, "There is no user of that handle."),
        (("keys", "create", "bob", "key"), None, "There is no user of that handle."),
        (("keys", "create", "ada", " "), None, "A value is needed for name."),
        (
            ("keys", "create", "ada", "key", "--permission=fly"),
            None,
            "There is no such permission; they are CANCEL_JOB",
        ),
        (("keys", "create", "ada", "key", "--expires", "0"), None, "--expires must be a number of days from 1 to 3650"),
        (("keys", "create", "ada", "key", "--expires=9" + "9" * 5_000), None, "--expires must be a number of days"),
    ],
)
async def test_a_mistake_is_told_in_one_sentence(
    data_path: Path, arguments: tuple[str, ...], input: str | None, sentence: str
) -> None:
    code, output, told = await run(*arguments, input=input, VT_DATA_PATH=str(data_path))
    assert (code, output) == (2, "")
    assert told.startswith(sentence)
    assert told.count("\n") == 1
    assert "geheim" not in told


async def test_a_wrong_data_path_is_told_and_left_alone(tmp_path: Path) -> None:
    for arguments in (("users", "reset-password", "ada", "--generate"), ("keys", "create", "ada", "key")):
        code, output, told = await run(*arguments, "--data-path", str(tmp_path / "none"))
        assert (code, output) == (2, "")
        assert told == f"No server has been run on the data path {tmp_path / 'none'}; give it with --data-path.\n"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("users", "--help"), ("create-admin HANDLE", "reset-password HANDLE", "--activate")),
        (("users", "create-admin", "-h"), ("create-admin HANDLE", "--generate", "--data-path")),
        (("users", "reset-password", "ada", "--help"), ("--keep", "--activate", "--data-path")),
        (("keys", "create", "--help"), ("HANDLE NAME", "--permission PERMISSION", "--expires DAYS")),
    ],
)
async def test_each_command_helps(arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    code, output, errors = await run(*arguments)
    assert (code, errors) == (0, "")
    assert all(word in output for word in words)


class Terminal:
    """A program at a terminal of its own, which shows what is written and hides what is typed."""

    def __init__(self, *arguments: str) -> None:
        self._ours, self._theirs = pty.openpty()
        self.shown = ""
        self._command = ["setsid", "--ctty", "--wait", sys.executable, "-m", "virtool_gql", *arguments]

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, cwd=ROOT, env=ENVIRONMENT, stdin=self._theirs, stdout=self._theirs, stderr=self._theirs
        )
        os.close(self._theirs)
        os.set_blocking(self._ours, False)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        os.close(self._ours)

    async def answer(self, question: str, typed: bytes) -> None:
        """Wait for a question that was not asked yet, and type."""
        already = self.shown.count(question)
        async with asyncio.timeout(20):
            while self.shown.count(question) == already:
                self._read()
                await asyncio.sleep(0.01)
        os.write(self._ours, typed)

    async def ended(self) -> int:
        async with asyncio.timeout(20):
            code = await self._process.wait()
        self._read()
        return code

    def _read(self) -> None:
        with suppress(OSError):
            self.shown += os.read(self._ours, 10_000).decode()


async def test_a_terminal_is_asked_twice_and_shows_nothing(data_path: Path) -> None:
    at = ("--data-path", str(data_path))
    async with Terminal("users", "reset-password", "ada", *at) as terminal:
        await terminal.answer("Password: ", b"difference engine\n")
        await terminal.answer("Again: ", b"difference engine\n")
        assert await terminal.ended() == 0
        assert "ada can sign in" in terminal.shown
        assert "engine" not in terminal.shown


async def test_two_different_passwords_are_none(data_path: Path) -> None:
    async with Terminal("users", "reset-password", "ada", "--data-path", str(data_path)) as terminal:
        await terminal.answer("Password: ", b"difference engine\n")
        await terminal.answer("Again: ", b"analytical engine\n")
        assert await terminal.ended() == 2
        assert "The two passwords are not the same." in terminal.shown
        assert "engine" not in terminal.shown


@pytest.mark.parametrize(("typed", "code"), [(b"\x03", 130), (b"\x04", 2)])
async def test_one_can_think_better_of_it(data_path: Path, typed: bytes, code: int) -> None:
    async with Terminal("users", "reset-password", "ada", "--data-path", str(data_path)) as terminal:
        await terminal.answer("Password: ", typed)
        assert await terminal.ended() == code
        assert "Traceback" not in terminal.shown
