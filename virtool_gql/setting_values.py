"""How the text of a setting becomes its value; a value that is no good raises ValueError with what it should be."""

import re
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

Read = Callable[[str], Any]

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})
HIGHEST_PORT = 65_535
GITHUB = "github"
# GitHub's rules: an owner has single hyphens within, a repository any of `A-Za-z0-9._-` but is no folder's dots.
SLUG = re.compile(r"(?=[^/]{1,39}/)[a-z0-9]+(-[a-z0-9]+)*/(?!\.{1,2}$)[a-z0-9._-]{1,100}", re.IGNORECASE | re.ASCII)
CREDENTIALS = re.compile(r"^(.*?://)?.*@")
PASSWORD = re.compile(r"(password=)[^&]*")


def text(value: str) -> str:
    if not value:
        raise ValueError("must be a text")
    return value


def path(value: str) -> Path:
    if not value or "\0" in value:
        raise ValueError("must be a path")
    return Path(value).expanduser()


def boolean(value: str) -> bool:
    if value.lower() in TRUE | FALSE:
        return value.lower() in TRUE
    raise ValueError("must be true or false")


def port(value: str) -> int:
    if value.isascii() and value.isdigit() and int(value) <= HIGHEST_PORT:
        return int(value)
    raise ValueError(f"must be a port from 0 (any that is free) to {HIGHEST_PORT}")


def whole(value: str) -> int:
    if value.isascii() and value.isdigit() and int(value) > 0:
        return int(value)
    raise ValueError("must be a whole number above 0")


def positive(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if 0.0 < number < float("inf"):
        return number
    raise ValueError("must be a number above 0")


def one_of(*choices: str) -> Read:
    def read(value: str) -> str:
        if value.lower() in choices:
            return value.lower()
        raise ValueError(f"must be one of {', '.join(choices)}")

    return read


log_level = one_of("debug", "info", "warning", "error")
engine = one_of("local")


def words(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def proxies(value: str) -> tuple[str, ...]:
    """Read addresses and networks; `*` alone stands for whoever connects."""
    try:
        for word in words(value) if value != "*" else ():
            ip_network(word)
    except ValueError:
        raise ValueError("must be IP addresses or networks like 10.0.0.0/8, separated by commas") from None
    return words(value)


def origins(value: str) -> tuple[str, ...]:
    for origin in words(value):
        parts = _split(origin)
        if parts is None or parts.scheme not in {"http", "https"} or origin != f"{parts.scheme}://{parts.netloc}":
            raise ValueError("must be origins like https://virtool.example.org, separated by commas")
    return words(value)


def url(*schemes: str) -> Read:
    def read(value: str) -> str:
        parts = _split(value)
        if parts is None or parts.scheme not in schemes or not _names_a_server(parts):
            raise ValueError(f"must be a URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return value

    return read


mongo_url = url("mongodb", "mongodb+srv")
postgres_url = url("postgresql", "postgresql+asyncpg", "postgres")
redis_url = url("redis", "rediss", "unix")
http_url = url("http", "https")


def secret(value: str) -> str:
    """Read what travels in a header or a query; what is wrong with it never tells it."""
    if value.isascii() and value.isprintable() and " " not in value:
        return value
    raise ValueError("must be a key of printable characters without spaces")


def service(value: str) -> str:
    """Read the address below which a service is asked."""
    return str(http_url(value)).rstrip("/")


def releases(value: str) -> str:
    """Read where releases are told: GitHub, the URL of a manifest, or a manifest's path."""
    if value.lower() == GITHUB:
        return GITHUB
    if "://" in value:
        return str(http_url(value))
    return str(path(value).absolute())


def slugs(value: str) -> tuple[str, ...]:
    if not all(SLUG.fullmatch(slug) for slug in words(value)):
        raise ValueError("must be repositories on GitHub like virtool/ref-plant-viruses, separated by commas")
    return words(value)


def _names_a_server(parts: SplitResult) -> bool:
    """Look for a host, or for the path of a Unix socket."""
    if parts.scheme == "unix":
        return bool(parts.path)
    return bool(parts.hostname) or "host=" in parts.query


def _split(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return None
    return parts


def masked(value: str) -> str:
    """Give a value as it may be shown: without credentials, if it is a URL or was meant to be one."""
    return PASSWORD.sub(r"\1***", CREDENTIALS.sub(r"\1***@", value))
