"""Who works with the instance: users, their groups and their API keys."""

from enum import StrEnum

import msgspec

from virtool_gql.models.documents import Document, Kept, Timestamp
from virtool_gql.query import Order
from virtool_gql.workflows import Workflow


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


class AccountSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a user wants to work."""

    show_ids: bool = True
    show_versions: bool = True
    skip_quick_analyze_dialog: bool = True
    quick_analyze_workflow: Workflow = Workflow.PATHOSCOPE_BOWTIE


class User(Document, frozen=True, kw_only=True):
    """A person who can sign in. `handle_key` is the handle as it is compared: NFKC, case-folded.

    `creation_key` is the idempotency key of whoever created the user, here and in the other documents that have one.
    Sessions and keys of another `credentials_version` than the user's have ended, except the `kept_session_id`.
    """

    kept = Kept(
        "users",
        unannounced=frozenset({"password_hash", "creation_key", "credentials_version", "kept_session_id"}),
        unique=(("handle_key",), ("creation_key",)),
        indexes=((Order("handle_key"),), (Order("created_at", descending=True),)),
    )

    handle: str
    handle_key: str
    creation_key: str | None = None
    password_hash: str
    administrator: bool = False
    active: bool = True
    group_ids: tuple[str, ...] = ()
    primary_group_id: str | None = None
    force_reset: bool = False
    email: str = ""
    settings: AccountSettings = AccountSettings()
    credentials_version: int = 0
    kept_session_id: str | None = None
    created_at: Timestamp
    last_password_change: Timestamp


class Group(Document, frozen=True, kw_only=True):
    """Users who share permissions and samples."""

    kept = Kept(
        "groups",
        unannounced=frozenset({"creation_key"}),
        unique=(("name_key",), ("creation_key",)),
        indexes=((Order("name_key"),),),
    )

    name: str
    name_key: str
    creation_key: str | None = None
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
    expires_at: Timestamp | None = None
    credentials_version: int = 0
    last_used_at: Timestamp | None = None
