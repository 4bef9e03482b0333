"""The works of all types of tasks: who writes one adds it here."""

from collections.abc import Mapping

from virtool_gql.models.tasks import TaskType
from virtool_gql.tasks.work import AnyWork

ALL: tuple[type[AnyWork], ...] = ()

WORKS: Mapping[TaskType, type[AnyWork]] = {work.type: work for work in ALL}
