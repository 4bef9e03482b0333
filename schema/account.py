"""How somebody likes to work."""

from typing import Self

import strawberry

from schema.workflows import Workflow
from virtool_gql.models import users as models


@strawberry.type(description="How somebody likes to work. Only they themselves may read it.")
class AccountSettings:
    """How somebody likes to work."""

    show_ids: bool = strawberry.field(description="Whether ids are shown.")
    show_versions: bool = strawberry.field(description="Whether versions are shown.")
    skip_quick_analyze_dialog: bool = strawberry.field(
        description="Whether an analysis of one click starts without a question."
    )
    quick_analyze_workflow: Workflow = strawberry.field(description="The analysis that one click starts.")

    @classmethod
    def of(cls, settings: models.AccountSettings) -> Self:
        return cls(
            show_ids=settings.show_ids,
            show_versions=settings.show_versions,
            skip_quick_analyze_dialog=settings.skip_quick_analyze_dialog,
            quick_analyze_workflow=settings.quick_analyze_workflow,
        )
