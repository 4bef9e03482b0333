"""Every collection there is. A new entity is added here and in a migration."""

from virtool_gql.models.audit import AuditEntry
from virtool_gql.models.documents import Document
from virtool_gql.models.files import File
from virtool_gql.models.jobs import Job
from virtool_gql.models.labels import Label
from virtool_gql.models.samples import Sample
from virtool_gql.models.settings import InstanceMessage, Settings
from virtool_gql.models.subtractions import Subtraction
from virtool_gql.models.users import ApiKey, Group, User

COLLECTIONS: tuple[type[Document], ...] = (
    *(User, Group, ApiKey, Settings, InstanceMessage, AuditEntry),
    *(Sample, Label, Subtraction, Job, File),
)
