"""A write of many documents and its announcements, as one statement that does all or nothing.

`given` holds what the caller gives, a row per document. Documents are locked in the order of their ids, so that two
writes never wait for each other. An outbox id is drawn after its document is locked: the ids of one document's changes
grow with its versions.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    CTE,
    Boolean,
    ColumnElement,
    Executable,
    Integer,
    LargeBinary,
    Table,
    Text,
    and_,
    bindparam,
    case,
    cast,
    column,
    delete,
    func,
    insert,
    select,
    true,
    update,
)
from sqlalchemy import literal_column as sql
from sqlalchemy.dialects.postgresql import JSONB, array

from virtool_gql.errors import BadUserInput
from virtool_gql.models.changes import Operation
from virtool_gql.models.documents import Document
from virtool_gql.stores.fields import quoted
from virtool_gql.stores.numbers import storable
from virtool_gql.stores.tables import outbox, table_of


@cache
def statement_of(operation: Operation, kind: type[Document]) -> Executable:
    """Give the statement; its result is the number of documents that were written."""
    return STATEMENTS[operation](table_of(kind))


def _insertion(table: Table) -> Executable:
    given = _given(table)
    names = list(table.c.keys())
    rows = select(*(given.c[name] for name in names)).order_by(given.c.id)
    written = insert(table).from_select(names, rows).returning(table.c.id).cte("written")
    return _announced(given, written)


def _replacement(table: Table) -> Executable:
    given = _given(table)
    locked = _locked(table, given, given.c.version - 1)
    values: dict[str, Any] = {name: given.c[name] for name in table.c.keys() if name != "id"}  # noqa: SIM118 - no mapping
    if "apart" in values:
        values["apart"] = func.coalesce(given.c.apart, table.c.apart)
    chosen = update(table).values(values).where(table.c.id == given.c.id, _all_are_in(locked))
    return _announced(given, chosen.returning(table.c.id).cte("written"))


def _deletion(table: Table) -> Executable:
    given = select(*_arguments().c).cte("given")
    locked = _locked(table, given, given.c.version)
    chosen = delete(table).where(table.c.id.in_(select(locked.c.id)), _all_are_in(locked))
    return _announced(given, chosen.returning(table.c.id).cte("written"))


STATEMENTS: dict[Operation, Callable[[Table], Executable]] = {
    Operation.INSERT: _insertion,
    Operation.UPDATE: _replacement,
    Operation.DELETE: _deletion,
}


def _arguments() -> Any:
    arrays = (("ids", Text()), ("versions", Integer()), ("docs", Text()), ("payloads", LargeBinary()))
    columns = (column("id", Text), column("version", Integer), column("doc", Text), column("payload", LargeBinary))
    unnested = func.unnest(*(bindparam(name, type_=ARRAY(type)) for name, type in arrays))
    return unnested.table_valued(*columns, with_ordinality="place", name="arguments").render_derived()


def _given(table: Table) -> CTE:
    arguments = _arguments()
    doc = cast(arguments.c.doc, JSONB)
    if "doc" in table.c and not table.info["apart"]:
        return select(arguments.c.id, arguments.c.version, doc.label("doc"), *_rest(arguments)).cte("given")
    if "doc" in table.c:
        columns = (arguments.c.id, arguments.c.version, doc.label("doc"), *_rest(arguments))
        parsed = select(*columns).cte("parsed").prefix_with("MATERIALIZED")  # else for each use of it again
        parts = _parts(parsed.c.doc, sorted(table.info["apart"]))
        return select(parsed.c.id, parsed.c.version, *parts, *_rest(parsed)).cte("given")
    record = func.jsonb_populate_record(sql(f"NULL::{table.name}"), doc)
    row = record.table_valued(*(column(each.name, each.type) for each in table.c), name="row")
    return select(*row.c, *_rest(arguments)).select_from(arguments.join(row, true())).cte("given")


def _parts(doc: ColumnElement[Any], apart: Sequence[str]) -> list[ColumnElement[Any]]:
    """Give the document without the fields that are kept apart, and these; NULL for a document that comes without."""
    keys = [sql(f"{quoted(name)}::text", Text()) for name in apart]
    rest: ColumnElement[Any] = doc
    for key in keys:
        rest = rest.op("-")(key)
    pairs = [part for key in keys for part in (key, doc.op("->")(key))]
    whole = func.jsonb_exists_all(doc, array(keys), type_=Boolean())
    return [rest.label("doc"), case((whole, func.jsonb_build_object(*pairs, type_=JSONB()))).label("apart")]


def _rest(arguments: Any) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    return arguments.c.payload, arguments.c.place


def _locked(table: Table, given: CTE, version: ColumnElement[int]) -> CTE:
    stored = and_(table.c.id == given.c.id, table.c.version == version)
    return select(table.c.id).join(given, stored).order_by(table.c.id).with_for_update(of=table).cte("locked")


def _all_are_in(locked: CTE) -> ColumnElement[bool]:
    return select(func.count()).select_from(locked).scalar_subquery() == bindparam("expected", type_=Integer)


def _announced(given: CTE, written: CTE) -> Executable:
    payloads = select(given.c.payload).join(written, written.c.id == given.c.id).where(given.c.payload.is_not(None))
    announced = insert(outbox).from_select(["payload"], payloads.order_by(given.c.place)).cte("announced")
    return select(func.count()).select_from(written).add_cte(announced)


def encoded(document: Document) -> str:
    """Give the document as JSON, in which there are no numbers but those that every store can hold."""
    json = msgspec.json.encode(document)  # in which NaN is null
    if not storable(type(document))(document):
        raise BadUserInput("A number must be finite and within 64 bits.")
    return json.decode()
