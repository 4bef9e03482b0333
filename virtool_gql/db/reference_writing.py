"""The file format of references as it is written: the same bytes for the same OTUs, whenever and wherever."""

from collections.abc import Callable, Iterable
from enum import StrEnum

import msgspec
from isal import isal_zlib
from msgspec import UNSET, UnsetType, field

from virtool_gql.models.joined import JoinedIsolate, JoinedOTU, JoinedSequence
from virtool_gql.models.otus import Segment
from virtool_gql.models.references import DataType, Reference, Target

LEVEL = 2
GZIP = 31
"""What the size of the window must be for gzip's own header, which then has no time in it."""


class IdKind(StrEnum):
    """Which ids OTUs and sequences have in a file: those of this instance, or those of where they came from."""

    LOCAL = "local"
    REMOTE = "remote"


class SequenceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A sequence, its keys in the order of the format."""

    id: str = field(name="_id")
    accession: str
    definition: str
    host: str | None
    segment: str | UnsetType = UNSET
    target: str | UnsetType = UNSET
    sequence: str


class IsolateLine(msgspec.Struct, frozen=True, kw_only=True):
    """An isolate."""

    id: str
    source_type: str
    source_name: str
    default: bool
    sequences: list[SequenceLine]


class SegmentLine(msgspec.Struct, frozen=True, kw_only=True):
    """A segment of a schema; an unknown molecule is an empty text."""

    name: str
    molecule: str
    required: bool


class OTULine(msgspec.Struct, frozen=True, kw_only=True):
    """An OTU."""

    id: str = field(name="_id")
    name: str
    abbreviation: str
    schema: list[SegmentLine]
    isolates: list[IsolateLine]


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What stands before the OTUs; only a reference of barcodes has targets."""

    data_type: DataType
    organism: str
    targets: tuple[Target, ...] | UnsetType = UNSET


class Packer:
    """Makes one gzipped file, part by part; each call computes for as long as its part is large."""

    def __init__(self, ids: IdKind) -> None:
        self._ids = ids
        self._gzip = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, GZIP)
        self._encoder = msgspec.json.Encoder()
        self._separator = b""

    def begin(self, reference: Reference) -> bytes:
        is_barcode = reference.data_type is DataType.BARCODE
        targets = reference.targets if is_barcode else UNSET
        head = Head(data_type=reference.data_type, organism=reference.organism, targets=targets)
        return self._packed(self._encoder.encode(head).removesuffix(b"}") + b',"otus":[')

    def add(self, otus: Iterable[JoinedOTU]) -> bytes:
        packed = bytearray()
        for otu in otus:
            packed += self._packed(self._separator + self._encoder.encode(line_of(otu, self._ids)))
            self._separator = b","
        return bytes(packed)

    def end(self) -> bytes:
        return self._packed(b"]}") + bytes(self._gzip.flush())

    def _packed(self, text: bytes) -> bytes:
        return bytes(self._gzip.compress(text))


def line_of(otu: JoinedOTU, ids: IdKind) -> OTULine:
    """Give an OTU as it is written."""
    id_of: IdOf = _local if ids is IdKind.LOCAL else _remote
    return OTULine(
        id=id_of(otu),
        name=otu.name,
        abbreviation=otu.abbreviation,
        schema=[_segment(segment) for segment in otu.schema],
        isolates=[_isolate(isolate, id_of) for isolate in otu.isolates],
    )


IdOf = Callable[[JoinedOTU | JoinedSequence], str]


def _local(part: JoinedOTU | JoinedSequence) -> str:
    return part.id


def _remote(part: JoinedOTU | JoinedSequence) -> str:
    return part.remote_id or part.id


def _segment(segment: Segment) -> SegmentLine:
    return SegmentLine(name=segment.name, molecule=segment.molecule or "", required=segment.required)


def _isolate(isolate: JoinedIsolate, id_of: IdOf) -> IsolateLine:
    return IsolateLine(
        id=isolate.id,
        source_type=isolate.source_type,
        source_name=isolate.source_name,
        default=isolate.default,
        sequences=[_sequence(sequence, id_of) for sequence in isolate.sequences],
    )


def _sequence(sequence: JoinedSequence, id_of: IdOf) -> SequenceLine:
    return SequenceLine(
        id=id_of(sequence),
        accession=sequence.accession,
        definition=sequence.definition,
        host=sequence.host,
        segment=UNSET if sequence.segment is None else sequence.segment,
        target=UNSET if sequence.target is None else sequence.target,
        sequence=sequence.sequence,
    )
