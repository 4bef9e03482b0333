"""Whoever is signed in, and how they sign in and out."""

from typing import Self

import strawberry

from schema.account import AccountSettings
from schema.context import Info
from schema.groups import Group
from schema.ids import global_id
from schema.keys import ApiKey
from schema.payloads import Payload
from schema.sessions import Session
from schema.users import User
from virtool_gql import access
from virtool_gql.errors import Unauthenticated
from virtool_gql.models import users as models
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.users import Permission
from virtool_gql.query import Order, Page


@strawberry.type(description="Whoever is signed in, with what they may do at this moment.")
class Viewer:
    """Whoever is signed in."""

    id: strawberry.ID = strawberry.field(description="The id of the user.")
    handle: str = strawberry.field(description="The name to sign in with.")
    administrator: bool = strawberry.field(description="Whether you may do everything.")
    permissions: list[Permission] = strawberry.field(description="What you may do on the whole instance.")
    viewer: strawberry.Private[access.Viewer]

    @strawberry.field(description="You, as others see you.")
    async def user(self, info: Info) -> User | None:
        return await info.context.loaders.user.load(self.viewer.user_id)

    @strawberry.field(description="Your e-mail address; empty when none is known.")
    async def email(self, info: Info) -> str:
        return (await self._account(info)).email

    @strawberry.field(description="How you like to work.")
    async def settings(self, info: Info) -> AccountSettings:
        return AccountSettings.of((await self._account(info)).settings)

    @strawberry.field(description="When you last set your password.")
    async def last_password_change(self, info: Info) -> Timestamp:
        return (await self._account(info)).last_password_change

    @strawberry.field(description="The group that your samples belong to where the settings say so.")
    async def primary_group(self, info: Info) -> Group | None:
        group_id = (await self._account(info)).primary_group_id
        return await info.context.loaders.group.load(group_id) if group_id else None

    @strawberry.field(description="Where you are signed in, the session that was used last first.")
    async def sessions(self, info: Info) -> list[Session]:
        account, token = info.context.db.account, info.context.caller.session_token
        current = await account.session_id(token)
        return [Session.of(session, current=session.id == current) for session in await account.sessions(self.viewer)]

    async def _account(self, info: Info) -> models.User:
        user: models.User | None = await info.context.loaders.account.load(self.viewer.user_id)
        if user is None:
            raise Unauthenticated
        return user

    @strawberry.field(description="The groups whose permissions you have.")
    async def groups(self, info: Info) -> list[Group]:
        groups = await info.context.loaders.group.load_many(sorted(self.viewer.group_ids))
        return [group for group in groups if group is not None]

    @strawberry.field(description="Your API keys, oldest first.")
    async def api_keys(self, info: Info) -> list[ApiKey] | None:
        found = await info.context.db.keys.find(self.viewer, order=[Order("created_at")], page=Page(first=None))
        return [ApiKey.from_document(key) for key in found.documents]

    @classmethod
    def of(cls, viewer: access.Viewer) -> Self:
        return cls(
            id=global_id("user", viewer.user_id),
            handle=viewer.handle,
            administrator=viewer.administrator,
            permissions=sorted(viewer.permissions),
            viewer=viewer,
        )


@strawberry.input(description="The first user, who is an administrator.")
class CreateFirstUserInput:
    """The first user."""

    handle: str = strawberry.field(description="The name to sign in with.")
    password: str = strawberry.field(description="At least `Server.minimumPasswordLength` characters.")


@strawberry.type(description="What `createFirstUser` answers with.")
class CreateFirstUserPayload(Payload):
    """What `createFirstUser` answers with."""

    user: User | None = strawberry.field(default=None, description="The user.")
    viewer: Viewer | None = strawberry.field(default=None, description="The user, signed in.")


@strawberry.input(description="Who signs in.")
class LoginInput:
    """Who signs in."""

    handle: str = strawberry.field(description="The name, whatever the case of its letters.")
    password: str = strawberry.field(description="The password.")
    remember: bool = strawberry.field(
        default=False, description="Stay signed in for 30 days, instead of for 60 minutes after the last request."
    )


@strawberry.type(description="What `login` answers with: a viewer, a reset code, or errors.")
class LoginPayload(Payload):
    """What `login` answers with."""

    viewer: Viewer | None = strawberry.field(default=None, description="Whoever is signed in now.")
    reset_code: str | None = strawberry.field(
        default=None,
        description="You must choose a new password: `resetPassword` takes this code, once within ten minutes.",
    )


@strawberry.input(description="A new password instead of one that must be replaced.")
class ResetPasswordInput:
    """A new password."""

    reset_code: str = strawberry.field(description="The code from `login`, or from the last `resetPassword`.")
    password: str = strawberry.field(description="At least `Server.minimumPasswordLength` characters.")


@strawberry.type(description="What `resetPassword` answers with: a viewer, or errors and perhaps another reset code.")
class ResetPasswordPayload(Payload):
    """What `resetPassword` answers with."""

    viewer: Viewer | None = strawberry.field(default=None, description="Whoever is signed in now.")
    reset_code: str | None = strawberry.field(
        default=None,
        description="The code to try again with, when the code was good and the password was not acceptable.",
    )


@strawberry.type(description="What `logout` answers with.")
class LogoutPayload(Payload):
    """What `logout` answers with."""

    signed_out: bool | None = strawberry.field(default=None, description="True when your session is over.")
