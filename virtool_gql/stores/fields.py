"""What a dotted path of a collection is in SQL: a typed column, or a typed expression over the JSONB document."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect
from sqlalchemy import BigInteger, Boolean, DateTime, Dialect, Integer, Numeric, Table, Text, cast, func, literal
from sqlalchemy import literal_column as sql
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from virtool_gql.models.documents import Document, Timestamp, moment_of, timestamp
from virtool_gql.query import Scalar

CODE_POINTS = "C"  # the collation that orders text by code point
TIMESTAMP_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'
LARGEST_BIGINT = 2**63 - 1
ANY_DEPTH = 4  # how deep lists of lists are looked through where the type does not tell


class TimestampText(TypeDecorator[Timestamp]):
    """TIMESTAMPTZ in the database, our fixed-width text in Python."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else moment_of(Timestamp(value))

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> Timestamp | None:  # noqa: ARG002 - the same
        return None if value is None else timestamp(value)


class Kind(StrEnum):
    """The kinds of values that can be compared with one another."""

    TEXT = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"


SQL_TYPES: dict[Kind, TypeEngine[Any]] = {Kind.TEXT: Text(), Kind.NUMBER: Numeric(), Kind.BOOLEAN: Boolean()}


def kind_of(value: Scalar) -> Kind:
    if isinstance(value, bool):
        return Kind.BOOLEAN
    return Kind.TEXT if isinstance(value, str) else Kind.NUMBER


class Comparison(NamedTuple):
    """The two sides of a comparison: the field, and the value in the same type."""

    field: ColumnElement[Any]
    value: ColumnElement[Any]


class Field:
    """What a path leads to. `kind` is None where it may be of several kinds, or none that can be compared."""

    kind: Kind | None
    required: bool

    @property
    def whole(self) -> ColumnElement[Any]:
        """Give an expression that is NULL exactly where the field is null or missing."""
        raise NotImplementedError

    def of_kind(self, kind: Kind) -> ColumnElement[Any] | None:
        """Give the field as a value of the kind, NULL if it is of another; None if it never is of that kind."""
        raise NotImplementedError

    def against(self, value: Scalar) -> Comparison | None:
        """Give the field and the value in one type; None if the field never is of the value's kind."""
        kind = kind_of(value)
        field = self.of_kind(kind)
        if field is None or value != value:  # noqa: PLR0124 - not a number
            return None
        bound = Decimal(repr(value)) if kind is Kind.NUMBER else value
        return Comparison(field, literal(bound, SQL_TYPES[kind]))


class JsonField(Field):
    """A field within a JSONB value."""

    def __init__(self, base: str, names: list[str], type: inspect.Type, *, required: bool) -> None:
        self.kind, always = scalar_kind(type)
        self.required = required and always
        steps = [base, *(quoted(name) for name in names)]
        self.json = f"({' -> '.join(steps)})"
        self.text = f"({' -> '.join(steps[:-1])} ->> {steps[-1]})"

    @property
    def whole(self) -> ColumnElement[Any]:
        return sql(self.text, Text())

    def of_kind(self, kind: Kind) -> ColumnElement[Any] | None:
        if self.kind not in (kind, None):
            return None
        text = self.text if self.kind else f"(CASE WHEN jsonb_typeof({self.json}) = '{kind}' THEN {self.text} END)"
        if kind is Kind.TEXT:
            return sql(f'({text} COLLATE "{CODE_POINTS}")', Text())
        return sql(f"CAST({text} AS {kind_type(kind)})", SQL_TYPES[kind])


class ColumnField(Field):
    """A field that has a column of its own."""

    def __init__(self, column: ColumnElement[Any], type: inspect.Type) -> None:
        self.column = column
        self.kind, always = scalar_kind(type)
        self.required = always

    @property
    def whole(self) -> ColumnElement[Any]:
        return self.column

    def of_kind(self, kind: Kind) -> ColumnElement[Any] | None:
        if kind is not self.kind:
            return None
        if kind is Kind.TEXT and isinstance(self.column.type, TimestampText):
            written = func.to_char(func.timezone("UTC", self.column), TIMESTAMP_FORMAT, type_=Text())
            return written.collate(CODE_POINTS)
        return cast(self.column, Numeric()) if kind is Kind.NUMBER else self.column

    def against(self, value: Scalar) -> Comparison | None:
        """Compare in the column's own type where the value has it, so that the column's index is used."""
        of_timestamp = isinstance(self.column.type, TimestampText) and _is_timestamp(value)
        of_integer = isinstance(self.column.type, BigInteger | Integer) and _is_bigint(value)
        if of_timestamp or of_integer:
            return Comparison(self.column, literal(value, self.column.type if of_timestamp else BigInteger()))
        return super().against(value)


def kind_type(kind: Kind) -> str:
    return "boolean" if kind is Kind.BOOLEAN else "numeric"


def _is_timestamp(value: Scalar) -> bool:
    try:
        return isinstance(value, str) and timestamp(moment_of(Timestamp(value))) == value
    except (ValueError, OverflowError):
        return False


def _is_bigint(value: Scalar) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_BIGINT


def quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def field_of(table: Table, kind: type[Document], path: str) -> Field:
    """Find what the path of a document of that kind is in its table."""
    type, required = type_at(kind, path)
    if path in table.c:
        return ColumnField(table.c[path], type)
    base, names = json_base(table, path)
    return JsonField(base, names, type, required=required)


@cache
def type_at(kind: type[Document], path: str) -> tuple[inspect.Type, bool]:
    """Give the declared type of what the path leads to, and whether all on the way is always there."""
    type: inspect.Type = inspect.type_info(kind)
    required = True
    for name in path.split("."):
        type, always = _step(type, name)
        required = required and always
    return type, required


def _step(type: inspect.Type, name: str) -> tuple[inspect.Type, bool]:
    """Go from an object to its field; what the types do not tell may be anything."""
    always = True
    if isinstance(type, inspect.UnionType):
        somethings = [part for part in type.types if not isinstance(part, inspect.NoneType)]
        always = False
        type = somethings[0] if len(somethings) == 1 else inspect.AnyType()
    if isinstance(type, inspect.StructType):
        for field in type.fields:
            if field.encode_name == name:
                return field.type, always
    return inspect.AnyType(), False


def scalar_kind(type: inspect.Type) -> tuple[Kind | None, bool]:
    """Give the one kind that values of the type have, if there is one; and whether they are never null."""
    parts = type.types if isinstance(type, inspect.UnionType) else (type,)
    kinds = {_kind_of_type(part) for part in parts if not isinstance(part, inspect.NoneType)}
    always = not any(isinstance(part, inspect.NoneType | inspect.AnyType) for part in parts)
    return (kinds.pop() if len(kinds) == 1 else None), always


def _kind_of_type(type: inspect.Type) -> Kind | None:
    match type:
        case inspect.StrType():
            return Kind.TEXT
        case inspect.IntType() | inspect.FloatType():
            return Kind.NUMBER
        case inspect.BoolType():
            return Kind.BOOLEAN
        case inspect.EnumType(cls):
            kinds = {kind_of(member.value) for member in cls}
            return kinds.pop() if len(kinds) == 1 else None
        case _:
            return None


def json_path(names: list[str]) -> str:
    """Give the JSON path to what equals one of the values, at the end of the names, through lists at every step."""
    lists = "[*]" * ANY_DEPTH
    return "$" + "".join(f".{msgspec.json.encode(name).decode()}{lists}" for name in names) + " ? (@ == $value[*])"


def json_base(table: Table, path: str) -> tuple[str, list[str]]:
    """Give the JSON value that a path starts in, and the names within it."""
    names = path.split(".")
    if names[0] in table.c:
        return f'to_jsonb("{names[0]}")', names[1:]
    if "doc" not in table.c:
        return "NULL::jsonb", names
    return ("apart" if names[0] in table.info["apart"] else "doc"), names
