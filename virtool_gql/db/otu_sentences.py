"""What the history says of the changes of OTUs, in the words that it has always used."""

from virtool_gql.models.history import Verb
from virtool_gql.models.joined import JoinedIsolate, JoinedOTU, isolate_name

DONE = {
    Verb.CREATE: "Created",
    Verb.CLONE: "Cloned",
    Verb.IMPORT: "Imported",
    Verb.REMOTE: "Remoted",
    Verb.UPDATE: "Updated",
    Verb.REMOVE: "Removed",
}


def whole_otu(verb: Verb, otu: JoinedOTU) -> str:
    """Say what was done to an OTU as a whole: that it came to be, was updated or was removed."""
    return f"{DONE[verb]} {otu.name} ({otu.abbreviation})" if otu.abbreviation else f"{DONE[verb]} {otu.name}"


def edited(before: JoinedOTU, after: JoinedOTU) -> str:
    """Say what was changed of an OTU itself; nothing when it is as it was."""
    changes = (_renamed(before, after), _abbreviated(before, after), _restructured(before, after))
    sentence = " and ".join(change for change in changes if change)
    return sentence[:1].upper() + sentence[1:]


def _renamed(before: JoinedOTU, after: JoinedOTU) -> str:
    return f"changed name to {after.name}" if after.name != before.name else ""


def _abbreviated(before: JoinedOTU, after: JoinedOTU) -> str:
    if after.abbreviation == before.abbreviation:
        return ""
    if not after.abbreviation:
        return f"removed abbreviation {before.abbreviation}"
    if not before.abbreviation:
        return f"added abbreviation {after.abbreviation}"
    return f"changed abbreviation to {after.abbreviation}"


def _restructured(before: JoinedOTU, after: JoinedOTU) -> str:
    return "modified schema" if after.schema != before.schema else ""


def named(isolate: JoinedIsolate) -> str:
    """Give the name that an isolate is shown by."""
    return isolate_name(isolate.source_type, isolate.source_name)
