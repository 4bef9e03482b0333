"""References that come from releases."""

import gzip
import json
from typing import Any

from tests.factories.outside import World
from tests.factories.references import LONG_AGO, stored_reference
from virtool_gql.db.database import Database
from virtool_gql.models.references import Reference, Release, RemotesFrom, Update

SLUG = "virtool/ref-plant-viruses"


def packed(contents: Any) -> bytes:
    """Give what is in the file of a release; bytes are it already."""
    return contents if isinstance(contents, bytes) else gzip.compress(json.dumps(contents).encode(), 1)


def released(world: World, name: str, contents: Any, *, id: int = 1, slug: str = SLUG) -> dict[str, Any]:
    """Publish a release with the contents as the latest one; give what is told of it."""
    release = world.release(name, packed(contents), id=id)
    world.publish(release, slug=slug)
    return release


def update_of(name: str = "v1.0.0", *, ready: bool = True, user_id: str = "owner") -> Update:
    return Update(id="1", name=name, ready=ready, user_id=user_id, created_at=LONG_AGO)


async def stored_remote(db: Database, user_id: str = "owner", installed: str = "v1.0.0", **values: Any) -> Reference:
    """Make a reference of which a release is installed, and nothing is in it."""
    update = update_of(installed)
    made: dict[str, Any] = {
        "remotes_from": RemotesFrom(slug=SLUG),
        "release": Release(id="1", name=installed),
        "installed": update,
        "updates": (update,),
    }
    return await stored_reference(db, "Plant Viruses", user_id, **made | values)
