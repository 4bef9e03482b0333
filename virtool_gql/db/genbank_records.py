"""GenBank's flat files: what of a record becomes a sequence."""

import re
from collections.abc import Iterator

import msgspec

from virtool_gql.errors import NotFound, UpstreamUnavailable

INDENT = 12
"""How far the text of a field is from the margin."""

END = "//"
NOT_A_BASE = re.compile(r"[^A-Z]")
HOST = "/host="


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A record: its accession with its version, what it is, its bases in capitals, and what it was found in."""

    accession: str
    definition: str
    sequence: str
    host: str


def record_of(text: str) -> Record | None:
    """Read the first record of a flat file; None when there is none.

    Raises NotFound for a record without bases, and UpstreamUnavailable for one that is cut off.
    """
    lines = text.splitlines()
    begin = next((number for number, line in enumerate(lines) if line.startswith("LOCUS")), None)
    if begin is None:
        return None
    try:
        record = lines[begin : lines.index(END, begin)]
    except ValueError:
        raise UpstreamUnavailable("NCBI has sent half a record; try again") from None
    accession = (_field(record, "VERSION") or _field(record, "ACCESSION")).partition(" ")[0]
    sequence = _sequence(record)
    if not sequence:
        raise NotFound(f"The record {accession} has no sequence.", path=["accession"])
    return Record(accession=accession, definition=_field(record, "DEFINITION"), sequence=sequence, host=_host(record))


def _field(record: list[str], name: str) -> str:
    """Give the text of a field, over all of its lines."""
    for number, line in enumerate(record):
        if line[:INDENT].rstrip() == name:
            texts = [line[INDENT:].strip(), *_continued(record[number + 1 :], INDENT)]
            return " ".join(text for text in texts if text)
    return ""


def _continued(lines: list[str], indent: int) -> Iterator[str]:
    for line in lines:
        if line[:indent].strip():
            return
        yield line[indent:].strip()


def _host(record: list[str]) -> str:
    """Give the host that the source says; its text may be wrapped, and quotes in it are doubled."""
    lines = iter(_source(record))
    for line in lines:
        if line.startswith(HOST):
            text = line.removeprefix(HOST)
            if not text.startswith('"'):
                return text
            while text.count('"') % 2:
                following = next(lines, None)
                if following is None:
                    break
                text = f"{text} {following}"
            return text[1:].removesuffix('"').replace('""', '"')
    return ""


def _source(record: list[str]) -> Iterator[str]:
    """Give the lines of the source among the features, without their indentation."""
    within = False
    for line in record:
        if line.startswith("     ") and line[5:6].strip():
            within = line[5:].startswith("source ")
        elif not line.startswith(" "):
            within = False
        elif within:
            yield line.strip()


def _sequence(record: list[str]) -> str:
    begin = next((number for number, line in enumerate(record) if line.startswith("ORIGIN")), len(record))
    return "".join(NOT_A_BASE.sub("", line.upper()) for line in record[begin + 1 :])
