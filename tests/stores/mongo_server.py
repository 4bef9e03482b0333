"""A real MongoDB-wire server for tests: the one at VT_TEST_MONGO_URL, or FerretDB, built from its Go module."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

import pytest

ROOT = Path(__file__).parents[2]
BUILD_SECONDS = 600


def missing(reason: str) -> None:
    """Leave the tests out in one line, or fail where their absence is an error."""
    if os.environ.get("VT_REQUIRE_MONGO") == "1":
        pytest.fail(f"VT_REQUIRE_MONGO is set. {reason}", pytrace=False)
    pytest.skip(reason)


@contextmanager
def mongo_server() -> Iterator[str]:
    """Give the URL of a server, without a database in it, while the block lasts."""
    if url := os.environ.get("VT_TEST_MONGO_URL"):
        yield url
        return
    build = subprocess.run(
        [ROOT / "script" / "ferretdb"], stderr=subprocess.PIPE, text=True, timeout=BUILD_SECONDS, check=False
    )
    if build.returncode:
        missing((build.stderr.strip().splitlines() or ["script/ferretdb failed."])[-1])
    with tempfile.TemporaryDirectory(prefix="vt") as folder, ferretdb(Path(folder)) as url:
        yield url


@contextmanager
def ferretdb(folder: Path, address: str = "127.0.0.1:0") -> Iterator[str]:
    """Run FerretDB over a folder; it ends with us, as its standard input does."""
    program = ROOT / ".tools" / "ferretdb"
    with subprocess.Popen(
        [program, address, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdin
        ready = process.stdout.readline().split()
        assert ready, "FerretDB ended before it was ready"
        yield ready[1]
        process.stdin.close()
        process.wait(timeout=20)


def fresh_database(url: str) -> str:
    """Give the URL of a database on the server that nobody has used."""
    base, _, options = url.partition("?")
    scheme, _, rest = base.partition("://")
    server = rest.partition("/")[0]
    return f"{scheme}://{server}/test_{token_hex(6)}" + (f"?{options}" if options else "")
