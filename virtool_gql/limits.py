"""What one request, one operation, one socket and one user may ask for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the edge; the operator sets each with VT_LIMIT_<NAME>."""

    body_bytes: int = 1024 * 1024
    tokens: int = 2_000
    depth: int = 12
    introspection_depth: int = 16
    aliases: int = 30
    directives: int = 20
    root_fields: int = 20
    listed_errors: int = 20
    cost: int = 10_000
    answer_fields: int = 20_000
    default_page: int = 25
    page: int = 100
    query_seconds: float = 10.0
    mutation_seconds: float = 30.0
    subscriptions_per_socket: int = 50
    sockets_per_user: int = 10
    streams_per_user: int = 50
    frame_bytes: int = 128 * 1024
    init_seconds: float = 5.0
    waiting_bytes: int = 4 * 1024 * 1024
    waiting_frames: int = 1_000
    keep_alive_seconds: float = 12.0
    recheck_seconds: float = 1.0
    logins_per_minute: int = 10

    @property
    def size_when_left_out(self) -> int:
        """The size of a page of which none is asked for."""
        return min(self.default_page, self.page)


DEFAULT_LIMITS = Limits()
