"""What the tests of background work stand on."""

from tests.db.conftest import clock, db

__all__ = ["clock", "db"]
