"""The vocabulary of jobs, shared by those who ask for work and those who do it."""

from enum import StrEnum

import msgspec


class Workflow(StrEnum):
    """What a job can do."""

    CREATE_SAMPLE = "create_sample"
    UPDATE_SAMPLE = "update_sample"
    CREATE_SUBTRACTION = "create_subtraction"
    BUILD_INDEX = "build_index"
    PATHOSCOPE_BOWTIE = "pathoscope_bowtie"
    NUVS = "nuvs"


class Size(StrEnum):
    """How much of the machine a workflow is given."""

    SMALL = "small"
    LARGE = "large"


SIZES = {
    Workflow.CREATE_SAMPLE: Size.SMALL,
    Workflow.UPDATE_SAMPLE: Size.SMALL,
    Workflow.CREATE_SUBTRACTION: Size.SMALL,
    Workflow.BUILD_INDEX: Size.SMALL,
    Workflow.PATHOSCOPE_BOWTIE: Size.LARGE,
    Workflow.NUVS: Size.LARGE,
}


class CreateSample(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of `create_sample`: the sample, and the uploads that it is made from."""

    sample_id: str
    file_ids: tuple[str, ...]


class BuildIndex(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of `build_index`; the index holds the manifest, which says what is built."""

    reference_id: str
    index_id: str
    index_number: int
    user_id: str


def queue_name(workflow: Workflow) -> str:
    """Name the Redis list that the ids of waiting jobs are pushed to."""
    return f"jobs_{workflow}"


CANCEL_CHANNEL = "channel:cancel"
LOG_CHANNEL = "channel:log"
