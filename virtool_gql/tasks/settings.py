"""What a process that does tasks must know before it begins."""

from pathlib import Path
from typing import Any

import msgspec

from virtool_gql.config import Config
from virtool_gql.stores.opening import StoreUrls


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the services are, and how the server is configured. It travels through a pipe: it holds passwords."""

    stores: StoreUrls
    redis: str
    server_pid: int
    config: Config


def encoded(settings: Settings) -> bytes:
    """Give the settings as a line."""
    return msgspec.json.encode(settings, enc_hook=_plain) + b"\n"


def decoded(line: bytes) -> Settings:
    return msgspec.json.decode(line, type=Settings, dec_hook=_of_type)


def _plain(value: Any) -> str:
    if isinstance(value, Path):
        return str(value.absolute())
    raise TypeError(f"A setting cannot be told: {type(value).__name__}.")


def _of_type(type: type, value: Any) -> Any:
    if issubclass(type, Path):
        return type(value)
    raise TypeError(f"A setting cannot be read: {type.__name__}.")
