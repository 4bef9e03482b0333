"""What is done again when somebody else was faster."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from virtool_gql.errors import StaleDocument, UpstreamUnavailable
from virtool_gql.stores.documents import MODIFY_ATTEMPTS, spread

logger = logging.getLogger(__name__)

T = TypeVar("T")


async def retried(attempt: Callable[[], Awaitable[T]]) -> T:
    """Read, decide and write again from the start, as long as what was read is changed before it is written."""
    for tries in range(1, MODIFY_ATTEMPTS + 1):
        try:
            return await attempt()
        except StaleDocument:
            await spread(tries)
    raise StaleDocument("Too many people change this at once; try again.")


@contextmanager
def mended_by(sweep: str) -> Iterator[None]:
    """Go on when Redis does not answer after a commit, for what happens later anyway."""
    try:
        yield
    except UpstreamUnavailable as error:
        logger.warning("%s This is mended by %s.", error.message, sweep)
