"""What the wrappers of one instance have in common."""

from dataclasses import dataclass, field

from virtool_gql.db.outside import Outside
from virtool_gql.db.reference_access import ReferenceAccess
from virtool_gql.events import Hub
from virtool_gql.files import Places
from virtool_gql.models.documents import Clock, NewId
from virtool_gql.stores.documents import Documents
from virtool_gql.stores.redis import JobQueues, Signals


@dataclass(frozen=True, slots=True)
class Instance:
    """The stores of one instance, its sources of time and ids, and its way to the outside."""

    store: Documents
    hub: Hub
    places: Places
    queues: JobQueues
    signals: Signals
    clock: Clock
    new_id: NewId
    outside: Outside = field(default_factory=Outside)
    references: ReferenceAccess = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "references", ReferenceAccess(self.store, self.hub))
