"""The program as people start it."""

import asyncio
import signal
import socket
from pathlib import Path

import pytest

from tests.programs import run, server, started
from virtool_gql.config import SETTINGS
from virtool_gql.embedded import service_urls
from virtool_gql.setting_values import masked

PATIENCE_SECONDS = 120
"""Only what hangs takes so long: beside other work a start alone has taken more than twenty seconds."""


async def is_up(port: int) -> bool:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert b"\r\nserver:" not in answer.lower()
    return answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_server_in_order(tmp_path: Path, signal_number: signal.Signals) -> None:
    async with server(tmp_path) as (process, port):
        assert await is_up(port)
        process.send_signal(signal_number)
        async with asyncio.timeout(PATIENCE_SECONDS):
            _, errors = await process.communicate()
        assert process.returncode == 0
        assert "Traceback" not in errors.decode()
        assert not (tmp_path / "services" / "postgres" / "data" / "postmaster.pid").exists()


async def test_a_signal_during_the_start_ends_the_server_too(tmp_path: Path) -> None:
    arguments = ("--port", "0", "--data-path", str(tmp_path))
    async with started(*arguments) as process, asyncio.timeout(PATIENCE_SECONDS):
        while not (tmp_path / "services" / "lock").exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
        process.terminate()
        _, errors = await process.communicate()
    assert process.returncode == 0, errors
    assert b"Traceback" not in errors


async def test_a_killed_server_starts_again(tmp_path: Path) -> None:
    async with server(tmp_path) as (process, _):
        process.kill()
        await process.wait()
    async with server(tmp_path) as (_, port):
        assert await is_up(port)


async def test_a_second_server_is_refused_in_one_sentence(tmp_path: Path) -> None:
    async with server(tmp_path) as (first, port):
        code, output, errors = await run("--port", "0", "--data-path", str(tmp_path))
        assert (code, output) == (2, "")
        assert errors == (
            f"Another server (process {first.pid}) uses the data path {tmp_path}; "
            "stop it, or choose another with --data-path.\n"
        )
        assert await is_up(port)


async def test_a_port_in_use_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, output, errors = await run("--port", str(port), "--data-path", str(tmp_path))
    assert (code, output) == (2, "")
    assert errors.startswith(f"Cannot listen on 127.0.0.1 port {port} (Address already in use); choose")
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "variables", "sentence"),
    [
        (("srve",), {}, "There is no command srve; the commands are serve, runner"),
        (("--prot", "1"), {}, "There is no option --prot (did you mean --port?)"),
        ((), {"VT_PROT": "1"}, "There is no setting VT_PROT (did you mean VT_PORT?)"),
        (("--host", "256.1.1.1"), {}, "Cannot listen on 256.1.1.1"),
        (("--data-path", "README.md"), {}, "The data path "),
        (
            ("--redis-url", "unix:///nowhere"),
            {},
            "Nothing answers at unix:///nowhere; start it, or correct VT_REDIS_URL",
        ),
        (
            (),
            {"VT_POSTGRES_URL": "postgresql://me:x@127.0.0.1:1/db"},
            "Nothing answers at postgresql://***@127.0.0.1:1/db",
        ),
        (
            ("--mongo-url", "mongodb+srv://nowhere.invalid/db"),
            {},
            "Nothing answers at mongodb+srv://nowhere.invalid/db",
        ),
    ],
)
async def test_a_mistake_is_told_in_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str], sentence: str
) -> None:
    code, output, errors = await run(*arguments, **{"VT_DATA_PATH": str(tmp_path), **variables})
    assert (code, output) == (2, "")
    assert errors.startswith(sentence)
    assert errors.count("\n") == 1, errors


async def test_a_service_that_refuses_us_is_told_in_one_sentence(tmp_path: Path) -> None:
    async with server(tmp_path / "first") as (_, port):
        urls = service_urls(tmp_path / "first")
        stranger = f"127.0.0.1:{port}"
        for variable, url, reason in (
            ("VT_POSTGRES_URL", urls.postgres.replace("/postgres", "/none"), 'database "none" does not exist'),
            ("VT_POSTGRES_URL", urls.postgres.replace("virtool@", "me:geheim@"), 'role "me" does not exist'),
            ("VT_POSTGRES_URL", f"{urls.postgres}&colour=blue", "unexpected keyword argument 'colour'"),
            ("VT_POSTGRES_URL", f"postgresql://me:geheim@{stranger}/db", ""),
            ("VT_REDIS_URL", urls.redis.replace("db=0", "db=99"), "DB index is out of range"),
            ("VT_REDIS_URL", f"redis://me:geheim@{stranger}", ""),
            ("VT_MONGO_URL", f"mongodb://me:geheim@{stranger}/db", ""),
        ):
            arguments = ("--port", "0", "--data-path", str(tmp_path / "second"))
            code, output, errors = await run(*arguments, **{variable: url})
            assert (code, output) == (2, ""), errors
            assert errors.startswith(f"Cannot use {masked(url)} ("), errors
            assert errors.endswith(f"); correct {variable} (--{variable[3:].lower().replace('_', '-')}).\n"), errors
            assert reason in errors
            assert errors.count("\n") == 1
            assert "geheim" not in errors


async def test_help_lists_commands_and_flags() -> None:
    for arguments in (("--help",), ("serve", "-h")):
        code, output, errors = await run(*arguments)
        assert (code, errors) == (0, "")
        assert all(
            word in output
            for word in ("export-schema", "users create-admin", *(setting.flag for setting in SETTINGS.values()))
        )


async def test_the_version_is_told() -> None:
    assert (await run("--version"))[0] == 0


async def test_the_schema_is_printed() -> None:
    code, output, errors = await run("export-schema")
    assert (code, errors) == (0, "")
    assert "type Query" in output


async def test_the_doctor_tells_which_services_answer(tmp_path: Path) -> None:
    arguments = ("doctor", "--data-path", str(tmp_path), "--mongo-url", "mongodb://me:geheim@127.0.0.1:1/virtool")
    async with server(tmp_path):
        code, output, errors = await run(*arguments)
    assert (code, errors) == (0, "")
    findings = {" ".join(line.split()[:2]): line for line in output.splitlines()}
    assert findings["service PostgreSQL"].endswith(" answers")
    assert findings["service Redis"].endswith(" answers")
    assert findings["service MongoDB"].endswith("mongodb://***@127.0.0.1:1/virtool does not answer")


async def test_stores_are_migrated(tmp_path: Path) -> None:
    assert await run("migrate", "--data-path", str(tmp_path)) == (0, "", "")
    assert await run("migrate", "--data-path", str(tmp_path)) == (0, "", "")
