"""Exports over HTTP: with the rights of the API, in pieces, and honest about what was cut off."""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from tests.factories.conditions import until
from tests.factories.indexes import stored_index
from tests.factories.otus import full_otu, joined_isolate, joined_otu, joined_sequence, stored_otu
from tests.factories.references import member, stored_reference
from tests.web.serving import Web
from virtool_gql.access import Viewer
from virtool_gql.db.reference_clones import manifest_of
from virtool_gql.db.reference_exports import Scope
from virtool_gql.db.reference_writing import IdKind
from virtool_gql.models.otus import OTU
from virtool_gql.models.references import Reference
from virtool_gql.web.streams import PIECE_BYTES, Pieces


@pytest.fixture
async def bob(web: Web) -> Viewer:
    return await web.api.viewer("bob")


@pytest.fixture
async def reference(web: Web, bob: Viewer) -> Reference:
    """A reference of which Bob is a member, with two OTUs."""
    made = await stored_reference(web.db, "Plants ü v1.5", users=(member(bob.user_id),))
    for name in ("Tobacco mosaic virus", "Abaca bunchy top virus"):
        otu = full_otu(web.db.instance.new_id(), name=name, remote_id=f"remote_{name[0]}")
        await stored_otu(web.db, made.id, otu)
    return made


def address(reference: Reference, query: str = "") -> str:
    return f"/downloads/references/reference_{reference.id}/reference.json.gz{query}"


def names(response: httpx.Response) -> list[str]:
    return [otu["name"] for otu in json.loads(gzip.decompress(response.content))["otus"]]


async def test_a_member_gets_the_reference(web: Web, bob: Viewer, reference: Reference) -> None:
    async with web.client(await web.cookie(bob)) as client:
        response = await client.get(address(reference))
        again = await client.get(address(reference))
        head = await client.head(address(reference))
    assert (response.status_code, names(response)) == (200, ["Abaca bunchy top virus", "Tobacco mosaic virus"])
    assert response.headers["content-type"] == "application/gzip"
    assert response.headers["cache-control"] == "private, no-cache"
    assert response.headers["x-content-type-options"] == "nosniff"
    disposition = response.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="Plants _ v1_5.json.gz"; ')
    assert unquote(disposition.split("filename*=UTF-8''")[1]) == "Plants ü v1_5.json.gz"
    assert again.content == response.content
    assert (head.status_code, head.content, head.headers["content-disposition"]) == (200, b"", disposition)


async def test_an_index_can_be_had_by_its_id(web: Web, bob: Viewer, reference: Reference) -> None:
    index = await stored_index(web.db, reference.id, 3, manifest=await manifest_of(web.db.store, reference.id))
    async with web.client(await web.cookie(bob)) as client:
        response = await client.get(f"/downloads/indexes/index_{index.id}/reference.json.gz")
        built = await client.get(address(reference, "?scope=built"))
    assert names(response) == ["Abaca bunchy top virus", "Tobacco mosaic virus"]
    assert "Plants _ v1_5_3.json.gz" in response.headers["content-disposition"]
    assert built.content == response.content


async def test_scope_and_ids_are_chosen_in_the_address(web: Web, bob: Viewer, reference: Reference) -> None:
    unverified = joined_otu("otu00000", name="Unverified virus")
    await stored_otu(web.db, reference.id, unverified)
    async with web.client(await web.cookie(bob)) as client:
        everything = await client.get(address(reference, "?scope=all"))
        verified = await client.get(address(reference, "?scope=unbuilt&ids=local"))
        assert len(names(everything)) == 3
        assert len(names(verified)) == 2
        ids = {otu["_id"] for otu in json.loads(gzip.decompress(verified.content))["otus"]}
    assert ids <= {otu.id for otu in (await web.db.store.find(OTU)).documents}


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?scope=some", "The parameter “scope” can be built, unbuilt, all; it cannot be “some”."),
        ("?scope=", "The parameter “scope” can be built, unbuilt, all; it cannot be “”."),
        ("?ids=both", "The parameter “ids” can be local, remote; it cannot be “both”."),
    ],
)
async def test_an_unknown_choice_is_refused(
    web: Web, bob: Viewer, reference: Reference, query: str, sentence: str
) -> None:
    async with web.client(await web.cookie(bob)) as client:
        response = await client.get(address(reference, query))
    assert (response.status_code, response.json()["message"]) == (400, sentence)


async def test_what_was_never_built_cannot_be_had_as_built(web: Web, bob: Viewer, reference: Reference) -> None:
    async with web.client(await web.cookie(bob)) as client:
        response = await client.get(address(reference, "?scope=built"))
    assert response.status_code == 409


async def test_missing_malformed_and_foreign_look_alike(web: Web, reference: Reference) -> None:
    index = await stored_index(web.db, reference.id)
    stranger = await web.api.viewer("stranger")
    async with web.client(await web.cookie(stranger)) as client:
        for path in (
            f"references/reference_{reference.id}",
            "references/reference_none0000",
            "references/nonsense",
            f"references/index_{index.id}",
            f"indexes/index_{index.id}",
            "indexes/index_none0000",
            f"indexes/reference_{reference.id}",
        ):
            assert (await client.get(f"/downloads/{path}/reference.json.gz")).status_code == 404, path


async def test_nobody_is_told_anything_without_signing_in(web: Web, reference: Reference) -> None:
    async with web.client() as client:
        for path in (address(reference), address(reference, "?scope=some"), "/downloads/indexes/x/reference.json.gz"):
            assert (await client.get(path)).status_code == 401


async def test_an_administrator_gets_every_reference(web: Web, ada: Viewer, reference: Reference) -> None:
    async with web.client(await web.cookie(ada)) as client:
        assert (await client.get(address(reference))).status_code == 200


async def large(web: Web, owner: Viewer) -> Reference:
    """Make a reference of several pieces, whose bases cannot be packed small."""
    reference = await stored_reference(web.db, users=(member(owner.user_id),))
    for number in range(40):
        text = "".join(f"{(number * 7919 + i) ** 3 % 1_000_003:b}" for i in range(9_000))
        bases = text.translate(str.maketrans("01", "AC"))
        isolate = joined_isolate("i", [joined_sequence(f"s{number}", sequence=bases)], default=True)
        await stored_otu(web.db, reference.id, joined_otu(f"otu{number:05}", [isolate]))
    return reference


async def test_a_client_that_goes_leaves_nothing_behind(web: Web, bob: Viewer) -> None:
    reference = await large(web, bob)
    async with web.client(await web.cookie(bob)) as client:
        await client.get("/health/live")
        before = len(asyncio.all_tasks())
        async with client.stream("GET", address(reference)) as response:
            await anext(response.aiter_bytes(10))
    await until(lambda: len(asyncio.all_tasks()) <= before)


async def test_what_is_cut_off_shows_as_cut_off(web: Web, bob: Viewer, caplog: pytest.LogCaptureFixture) -> None:
    reference = await stored_reference(web.db, users=(member(bob.user_id),))
    otus = [await stored_otu(web.db, reference.id) for _ in range(3)]
    exports = web.db.reference_exports

    async def taken_back() -> AsyncGenerator[bytes, None]:
        export = await exports.of_reference(bob, reference.id, Scope.ALL, IdKind.REMOTE)
        async for chunk in export.chunks():
            yield chunk
            await web.db.store.delete(*(otu.otu for otu in otus))

    sent = await _sent(Pieces(taken_back(), "name", 10))
    assert all(message.get("more_body") is not False for message in sent)
    assert "A download was cut off: somebody has taken back what was to be in it" in caplog.text


async def _sent(pieces: Pieces) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        messages.append(dict(message))

    await pieces.stream_response(send)
    return messages


async def test_large_parts_are_sent_in_pieces() -> None:
    async def chunks() -> AsyncGenerator[bytes, None]:
        yield b"x" * (PIECE_BYTES + 1)

    sent = await _sent(Pieces(chunks(), "name", 10))
    assert [len(message.get("body", b"")) for message in sent] == [0, PIECE_BYTES, 1, 0]
    assert sent[-1]["more_body"] is False


async def test_nobody_is_waited_for_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    ended = asyncio.Event()

    async def chunks() -> AsyncGenerator[bytes, None]:
        try:
            yield b"some"
            raise AssertionError("nobody took the first piece")
        finally:
            ended.set()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    with caplog.at_level(logging.WARNING):
        await Pieces(chunks(), "name", 0.05).stream_response(send)
    assert ended.is_set()
    assert "for 0.05 seconds nobody took more of it" in caplog.text
