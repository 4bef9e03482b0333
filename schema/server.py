"""The server."""

import strawberry


@strawberry.type(description="The server. Anybody may read it.")
class Server:
    """The server."""

    version: str = strawberry.field(description="Its version.")
    setup_required: bool = strawberry.field(
        description="Whether there is no user yet, so that `createFirstUser` works."
    )
    minimum_password_length: int = strawberry.field(description="How many characters a password must have.")
