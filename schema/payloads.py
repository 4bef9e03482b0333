"""What mutations answer with: an entity, or what the user can mend."""

import functools
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Any, Self, TypeVar

import strawberry
from strawberry.utils.str_converters import to_camel_case

from schema.context import Info
from schema.enums import described
from virtool_gql import errors
from virtool_gql.actors import acting


class ErrorCode(StrEnum):
    """The codes of errors that a user can mend."""

    BAD_USER_INPUT = "BAD_USER_INPUT"
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    FORBIDDEN = "FORBIDDEN"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    UPSTREAM_UNAVAILABLE = "UPSTREAM_UNAVAILABLE"


described(
    ErrorCode,
    "By what a program can tell one error from another.",
    {
        ErrorCode.BAD_USER_INPUT: "A value is not acceptable.",
        ErrorCode.NOT_FOUND: "There is nothing of that id, or nothing that you may see.",
        ErrorCode.CONFLICT: "The state of things does not allow it, or somebody else was faster.",
        ErrorCode.FORBIDDEN: "You lack a permission or a right, which the message names.",
        ErrorCode.UNAUTHENTICATED: "Nobody is signed in.",
        ErrorCode.UPSTREAM_UNAVAILABLE: "A service that this one depends on does not answer.",
    },
)

MENDABLE = (
    errors.BadUserInput,
    errors.NotFound,
    errors.Conflict,
    errors.Forbidden,
    errors.UpstreamUnavailable,
)


@strawberry.type(description="Something that the user can mend.")
class UserError:
    """Something that the user can mend."""

    code: ErrorCode = strawberry.field(description="By what a program can tell one error from another.")
    message: str = strawberry.field(description="A sentence for the person who caused it.")
    path: list[str] = strawberry.field(description="The way from the input to the value that is at fault.")

    @classmethod
    def of(cls, error: errors.VirtoolError) -> Self:
        return cls(code=ErrorCode(error.code), message=error.message, path=[to_camel_case(name) for name in error.path])


@strawberry.type(description="What every mutation answers with.")
class Payload:
    """What every mutation answers with: the entity, or the errors."""

    errors: list[UserError] = strawberry.field(
        default_factory=list, description="What the user can mend; empty when the mutation did its work."
    )


P = TypeVar("P", bound=Payload)


def mutation(description: str) -> Callable[[Callable[..., Awaitable[P]]], Any]:
    """Make a mutation of a resolver: what its user can mend becomes the payload's errors.

    All that it writes is the caller's doing, by the name of the mutation.
    """

    def decorate(resolver: Callable[..., Awaitable[P]]) -> Any:
        payload = resolver.__annotations__["return"]

        @functools.wraps(resolver)
        async def resolved(*args: Any, **kwargs: Any) -> P:
            info: Info = kwargs["info"]
            await info.context.look_again()
            try:
                with acting(info.context.caller.actor(info.field_name)):
                    return await resolver(*args, **kwargs)
            except MENDABLE as error:
                return payload(errors=[UserError.of(error)])  # type: ignore[no-any-return] # the resolver's own payload

        return strawberry.mutation(resolved, description=description)

    return decorate
