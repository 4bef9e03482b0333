"""Every collection there is. A new entity is added here and in a migration."""

from virtool_gql.models.documents import Document
from virtool_gql.models.files import File
from virtool_gql.models.jobs import Job
from virtool_gql.models.samples import Sample
from virtool_gql.models.users import ApiKey, Group, Settings, User

COLLECTIONS: tuple[type[Document], ...] = (User, Group, ApiKey, Settings, Sample, Job, File)
