"""The works of all types of tasks: who writes one adds it here."""

from collections.abc import Mapping

from virtool_gql.models.tasks import TaskType
from virtool_gql.tasks.clean_references import ReferenceCleaning
from virtool_gql.tasks.clone_reference import ReferenceClone
from virtool_gql.tasks.delete_reference import ReferenceDeletion
from virtool_gql.tasks.import_reference import ReferenceImport
from virtool_gql.tasks.refreshers import HMMRefresher, ReferenceRefresher, SoftwareRefresher
from virtool_gql.tasks.remote_reference import RemoteInstallation
from virtool_gql.tasks.update_remote_reference import RemoteUpdate
from virtool_gql.tasks.work import AnyWork

ALL: tuple[type[AnyWork], ...] = (
    ReferenceClone,
    ReferenceImport,
    ReferenceDeletion,
    ReferenceCleaning,
    RemoteInstallation,
    RemoteUpdate,
    ReferenceRefresher,
    HMMRefresher,
    SoftwareRefresher,
)

WORKS: Mapping[TaskType, type[AnyWork]] = {work.type: work for work in ALL}
