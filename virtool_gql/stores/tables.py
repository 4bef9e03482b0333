"""The tables of PostgreSQL: one of JSONB documents for each collection, typed ones for rows, and the outbox.

The migrations create them; a test holds what they leave in the database against what is declared here.
"""

from functools import cache

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from virtool_gql.models.documents import Document, Kept
from virtool_gql.models.files import File
from virtool_gql.models.labels import Label
from virtool_gql.models.settings import InstanceMessage
from virtool_gql.models.tasks import Task
from virtool_gql.query import Order, total_order
from virtool_gql.stores.fields import CODE_POINTS, TimestampText
from virtool_gql.stores.sql import Fields, sort_key

SCHEMA = "documents"
LONGEST_NAME = 63  # of anything in PostgreSQL
PLAIN_TEXT = Text(collation=CODE_POINTS)

metadata = MetaData()

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("payload", LargeBinary, nullable=False),
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", PLAIN_TEXT, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("name", PLAIN_TEXT, nullable=False),
    Column("type", PLAIN_TEXT, CheckConstraint("type IN ('reads', 'reference', 'subtraction', 'hmm')"), nullable=False),
    Column("user_id", PLAIN_TEXT),
    Column("size", BigInteger),
    Column("ready", Boolean, nullable=False),
    Column("reserved_by", PLAIN_TEXT),
    Column("created_at", TimestampText, nullable=False),
    Column("uploaded_at", TimestampText),
    Column("expires_at", TimestampText),
    Column("source_key", PLAIN_TEXT),
)

labels = Table(
    "labels",
    metadata,
    Column("id", PLAIN_TEXT, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("name", PLAIN_TEXT, nullable=False),
    Column("name_key", PLAIN_TEXT, nullable=False),
    Column("creation_key", PLAIN_TEXT),
    Column("color", PLAIN_TEXT, nullable=False),
    Column("description", PLAIN_TEXT, nullable=False),
    Column("user_id", PLAIN_TEXT, nullable=False),
    Column("created_at", TimestampText, nullable=False),
)

instance_messages = Table(
    "instance_messages",
    metadata,
    Column("id", PLAIN_TEXT, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("message", PLAIN_TEXT, nullable=False),
    Column("color", PLAIN_TEXT, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("active_key", PLAIN_TEXT),
    Column("user_id", PLAIN_TEXT, nullable=False),
    Column("created_at", TimestampText, nullable=False),
    Column("updated_at", TimestampText, nullable=False),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", PLAIN_TEXT, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("type", PLAIN_TEXT, nullable=False),
    Column("state", PLAIN_TEXT, nullable=False),
    Column("step", PLAIN_TEXT),
    Column("progress", Double, nullable=False),
    Column("args", JSONB, nullable=False),
    Column("error", PLAIN_TEXT),
    Column("problems", JSONB, nullable=False),
    Column("warnings", JSONB, nullable=False),
    Column("user_id", PLAIN_TEXT),
    Column("reference_id", PLAIN_TEXT),
    Column("periodic_key", PLAIN_TEXT),
    Column("attempts", Integer, nullable=False),
    Column("lease_runner", PLAIN_TEXT),
    Column("lease_token", PLAIN_TEXT),
    Column("lease_expires_at", TimestampText),
    Column("due_at", TimestampText, nullable=False),
    Column("created_at", TimestampText, nullable=False),
    Column("updated_at", TimestampText, nullable=False),
)

ROWS: dict[type[Document], Table] = {
    File: uploads,
    InstanceMessage: instance_messages,
    Label: labels,
    Task: tasks,
}


@cache
def table_of(kind: type[Document]) -> Table:
    """Give the table of a collection with the indexes that the collection declares."""
    table = ROWS[kind] if kind.kept.in_rows else _documents(kind.kept)
    fields = Fields(table, kind)
    for paths in kind.kept.unique:
        keys = [sort_key(fields.field(path), path) for path in paths]
        Index(unique_name(kind.kept, paths), *keys, unique=True, _table=table)
    for order in kind.kept.indexes:
        Index(_index_name(kind.kept, order), *fields.ordering(total_order(order)), _table=table)
    return table


def _documents(kept: Kept) -> Table:
    return Table(
        kept.name,
        metadata,
        Column("id", PLAIN_TEXT, primary_key=True),
        Column("version", Integer, nullable=False),
        Column("doc", JSONB, nullable=False),
        *([Column("apart", JSONB)] if kept.apart else []),
        schema=SCHEMA,
        info={"apart": kept.apart},
    )


def unique_name(kept: Kept, paths: tuple[str, ...]) -> str:
    return _name(kept, paths, "key")


def _index_name(kept: Kept, order: tuple[Order, ...]) -> str:
    return _name(kept, tuple(key.path for key in order), "order")


def _name(kept: Kept, paths: tuple[str, ...], purpose: str) -> str:
    return "_".join((kept.name, *paths, purpose)).replace(".", "_")[:LONGEST_NAME]
