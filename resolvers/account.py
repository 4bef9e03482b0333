"""What people change of themselves, and where they are signed in."""

from typing import Annotated

import strawberry

from schema.account_writes import (
    EndOtherSessionsPayload,
    EndSessionInput,
    EndSessionPayload,
    UpdateAccountInput,
    UpdateAccountPayload,
    UpdateAccountSettingsInput,
    UpdateAccountSettingsPayload,
)
from schema.arguments import described
from schema.context import Context, Info
from schema.ids import stored_id
from schema.inputs import given
from schema.payloads import mutation
from schema.viewer import Viewer
from virtool_gql.errors import Unauthenticated
from virtool_gql.models.audit import Deed


@strawberry.type
class AccountMutation:
    """Changing one's own account."""

    @mutation(
        "Change your e-mail address or your password. A new password needs the old one, and ends all your API keys and"
        " all your sessions but this one. Needs a session: no API key can do it."
    )
    async def update_account(
        self, info: Info, input: Annotated[UpdateAccountInput, described("What to change.")]
    ) -> UpdateAccountPayload:
        context = info.context
        viewer, old_password, token = context.viewer, given(input.old_password), context.caller.session_token
        await context.db.account.update(viewer, input.changes(), old_password=old_password, token=token)
        return UpdateAccountPayload(viewer=await again(context))

    @mutation("Change how you like to work. Needs a session: no API key can do it.")
    async def update_account_settings(
        self, info: Info, input: Annotated[UpdateAccountSettingsInput, described("What to change.")]
    ) -> UpdateAccountSettingsPayload:
        await info.context.db.account.update_settings(info.context.viewer, input.changes())
        return UpdateAccountSettingsPayload(viewer=await again(info.context))

    @mutation("End one of your sessions, and all subscriptions that it opened. Needs a session: no API key can do it.")
    async def end_session(
        self, info: Info, input: Annotated[EndSessionInput, described("The session.")]
    ) -> EndSessionPayload:
        context, id = info.context, stored_id("session", input.id)
        account, viewer = context.db.account, context.viewer
        current = await account.session_id(context.caller.session_token)
        await account.end_session(viewer, id)
        await context.db.audit.note(Deed.LOGOUT, viewer.user_id)
        if id == current:
            context.sign_out()
        return EndSessionPayload(session_id=input.id)

    @mutation(
        "End all your sessions but this one, and all subscriptions that they opened. Needs a session: no API key can do"
        " it."
    )
    async def end_other_sessions(self, info: Info) -> EndOtherSessionsPayload:
        context = info.context
        count = await context.db.account.end_other_sessions(context.viewer, context.caller.session_token)
        if count:
            await context.db.audit.note(Deed.LOGOUT, context.viewer.user_id)
        return EndOtherSessionsPayload(count=count)


async def again(context: Context) -> Viewer:
    """Give the viewer as they are after a change."""
    viewer = await context.db.users.viewer(context.viewer.user_id)
    if viewer is None:
        raise Unauthenticated
    context.caller.viewer = viewer
    return Viewer.of(viewer)
