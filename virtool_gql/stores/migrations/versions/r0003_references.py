"""References with their OTUs, sequences, history and indexes; tasks; and what is known of releases."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLLECTIONS = ("references", "otus", "status")
WITH_LARGE_FIELDS = ("sequences", "history", "indexes")

DOCUMENTS = """CREATE TABLE documents."{name}" (
    id TEXT COLLATE "C" NOT NULL,
    version INTEGER NOT NULL,
    doc JSONB NOT NULL,{apart}
    PRIMARY KEY (id)
)
"""

TASKS = """CREATE TABLE tasks (
    id TEXT COLLATE "C" NOT NULL,
    version INTEGER NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    step TEXT COLLATE "C",
    progress DOUBLE PRECISION NOT NULL,
    args JSONB NOT NULL,
    error TEXT COLLATE "C",
    problems JSONB NOT NULL,
    warnings JSONB NOT NULL,
    user_id TEXT COLLATE "C",
    reference_id TEXT COLLATE "C",
    periodic_key TEXT COLLATE "C",
    attempts INTEGER NOT NULL,
    lease_runner TEXT COLLATE "C",
    lease_token TEXT COLLATE "C",
    lease_expires_at TIMESTAMP WITH TIME ZONE,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id)
)
"""

INDEXES = """
CREATE INDEX references_created_at_order ON
    documents."references" (((doc ->> 'created_at') COLLATE "C") DESC NULLS LAST, id DESC NULLS LAST);
CREATE UNIQUE INDEX references_creation_key_key ON
    documents."references" (((doc ->> 'creation_key') COLLATE "C"));
CREATE INDEX references_name_key_order ON
    documents."references" (((doc ->> 'name_key') COLLATE "C") ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE UNIQUE INDEX otus_creation_key_key ON
    documents.otus (((doc ->> 'creation_key') COLLATE "C"));
CREATE INDEX otus_name_key_order ON
    documents.otus (((doc ->> 'name_key') COLLATE "C") ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE UNIQUE INDEX otus_reference_id_abbreviation_key_key ON
    documents.otus (((doc ->> 'reference_id') COLLATE "C"), ((doc ->> 'abbreviation_key') COLLATE "C"));
CREATE INDEX otus_reference_id_created_at_order ON
    documents.otus (((doc ->> 'reference_id') COLLATE "C") ASC NULLS FIRST,
    ((doc ->> 'created_at') COLLATE "C") DESC NULLS LAST, id DESC NULLS LAST);
CREATE UNIQUE INDEX otus_reference_id_name_key_key ON
    documents.otus (((doc ->> 'reference_id') COLLATE "C"), ((doc ->> 'name_key') COLLATE "C"));
CREATE INDEX otus_reference_id_name_key_order ON
    documents.otus (((doc ->> 'reference_id') COLLATE "C") ASC NULLS FIRST,
    ((doc ->> 'name_key') COLLATE "C") ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE INDEX otus_reference_id_remote_id_order ON
    documents.otus (((doc ->> 'reference_id') COLLATE "C") ASC NULLS FIRST,
    ((doc ->> 'remote_id') COLLATE "C") ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE UNIQUE INDEX sequences_creation_key_key ON
    documents.sequences (((doc ->> 'creation_key') COLLATE "C"));
CREATE INDEX sequences_otu_id_order ON
    documents.sequences (((doc ->> 'otu_id') COLLATE "C") ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE INDEX sequences_reference_id_accession_order ON
    documents.sequences (((doc ->> 'reference_id') COLLATE "C") ASC NULLS FIRST,
    ((doc ->> 'accession') COLLATE "C") ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE INDEX history_created_at_order ON
    documents.history (((doc ->> 'created_at') COLLATE "C") DESC NULLS LAST, id DESC NULLS LAST);
CREATE INDEX history_index_id_reference_id_order ON
    documents.history (((doc ->> 'index_id') COLLATE "C") ASC NULLS FIRST,
    ((doc ->> 'reference_id') COLLATE "C") ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE INDEX history_otu_id_place_order ON
    documents.history (((doc ->> 'otu_id') COLLATE "C") ASC NULLS FIRST,
    CAST((doc ->> 'place') AS numeric) DESC NULLS LAST, id DESC NULLS LAST);
CREATE INDEX history_reference_id_created_at_order ON
    documents.history (((doc ->> 'reference_id') COLLATE "C") ASC NULLS FIRST,
    ((doc ->> 'created_at') COLLATE "C") DESC NULLS LAST, id DESC NULLS LAST);
CREATE UNIQUE INDEX indexes_building_key_key ON
    documents.indexes (((doc ->> 'building_key') COLLATE "C"));
CREATE INDEX indexes_created_at_order ON
    documents.indexes (((doc ->> 'created_at') COLLATE "C") DESC NULLS LAST, id DESC NULLS LAST);
CREATE UNIQUE INDEX indexes_creation_key_key ON
    documents.indexes (((doc ->> 'creation_key') COLLATE "C"));
CREATE UNIQUE INDEX indexes_reference_id_number_key ON
    documents.indexes (((doc ->> 'reference_id') COLLATE "C"), CAST((doc ->> 'number') AS numeric));
CREATE INDEX indexes_reference_id_number_order ON
    documents.indexes (((doc ->> 'reference_id') COLLATE "C") ASC NULLS FIRST,
    CAST((doc ->> 'number') AS numeric) DESC NULLS LAST, id DESC NULLS LAST);
CREATE INDEX tasks_created_at_order ON
    tasks (created_at DESC NULLS LAST, id DESC NULLS LAST);
CREATE UNIQUE INDEX tasks_periodic_key_key ON
    tasks (periodic_key);
CREATE INDEX tasks_reference_id_order ON
    tasks (reference_id ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE INDEX tasks_state_due_at_order ON
    tasks (state ASC NULLS FIRST, due_at ASC NULLS FIRST, id ASC NULLS FIRST);
CREATE INDEX tasks_user_id_order ON
    tasks (user_id ASC NULLS FIRST, id ASC NULLS FIRST);
"""


def upgrade() -> None:
    for name in COLLECTIONS:
        op.execute(DOCUMENTS.format(name=name, apart=""))
    for name in WITH_LARGE_FIELDS:
        op.execute(DOCUMENTS.format(name=name, apart="\n    apart JSONB,"))
    op.execute(TASKS)
    for statement in INDEXES.split(";"):
        if statement.strip():
            op.execute(statement)
