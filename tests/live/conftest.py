"""One running server for all tests of the product as people run it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.server import LiveServer, SignedIn, signed_in


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("live") / "data")
    live.start()
    yield live
    assert live.stop() == 0


@pytest.fixture
def client(server: LiveServer) -> Iterator[SignedIn]:
    with signed_in(server) as client:
        yield client


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[LiveServer]:
    """A server of the test's own, to be killed."""
    server = LiveServer(tmp_path / "data")
    server.start()
    yield server
    if server.process is not None and server.process.poll() is None:
        server.stop()
