"""Labels, messages, subtractions, the audit log, sources of files, and idempotency keys of users and groups."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLLECTIONS = ("audit", "subtractions")

DOCUMENTS = """CREATE TABLE documents.{name} (
    id TEXT COLLATE "C" NOT NULL,
    version INTEGER NOT NULL,
    doc JSONB NOT NULL,
    PRIMARY KEY (id)
)
"""

LABELS = """CREATE TABLE labels (
    id TEXT COLLATE "C" NOT NULL,
    version INTEGER NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    creation_key TEXT COLLATE "C",
    color TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id)
)
"""

INSTANCE_MESSAGES = """CREATE TABLE instance_messages (
    id TEXT COLLATE "C" NOT NULL,
    version INTEGER NOT NULL,
    message TEXT COLLATE "C" NOT NULL,
    color TEXT COLLATE "C" NOT NULL,
    active BOOLEAN NOT NULL,
    active_key TEXT COLLATE "C",
    user_id TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id)
)
"""

INDEXES = """
CREATE UNIQUE INDEX users_creation_key_key ON
    documents.users (((doc ->> 'creation_key') COLLATE "C"));
CREATE UNIQUE INDEX groups_creation_key_key ON
    documents.groups (((doc ->> 'creation_key') COLLATE "C"));
CREATE INDEX audit_at_order ON
    documents.audit (((doc ->> 'at') COLLATE "C") DESC NULLS LAST, id DESC NULLS LAST);
CREATE INDEX audit_document_id_at_order ON
    documents.audit (((doc ->> 'document_id') COLLATE "C") ASC NULLS FIRST,
    ((doc ->> 'at') COLLATE "C") DESC NULLS LAST, id DESC NULLS LAST);
CREATE INDEX audit_user_id_at_order ON
    documents.audit (((doc ->> 'user_id') COLLATE "C") ASC NULLS FIRST,
    ((doc ->> 'at') COLLATE "C") DESC NULLS LAST, id DESC NULLS LAST);
CREATE INDEX subtractions_created_at_order ON
    documents.subtractions (((doc ->> 'created_at') COLLATE "C") DESC NULLS LAST, id DESC NULLS LAST);
CREATE UNIQUE INDEX subtractions_creation_key_key ON
    documents.subtractions (((doc ->> 'creation_key') COLLATE "C"));
CREATE INDEX subtractions_name_order ON
    documents.subtractions (((doc ->> 'name') COLLATE "C") ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE INDEX files_expires_at_order ON
    uploads (expires_at ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE UNIQUE INDEX files_source_key_key ON
    uploads (source_key);
CREATE INDEX labels_created_at_order ON
    labels (created_at DESC NULLS LAST, id DESC NULLS LAST);
CREATE UNIQUE INDEX labels_creation_key_key ON
    labels (creation_key);
CREATE UNIQUE INDEX labels_name_key_key ON
    labels (name_key);
CREATE INDEX labels_name_key_order ON
    labels (name_key ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE UNIQUE INDEX instance_messages_active_key_key ON
    instance_messages (active_key);
CREATE INDEX instance_messages_created_at_order ON
    instance_messages (created_at DESC NULLS LAST, id DESC NULLS LAST);
"""

# The quality of reads is large; beside the rest, every filter on samples would unpack it.
APART = """ALTER TABLE documents.samples ADD COLUMN apart JSONB;
UPDATE documents.samples SET apart = jsonb_build_object('quality', doc -> 'quality'), doc = doc - 'quality'
"""

# What was done stays told, also by somebody who has the database's password and no bad intentions.
KEPT = """CREATE FUNCTION documents.keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit log is only added to.';
END
$$
"""
KEEPING = """CREATE TRIGGER keep_audit BEFORE UPDATE OR DELETE OR TRUNCATE ON documents.audit
    FOR EACH STATEMENT EXECUTE FUNCTION documents.keep_audit()
"""


def upgrade() -> None:
    for name in COLLECTIONS:
        op.execute(DOCUMENTS.format(name=name))
    op.execute('ALTER TABLE uploads ADD COLUMN source_key TEXT COLLATE "C"')
    op.execute(LABELS)
    op.execute(INSTANCE_MESSAGES)
    for statement in (APART + ";" + INDEXES).split(";"):
        if statement.strip():
            op.execute(statement)
    op.execute(KEPT)
    op.execute(KEEPING)
