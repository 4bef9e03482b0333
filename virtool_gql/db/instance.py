"""What the wrappers of one instance have in common."""

from dataclasses import dataclass, field

from virtool_gql.db.reference_access import ReferenceAccess
from virtool_gql.events import Hub
from virtool_gql.files import Places
from virtool_gql.models.documents import Clock, NewId
from virtool_gql.stores.documents import Documents
from virtool_gql.stores.redis import JobQueues, Signals


@dataclass(frozen=True, slots=True)
class Instance:
    """The stores of one instance, and its sources of time and ids."""

    store: Documents
    hub: Hub
    places: Places
    queues: JobQueues
    signals: Signals
    clock: Clock
    new_id: NewId
    references: ReferenceAccess = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "references", ReferenceAccess(self.store, self.hub))
