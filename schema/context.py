"""What a resolver finds in `info.context`: the wrappers, who asks, fresh loaders, and cookies to set."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import strawberry

from virtool_gql.access import Viewer
from virtool_gql.actors import Actor, become
from virtool_gql.db.database import Database
from virtool_gql.errors import QueryTooComplex, Unauthenticated
from virtool_gql.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from schema.loaders import Loaders


@dataclass(slots=True)
class Caller:
    """Who asks. For a socket that stays open the edge exchanges `viewer` when rights change, and None ends it.

    `session_token` is set when a cookie signed the caller in. `address` is the client's, for rate limits and the audit
    log; `request_id` is that of the HTTP request or the socket, `agent` is what the client calls itself.
    """

    viewer: Viewer | None
    address: str
    secure: bool = False
    session_token: str | None = None
    request_id: str = ""
    agent: str = ""

    def actor(self, action: str) -> Actor:
        """Give the caller as who does something, for the audit log."""
        viewer = self.viewer
        return Actor(
            user_id=viewer.user_id if viewer else None,
            handle=viewer.handle if viewer else "",
            key_id=viewer.key_id if viewer else None,
            address=self.address,
            request_id=self.request_id,
            action=action,
        )


@dataclass(slots=True)
class SessionCookie:
    """What the response is to do with the session cookie: set the token, or clear it when that is None."""

    token: str | None
    remember: bool = False


@dataclass(slots=True)
class Context:
    """One operation's context; for a subscription one event's."""

    db: Database
    caller: Caller
    loaders: "Loaders"
    limits: Limits = DEFAULT_LIMITS
    cursor: str | None = None
    session_cookie: SessionCookie | None = None
    spent: int = 0
    mutations: int = 0

    @property
    def viewer(self) -> Viewer:
        """The viewer; raises Unauthenticated when nobody is signed in."""
        if self.caller.viewer is None:
            raise Unauthenticated
        return self.caller.viewer

    def spend(self, fields: int) -> None:
        """Count fields of the answer; raise QueryTooComplex when there are too many.

        The cost of an operation is reckoned before, when nobody knows how long a list is that no page bounds.
        """
        self.spent += fields
        if self.spent > self.limits.answer_fields:
            message = f"The answer has more than {self.limits.answer_fields} fields. Ask for smaller pages."
            raise QueryTooComplex(message)

    def refuse_strangers(self) -> None:
        """Raise Unauthenticated when nobody is signed in."""
        _ = self.viewer

    async def look_again(self) -> None:
        """Before each mutation of a request but the first, see what its caller may do by now, and what is there."""
        caller, self.mutations = self.caller, self.mutations + 1
        self.loaders.forget()
        if caller.viewer is not None and self.mutations > 1:
            caller.viewer = await self.db.sign_in.again(caller.viewer, caller.session_token)

    def sign_in(self, viewer: Viewer, token: str, *, remember: bool) -> None:
        """Make the viewer the caller from here on, and send the cookie."""
        become(viewer.user_id, viewer.handle)
        self.caller.viewer, self.caller.session_token = viewer, token
        self.session_cookie = SessionCookie(token, remember)

    def sign_out(self) -> None:
        """Make the caller a stranger from here on, and clear the cookie."""
        self.caller.viewer = self.caller.session_token = None
        self.session_cookie = SessionCookie(None)


Info: TypeAlias = strawberry.Info[Context, None]
