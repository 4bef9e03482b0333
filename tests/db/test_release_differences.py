from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tests.factories.otus import full_otu, joined_isolate, joined_sequence
from virtool_gql.db.release_differences import brought_to
from virtool_gql.models.joined import JoinedIsolate, JoinedOTU, JoinedSequence
from virtool_gql.models.otus import Molecule, Segment


def released(otu: JoinedOTU) -> JoinedOTU:
    """Give an OTU as a release would have it: with its remote ids as its ids."""
    isolates = (
        structs.replace(
            isolate,
            sequences=tuple(
                structs.replace(sequence, id=f"r{sequence.id}", remote_id=f"r{sequence.id}")
                for sequence in isolate.sequences
            ),
        )
        for isolate in otu.isolates
    )
    return structs.replace(otu, id=f"r{otu.id}", remote_id=f"r{otu.id}", version=0, isolates=tuple(isolates))


def installed(otu: JoinedOTU) -> JoinedOTU:
    """Give an OTU as it is here after a release was installed: with remote ids beside its own."""
    isolates = (
        structs.replace(
            isolate,
            sequences=tuple(structs.replace(sequence, remote_id=f"r{sequence.id}") for sequence in isolate.sequences),
        )
        for isolate in otu.isolates
    )
    return structs.replace(otu, remote_id=f"r{otu.id}", version=3, isolates=tuple(isolates))


OTU = full_otu("a", isolates=3, sequences=2)
HERE, THERE = installed(OTU), released(OTU)


def ids() -> Callable[[], str]:
    numbers = iter(range(1_000))
    return lambda: f"new{next(numbers)}"


def after(there: JoinedOTU, here: JoinedOTU = HERE) -> JoinedOTU:
    return brought_to(here, there, ids())


def with_sequence(otu: JoinedOTU, **values: object) -> JoinedOTU:
    first, *others = otu.isolates
    sequence, *rest = first.sequences
    changed = structs.replace(first, sequences=(structs.replace(sequence, **values), *rest))
    return structs.replace(otu, isolates=(changed, *others))


def test_nothing_differs() -> None:
    assert after(THERE) == HERE


@given(st.permutations(range(3)), st.permutations(range(2)))
def test_order_is_no_difference(isolates: list[int], sequences: list[int]) -> None:
    shuffled = tuple(
        structs.replace(THERE.isolates[i], sequences=tuple(THERE.isolates[i].sequences[s] for s in sequences))
        for i in isolates
    )
    assert after(structs.replace(THERE, isolates=shuffled)) == HERE


@pytest.mark.parametrize(
    "values",
    [
        {"name": "Other"},
        {"abbreviation": "OV"},
        {"schema": (Segment(name="RNA", molecule=Molecule.SS_RNA),)},
    ],
)
def test_what_is_of_the_otu_differs(values: dict[str, object]) -> None:
    assert after(structs.replace(THERE, **values)) == structs.replace(HERE, **values)


@pytest.mark.parametrize("values", [{"source_type": "strain"}, {"source_name": "B"}, {"default": False}])
def test_what_is_of_an_isolate_differs(values: dict[str, object]) -> None:
    changed = structs.replace(THERE.isolates[0], **values)
    expected = structs.replace(HERE.isolates[0], **values)
    there = structs.replace(THERE, isolates=(changed, *THERE.isolates[1:]))
    assert after(there).isolates == (expected, *HERE.isolates[1:])


@pytest.mark.parametrize("field", ["accession", "definition", "host", "segment", "target", "sequence"])
def test_what_is_of_a_sequence_differs(field: str) -> None:
    """Upstream did not look at the segment and the target."""
    assert after(with_sequence(THERE, **{field: "ACGT"})) == with_sequence(HERE, **{field: "ACGT"})


def test_what_the_release_has_no_more_goes() -> None:
    first = structs.replace(THERE.isolates[0], sequences=THERE.isolates[0].sequences[:1])
    there = structs.replace(THERE, isolates=(first, THERE.isolates[2]))
    expected = structs.replace(HERE.isolates[0], sequences=HERE.isolates[0].sequences[:1])
    assert after(there).isolates == (expected, HERE.isolates[2])


def test_what_was_made_here_within_the_releases_otu_goes() -> None:
    ours = joined_isolate("ours", [joined_sequence("ours")])
    first = structs.replace(HERE.isolates[0], sequences=(*HERE.isolates[0].sequences, joined_sequence("mine")))
    here = structs.replace(HERE, isolates=(first, *HERE.isolates[1:], ours))
    assert after(THERE, here) == HERE


def test_what_is_new_comes_last_with_new_ids() -> None:
    sequence = JoinedSequence(id="r9", remote_id="r9", accession="X", definition="X", sequence="ACGT")
    new = JoinedIsolate(id="b9", source_type="strain", source_name="9", sequences=(sequence,))
    first = structs.replace(THERE.isolates[0], sequences=(sequence, *THERE.isolates[0].sequences))
    told = after(structs.replace(THERE, isolates=(new, first, *THERE.isolates[1:])))
    assert [isolate.id for isolate in told.isolates] == [*(isolate.id for isolate in HERE.isolates), "b9"]
    assert told.isolates[0].sequences[:2] == HERE.isolates[0].sequences
    added = [told.isolates[0].sequences[2], told.isolates[3].sequences[0]]
    assert [one.remote_id for one in added] == ["r9", "r9"]
    assert {one.id for one in added} == {"new0", "new1"}


def test_a_sequence_that_moved_is_the_same_one() -> None:
    first, second, third = THERE.isolates
    moved = first.sequences[0]
    there = structs.replace(
        THERE,
        isolates=(
            structs.replace(first, sequences=first.sequences[1:]),
            structs.replace(second, sequences=(*second.sequences, moved)),
            third,
        ),
    )
    assert after(there).isolates[1].sequences[-1].id == HERE.isolates[0].sequences[0].id
