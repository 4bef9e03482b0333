"""Who is at work: what the audit log is told of whoever makes a write. A whole request knows it; nobody passes it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import msgspec
from msgspec import structs


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who makes writes; `action` is the mutation, endpoint or command by which they do.

    `user_id` is None for an operator at the command line, and for a stranger until they are signed in.
    """

    user_id: str | None
    handle: str
    key_id: str | None = None
    address: str = "local"
    request_id: str = ""
    action: str = ""


_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


def current_actor() -> Actor | None:
    """Give whoever is at work; None for the server's own work, which is not audited."""
    return _actor.get()


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Say who is at work while the block lasts, also in the tasks that it starts."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


@contextmanager
def bookkeeping() -> Iterator[None]:
    """Let nobody be at work while the block lasts: what follows from a deed that is told, and is none of its own."""
    token = _actor.set(None)
    try:
        yield
    finally:
        _actor.reset(token)


def become(user_id: str, handle: str) -> None:
    """Say who the stranger at work has turned out to be, until the block of `acting` ends."""
    actor = _actor.get()
    if actor is not None:
        _actor.set(structs.replace(actor, user_id=user_id, handle=handle))
