"""What went wrong in PostgreSQL, in the words of the documents contract."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from virtool_gql.errors import BadUserInput, DuplicateValue, StaleDocument, UpstreamUnavailable
from virtool_gql.models.documents import Document
from virtool_gql.stores.documents import duplicate
from virtool_gql.stores.tables import table_of, unique_name

CONCURRENT = {"40001", "40P01"}  # serialisation failure, deadlock
TOO_LONG = "54000"  # a value does not fit into an index
NO_SERVICE = ("08", "53", "57", "58")  # connection, resources, operator intervention, system error
UNFIT = ("22", "23")  # data exception, a check that failed


@contextmanager
def translated(kinds: Sequence[type[Document]] = ()) -> Iterator[None]:
    """Raise what the driver raises as the error of ours that it is."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise _unfit() from error
    except (OSError, PoolTimeout) as error:
        raise _unavailable() from error
    except DBAPIError as error:
        raise _failure(error, kinds) from error


def _failure(error: DBAPIError, kinds: Sequence[type[Document]]) -> Exception:
    state = str(getattr(error.orig, "sqlstate", None) or "")
    if state == "23505":
        return _duplicate(error, kinds)
    if state in CONCURRENT:
        return StaleDocument("Somebody else changed this at the same moment; try again.")
    if state == TOO_LONG:
        return BadUserInput("A text is too long.")
    if state.startswith(UNFIT):
        return _unfit()
    if error.connection_invalidated or not state or state.startswith(NO_SERVICE):
        return _unavailable()
    return error


def _unfit() -> BadUserInput:
    return BadUserInput("A value cannot be stored: a text with a character such as NUL, or a number that is too large.")


def _unavailable() -> UpstreamUnavailable:
    return UpstreamUnavailable("The database does not answer; try again in a moment.")


def _duplicate(error: DBAPIError, kinds: Sequence[type[Document]]) -> DuplicateValue:
    constraint = getattr(getattr(error.orig, "__cause__", None), "constraint_name", None)
    for kind in kinds:
        for paths in kind.kept.unique:
            if unique_name(kind.kept, paths) == constraint:
                return duplicate(paths)
        if f"{table_of(kind).name}_pkey" == constraint:
            return duplicate(("id",))
    return DuplicateValue("A value that must be unique is taken.")
