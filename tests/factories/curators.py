"""People of whom each may do another thing with the OTUs of a reference, and what becomes of their tries."""

from typing import Any

from tests.factories.references import member
from tests.factories.users import viewer_named
from virtool_gql.errors import Forbidden, NotFound
from virtool_gql.models.references import Right

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
