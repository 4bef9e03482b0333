"""FASTA of OTUs, isolates and sequences."""

import pytest

from tests.factories.otus import joined_isolate, joined_otu, joined_sequence, stored_otu
from tests.factories.references import member, stored_reference
from tests.web.serving import Web
from virtool_gql.access import Viewer
from virtool_gql.db.fasta import BASES_AT_ONCE

ONE = ">Big fa Virus/Isolate A.fa/s1/4\nACGT"
TWO = ">Big fa Virus/Isolate A.fa/s2/2\nNN"
THREE = ">Big fa Virus/Unnamed Isolate/s3.fa/1\nA".replace("s3.fa", "s3fa")

URLS = [
    "/downloads/otus/otu_bigfa.fa",
    "/downloads/isolates/isolate_bigfa_aa.fa",
    "/downloads/sequences/sequence_s1.fa",
]


@pytest.fixture
async def reader(web: Web) -> Viewer:
    return await web.api.viewer("reader")


@pytest.fixture
async def otu(web: Web, ada: Viewer, reader: Viewer) -> None:
    """Make an OTU whose names and ids end in what a suffix of FASTA could be confused with."""
    isolates = [
        joined_isolate(
            "aa",
            [joined_sequence("s1", sequence="ACGT"), joined_sequence("s2", sequence="NN")],
            source_name="A.fa",
            default=True,
        ),
        joined_isolate("f", [joined_sequence("s3fa", sequence="A")], source_type=""),
        joined_isolate("empty"),
    ]
    reference = await stored_reference(web.db, user_id=ada.user_id, users=(member(reader.user_id),))
    await stored_otu(web.db, reference.id, joined_otu("bigfa", isolates, name="Big fa Virus"))


@pytest.mark.parametrize(
    ("url", "name", "content"),
    [
        (URLS[0], "big_fa_virus.fa", f"{ONE}\n{TWO}\n{THREE}"),
        (URLS[1], "big_fa_virus.isolate_a.fa.fa", f"{ONE}\n{TWO}"),
        ("/downloads/isolates/isolate_bigfa_f.fa", "big_fa_virus.unnamed_isolate.fa", THREE),
        ("/downloads/isolates/isolate_bigfa_empty.fa", "big_fa_virus.isolate_empty.fa", ""),
        (URLS[2], "big_fa_virus.isolate_a.fa.s1.fa", ONE),
        ("/downloads/sequences/sequence_s3fa.fa", "big_fa_virus.unnamed_isolate.s3fa.fa", THREE),
    ],
)
@pytest.mark.usefixtures("otu")
async def test_fasta_of_an_otu_an_isolate_and_a_sequence(
    web: Web, ada: Viewer, url: str, name: str, content: str
) -> None:
    async with web.client(await web.cookie(ada)) as client:
        response = await client.get(url)
    assert (response.status_code, response.text) == (200, content)
    assert response.headers["content-type"].startswith("text/x-fasta")
    assert f'filename="{name}"' in response.headers["content-disposition"]
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("url", URLS)
@pytest.mark.usefixtures("otu")
async def test_only_members_get_fasta(web: Web, reader: Viewer, url: str) -> None:
    async with web.client(await web.cookie(reader)) as client:
        assert (await client.get(url)).status_code == 200
    async with web.client() as client:
        assert (await client.get(url)).status_code == 401
    async with web.client(await web.cookie(await web.api.viewer("stranger"))) as client:
        response = await client.get(url)
        assert response.status_code == 404
        missing = await client.get(url.replace("bigfa", "nothing0").replace("s1", "nothing0"))
    assert missing.status_code == 404
    assert missing.json()["message"] == response.json()["message"]


@pytest.mark.parametrize(
    "url",
    [
        "/downloads/otus/otu_nothing0.fa",
        "/downloads/otus/bigfa.fa",
        "/downloads/otus/otu_bigfa",
        "/downloads/isolates/isolate_bigfa.fa",
        "/downloads/isolates/isolate_bigfa_x.fa",
        "/downloads/isolates/otu_bigfa.fa",
        "/downloads/sequences/sequence_s9.fa",
        "/downloads/sequences/..%2f.fa",
    ],
)
@pytest.mark.usefixtures("otu")
async def test_what_is_not_there_is_404(web: Web, ada: Viewer, url: str) -> None:
    async with web.client(await web.cookie(ada)) as client:
        assert (await client.get(url)).status_code == 404


async def test_a_large_otu_comes_in_parts(web: Web, ada: Viewer) -> None:
    bases = "ACGT" * (BASES_AT_ONCE // 10)
    parts = [joined_sequence(f"s{number}", sequence=bases) for number in range(7)]
    reference = await stored_reference(web.db, user_id=ada.user_id)
    await stored_otu(web.db, reference.id, joined_otu("large", [joined_isolate("a", parts)], name="L"))
    async with web.client(await web.cookie(ada)) as client, client.stream("GET", "/downloads/otus/otu_large.fa") as it:
        assert "content-length" not in it.headers
        content = (await it.aread()).decode()
    assert content == "\n".join(f">L/Isolate A/s{number}/{len(bases)}\n{bases}" for number in range(7))
