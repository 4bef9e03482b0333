"""What somebody outside has answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

T = TypeVar("T")

OK = 200
PARTIAL = 206
NOT_MODIFIED = 304
BAD_REQUEST = 400
FORBIDDEN = 403
NOT_FOUND = 404
PROXY_REFUSES = 407
UNSATISFIABLE = 416
TOO_MANY = 429
SERVER_FAULT = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: its status, its headers by their names in lower case, and its body, decoded."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def json(self, type: type[T]) -> T:
        """Read the body as JSON of a type; raise ValueError when it is anything else."""
        try:
            return msgspec.json.decode(self.body, type=type)
        except msgspec.DecodeError as error:
            raise ValueError(str(error)) from None
