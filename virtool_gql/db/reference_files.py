"""The file format of references, `reference.json.gz`: read and checked, and written."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from virtool_gql.models.joined import JoinedOTU
from virtool_gql.models.references import DataType, Target
from virtool_gql.models.tasks import Problem


class ReferenceFile(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a file: OTUs with the ids that the file gives them, all that is wrong, and what is odd."""

    data_type: DataType = DataType.GENOME
    organism: str = ""
    targets: tuple[Target, ...] = ()
    otus: tuple[JoinedOTU, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def read_reference(path: Path, *, strict: bool, progress: Callable[[float], None] = lambda _: None) -> ReferenceFile:
    """Read a reference file and check all of it; what is wrong is in `problems`, and then nothing else counts.

    `strict` is for releases, which must say their data type and organism, and give ids to everything.
    """
    raise NotImplementedError
