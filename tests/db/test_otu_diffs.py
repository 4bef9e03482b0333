import json
from itertools import pairwise
from typing import Any

import dictdiffer
import msgspec
import pytest
from hypothesis import given
from msgspec import UNSET, structs

from tests.factories.joined import joined_otus
from virtool_gql.db.otu_diffs import back_to_verified, difference, is_verified, taken_back, verified_or_none
from virtool_gql.models.documents import Timestamp
from virtool_gql.models.history import BIRTHS, HistoryEntry, Verb
from virtool_gql.models.joined import JoinedIsolate, JoinedOTU, JoinedSequence

OTU = JoinedOTU(id="otu00001", version=3, name="Apple virus", abbreviation="AV")


def entry_of(before: JoinedOTU | None, after: JoinedOTU | None, verb: Verb = Verb.EDIT) -> HistoryEntry:
    place = after.version if after is not None else 99
    return HistoryEntry(
        id=f"otu00001_{place}",
        otu_id="otu00001",
        otu_name="",
        otu_revision=None if after is None else place,
        place=place,
        reference_id="ref00001",
        verb=Verb.REMOVE if after is None else verb,
        description="",
        user_id="owner",
        created_at=Timestamp(""),
        diff=difference(before, after),
    )


def with_isolates(ids: str) -> JoinedOTU:
    return structs.replace(OTU, isolates=tuple(JoinedIsolate(id=id, source_name=id.upper()) for id in ids))


def plain(otu: JoinedOTU) -> Any:
    return json.loads(msgspec.json.encode(otu))


@given(joined_otus(), joined_otus())
def test_a_change_is_taken_back_exactly(before: JoinedOTU, after: JoinedOTU) -> None:
    assert taken_back(after, [entry_of(before, after)]) == before


@given(joined_otus(), joined_otus())
def test_a_diff_is_dictdiffers_own(before: JoinedOTU, after: JoinedOTU) -> None:
    steps = json.loads(difference(before, after) or "")
    assert dictdiffer.patch(steps, plain(before)) == plain(after)
    assert {type(path) for _, path, _ in steps} <= {list}


@given(joined_otus(), joined_otus(), joined_otus())
def test_several_changes_are_taken_back_and_leave_the_entries_as_they_are(
    first: JoinedOTU, second: JoinedOTU, third: JoinedOTU
) -> None:
    entries = [entry_of(None, None), entry_of(second, third), entry_of(first, second)]
    entries[0] = entry_of(third, None)
    for _ in range(2):
        assert taken_back(None, entries) == first
        assert taken_back(None, entries[:2]) == second
        assert taken_back(None, entries[:1]) == third


@pytest.mark.parametrize("before", ["abcd", "abcdefgh", "a", ""])
@pytest.mark.parametrize("after", ["acd", "dcba", "bcd", "", "xabcd", "h", "abcdefghij"])
def test_isolates_come_back_in_their_order(before: str, after: str) -> None:
    otu, changed = with_isolates(before), with_isolates(after)
    assert taken_back(changed, [entry_of(otu, changed)]) == otu


@pytest.mark.parametrize("verb", sorted(BIRTHS))
def test_before_its_birth_there_is_no_otu(verb: Verb) -> None:
    birth = entry_of(None, OTU, verb)
    assert birth.diff is None
    assert taken_back(OTU, [birth]) is None
    assert taken_back(None, [entry_of(OTU, None), birth]) is None


def test_a_removal_holds_the_whole_otu() -> None:
    otu = with_isolates("ab")
    assert msgspec.json.decode(difference(otu, None) or "", type=JoinedOTU) == otu
    assert taken_back(None, [entry_of(otu, None)]) == otu


def test_a_change_that_was_read_without_its_diff_is_not_taken_back() -> None:
    with pytest.raises(TypeError, match="without its diff"):
        taken_back(OTU, [structs.replace(entry_of(OTU, with_isolates("a")), diff=UNSET)])


def with_sequences(*counts: int, bases: str = "ACGT") -> JoinedOTU:
    def sequence(id: str) -> JoinedSequence:
        return JoinedSequence(id=id, accession="NC_1", definition="Apple virus", sequence=bases)

    isolates = (
        JoinedIsolate(id=f"i{place}", sequences=tuple(sequence(f"s{place}{number}") for number in range(count)))
        for place, count in enumerate(counts)
    )
    return structs.replace(OTU, isolates=tuple(isolates))


@pytest.mark.parametrize(
    ("otu", "verified"),
    [
        (with_sequences(1), True),
        (with_sequences(2, 2), True),
        (with_sequences(), False),
        (with_sequences(1, 0), False),
        (with_sequences(1, 2), False),
        (with_sequences(1, bases=""), False),
    ],
)
def test_which_otus_are_verified(otu: JoinedOTU, verified: bool) -> None:
    assert is_verified(otu) is verified


def test_the_newest_verified_state_is_found() -> None:
    states = [
        structs.replace(with_sequences(*counts), version=version)
        for version, counts in enumerate([(), (1,), (1, 0), (1, 2)])
    ]
    newest_first = [entry_of(before, after) for before, after in pairwise(states)][::-1]
    history = [*newest_first, entry_of(None, states[0], Verb.CREATE)]
    assert verified_or_none(back_to_verified(states[3], history)) == states[1]
    assert verified_or_none(back_to_verified(states[1], history[2:])) == states[1]
    assert verified_or_none(back_to_verified(None, [entry_of(states[3], None), *history])) == states[1]
    assert verified_or_none(back_to_verified(states[0], history[3:])) is None
    assert verified_or_none(back_to_verified(None, [])) is None
