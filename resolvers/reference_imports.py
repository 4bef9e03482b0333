"""Imports of references at the root of the API."""

from typing import Annotated

import strawberry

from schema.arguments import described
from schema.context import Info
from schema.inputs import given
from schema.payloads import mutation
from schema.reference_import_writes import ImportReferenceInput, ImportReferencePayload
from schema.references import Reference
from schema.tasks import Task


@strawberry.type
class ReferenceImportMutation:
    """Making references from uploaded files."""

    @mutation(
        "Make a reference from an uploaded file. The task tells all that is wrong with the file, and what is odd; when "
        "it fails there is no reference. Needs the permission `CREATE_REF`."
    )
    async def import_reference(
        self, info: Info, input: Annotated[ImportReferenceInput, described("The file, and what to call it.")]
    ) -> ImportReferencePayload:
        viewer, key = info.context.viewer, given(input.idempotency_key)
        imports = info.context.db.reference_imports
        reference, task = await imports.create(viewer, input.new_import(), idempotency_key=key)
        return ImportReferencePayload(reference=Reference.from_document(reference), task=Task.from_document(task))
