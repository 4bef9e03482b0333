"""Signing in and out, and whoever is signed in."""

from typing import Annotated, TypeVar

import strawberry

from schema.arguments import described
from schema.context import Context, Info
from schema.payloads import UserError, mutation
from schema.users import User
from schema.viewer import (
    CreateFirstUserInput,
    CreateFirstUserPayload,
    LoginInput,
    LoginPayload,
    LogoutPayload,
    ResetPasswordInput,
    ResetPasswordPayload,
    Viewer,
)
from virtool_gql.db.sign_in import ResetNeeded, SignedIn, Visitor
from virtool_gql.errors import Conflict, Unauthenticated
from virtool_gql.models.audit import Deed

P = TypeVar("P", LoginPayload, ResetPasswordPayload)


@strawberry.type
class ViewerQuery:
    """Whoever is signed in."""

    @strawberry.field(description="Whoever is signed in; null when nobody is. For anybody.")
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
        session = await context.db.sign_in.enter(user, visitor_of(context), remember=False)
        viewer = await signed_in(context, session.token)
        return CreateFirstUserPayload(user=User.from_document(user), viewer=viewer)

    @mutation(
        "Sign in with a session cookie, which replaces the session that there was. Who must choose a new password gets"
        " a `resetCode` instead. For anybody."
    )
    async def login(self, info: Info, input: Annotated[LoginInput, described("Who signs in.")]) -> LoginPayload:
        db, visitor = info.context.db, visitor_of(info.context)
        outcome = await db.sign_in.login(input.handle, input.password, visitor, remember=input.remember)
        return await entered(info.context, LoginPayload, outcome)

    @mutation(
        "Set a new password with the code that `login` gave, and sign in. Ends all other sessions and all API keys."
        " For anybody who has such a code, once."
    )
    async def reset_password(
        self, info: Info, input: Annotated[ResetPasswordInput, described("The code, and the password.")]
    ) -> ResetPasswordPayload:
        outcome = await info.context.db.resets.reset(input.reset_code, input.password, visitor_of(info.context))
        return await entered(info.context, ResetPasswordPayload, outcome)

    @mutation("Sign out: end the session of the cookie, and all subscriptions that it opened. Needs a session.")
    async def logout(self, info: Info) -> LogoutPayload:
        context, token = info.context, info.context.caller.session_token
        if token is None:
            context.refuse_strangers()
            raise Conflict("You are signed in by an API key, not by a session; delete the key instead.")
        user_id = context.viewer.user_id
        await context.db.sign_in.logout(token)
        await context.db.audit.note(Deed.LOGOUT, user_id)
        context.sign_out()
        return LogoutPayload(signed_out=True)


def visitor_of(context: Context) -> Visitor:
    caller = context.caller
    return Visitor(address=caller.address, agent=caller.agent, session_token=caller.session_token)


async def entered(context: Context, payload: type[P], outcome: SignedIn | ResetNeeded) -> P:
    """Answer whoever has signed in, or must choose a new password first."""
    if isinstance(outcome, ResetNeeded):
        errors = [UserError.of(outcome.error)] if outcome.error else []
        return payload(reset_code=outcome.code, errors=errors)
    return payload(viewer=await signed_in(context, outcome.token, remember=outcome.remember))


async def signed_in(context: Context, token: str, *, remember: bool = False) -> Viewer:
    """Make the caller whoever has just signed in."""
    viewer = await context.db.sign_in.by_session(token)
    if viewer is None:
        raise Unauthenticated("What you signed in with has just been changed; sign in again.")
    context.sign_in(viewer, token, remember=remember)
    await context.db.audit.note(Deed.LOGIN, viewer.user_id)
    return Viewer.of(viewer)
