"""What is changed of the members of references, as those notice it whose sockets are open."""

import asyncio
import itertools
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from msgspec import structs

from tests.factories.groups import stored_group
from tests.factories.otus import stored_otu
from tests.factories.references import member, stored_reference
from tests.web.serving import Peer, Web
from virtool_gql.access import Viewer
from virtool_gql.db.groups import Groups
from virtool_gql.db.reference_members import MemberRights
from virtool_gql.db.references import ReferenceChanges
from virtool_gql.db.users import UserChanges
from virtool_gql.models.references import Reference, Right

SECONDS = 2.0
"""Within which a right that is given or taken away is felt."""

WATCH = "subscription { changes(collections: [REFERENCES, OTUS]) { __typename ids } }"


class Curation:
    """A reference that is edited again and again, and so are its OTUs."""

    def __init__(self, site: Web, owner: Viewer, reference: Reference) -> None:
        self.site, self.owner, self.reference = site, owner, reference
        self._numbers = itertools.count()

    async def edit(self) -> set[str]:
        """Change the reference and make an OTU in it; give the ids of both."""
        changes = ReferenceChanges(description=f"Edit {next(self._numbers)}")
        await self.site.db.references.update(self.owner, self.reference.id, changes)
        otu = (await stored_otu(self.site.db, self.reference.id)).otu
        return {f"reference_{self.reference.id}", f"otu_{otu.id}"}

    async def seen_after(self, peer: Peer, *, seen: bool) -> float:
        """Edit until the peer is told of all of an edit, or of none of it; give how long that took."""
        start = time.monotonic()
        while True:
            ids = await self.edit()
            told = ids & await told_within(peer, 0.3, ids)
            if told == (ids if seen else set()):
                return time.monotonic() - start
            assert time.monotonic() - start < 10


async def told_within(peer: Peer, seconds: float, ids: set[str]) -> set[str]:
    """Give the ids of what is told within some time, or until it is all of some ids."""
    told = set[str]()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not ids <= told:
                told |= set((await peer.hear())["payload"]["data"]["changes"]["ids"])
    return told


@pytest.fixture
async def curation(site: Web, root: Viewer) -> Curation:
    reference = await stored_reference(site.db, user_id=root.user_id)
    return Curation(site, root, reference)


async def test_who_is_added_to_a_reference_or_removed_notices_on_open_sockets(
    site: Web, root: Viewer, curation: Curation
) -> None:
    mary = await site.api.viewer("mary")
    users, id = site.db.reference_users, curation.reference.id
    for headers in (await site.cookie(mary), await site.key(mary)):
        async with site.socket(headers) as peer:
            await peer.ask("1", WATCH)
            assert await curation.seen_after(peer, seen=False) < SECONDS
            await users.add(root, id, mary.user_id, MemberRights())
            assert await curation.seen_after(peer, seen=True) < SECONDS
            await users.remove(root, id, mary.user_id)
            assert await curation.seen_after(peer, seen=False) < SECONDS


@pytest.mark.parametrize("way", ["group leaves reference", "user leaves group", "group is deleted"])
async def test_who_was_a_member_by_a_group_notices_too(site: Web, root: Viewer, curation: Curation, way: str) -> None:
    group = await stored_group(site.db)
    mary = await site.api.viewer("mary", group_ids=(group.id,))
    members, id = site.db.reference_groups, curation.reference.id
    end: dict[str, Callable[[], Any]] = {
        "group leaves reference": lambda: members.remove(root, id, group.id),
        "user leaves group": lambda: site.db.users.update(root, mary.user_id, UserChanges(group_ids=())),
        "group is deleted": lambda: Groups(site.db.instance).delete(root, group.id),
    }
    async with site.socket(await site.cookie(mary)) as peer:
        await peer.ask("1", WATCH)
        await members.add(root, id, group.id, MemberRights())
        assert await curation.seen_after(peer, seen=True) < SECONDS
        await end[way]()
        assert await curation.seen_after(peer, seen=False) < SECONDS


async def test_members_are_told_that_it_is_deleted_and_nobody_else_is(
    site: Web, root: Viewer, curation: Curation
) -> None:
    mary, stranger = await site.api.viewer("mary"), await site.api.viewer("stranger")
    await site.db.reference_users.add(root, curation.reference.id, mary.user_id, MemberRights())
    visible = await stored_reference(site.db, users=(member(stranger.user_id, *Right),))
    async with site.socket(await site.cookie(mary)) as first, site.socket(await site.cookie(stranger)) as second:
        for peer in (first, second):
            await peer.ask("1", "subscription { references { operation ids } }")
        assert await site.post("{ __typename }")
        deleted = f"reference_{curation.reference.id}"
        started = asyncio.create_task(first.hear())
        while not started.done():  # until the subscription stands
            await site.db.references.update(root, curation.reference.id, ReferenceChanges(name=f"{time.monotonic()}"))
            await asyncio.wait([started], timeout=0.05)
        await site.db.references.delete(root, curation.reference.id)
        change: dict[str, Any] = {}
        while change.get("operation") != "DELETE":
            change = (await first.hear())["payload"]["data"]["references"]
        assert change["ids"] == [deleted]
        heard = asyncio.create_task(second.hear())
        while not heard.done():
            visible = (await site.db.store.replace(structs.replace(visible, description=f"{time.monotonic()}")))[0]
            await asyncio.wait([heard], timeout=0.05)
        assert (await heard)["payload"]["data"]["references"]["ids"] == [f"reference_{visible.id}"]
