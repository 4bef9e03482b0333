import pytest

from virtool_gql.db.genbank_records import Record, record_of
from virtool_gql.errors import NotFound, UpstreamUnavailable

RECORD = """\
LOCUS       NC_001929               2616 bp ss-DNA     circular VRL 13-AUG-2018
DEFINITION  Abutilon mosaic virus DNA B, complete sequence; a name that is so
            long that it goes on.
ACCESSION   NC_001929 REGION: 1..70
VERSION     NC_001929.1
KEYWORDS    RefSeq.
SOURCE      Abutilon mosaic virus
  ORGANISM  Abutilon mosaic virus
            Viruses; Monodnaviria.
COMMENT     DEFINITION  is no field here.
            VERSION     neither.
FEATURES             Location/Qualifiers
     source          1..70
                     /organism="Abutilon mosaic virus"
                     /host="Abutilon sellovianum var. ""marmorata"" with a name
                     that is wrapped"
                     /db_xref="taxon:10815"
     gene            1..20
                     /host="no source"
                     /note="/host=neither"
ORIGIN      
        1 atattattac cacgtggtca ryswkmbdhv nttggaggtc ccctaactcc
       51 tagtagtttt cagtgtgttc
//

LOCUS       ANOTHER
DEFINITION  Another record.
VERSION     ANOTHER.1
ORIGIN
        1 aaaa
//
"""  # noqa: W291 - GenBank's own lines end in spaces at times


def read(text: str) -> Record:
    record = record_of(text)
    assert record is not None
    return record


def test_a_record_is_read() -> None:
    assert read(RECORD) == Record(
        accession="NC_001929.1",
        definition="Abutilon mosaic virus DNA B, complete sequence; a name that is so long that it goes on.",
        sequence="ATATTATTACCACGTGGTCARYSWKMBDHVNTTGGAGGTCCCCTAACTCCTAGTAGTTTTCAGTGTGTTC",
        host='Abutilon sellovianum var. "marmorata" with a name that is wrapped',
    )


def test_lines_may_end_as_on_windows() -> None:
    assert read(RECORD.replace("\n", "\r\n")) == read(RECORD)


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ('/host="Musa sp."', "Musa sp."),
        ("/host=Musa", "Musa"),
        ('/host=""', ""),
        ('/host="Musa ""AAA"""', 'Musa "AAA"'),
        ('/host="""AAA"" Musa"', '"AAA" Musa'),
        ('/host="never closed', 'never closed /db_xref="taxon:10815'),
        ('/lab_host="Musa"', ""),
    ],
)
def test_hosts(given: str, host: str) -> None:
    lines = RECORD.splitlines()
    begin = next(number for number, line in enumerate(lines) if "/host=" in line)
    lines[begin : begin + 2] = [f"{' ' * 21}{given}"]
    assert read("\n".join(lines)).host == host


def test_the_accession_serves_where_there_is_no_version() -> None:
    assert read(RECORD.replace("VERSION     NC_001929.1\n", "")).accession == "NC_001929"


@pytest.mark.parametrize("text", ["", "\n", "Nothing has been found", "Error: F a i l e d", "<html></html>", "//"])
def test_what_holds_no_record(text: str) -> None:
    assert record_of(text) is None


def test_a_record_without_bases_is_of_no_use() -> None:
    without = RECORD.replace("ORIGIN", "CONTIG")
    with pytest.raises(NotFound, match=r"The record NC_001929\.1 has no sequence"):
        record_of(without)


@pytest.mark.parametrize("end", range(1, 30, 4))
def test_half_a_record_is_none(end: int) -> None:
    half = "\n".join(RECORD.partition("//")[0].splitlines()[:end])
    with pytest.raises(UpstreamUnavailable, match="half a record"):
        record_of(half)
