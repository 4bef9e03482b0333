"""What the wrappers of one instance have in common."""

from dataclasses import dataclass, field

from virtool_gql.db.outside import Outside
from virtool_gql.db.reference_access import ReferenceAccess
from virtool_gql.db.room import Room
from virtool_gql.events import Hub
from virtool_gql.files import Places
from virtool_gql.models.documents import Clock, NewId
from virtool_gql.stores.documents import Documents
from virtool_gql.stores.redis import JobQueues, Signals

LARGE_AT_ONCE = 4
"""How many hold whole OTUs in memory at once."""


@dataclass(frozen=True, slots=True)
class Instance:
    """The stores of one instance, its sources of time and ids, and its way to the outside.

    There is room for a few who edit OTUs, and for a few who look at earlier versions of them: both hold all bases.
    """

    store: Documents
    hub: Hub
    places: Places
    queues: JobQueues
    signals: Signals
    clock: Clock
    new_id: NewId
    outside: Outside = field(default_factory=Outside)
    edits: Room = field(default_factory=lambda: Room(LARGE_AT_ONCE))
    versions: Room = field(default_factory=lambda: Room(LARGE_AT_ONCE))
    references: ReferenceAccess = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "references", ReferenceAccess(self.store, self.hub))
