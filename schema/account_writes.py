"""What people change of themselves."""

import strawberry

from schema.inputs import optional, partial
from schema.payloads import Payload
from schema.viewer import Viewer
from schema.workflows import Workflow
from virtool_gql.db.account import AccountChanges, SettingsChanges


@strawberry.input(description="What to change of your account. What is left out stays as it is.")
class UpdateAccountInput:
    """What to change of an account."""

    email: str | None = optional("Your e-mail address; empty for none.")
    old_password: str | None = optional("The password that you have; needed to set another.")
    password: str | None = optional("At least `Server.minimumPasswordLength` characters.")

    def changes(self) -> AccountChanges:
        return partial(AccountChanges, email=self.email, password=self.password)


@strawberry.type(description="What `updateAccount` answers with.")
class UpdateAccountPayload(Payload):
    """What `updateAccount` answers with."""

    viewer: Viewer | None = strawberry.field(default=None, description="You, as you are now.")


@strawberry.input(description="What to change of how you like to work. What is left out stays as it is.")
class UpdateAccountSettingsInput:
    """What to change of how somebody likes to work."""

    show_ids: bool | None = optional("Whether ids are shown.")
    show_versions: bool | None = optional("Whether versions are shown.")
    skip_quick_analyze_dialog: bool | None = optional("Whether an analysis of one click starts without a question.")
    quick_analyze_workflow: Workflow | None = optional("The analysis that one click starts.")

    def changes(self) -> SettingsChanges:
        return partial(
            SettingsChanges,
            show_ids=self.show_ids,
            show_versions=self.show_versions,
            skip_quick_analyze_dialog=self.skip_quick_analyze_dialog,
            quick_analyze_workflow=self.quick_analyze_workflow,
        )


@strawberry.type(description="What `updateAccountSettings` answers with.")
class UpdateAccountSettingsPayload(Payload):
    """What `updateAccountSettings` answers with."""

    viewer: Viewer | None = strawberry.field(default=None, description="You, as you are now.")


@strawberry.input(description="Which session to end.")
class EndSessionInput:
    """Which session to end."""

    id: strawberry.ID = strawberry.field(description="The session, one of your own.")


@strawberry.type(description="What `endSession` answers with.")
class EndSessionPayload(Payload):
    """What `endSession` answers with."""

    session_id: strawberry.ID | None = strawberry.field(default=None, description="The session that is over.")


@strawberry.type(description="What `endOtherSessions` answers with.")
class EndOtherSessionsPayload(Payload):
    """What `endOtherSessions` answers with."""

    count: int | None = strawberry.field(default=None, description="How many sessions are over.")
