"""How many downloads that are made while they are sent one user has."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.factories.otus import stored_otu
from tests.factories.references import stored_reference
from tests.factories.users import viewer_named
from tests.web.serving import Web
from virtool_gql.access import Viewer
from virtool_gql.errors import RateLimited
from virtool_gql.web.streams import MOST_OF_A_USER, Pieces, Streams

ALICE = viewer_named("alice")
BOB = viewer_named("bob")


def test_each_user_has_so_many() -> None:
    streams = Streams(2)
    ended = [streams.enter(ALICE), streams.enter(ALICE)]
    with pytest.raises(RateLimited, match="2 downloads of yours"):
        streams.enter(ALICE)
    streams.enter(BOB)
    ended[0]()
    streams.enter(ALICE)
    with pytest.raises(RateLimited):
        streams.enter(ALICE)


@pytest.mark.parametrize("is_cut_off", [True, False])
async def test_a_download_counts_until_it_has_ended(*, is_cut_off: bool) -> None:
    streams, is_asked = Streams(1), asyncio.Event()

    async def chunks() -> AsyncGenerator[bytes, None]:
        yield b"some"

    async def receive() -> Any:
        if not is_cut_off:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        is_asked.set()
        with pytest.raises(RateLimited):
            streams.enter(ALICE)

    await Pieces(chunks(), "name", ended=streams.enter(ALICE))({"type": "http"}, receive, send)
    assert is_asked.is_set() or is_cut_off
    streams.enter(ALICE)


async def test_downloads_can_be_had_one_after_the_other(web: Web, ada: Viewer) -> None:
    reference = await stored_reference(web.db, user_id=ada.user_id)
    otu = (await stored_otu(web.db, reference.id)).otu
    urls = [f"/downloads/otus/otu_{otu.id}.fa", f"/downloads/references/reference_{reference.id}/reference.json.gz"]
    async with web.client(await web.cookie(ada)) as client:
        for url in urls * MOST_OF_A_USER:
            assert (await client.head(url)).status_code == 200
            assert (await client.get(url)).status_code == 200
