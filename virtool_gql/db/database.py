"""All wrappers of one instance, on its stores."""

from virtool_gql.db.files import Files
from virtool_gql.db.groups import Groups
from virtool_gql.db.jobs import Jobs
from virtool_gql.db.keys import ApiKeys
from virtool_gql.db.samples import Samples
from virtool_gql.db.settings import SettingsWrapper
from virtool_gql.db.sign_in import SignIn
from virtool_gql.db.users import Users
from virtool_gql.events import Hub
from virtool_gql.files import Places
from virtool_gql.models.documents import Clock, NewId, new_id, now
from virtool_gql.stores.documents import Documents
from virtool_gql.stores.redis import JobQueues, RateLimit, Sessions, Signals
from redis.asyncio import Redis


class Database:
    """All wrappers; the one thing that resolvers, the web edge, jobs and tasks are given."""

    def __init__(
        self,
        store: Documents,
        redis: Redis,
        hub: Hub,
        places: Places,
        *,
        clock: Clock = now,
        new_id: NewId = new_id,
    ) -> None:
        self.hub = hub
        self.places = places
        self.settings = SettingsWrapper(store)
        ...  # db helper: users, groups, keys, sign_in, files, jobs, samples
