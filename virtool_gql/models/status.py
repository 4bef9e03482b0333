"""What is known of the things that are installed once for the whole instance: the HMM profiles, and the software."""

from virtool_gql.models.documents import Document, Kept, Timestamp
from virtool_gql.models.references import Release, Update

HMM_STATUS_ID = "hmm"
SOFTWARE_STATUS_ID = "software"


class Status(Document, frozen=True, kw_only=True):
    """The releases of one thing, and which of them is installed; its id is `hmm` or `software`.

    `release` is the latest one, `releases` are those that can be had, newest first. `errors` say why they are not
    known.
    """

    kept = Kept("status")

    release: Release | None = None
    releases: tuple[Release, ...] = ()
    installed: Update | None = None
    updates: tuple[Update, ...] = ()
    errors: tuple[str, ...] = ()
    task_id: str | None = None
    checked_at: Timestamp | None = None

    @property
    def updating(self) -> bool:
        """Whether what was asked for last is not there yet."""
        return bool(self.updates) and not self.updates[-1].ready
