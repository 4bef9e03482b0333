"""Random joined OTUs for tests with hypothesis, and such in which nothing is as it is when left out."""

from hypothesis import strategies as st
from msgspec import structs

from virtool_gql.models.joined import JoinedIsolate, JoinedOTU, JoinedSequence
from virtool_gql.models.otus import Molecule, Segment

# Few different values, so that neighbours in lists are sometimes equal; with those in which a path could be lost.
TEXTS = st.sampled_from(["", "a", "b", "a.b", ".", "0", "1.2", "é", "😀", '"', "\\", "name", "sequences"])
MAYBE = st.none() | TEXTS
IDS = st.sampled_from([f"{letter}{number}" for letter in "abc" for number in range(4)])


def in_detail(otu: JoinedOTU) -> JoinedOTU:
    """Give an OTU whose sequences all differ in everything."""

    def sequence(state: JoinedSequence) -> JoinedSequence:
        texts = {name: f"{name} of {state.id}" for name in ("definition", "host", "segment", "target", "remote_id")}
        return structs.replace(state, **texts, sequence=state.sequence + "ACGT"[len(state.id) % 4])

    isolates = (
        structs.replace(isolate, sequences=tuple(map(sequence, isolate.sequences)), source_name=f"Source {isolate.id}")
        for isolate in otu.isolates
    )
    return structs.replace(otu, isolates=tuple(isolates))


@st.composite
def sequences(draw: st.DrawFn) -> JoinedSequence:
    return JoinedSequence(
        id=draw(IDS),
        accession=draw(TEXTS),
        definition=draw(TEXTS),
        host=draw(MAYBE),
        segment=draw(MAYBE),
        target=draw(MAYBE),
        sequence=draw(st.text("ACGT", max_size=4)),
        remote_id=draw(MAYBE),
    )


@st.composite
def isolates(draw: st.DrawFn) -> JoinedIsolate:
    return JoinedIsolate(
        id=draw(IDS),
        source_type=draw(TEXTS),
        source_name=draw(TEXTS),
        default=draw(st.booleans()),
        sequences=tuple(draw(st.lists(sequences(), max_size=6))),
    )


@st.composite
def joined_otus(draw: st.DrawFn) -> JoinedOTU:
    segment = st.builds(Segment, name=TEXTS, molecule=st.none() | st.sampled_from(Molecule), required=st.booleans())
    return JoinedOTU(
        id="otu00001",
        version=draw(st.integers(0, 5)),
        name=draw(TEXTS),
        abbreviation=draw(TEXTS),
        schema=tuple(draw(st.lists(segment, max_size=4))),
        isolates=tuple(draw(st.lists(isolates(), max_size=7))),
        remote_id=draw(MAYBE),
    )
