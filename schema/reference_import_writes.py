"""What the import of references takes and gives."""

import strawberry

from schema.ids import stored_id
from schema.inputs import given, optional
from schema.payloads import Payload
from schema.references import Reference
from schema.tasks import Task
from virtool_gql.db.reference_imports import NewImport


@strawberry.input(description="A reference that is filled from an uploaded file, in the background.")
class ImportReferenceInput:
    """A reference that is filled from an uploaded file."""

    file_id: strawberry.ID = strawberry.field(
        description="A file of the type `REFERENCE`, which is reserved meanwhile."
    )
    name: str | None = optional("The name; others may have the same. `Unnamed Import` when left out.")
    description: str | None = optional("What it is for, in at most 10 000 characters.")
    organism: str | None = optional("What its OTUs are; as the file says when left out.")
    idempotency_key: str | None = optional("A text of your choice; another import with it gives the same reference.")

    def new_import(self) -> NewImport:
        return NewImport(
            file_id=stored_id("file", self.file_id, "file_id"),
            name=given(self.name),
            description=given(self.description) or "",
            organism=given(self.organism) or "",
        )


@strawberry.type(description="What `importReference` answers with.")
class ImportReferencePayload(Payload):
    """What `importReference` answers with."""

    reference: Reference | None = strawberry.field(default=None, description="The reference, which is not ready yet.")
    task: Task | None = strawberry.field(default=None, description="The work in the background that fills it.")
