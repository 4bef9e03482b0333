"""`Text` as a regular expression, of the plain kind that PostgreSQL, PCRE and RE2 read alike.

Collations fold letters differently from server to server (ICU, libc, builtin; each with its version of Unicode). A
class of letters for each letter of the text, compared as they are, means the same everywhere.
"""

from functools import cache

from virtool_gql.errors import BadUserInput
from virtool_gql.query import fold

CASED_END = 0x1F000  # no letter beyond has a case
LONGEST = 1_000


@cache
def _capitals() -> dict[str, str]:
    """Give the letters that fold to a letter, other than itself."""
    capitals: dict[str, str] = {}
    for letter in map(chr, range(CASED_END)):
        folded = fold(letter)
        if folded != letter:
            capitals[folded] = capitals.get(folded, "") + letter
    return capitals


def pattern(text: str) -> str:
    """Give the regular expression that finds what `query.Text` finds; the servers are slow to compile long ones."""
    if len(text) > LONGEST:
        raise BadUserInput(f"Look for a text of at most {LONGEST} letters.")
    return "".join(_one(letter) for letter in fold(text))


def _one(letter: str) -> str:
    capitals = _capitals().get(letter)
    if capitals:
        return f"[{letter}{capitals}]"
    return f"\\{letter}" if letter.isascii() and letter.isprintable() and not letter.isalnum() else letter
