"""What the tests of the client stand on: a world, and waits that take no time."""

from tests.db.reaching import client, waits, world

__all__ = ["client", "waits", "world"]
