"""What administrators change of users and groups, as those notice it whose sockets are open."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.factories.groups import stored_group
from tests.factories.users import PASSWORD
from tests.web.serving import Peer, Web
from virtool_gql.access import Viewer
from virtool_gql.db.groups import GroupChanges
from virtool_gql.db.users import UserChanges
from virtool_gql.models.users import Group, Permission

SECONDS = 2.0
"""Within which a right that is given or taken away is felt."""

PERMISSIONS = "{ viewer { permissions } }"


@pytest.fixture
async def group(site: Web) -> Group:
    return await stored_group(site.db, "Virologists")


async def ids_of(peer: Peer, kind: str, seconds: float) -> list[str]:
    """Give the ids of what a subscription tells within some time."""
    told: list[str] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                told += (await peer.hear())["payload"]["data"][kind]["ids"]
    return told


async def seen_after(make: Callable[[], Any], peer: Peer, kind: str, *, seen: bool) -> float:
    """Make something again and again until the peer is told of it, or not any more; give how long that took."""
    start = time.monotonic()
    while True:
        id = f"{kind.removesuffix('s')}_{(await make()).id}"
        if (id in await ids_of(peer, kind, 0.3)) == seen:
            return time.monotonic() - start
        assert time.monotonic() - start < 10


async def test_the_permissions_of_a_group_are_felt_by_its_members_on_open_sockets(
    site: Web, root: Viewer, group: Group
) -> None:
    mary = await site.api.viewer("mary", group_ids=(group.id,))
    await site.db.groups.update(root, group.id, GroupChanges(permissions=(Permission.CANCEL_JOB,)))
    at_first = await site.db.users.viewer(mary.user_id)
    assert at_first is not None
    credentials = [await site.cookie(mary), await site.key(at_first)]
    await site.db.groups.update(root, group.id, GroupChanges(permissions=()))
    for headers in credentials:
        async with site.socket(headers) as peer:
            await peer.ask("1", "subscription { jobs { ids } }")
            for permissions in ((Permission.CANCEL_JOB,), ()):
                await site.db.groups.update(root, group.id, GroupChanges(permissions=permissions))
                took = await seen_after(lambda: site.api.job(root), peer, "jobs", seen=bool(permissions))
                assert took < SECONDS
                answer = (await site.post(PERMISSIONS, headers)).json()["data"]["viewer"]
                assert answer == {"permissions": [permission.name for permission in permissions]}


async def test_who_leaves_a_group_is_told_no_more_of_its_samples(site: Web, root: Viewer, group: Group) -> None:
    mary = await site.api.viewer("mary")

    async def sample() -> Any:
        return await site.api.sample(root, group_id=group.id, group_read=True, all_read=False)

    async with site.socket(await site.cookie(mary)) as peer:
        await peer.ask("1", "subscription { samples { ids } }")
        await site.db.users.update(root, mary.user_id, UserChanges(group_ids=(group.id,)))
        assert await seen_after(sample, peer, "samples", seen=True) < SECONDS
        await site.db.users.update(root, mary.user_id, UserChanges(group_ids=()))
        assert await seen_after(sample, peer, "samples", seen=False) < SECONDS


async def test_a_group_that_is_deleted_takes_its_permissions_along(site: Web, root: Viewer, group: Group) -> None:
    await site.db.groups.update(root, group.id, GroupChanges(permissions=(Permission.REMOVE_JOB,)))
    mary = await site.api.viewer("mary", group_ids=(group.id,))
    async with site.socket(await site.cookie(mary)) as peer:
        await peer.ask("1", "subscription { jobs { ids } }")
        assert await seen_after(lambda: site.api.job(root), peer, "jobs", seen=True) < SECONDS
        await site.db.groups.delete(root, group.id)
        assert await seen_after(lambda: site.api.job(root), peer, "jobs", seen=False) < SECONDS


@pytest.mark.parametrize(
    "changes",
    [
        UserChanges(active=False),
        UserChanges(password="another password"),
        UserChanges(force_reset=True),
        UserChanges(administrator=False),
    ],
)
async def test_who_is_signed_out_is_told_nothing_more(site: Web, root: Viewer, changes: UserChanges) -> None:
    mary = await site.api.viewer("mary", administrator=True)
    by_session, by_key = await site.cookie(mary), await site.key(mary)
    async with site.socket(by_session) as first, site.socket(by_key) as second:
        for peer in (first, second):
            await peer.ask("1", "subscription { jobs { ids } }")
            assert await seen_after(lambda: site.api.job(mary), peer, "jobs", seen=True) < SECONDS
        stream = asyncio.create_task(_jobs_for_ever(site, mary))
        start = time.monotonic()
        await site.db.users.update(root, mary.user_id, changes)
        codes = [await _until_closed(peer) for peer in (first, second)]
        took = time.monotonic() - start
        stream.cancel()
        await asyncio.wait({stream})
    assert codes == [4403, 4403]
    assert took < SECONDS
    assert (await site.post(PERMISSIONS, by_session)).json()["data"] == {"viewer": None}
    assert (await site.post(PERMISSIONS, by_key)).json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def _jobs_for_ever(site: Web, viewer: Viewer) -> None:
    while True:
        await site.api.job(viewer)


async def _until_closed(peer: Peer) -> int | None:
    with suppress(Exception):
        while True:
            await peer.hear()
    return (await peer.closed())[0]


async def test_a_user_made_by_an_administrator_signs_in_with_groups_and_all(site: Web, root: Viewer) -> None:
    create = "mutation($input: CreateUserInput!) { createUser(input: $input) { user { handle } errors { code } } }"
    headers = await site.cookie(root)
    new = {"handle": "mary", "password": PASSWORD, "forceReset": False}
    made = (await site.post(create, headers, variables={"input": new})).json()
    assert made["data"]["createUser"] == {"user": {"handle": "mary"}, "errors": []}
    login = "mutation($input: LoginInput!) { login(input: $input) { viewer { handle } errors { code } } }"
    given = {"handle": "MARY", "password": PASSWORD}
    answer = (await site.post(login, variables={"input": given})).json()
    assert answer["data"]["login"] == {"viewer": {"handle": "mary"}, "errors": []}


async def test_members_of_members_groups_cost_their_pages(site: Web, root: Viewer) -> None:
    headers = await site.cookie(root)
    for first, cost in (("", 1 + 25 * (1 + 25)), ("(first: 10)", 1 + 25 * (1 + 10))):
        query = f"{{ groups {{ nodes {{ members{first} {{ handle }} }} }} }}"
        answer = (await site.post(query, headers)).json()
        assert answer["extensions"] == {"cost": cost + 1}
    query = "{ groups { nodes { members { groups { members { groups { members { handle } } } } } } } }"
    (error,) = (await site.post(query, headers)).json()["errors"]
    assert error["extensions"]["code"] == "QUERY_TOO_COMPLEX"
