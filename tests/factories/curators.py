"""People of whom each may do another thing with the OTUs of a reference, and what becomes of their tries."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest

from tests.factories.references import member
from tests.factories.users import viewer_named
from virtool_gql.db.database import Database
from virtool_gql.errors import Forbidden, NotFound, VirtoolError
from virtool_gql.models.history import HistoryEntry, Verb
from virtool_gql.models.references import Right
from virtool_gql.query import Order

STRANGER = viewer_named("stranger")
READER = viewer_named("reader")
BUILDER = viewer_named("builder")
WRITER = viewer_named("writer")
OF_GROUP = viewer_named("member", groups=("virologists",))
OWNER = viewer_named("owner")
ADMINISTRATOR = viewer_named("admin", administrator=True)

MEMBERS: dict[str, Any] = {
    "users": (
        member("owner", *Right),
        member("reader"),
        member("builder", Right.BUILD, Right.MODIFY, Right.REMOVE),
        member("writer", Right.MODIFY_OTU),
    ),
    "groups": (member("virologists", Right.MODIFY_OTU),),
}
MAY = [
    (STRANGER, NotFound),
    (READER, Forbidden),
    (BUILDER, Forbidden),
    (WRITER, None),
    (OF_GROUP, None),
    (OWNER, None),
    (ADMINISTRATOR, None),
]


async def allowed(writes: Iterable[Callable[[], Awaitable[object]]], refusal: type[VirtoolError] | None) -> bool:
    """Make the writes; tell whether they were made, because nothing refuses them."""
    for write in writes:
        if refusal is None:
            await write()
        else:
            with pytest.raises(refusal, match="MODIFY_OTU" if refusal is Forbidden else "There is no"):
                await write()
    return refusal is None


async def last_sentence(db: Database) -> tuple[Verb, str]:
    """Give what was done last to the OTU that was changed most."""
    entry = (await db.store.find(HistoryEntry, order=[Order("place", descending=True)])).documents[0]
    return entry.verb, entry.description
