"""Where a reference comes from."""

from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from schema.files import File
from schema.relations import related
from schema.scalars import Long
from schema.users import User
from virtool_gql.models import references as models
from virtool_gql.models.documents import Timestamp

if TYPE_CHECKING:
    from schema.references import Reference


@strawberry.type(description="The reference that another one was copied from.")
class ClonedFrom:
    """The reference that another one was copied from."""

    name: str = strawberry.field(description="The name that it had then.")
    reference_id: strawberry.Private[str]

    reference = related(
        "reference",
        "reference_id",
        Annotated["Reference", strawberry.lazy("schema.references")],
        "The reference as it is now; null when it is gone or when you may not read it.",
    )

    @classmethod
    def from_document(cls, cloned_from: models.ClonedFrom) -> Self:
        return cls(name=cloned_from.name, reference_id=cloned_from.id)


@strawberry.type(description="The upload that a reference was made from.")
class ImportedFrom:
    """The upload that a reference was made from."""

    name: str = strawberry.field(description="The name that it had then.")
    size: Long = strawberry.field(description="How many bytes it has.")
    uploaded_at: Timestamp | None = strawberry.field(description="When it was uploaded.")
    file_id: strawberry.Private[str]
    user_id: strawberry.Private[str | None]

    file = related("file", "file_id", File, "The upload; null when it is gone.")
    user = related("user", "user_id", User, "Who uploaded it.")

    @classmethod
    def from_document(cls, imported_from: models.ImportedFrom) -> Self:
        return cls(
            name=imported_from.file_name,
            size=Long(imported_from.size),
            uploaded_at=imported_from.uploaded_at,
            file_id=imported_from.file_id,
            user_id=imported_from.user_id,
        )


@strawberry.type(description="Where the releases of a reference are published.")
class RemotesFrom:
    """Where the releases of a reference are published."""

    slug: str = strawberry.field(description="The repository on GitHub, as `owner/name`.")
    errors: list[str] = strawberry.field(description="Why the latest release is not known; empty when it is.")

    @classmethod
    def of(cls, remotes_from: models.RemotesFrom, reference: models.Reference) -> Self:
        return cls(slug=remotes_from.slug, errors=list(reference.errors))
