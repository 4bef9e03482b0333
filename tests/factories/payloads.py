"""What mutations answer with."""

from typing import Any

from tests.factories.api import Api
from virtool_gql.access import Viewer


async def failure(api: Api, viewer: Viewer, mutation: str, **input: Any) -> tuple[str, str, list[str]]:
    """Give the code, the message and the path of the only error of a mutation, which answers with nothing else."""
    payload = await api.ask(viewer, mutation, input=input)
    (error,) = payload.pop("errors")
    assert payload == dict.fromkeys(payload)
    return error["code"], error["message"], error["path"]
