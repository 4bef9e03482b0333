"""Creating, changing and deleting isolates: what mutations take, and what they answer with."""

import strawberry

from schema.inputs import given, optional, partial
from schema.isolates import Isolate
from schema.otu_writes import EXPECTED, IDEMPOTENCY
from schema.otus import OTU
from schema.payloads import Payload
from virtool_gql.db.isolates import IsolateChanges, NewIsolate

SOURCE_TYPE = (
    "What it comes from, kept in small letters. A reference that restricts source types allows those that it lists, "
    "`unknown` and none."
)
SOURCE_NAME = "What that is called."


@strawberry.input(description="A new isolate.")
class CreateIsolateInput:
    """A new isolate."""

    otu_id: strawberry.ID = strawberry.field(description="The OTU that it is of.")
    source_type: str | None = optional(SOURCE_TYPE)
    source_name: str | None = optional(SOURCE_NAME)
    default: bool | None = optional(
        "Whether it is to stand for its OTU instead of the isolate that does now; the first of an OTU does anyway."
    )
    idempotency_key: str | None = optional(IDEMPOTENCY)
    expected_version: int | None = optional(EXPECTED)

    def new_isolate(self) -> NewIsolate:
        return NewIsolate(
            source_type=given(self.source_type) or "",
            source_name=given(self.source_name) or "",
            default=bool(given(self.default)),
        )


@strawberry.input(description="What to change of an isolate. What is left out stays as it is.")
class UpdateIsolateInput:
    """What to change of an isolate."""

    id: strawberry.ID = strawberry.field(description="The isolate.")
    source_type: str | None = optional(SOURCE_TYPE)
    source_name: str | None = optional(SOURCE_NAME)
    expected_version: int | None = optional(EXPECTED)

    def changes(self) -> IsolateChanges:
        return partial(IsolateChanges, source_type=self.source_type, source_name=self.source_name)


@strawberry.input(description="Which isolate is to stand for its OTU.")
class SetDefaultIsolateInput:
    """Which isolate is to stand for its OTU."""

    id: strawberry.ID = strawberry.field(description="The isolate.")
    expected_version: int | None = optional(EXPECTED)


@strawberry.input(description="Which isolate to delete.")
class DeleteIsolateInput:
    """Which isolate to delete."""

    id: strawberry.ID = strawberry.field(description="The isolate.")
    expected_version: int | None = optional(EXPECTED)


@strawberry.type(description="What `createIsolate` answers with.")
class CreateIsolatePayload(Payload):
    """What `createIsolate` answers with."""

    isolate: Isolate | None = strawberry.field(default=None, description="The isolate.")
    otu: OTU | None = strawberry.field(default=None, description="The OTU as it is now.")


@strawberry.type(description="What `updateIsolate` answers with.")
class UpdateIsolatePayload(Payload):
    """What `updateIsolate` answers with."""

    isolate: Isolate | None = strawberry.field(default=None, description="The isolate as it is now.")
    otu: OTU | None = strawberry.field(default=None, description="The OTU as it is now.")


@strawberry.type(description="What `setDefaultIsolate` answers with.")
class SetDefaultIsolatePayload(Payload):
    """What `setDefaultIsolate` answers with."""

    isolate: Isolate | None = strawberry.field(default=None, description="The isolate as it is now.")
    otu: OTU | None = strawberry.field(default=None, description="The OTU as it is now.")


@strawberry.type(description="What `deleteIsolate` answers with.")
class DeleteIsolatePayload(Payload):
    """What `deleteIsolate` answers with."""

    isolate: Isolate | None = strawberry.field(
        default=None, description="The isolate as it was. Its sequences cannot be asked for any more."
    )
    otu: OTU | None = strawberry.field(default=None, description="The OTU as it is now.")
