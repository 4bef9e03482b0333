"""Downloads: bytes with the rights of the API."""

from urllib.parse import unquote

import pytest

from tests.web.serving import Web
from virtool_gql.access import Viewer
from virtool_gql.models.files import File
from virtool_gql.models.samples import Reads
from virtool_gql.web.downloads import disposition, is_range

CONTENT = bytes(range(256)) * 20_000


@pytest.fixture
async def file(web: Web, ada: Viewer) -> File:
    made: File = await web.api.file(ada, name="Reads ü “1”.fq.gz", size=len(CONTENT))
    web.db.places.file(made.id).write_bytes(CONTENT)
    return made


async def test_a_file_comes_whole_and_with_its_name(web: Web, ada: Viewer, file: File) -> None:
    async with web.client(await web.cookie(ada)) as client:
        response = await client.get(f"/downloads/files/file_{file.id}")
        assert response.content == CONTENT
        assert response.headers["content-type"] == "application/gzip"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["accept-ranges"] == "bytes"
        name = response.headers["content-disposition"].split("filename*=UTF-8''")[1]
        assert unquote(name) == file.name
        head = await client.head(f"/downloads/files/file_{file.id}")
        assert (head.content, head.headers["content-length"]) == (b"", str(len(CONTENT)))


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-5", slice(len(CONTENT) - 5, None)),
        (f"bytes=10-{len(CONTENT) * 2}", slice(10, None)),
    ],
)
async def test_one_range_is_given(web: Web, ada: Viewer, file: File, asked: str, part: slice) -> None:
    first, end, _ = part.indices(len(CONTENT))
    async with web.client({**await web.cookie(ada), "range": asked}) as client:
        response = await client.get(f"/downloads/files/file_{file.id}")
    assert (response.status_code, response.content) == (206, CONTENT[part])
    assert response.headers["content-range"] == f"bytes {first}-{end - 1}/{len(CONTENT)}"


@pytest.mark.parametrize("asked", ["bytes=9-0", "bytes=0-1,5-6", "items=0-1", "bytes=-", "nonsense"])
async def test_what_is_no_single_range_gives_the_whole(web: Web, ada: Viewer, file: File, asked: str) -> None:
    async with web.client({**await web.cookie(ada), "range": asked}) as client:
        response = await client.get(f"/downloads/files/file_{file.id}")
    assert (response.status_code, response.content) == (200, CONTENT)


async def test_a_range_beyond_the_end_is_416(web: Web, ada: Viewer, file: File) -> None:
    async with web.client({**await web.cookie(ada), "range": f"bytes={len(CONTENT)}-"}) as client:
        response = await client.get(f"/downloads/files/file_{file.id}")
    assert (response.status_code, response.headers["content-range"]) == (416, f"bytes */{len(CONTENT)}")


async def test_a_range_of_another_version_gives_the_whole(web: Web, ada: Viewer, file: File) -> None:
    async with web.client({**await web.cookie(ada), "range": "bytes=0-9"}) as client:
        etag = (await client.get(f"/downloads/files/file_{file.id}")).headers["etag"]
        for given, status in ((etag, 206), ('"another"', 200)):
            response = await client.get(f"/downloads/files/file_{file.id}", headers={"if-range": given})
            assert response.status_code == status


async def test_missing_malformed_unready_and_foreign_look_alike(web: Web, ada: Viewer) -> None:
    unready = await web.api.file(ada, ready=False)
    bob = await web.api.viewer("bob")
    hidden = await with_reads(web, ada, all_read=False)
    async with web.client(await web.cookie(bob)) as client:
        for path in (
            f"files/file_{unready.id}",
            "files/file_missing1",
            "files/sample_missing1",
            "files/nonsense",
            "files/file_..%2f..%2fetc",
            f"samples/sample_{hidden}/reads_1.fq.gz",
            "samples/sample_missing1/reads_1.fq.gz",
            f"samples/sample_{hidden}/reads_9.fq.gz",
        ):
            response = await client.get(f"/downloads/{path}")
            assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND"), path


async def test_strangers_are_asked_to_sign_in(web: Web, file: File) -> None:
    async with web.client() as client:
        for path in (f"files/file_{file.id}", "files/file_missing1", "samples/sample_x/reads_1.fq.gz"):
            response = await client.get(f"/downloads/{path}")
            assert (response.status_code, response.json()["code"]) == (401, "UNAUTHENTICATED")


async def test_reads_are_named_after_their_sample(web: Web, ada: Viewer) -> None:
    id = await with_reads(web, ada, name='Leaf/"7"')
    async with web.client(await web.cookie(ada)) as client:
        response = await client.get(f"/downloads/samples/sample_{id}/reads_1.fq.gz")
        assert response.content == b"reads"
        assert response.headers["content-disposition"].startswith('attachment; filename="Leaf__7__1.fq.gz"')
        assert (await client.get(f"/downloads/samples/sample_{id}/reads_2.fq.gz")).status_code == 404


async def with_reads(web: Web, owner: Viewer, **fields: object) -> str:
    reads = Reads(name="reads_1.fq.gz", size=5, file_id="f", file_name="f")
    sample = await web.api.sample(owner, ready=True, reads=(reads,), **fields)
    place = web.db.places.reads(sample.id, 1)
    place.parent.mkdir()
    place.write_bytes(b"reads")
    return str(sample.id)


@pytest.mark.parametrize("name", ["a.txt", 'q"; x=y', "a\r\nb: c", "../../x", "ü€😀", "\u202egpj", "%41", "\ud800"])
def test_any_name_makes_one_safe_header(name: str) -> None:
    header = disposition(name)
    header.encode("ascii")
    assert header.isprintable()
    assert header.count('"') == 2
    assert "/" not in header.split("filename=")[1]


@pytest.mark.parametrize("value", [b"bytes=1-2", b"bytes = 1-", b"BYTES=-1"])
def test_single_ranges_are_known(value: bytes) -> None:
    assert is_range(value)
