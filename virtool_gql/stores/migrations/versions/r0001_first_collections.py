"""Users, groups, keys, settings, samples, jobs, uploads and the outbox."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

COLLECTIONS = ("users", "groups", "keys", "settings", "samples", "jobs")

INDEXES = """
CREATE INDEX users_created_at_order ON
    documents.users (((doc ->> 'created_at') COLLATE "C") DESC NULLS LAST, id DESC NULLS LAST);
CREATE UNIQUE INDEX users_handle_key_key ON
    documents.users (((doc ->> 'handle_key') COLLATE "C"));
CREATE INDEX users_handle_key_order ON
    documents.users (((doc ->> 'handle_key') COLLATE "C") ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE UNIQUE INDEX groups_name_key_key ON
    documents.groups (((doc ->> 'name_key') COLLATE "C"));
CREATE INDEX groups_name_key_order ON
    documents.groups (((doc ->> 'name_key') COLLATE "C") ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE UNIQUE INDEX keys_key_hash_key ON
    documents.keys (((doc ->> 'key_hash') COLLATE "C"));
CREATE INDEX keys_user_id_order ON
    documents.keys (((doc ->> 'user_id') COLLATE "C") ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE INDEX samples_created_at_order ON
    documents.samples (((doc ->> 'created_at') COLLATE "C") DESC NULLS LAST, id DESC NULLS LAST);
CREATE UNIQUE INDEX samples_creation_key_key ON
    documents.samples (((doc ->> 'creation_key') COLLATE "C"));
CREATE INDEX samples_name_order ON
    documents.samples (((doc ->> 'name') COLLATE "C") ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE UNIQUE INDEX samples_unique_key_key ON
    documents.samples (((doc ->> 'unique_key') COLLATE "C"));
CREATE INDEX samples_user_id_order ON
    documents.samples (((doc ->> 'user_id') COLLATE "C") ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE INDEX jobs_created_at_order ON
    documents.jobs (((doc ->> 'created_at') COLLATE "C") DESC NULLS LAST, id DESC NULLS LAST);
CREATE INDEX jobs_state_order ON
    documents.jobs (((doc ->> 'state') COLLATE "C") ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE INDEX jobs_user_id_order ON
    documents.jobs (((doc ->> 'user_id') COLLATE "C") ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE INDEX files_created_at_order ON
    uploads (created_at DESC NULLS LAST, id DESC NULLS LAST);
CREATE INDEX files_name_order ON
    uploads (name ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE INDEX files_reserved_by_order ON
    uploads (reserved_by ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE INDEX files_size_order ON
    uploads (size ASC NULLS FIRST, id ASC NULLS FIRST);
"""

UPLOADS = """CREATE TABLE uploads (
    id TEXT COLLATE "C" NOT NULL,
    version INTEGER NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL CHECK (type IN ('reads', 'reference', 'subtraction', 'hmm')),
    user_id TEXT COLLATE "C",
    size BIGINT,
    ready BOOLEAN NOT NULL,
    reserved_by TEXT COLLATE "C",
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    uploaded_at TIMESTAMP WITH TIME ZONE,
    expires_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id)
)
"""

OUTBOX = """CREATE TABLE outbox (
    id BIGSERIAL NOT NULL,
    payload BYTEA NOT NULL,
    PRIMARY KEY (id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)
"""

DOCUMENTS = """CREATE TABLE documents.{name} (
    id TEXT COLLATE "C" NOT NULL,
    version INTEGER NOT NULL,
    doc JSONB NOT NULL,
    PRIMARY KEY (id)
)
"""


def upgrade() -> None:
    op.execute("CREATE SCHEMA documents")
    for name in COLLECTIONS:
        op.execute(DOCUMENTS.format(name=name))
    op.execute(UPLOADS)
    op.execute(OUTBOX)
    for statement in INDEXES.split(";"):
        if statement.strip():
            op.execute(statement)
