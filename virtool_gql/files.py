"""Where each entity's bytes live below the data path: under ids, never under names that people gave."""

import re
from pathlib import Path

from virtool_gql.errors import NotFound

ID = re.compile(r"[0-9a-z_]{1,64}")


class Places:
    """The folders and files of one data path."""

    def __init__(self, data_path: Path) -> None:
        self.data_path = data_path
        self.files = data_path / "files"
        self.samples = data_path / "samples"
        self.references = data_path / "references"
        self.history = data_path / "history"
        self.logs = data_path / "logs" / "jobs"
        self.services = data_path / "services"
        self.files_mark = data_path / ".files"

    def create(self) -> None:
        """Make the folders that are not there yet, closed to others, who may be able to enter the data path."""
        self.data_path.mkdir(mode=0o700, parents=True, exist_ok=True)
        logs = (self.logs.parent, self.logs)
        for folder in (self.files, self.samples, self.references, self.history, *logs, self.services):
            folder.mkdir(mode=0o700, exist_ok=True)

    def file(self, file_id: str) -> Path:
        return self.files / _checked(file_id)

    def sample(self, sample_id: str) -> Path:
        return self.samples / _checked(sample_id)

    def reads(self, sample_id: str, number: int) -> Path:
        return self.sample(sample_id) / f"reads_{number}.fq.gz"

    def deletion_mark(self, sample_id: str) -> Path:
        """Give the file that tells of a folder of reads that somebody asked for its end."""
        return self.sample(sample_id) / "deleted"

    def reference(self, reference_id: str) -> Path:
        """Give the folder in which the indexes of a reference lie, each in one of its own."""
        return self.references / _checked(reference_id)

    def history_diff(self, diff_file: str) -> Path:
        return self.history / f"{_checked(diff_file)}.json.gz"

    def job_log(self, job_id: str) -> Path:
        return self.logs / f"{_checked(job_id)}.log"


def _checked(id: str) -> str:
    if not ID.fullmatch(id):
        raise NotFound("There is nothing of that id.")
    return id
