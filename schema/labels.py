"""Labels that people put on samples."""

from enum import StrEnum
from typing import Self

import strawberry

from schema.enums import described
from schema.ids import global_id
from schema.inputs import before, containing, given, optional, partial, since, with_id, with_ids
from schema.nodes import Node
from schema.orders import Ordering
from schema.payloads import Payload
from schema.relations import related
from schema.users import User
from virtool_gql.db.labels import LabelChanges, NewLabel
from virtool_gql.models import labels as models
from virtool_gql.models.documents import Timestamp
from virtool_gql.query import And, Filter


@strawberry.type(description="A label, which people put on samples. Everybody who is signed in may read it.")
class Label(Node):
    """A label, which people put on samples."""

    name: str = strawberry.field(description="The name, unique among labels whatever the case of its letters.")
    color: str = strawberry.field(description="The color that it is shown in, as `#RRGGBB` in capitals.")
    description: str = strawberry.field(description="What it is for.")
    created_at: Timestamp = strawberry.field(description="When it was created.")
    version: int = strawberry.field(description="Counts its changes, for `expectedVersion`.")
    label_id: strawberry.Private[str]
    name_key: strawberry.Private[str]
    user_id: strawberry.Private[str]

    user = related("user", "user_id", User, "Who created it.")
    sample_count = related(
        "label_sample_count", "label_id", int, "How many samples have it, of those that you may read."
    )

    @classmethod
    def from_document(cls, label: models.Label) -> Self:
        return cls(
            id=global_id("label", label.id),
            name=label.name,
            color=label.color,
            description=label.description,
            created_at=label.created_at,
            version=label.version,
            label_id=label.id,
            name_key=label.name_key,
            user_id=label.user_id,
        )


@strawberry.input(description="Which labels: those to which all that is given applies.")
class LabelFilter:
    """Which labels."""

    search: str | None = optional("Words that are each in the name or the description.")
    ids: list[strawberry.ID] | None = optional("One of these labels.")
    user_id: strawberry.ID | None = optional("Created by this user.")
    created_after: Timestamp | None = optional("Created at this moment or later.")
    created_before: Timestamp | None = optional("Created before this moment.")

    def where(self) -> Filter:
        return And(
            containing(self.search, "name", "description"),
            with_ids("id", "label", self.ids),
            with_id("user_id", "user", self.user_id),
            since("created_at", self.created_after),
            before("created_at", self.created_before),
        )


class LabelOrderField(StrEnum):
    """By what labels are ordered."""

    NAME = "name_key"
    CREATED_AT = "created_at"


described(
    LabelOrderField,
    "By what labels are ordered.",
    {
        LabelOrderField.NAME: "The name, whatever the case of its letters.",
        LabelOrderField.CREATED_AT: "When the label was created.",
    },
)


@strawberry.input(description="One key of an ordering of labels; ties are broken by id.")
class LabelOrder(Ordering):
    """One key of an ordering of labels."""

    field: LabelOrderField = strawberry.field(description="By what to order.")


@strawberry.input(description="A new label.")
class CreateLabelInput:
    """A new label."""

    name: str = strawberry.field(description="The name, unique among labels whatever the case of its letters.")
    color: str | None = optional(f"A color as `#RGB` or `#RRGGBB`; `{models.DEFAULT_COLOR}` when left out.")
    description: str | None = optional("What it is for, in at most 1 000 characters.")
    idempotency_key: str | None = optional("A text of your choice; another create with it gives the same label.")

    def new_label(self) -> NewLabel:
        color = given(self.color)
        return NewLabel(
            name=self.name,
            color=models.DEFAULT_COLOR if color is None else color,
            description=given(self.description) or "",
        )


@strawberry.input(description="What to change of a label. What is left out stays as it is.")
class UpdateLabelInput:
    """What to change of a label."""

    id: strawberry.ID = strawberry.field(description="The label.")
    name: str | None = optional("The name, unique among labels whatever the case of its letters.")
    color: str | None = optional("A color as `#RGB` or `#RRGGBB`.")
    description: str | None = optional("What it is for, in at most 1 000 characters.")
    expected_version: int | None = optional("Change it only if this is still its version.")

    def changes(self) -> LabelChanges:
        return partial(LabelChanges, name=self.name, color=self.color, description=self.description)


@strawberry.input(description="Which label to delete.")
class DeleteLabelInput:
    """Which label to delete."""

    id: strawberry.ID = strawberry.field(description="The label.")


@strawberry.type(description="What `createLabel` answers with.")
class CreateLabelPayload(Payload):
    """What `createLabel` answers with."""

    label: Label | None = strawberry.field(default=None, description="The label.")


@strawberry.type(description="What `updateLabel` answers with.")
class UpdateLabelPayload(Payload):
    """What `updateLabel` answers with."""

    label: Label | None = strawberry.field(default=None, description="The label as it is now.")


@strawberry.type(description="What `deleteLabel` answers with.")
class DeleteLabelPayload(Payload):
    """What `deleteLabel` answers with."""

    label: Label | None = strawberry.field(default=None, description="The label as it was.")
