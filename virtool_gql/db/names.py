"""What people may write into a name, a handle or a note, and how names are compared.

Text is normalised (NFC), trimmed, and holds neither control characters nor lone surrogates. The characters that only
turn the direction of writing are dropped: they are invisible, and with them a name can look like another one.

A file's name is the last part of the path that was sent: `../../etc/passwd` is stored as `passwd`. It is shown and
searched and names a download; no path on disk is ever made of it.
"""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from virtool_gql.errors import BadUserInput, Conflict, DuplicateValue

NAME_LENGTH = 255
HANDLE_LENGTH = 64
RESERVED_HANDLES = frozenset({"virtool"})

DIRECTION_MARKS = dict.fromkeys(
    [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)],
)
UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
INVISIBLE = UNPRINTABLE | {"Cf", "Cn", "Co"}
# Code points that draw nothing although their category says that they are letters, marks or symbols.
BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def single_line(text: str, field: str, *, longest: int = NAME_LENGTH, may_be_empty: bool = True) -> str:
    """Give the text as it is stored in a field of one line."""
    cleaned = _cleaned(text, field, longest)
    _refuse(cleaned, field, UNPRINTABLE)
    if not may_be_empty and not visible(cleaned).strip():
        raise BadUserInput(f"A value is needed for {_spoken(field)}.", path=[field])
    return cleaned


def multi_line(text: str, field: str, *, longest: int) -> str:
    """Give the text as it is stored in a field of any number of lines, which end in a line feed."""
    cleaned = _cleaned(text.replace("\r\n", "\n"), field, longest)
    _refuse(cleaned.replace("\n", "").replace("\t", ""), field, UNPRINTABLE)
    return cleaned


def file_name(text: str) -> str:
    """Give the name of an uploaded file: the last part of what was sent."""
    name = single_line(text, "name", may_be_empty=False)
    last = re.split(r"[/\\]", name)[-1].strip()
    if last in {"", ".", ".."}:
        raise BadUserInput("The name of the file is missing.", path=["name"])
    return last


def user_handle(text: str) -> str:
    """Give the handle as it is shown. A colon is refused because `handle:key` signs scripts in."""
    _limit(text, "handle", HANDLE_LENGTH)
    handle = unicodedata.normalize("NFKC", text).strip()
    _limit(handle, "handle", HANDLE_LENGTH)
    _refuse(handle, "handle", INVISIBLE)
    if not handle or BLANK.search(handle) or ":" in handle:
        raise BadUserInput("A handle is 1 to 64 visible characters without a colon.", path=["handle"])
    if comparable(handle) in RESERVED_HANDLES:
        raise BadUserInput(f"Reserved user name: {handle}.", path=["handle"])
    return handle


def comparable(text: str) -> str:
    """Give the form in which names are compared: compatibility characters and the case of letters do not count."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def handle_key(text: str) -> str | None:
    """Give the form in which the handle that somebody wrote is compared; None when it can be nobody's."""
    try:
        return comparable(user_handle(text))
    except BadUserInput:
        return None


def name_key(text: str) -> str:
    """Give the form in which a name that must be unique is compared: what draws nothing does not count either."""
    return " ".join(visible(comparable(text)).split())


@contextmanager
def told_when_taken(key: str, field: str, sentence: str) -> Iterator[None]:
    """Say in the user's words that a name, which is compared by its key, is taken."""
    try:
        yield
    except DuplicateValue as error:
        if key not in error.path:
            raise
        raise Conflict(sentence, path=[field]) from error


def visible(text: str) -> str:
    """Give the text without the characters that draw nothing."""
    return "".join(letter for letter in BLANK.sub("", text) if unicodedata.category(letter) not in INVISIBLE)


def _cleaned(text: str, field: str, longest: int) -> str:
    # Before normalising, whose time grows with the square of the length for the worst of texts.
    _limit(text, field, longest)
    cleaned = unicodedata.normalize("NFC", text.translate(DIRECTION_MARKS)).strip()
    _limit(cleaned, field, longest)
    return cleaned


def _limit(text: str, field: str, longest: int) -> None:
    if len(text) > longest:
        message = f"The {_spoken(field)} has {len(text)} characters; at most {longest} are allowed."
        raise BadUserInput(message, path=[field])


def _refuse(text: str, field: str, categories: frozenset[str]) -> None:
    for character in text:
        if unicodedata.category(character) in categories:
            message = f"The {_spoken(field)} must not contain the invisible character U+{ord(character):04X}."
            raise BadUserInput(message, path=[field])


def _spoken(field: str) -> str:
    return field.replace("_", " ")
