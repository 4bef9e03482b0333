from typing import Any

import msgspec
import pytest

from schema.changes import TELLERS, Collection, document_of
from virtool_gql.models.changes import Change, Operation, announcement
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.files import File, FileType
from virtool_gql.models.jobs import Job, Lease
from virtool_gql.models.labels import Label
from virtool_gql.models.samples import Sample
from virtool_gql.models.subtractions import Subtraction
from virtool_gql.models.users import Group, User
from virtool_gql.workflows import Workflow

AT = Timestamp("2026-01-01T00:00:00.000Z")
LEASE = Lease(runner="r", token="secret", expires_at=AT)
DOCUMENTS: list[Any] = [
    Sample(id="a", name="A", unique_key="a", creation_key="secret", user_id="u", created_at=AT, updated_at=AT),
    File(id="a", name="a.fq", type=FileType.READS, user_id=None, created_at=AT),
    Job(id="a", workflow=Workflow.NUVS, args={}, user_id="u", proc=1, mem=1, lease=LEASE, created_at=AT),
    User(id="a", handle="A", handle_key="a", password_hash="secret", created_at=AT, last_password_change=AT),
    Group(id="a", name="A", name_key="a", created_at=AT),
    Label(id="a", name="A", name_key="a", creation_key="secret", user_id="u", created_at=AT),
    Subtraction(id="a", name="A", creation_key="secret", user_id="u", created_at=AT),
]


def change_of(document: Any, operation: Operation) -> Change:
    announced = announcement(operation, document, AT)
    assert announced is not None
    assert b"secret" not in announced
    return msgspec.structs.replace(msgspec.json.decode(announced, type=Change), cursor="7-0")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.kept.name)
def test_every_collection_can_be_told_of(document: Any) -> None:
    entity = document.kept.name.removesuffix("s")
    tell = TELLERS[document.kept.name]
    for operation in (Operation.INSERT, Operation.UPDATE):
        told: Any = tell(change_of(document, operation))
        assert (told.cursor, told.operation, told.ids, told.at) == ("7-0", operation, [f"{entity}_a"], AT)
        assert getattr(told, entity).id == f"{entity}_a"
    told = tell(change_of(document, Operation.DELETE))
    assert getattr(told, entity) is None


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.kept.name)
def test_a_document_comes_back_without_its_secrets(document: Any) -> None:
    back = msgspec.to_builtins(document_of(type(document), change_of(document, Operation.INSERT)))
    kept = msgspec.to_builtins(document)
    for name in document.kept.unannounced:
        assert back.pop(name) in ("", None, 0)
        del kept[name]
    assert back == kept


def test_the_collections_are_those_that_have_tellers() -> None:
    assert set(TELLERS) == set(Collection)
