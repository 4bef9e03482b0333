"""Arguments that several fields have, with their descriptions."""

from typing import Annotated

import strawberry

from schema.scalars import Cursor


def described(description: str) -> object:
    return strawberry.argument(description=description)


Id = Annotated[strawberry.ID, described("Its id. Unknown, malformed and forbidden ids all give null.")]
Ids = Annotated[list[strawberry.ID], described("Their ids, at most 100 by default; the answer has the same order.")]
First = Annotated[int | None, described("How many from the start: by default at most 100, and 25 when left out.")]
After = Annotated[str | None, described("Only what comes after this cursor of the same list and ordering.")]
Last = Annotated[int | None, described("How many from the end, within the same limit. Not together with `first`.")]
Before = Annotated[str | None, described("Only what comes before this cursor of the same list and ordering.")]
Search = Annotated[str | None, described("Words to look for, as `search` of the filter; whatever the case of letters.")]
OfIds = Annotated[list[strawberry.ID] | None, described("Only changes of these.")]
AfterChange = Annotated[
    Cursor | None, described("Begin after this change (`Query.cursor` or the last that you got) instead of now.")
]
LogFirst = Annotated[int | None, described("How many lines, at most 500; 100 when left out.")]
LogAfter = Annotated[int | None, described("Only lines after the one of this number.")]
