"""How long others are waited for, how often they are asked again, and what they say of it themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from virtool_gql.http.answers import FORBIDDEN, SERVER_FAULT, TOO_MANY

LONGEST_WAIT_SECONDS = 7_200.0
"""No more is believed of those who say for how long they take no requests: GitHub's limits last an hour."""

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a call may take, in seconds: to connect, from one byte to the next, and all in all with its tries."""

    connect: float = 4.0
    read: float = 8.0
    total: float = 8.0
    tries: int = 2
    first_pause: float = 0.5

    def pause(self, tries: int, chance: float) -> float:
        """Give how long to wait before the next try: twice as long each time, and never twice the same."""
        return self.first_pause * 2.0 ** (tries - 1) * (0.5 + chance)


BRIEF = Patience()
"""For a call that a person waits for: a query has ten seconds."""

PATIENT = Patience(connect=10.0, read=30.0, total=60.0, tries=4, first_pause=1.0)
"""For a call in the background."""

STEADY = Patience(connect=10.0, read=30.0, total=3_600.0, tries=6, first_pause=1.0)
"""For a download in the background."""


def is_limited(status: int, headers: Headers) -> bool:
    """Tell whether an answer says that too many requests came: GitHub says so with 403."""
    if status == TOO_MANY:
        return True
    return status == FORBIDDEN and (headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers)


def is_worth_another_try(status: int, headers: Headers) -> bool:
    return status >= SERVER_FAULT or is_limited(status, headers)


def asked_wait(headers: Headers, now: float) -> float | None:
    """Give for how many seconds no request should come, as an answer says; None when it does not say."""
    wait = _retry_after(headers.get("retry-after", ""), now)
    if wait is None and headers.get("x-ratelimit-remaining") == "0":
        wait = _seconds_until(headers.get("x-ratelimit-reset", ""), now)
    return None if wait is None else min(max(wait, 0.0), LONGEST_WAIT_SECONDS)


def _retry_after(value: str, now: float) -> float | None:
    """Read seconds, or a date as HTTP writes it."""
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return parsedate_to_datetime(value).timestamp() - now
    except ValueError:
        return None


def _seconds_until(value: str, now: float) -> float | None:
    return float(value[:12]) - now if value.isascii() and value.isdigit() else None


def clock_time(seconds: float) -> str:
    """Write a moment as people read it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M} UTC"
