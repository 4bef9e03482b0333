"""What the tests of resolvers stand on."""

from tests.factories.api import administrator, api, owner, stranger

__all__ = ["administrator", "api", "owner", "stranger"]
