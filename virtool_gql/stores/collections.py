"""Every collection there is. A new entity is added here and in a migration."""

from virtool_gql.models.audit import AuditEntry
from virtool_gql.models.documents import Document
from virtool_gql.models.files import File
from virtool_gql.models.history import HistoryEntry
from virtool_gql.models.indexes import Index
from virtool_gql.models.jobs import Job
from virtool_gql.models.labels import Label
from virtool_gql.models.otus import OTU, Sequence
from virtool_gql.models.references import Reference
from virtool_gql.models.samples import Sample
from virtool_gql.models.settings import InstanceMessage, Settings
from virtool_gql.models.status import Status
from virtool_gql.models.subtractions import Subtraction
from virtool_gql.models.tasks import Task
from virtool_gql.models.users import ApiKey, Group, User

COLLECTIONS: tuple[type[Document], ...] = (
    *(User, Group, ApiKey, Settings, InstanceMessage, AuditEntry),
    *(Sample, Label, Subtraction, Job, File),
    *(Reference, OTU, Sequence, HistoryEntry, Index, Task, Status),
)
