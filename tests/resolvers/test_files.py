from typing import Any

from msgspec import structs

from tests.factories.api import Api
from virtool_gql.access import Viewer
from virtool_gql.models.files import FileType
from virtool_gql.models.users import Permission

ONE = """query($id: ID!) { file(id: $id) {
    name type size ready reserved uploadedAt expiresAt downloadUrl user { handle } } }"""
DELETE = (
    """mutation($input: DeleteFileInput!) { deleteFile(input: $input) { file { name } errors { code message } } }"""
)

UPDATE = """mutation($input: UpdateFileInput!) { updateFile(input: $input) {
    file { name expiresAt version } errors { code path } } }"""


async def names(api: Api, viewer: Viewer, arguments: str) -> list[Any]:
    page = await api.ask(viewer, f"{{ files({arguments}) {{ nodes {{ name }} }} }}")
    return [node["name"] for node in page["nodes"]]


async def test_a_file_is_there_for_everybody_who_is_signed_in(api: Api, owner: Viewer, stranger: Viewer) -> None:
    file = await api.file(owner, name="reads.fq")
    id = f"file_{file.id}"
    assert await api.code(None, ONE, id=id) == "UNAUTHENTICATED"
    assert await api.ask(stranger, ONE, id=id) == {
        "name": "reads.fq",
        "type": "READS",
        "size": 10_000_000_000,
        "ready": True,
        "reserved": False,
        "uploadedAt": None,
        "expiresAt": None,
        "downloadUrl": f"/downloads/files/{id}",
        "user": {"handle": "owner"},
    }


async def test_a_file_that_is_on_its_way_cannot_be_downloaded(api: Api, owner: Viewer) -> None:
    file = await api.file(None, ready=False, size=None)
    shown = await api.ask(owner, ONE, id=f"file_{file.id}")
    assert (shown["size"], shown["downloadUrl"], shown["user"]) == (None, None, None)


async def test_files_are_filtered_searched_and_ordered(api: Api, owner: Viewer, stranger: Viewer) -> None:
    await api.file(owner, name="b.fq", size=3)
    await api.file(stranger, name="a.fa", size=1, type=FileType.SUBTRACTION)
    await api.file(owner, name="c.fq", size=2, reserved_by="sample01")
    assert await names(api, owner, "last: 9") == ["c.fq", "a.fa", "b.fq"]
    assert await names(api, owner, "orderBy: {field: SIZE}") == ["a.fa", "c.fq", "b.fq"]
    assert await names(api, owner, "orderBy: {field: NAME}, filter: {type: READS}") == ["b.fq", "c.fq"]
    assert await names(api, owner, "filter: {type: READS, reserved: false}") == ["b.fq"]
    assert await names(api, owner, "filter: {reserved: true, ready: true}") == ["c.fq"]
    assert await names(api, owner, f'filter: {{userId: "user_{stranger.user_id}"}}') == ["a.fa"]
    assert await names(api, owner, 'search: ".FA"') == ["a.fa"]


async def test_deleting_needs_the_permission_and_a_file_that_is_free(api: Api, owner: Viewer) -> None:
    file = await api.file(owner, reserved_by="sample01", name="reads.fq")
    remover = await api.viewer("remover", Permission.REMOVE_FILE)
    deleted = {"id": f"file_{file.id}"}
    assert await api.code(None, DELETE, input=deleted) == "UNAUTHENTICATED"
    (error,) = (await api.ask(owner, DELETE, input=deleted))["errors"]
    assert error["code"] == "FORBIDDEN"
    assert "REMOVE_FILE" in error["message"]
    (error,) = (await api.ask(remover, DELETE, input=deleted))["errors"]
    assert error["code"] == "CONFLICT"
    await api.db.store.replace(structs.replace(file, reserved_by=None))
    assert await api.ask(remover, DELETE, input=deleted) == {"file": {"name": "reads.fq"}, "errors": []}


async def test_an_end_is_given_and_taken_away(api: Api, owner: Viewer, stranger: Viewer) -> None:
    file = await api.file(owner, name="reads.fq")
    id, at = f"file_{file.id}", "2126-01-31T12:00:00.000Z"
    assert await api.code(None, UPDATE, input={"id": id}) == "UNAUTHENTICATED"
    (error,) = (await api.ask(stranger, UPDATE, input={"id": id, "name": "x.fq"}))["errors"]
    assert error["code"] == "FORBIDDEN"
    changed = await api.ask(owner, UPDATE, input={"id": id, "expiresAt": "2126-01-31T13:00:00+01:00"})
    assert changed == {"file": {"name": "reads.fq", "expiresAt": at, "version": 2}, "errors": []}
    changed = await api.ask(owner, UPDATE, input={"id": id, "name": "b.fq", "expectedVersion": 2})
    assert changed["file"] == {"name": "b.fq", "expiresAt": at, "version": 3}
    (error,) = (await api.ask(owner, UPDATE, input={"id": id, "expiresAt": None, "expectedVersion": 2}))["errors"]
    assert error["code"] == "CONFLICT"
    (error,) = (await api.ask(owner, UPDATE, input={"id": id, "expiresAt": "2020-01-01T00:00:00Z"}))["errors"]
    assert (error["code"], error["path"]) == ("BAD_USER_INPUT", ["expiresAt"])
    (error,) = (await api.ask(owner, UPDATE, input={"id": id, "name": None}))["errors"]
    assert error["path"] == ["name"]
    assert (await api.ask(owner, UPDATE, input={"id": id, "expiresAt": None}))["file"]["expiresAt"] is None


async def test_changes_of_files_are_told(api: Api, owner: Viewer, stranger: Viewer) -> None:
    after = await api.cursor(owner)
    await api.file(owner, ready=False)
    file = await api.file(owner, name="reads.fq")
    watch = (
        "subscription($after: Cursor) { files(after: $after, filter: {ready: true}) { operation ids file { name } } }"
    )
    async with api.subscribed(stranger, watch, after=after) as watched:
        told = await watched.next()
    assert told == {"operation": "INSERT", "ids": [f"file_{file.id}"], "file": {"name": "reads.fq"}}
