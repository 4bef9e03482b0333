"""What jobs can do, in words."""

from schema.enums import described
from virtool_gql.workflows import Workflow as Workflow  # noqa: PLC0414 - re-exported with its description

described(
    Workflow,
    "What a job can do.",
    {
        Workflow.CREATE_SAMPLE: "Make a sample from uploaded reads.",
        Workflow.UPDATE_SAMPLE: "Replace the reads of a sample.",
        Workflow.CREATE_SUBTRACTION: "Make a subtraction from an uploaded genome.",
        Workflow.BUILD_INDEX: "Build the index of a reference.",
        Workflow.PATHOSCOPE_BOWTIE: "Find known viruses in a sample.",
        Workflow.NUVS: "Look for unknown viruses in a sample.",
    },
)
