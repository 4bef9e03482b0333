"""Who works with the instance: users, their groups and their API keys."""

from enum import StrEnum

from virtool_gql.models.documents import Document, Kept, Timestamp
from virtool_gql.query import Order


class Permission(StrEnum):
    """What a group may allow its members on the whole instance."""

    CANCEL_JOB = "cancel_job"
    CREATE_REF = "create_ref"
    CREATE_SAMPLE = "create_sample"
    MODIFY_HMM = "modify_hmm"
    MODIFY_SUBTRACTION = "modify_subtraction"
    REMOVE_FILE = "remove_file"
    REMOVE_JOB = "remove_job"
    UPLOAD_FILE = "upload_file"


class User(Document, frozen=True, kw_only=True):
    """A person who can sign in. `handle_key` is the handle as it is compared: NFKC, case-folded."""

    kept = Kept(
        "users",
        unannounced=frozenset({"password_hash"}),
        unique=(("handle_key",),),
        indexes=((Order("handle_key"),), (Order("created_at", descending=True),)),
    )

    handle: str
    handle_key: str
    password_hash: str
    administrator: bool = False
    active: bool = True
    group_ids: tuple[str, ...] = ()
    primary_group_id: str | None = None
    force_reset: bool = False
    email: str = ""
    created_at: Timestamp
    last_password_change: Timestamp


class Group(Document, frozen=True, kw_only=True):
    """Users who share permissions and samples."""

    kept = Kept("groups", unique=(("name_key",),), indexes=((Order("name_key"),),))

    name: str
    name_key: str
    permissions: tuple[Permission, ...] = ()
    created_at: Timestamp


class ApiKey(Document, frozen=True, kw_only=True):
    """A secret by which a script acts for its user; only the SHA-256 of it is kept."""

    kept = Kept("keys", unannounced=frozenset({"key_hash"}), unique=(("key_hash",),), indexes=((Order("user_id"),),))

    name: str
    key_hash: str
    user_id: str
    permissions: tuple[Permission, ...] = ()
    administrator: bool = False
    created_at: Timestamp
    last_used_at: Timestamp | None = None


class Settings(Document, frozen=True, kw_only=True):
    """What an administrator has settled for the whole instance; one document with the id `settings`."""

    kept = Kept("settings")

    minimum_password_length: int = 8
    sample_group: str = "none"
    sample_group_read: bool = True
    sample_group_write: bool = False
    sample_all_read: bool = True
    sample_all_write: bool = False
    sample_unique_names: bool = True
