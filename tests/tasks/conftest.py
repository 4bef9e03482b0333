"""What the tests of background work stand on."""

from tests.db.conftest import clock, db, each_db, split_db, split_urls

__all__ = ["clock", "db", "each_db", "split_db", "split_urls"]
