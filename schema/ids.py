"""Ids as clients see them: a prefix for the type, and the stored id."""

from collections.abc import Iterable

import strawberry

from virtool_gql.errors import NotFound
from virtool_gql.files import ID

PREFIXES = {
    "sample": "sample",
    "file": "file",
    "job": "job",
    "user": "user",
    "group": "group",
    "key": "API key",
    "label": "label",
    "subtraction": "subtraction",
    "reference": "reference",
    "otu": "OTU",
    "isolate": "isolate",
    "sequence": "sequence",
    "history": "history entry",
    "index": "index",
    "task": "task",
    "status": "status",
    "session": "session",
    "message": "message",
    "audit": "audit entry",
}
"""What each prefix stands for, in words."""

PREFIX_OF_COLLECTION = {
    "users": "user",
    "groups": "group",
    "keys": "key",
    "settings": "settings",
    "instance_messages": "message",
    "samples": "sample",
    "labels": "label",
    "subtractions": "subtraction",
    "references": "reference",
    "otus": "otu",
    "sequences": "sequence",
    "history": "history",
    "indexes": "index",
    "tasks": "task",
    "status": "status",
    "jobs": "job",
    "files": "file",
}
"""The prefix of the ids of each collection's documents, in the audit log."""


def global_id(prefix: str, id: str) -> strawberry.ID:
    return strawberry.ID(f"{prefix}_{id}")


def parsed(id: str) -> tuple[str, str] | None:
    """Split an id into its prefix and the stored id; None when it is not one of ours."""
    prefix, _, stored = id.partition("_")
    return (prefix, stored) if prefix in PREFIXES and ID.fullmatch(stored) else None


def stored_ids(prefix: str, ids: Iterable[str]) -> frozenset[str]:
    """Give the stored ids of those that are of this type; others are ids of nothing."""
    found = (parsed(id) for id in ids)
    return frozenset(pair[1] for pair in found if pair is not None and pair[0] == prefix)


def stored_id(prefix: str, id: str, path: str = "id") -> str:
    """Give the stored id; NotFound, which names the input field, for one that cannot be of this type."""
    pair = parsed(id)
    if pair is None or pair[0] != prefix:
        raise NotFound(f"There is no {PREFIXES[prefix]} of the id “{id[:80]}”.", path=[path])
    return pair[1]
