"""Curated collections of viruses, against which samples are analysed."""

from enum import StrEnum

import msgspec

from virtool_gql.models.documents import Document, Kept, Timestamp
from virtool_gql.query import Order


class DataType(StrEnum):
    """What the sequences of a reference are."""

    GENOME = "genome"
    BARCODE = "barcode"


class Right(StrEnum):
    """What a member of a reference may do with it; every member may read it."""

    BUILD = "build"
    MODIFY = "modify"
    MODIFY_OTU = "modify_otu"
    REMOVE = "remove"


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A user or a group that may read a reference, and what else they may do with it."""

    id: str
    build: bool = False
    modify: bool = False
    modify_otu: bool = False
    remove: bool = False
    created_at: Timestamp


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the genome that a barcode is taken from; `length` is in bases."""

    name: str
    description: str = ""
    required: bool = False
    length: int | None = None


class ClonedFrom(msgspec.Struct, frozen=True, kw_only=True):
    """The reference that another one was copied from, by the name that it had then."""

    id: str
    name: str


class ImportedFrom(msgspec.Struct, frozen=True, kw_only=True):
    """The upload that a reference was made from, by the name that it had then; `size` is in bytes."""

    file_id: str
    file_name: str
    size: int
    uploaded_at: Timestamp | None
    user_id: str | None


class RemotesFrom(msgspec.Struct, frozen=True, kw_only=True):
    """Where the releases of a reference are published: a GitHub repository as `owner/name`."""

    slug: str


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One published release, as it was told last; `size` is in bytes. `newer` than what is installed."""

    id: str
    name: str
    body: str = ""
    etag: str = ""
    filename: str = ""
    size: int = 0
    html_url: str = ""
    download_url: str = ""
    content_type: str = ""
    published_at: Timestamp | None = None
    retrieved_at: Timestamp | None = None
    newer: bool = False
    prerelease: bool = False


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """One installation of a release; `ready` when all of it is there."""

    id: str
    name: str
    body: str = ""
    filename: str = ""
    size: int = 0
    html_url: str = ""
    published_at: Timestamp | None = None
    newer: bool = False
    ready: bool = False
    user_id: str
    created_at: Timestamp


class Reference(Document, frozen=True, kw_only=True):
    """A curated collection of OTUs.

    `ready` tells whether its OTUs are all there: not while it is being imported, cloned or installed. `task_id` is the
    latest work in the background. `updating` while a newer release is being installed. `errors` say why the latest
    release is not known. One that is `archived` can be read, and restored, but not changed.
    """

    kept = Kept(
        "references",
        unannounced=frozenset({"creation_key"}),
        unique=(("creation_key",),),
        indexes=((Order("name_key"),), (Order("created_at", descending=True),)),
    )

    name: str
    name_key: str
    creation_key: str | None = None
    description: str = ""
    organism: str = ""
    data_type: DataType = DataType.GENOME
    restrict_source_types: bool = False
    source_types: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    users: tuple[Member, ...] = ()
    groups: tuple[Member, ...] = ()
    internal_control_id: str | None = None
    cloned_from: ClonedFrom | None = None
    imported_from: ImportedFrom | None = None
    remotes_from: RemotesFrom | None = None
    release: Release | None = None
    installed: Update | None = None
    updates: tuple[Update, ...] = ()
    updating: bool = False
    errors: tuple[str, ...] = ()
    ready: bool = True
    archived: bool = False
    task_id: str | None = None
    user_id: str
    created_at: Timestamp
    updated_at: Timestamp
