"""Connections to Redis, and what people are told when it does not answer."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as Unconnected
from redis.exceptions import TimeoutError as Unanswered

from virtool_gql.errors import UpstreamUnavailable

CONNECT_SECONDS = 5
MOST_CONNECTIONS = 1_000
"""The driver's own limit is 100: beyond it a command fails at once, as if there were no Redis."""

KEEPALIVE = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 2, socket.TCP_USER_TIMEOUT: 20_000}


@contextmanager
def answering(service: str) -> Iterator[None]:
    """Turn the driver's complaint about a server that is not there into ours."""
    try:
        yield
    except (Unconnected, Unanswered) as error:
        raise UpstreamUnavailable(f"{service} does not answer; try again in a moment.") from error


def open_client(url: str, *, retries: int) -> Redis:
    """Open a client that reconnects by itself; `unix://` and `redis://` URLs alike. It decodes nothing.

    It has no `socket_timeout`: with one, redis-py sends through `asyncio.wait_for`, which in Python 3.11 can swallow a
    cancellation, and then a task or a time limit does not end. A dead server is noticed by the kernel instead.
    """
    only_tcp: dict[str, Any] = {} if url.startswith("unix:") else {"socket_keepalive_options": KEEPALIVE}
    return Redis.from_url(
        url,
        retry=Retry(ExponentialWithJitterBackoff(base=0.02, cap=0.5), retries),
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=None,
        max_connections=MOST_CONNECTIONS,
        **only_tcp,
    )


def text_of(value: bytes | str) -> str:
    """Give a key or value as text, which is bytes at run time and may be either by the driver's types."""
    return value.decode() if isinstance(value, bytes) else value
