"""Every workflow that a runner can do."""

from jobs.workflow import AnyWork
from jobs.workflows.create_sample import SampleCreation
from virtool_gql.workflows import Workflow

WORKFLOWS: dict[Workflow, type[AnyWork]] = {work.workflow: work for work in (SampleCreation,)}
