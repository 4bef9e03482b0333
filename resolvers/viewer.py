"""Signing in and out, and whoever is signed in."""

from typing import Annotated

import strawberry

from schema.arguments import described
from schema.context import Context, Info
from schema.payloads import mutation
from schema.users import User
from schema.viewer import (
    CreateFirstUserInput,
    CreateFirstUserPayload,
    LoginInput,
    LoginPayload,
    LogoutPayload,
    Viewer,
)
from virtool_gql.db.sign_in import Visitor
from virtool_gql.errors import Conflict, Unauthenticated


@strawberry.type
class ViewerQuery:
    """Whoever is signed in."""

    @strawberry.field(description="Whoever is signed in; null when nobody is.")
    async def viewer(self, info: Info) -> Viewer | None:
        viewer = info.context.caller.viewer
        return Viewer.of(viewer) if viewer else None


@strawberry.type
class ViewerMutation:
    """Signing in and out."""

    @mutation(
        "Make the first user, who is an administrator, and sign in. For anybody, but only while there is no user."
    )
    async def create_first_user(
        self, info: Info, input: Annotated[CreateFirstUserInput, described("The user.")]
    ) -> CreateFirstUserPayload:
        context = info.context
        user = await context.db.users.create_first(input.handle, input.password)
        start, caller = context.db.sign_in.start_session, context.caller
        token = await start(
            user, remember=False, address=caller.address, replaces=caller.session_token, agent=caller.agent
        )
        viewer = await signed_in(context, token)
        return CreateFirstUserPayload(user=User.from_document(user), viewer=viewer)

    @mutation("Sign in with a session cookie, which replaces the session that there was. For anybody.")
    async def login(self, info: Info, input: Annotated[LoginInput, described("Who signs in.")]) -> LoginPayload:
        context, caller = info.context, info.context.caller
        visitor = Visitor(address=caller.address, agent=caller.agent, session_token=caller.session_token)
        _, token = await context.db.sign_in.login(input.handle, input.password, visitor, remember=input.remember)
        return LoginPayload(viewer=await signed_in(context, token, remember=input.remember))

    @mutation("Sign out: end the session of the cookie, and all subscriptions that it opened. Needs a session.")
    async def logout(self, info: Info) -> LogoutPayload:
        context, token = info.context, info.context.caller.session_token
        if token is None:
            context.refuse_strangers()
            raise Conflict("You are signed in by an API key, not by a session; delete the key instead.")
        await context.db.sign_in.logout(token)
        context.sign_out()
        return LogoutPayload(signed_out=True)


async def signed_in(context: Context, token: str, *, remember: bool = False) -> Viewer:
    """Make the caller whoever has just signed in."""
    viewer = await context.db.sign_in.by_session(token)
    if viewer is None:
        raise Unauthenticated("What you signed in with has just been changed; sign in again.")
    context.sign_in(viewer, token, remember=remember)
    return Viewer.of(viewer)
