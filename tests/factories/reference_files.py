"""Reference files of made-up viruses, as other programs write them, and what is wrong with some."""

import copy
import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from virtool_gql.db.reference_files import ReferenceFile, checked_reference
from virtool_gql.db.reference_json import MOST_BYTES, Unreadable, read_json
from virtool_gql.models.tasks import Problem

SEGMENTS = ("RNA 1", "RNA 2")
Contents = dict[str, Any]


def made_up_reference(otus: int = 3, isolates: int = 2, *, seed: int = 7, bases: int = 60) -> Contents:
    """Give the contents of a file in the order of the format; nothing is wrong with it, and nothing is odd."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    return {
        "data_type": "genome",
        "organism": "virus",
        "otus": [_otu(dice, number, isolates, bases) for number in range(otus)],
    }


def _otu(dice: random.Random, number: int, isolates: int, bases: int) -> Contents:
    schema = [{"name": name, "molecule": "ssRNA+", "required": True} for name in SEGMENTS]
    return {
        "_id": f"otu{number:05}",
        "name": f"Made-up virus {number:05}",
        "abbreviation": f"MuV{number}" if number % 2 else "",
        "schema": schema,
        "isolates": [_isolate(dice, f"{number:05}{each:02}", bases, default=not each) for each in range(isolates)],
    }


def _isolate(dice: random.Random, id: str, bases: int, *, default: bool) -> Contents:
    return {
        "id": f"i{id}",
        "source_type": "isolate",
        "source_name": f"Field {id}",
        "default": default,
        "sequences": [_sequence(dice, f"{id}{number}", name, bases) for number, name in enumerate(SEGMENTS)],
    }


def _sequence(dice: random.Random, id: str, segment: str, bases: int) -> Contents:
    return {
        "_id": f"s{id}",
        "accession": f"XX_{id}",
        "definition": f"Made-up virus {segment}, complete sequence",
        "host": dice.choice(["Nicotiana", "", None]),
        "segment": segment,
        "sequence": "".join(dice.choices("ACGTRYSWKMBDHVN", k=bases)),
    }


def barcodes(otus: int = 2) -> Contents:
    """Give the contents of a file of barcodes, with a target for each segment."""
    contents = made_up_reference(otus)
    contents["data_type"] = "barcode"
    contents["targets"] = [
        {"name": name, "description": "", "required": False, "length": 60} for name in ("ITS", "COI")
    ]
    for otu in contents["otus"]:
        for isolate in otu["isolates"]:
            for sequence, target in zip(isolate["sequences"], ("ITS", "COI"), strict=True):
                bases = sequence.pop("sequence")
                sequence |= {"target": target, "sequence": bases}
    return {key: contents[key] for key in ("data_type", "organism", "targets", "otus")}


def changed(contents: Contents, path: str, value: Any) -> Contents:
    """Give the contents with another value at a path like `otus.0.name`; without it when the value is `...`."""
    after = copy.deepcopy(contents)
    *way, last = (int(step) if step.isdecimal() else step for step in path.split("."))
    place: Any = after
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return after


def written(path: Path, contents: Any) -> Path:
    """Write contents, or any bytes, gzipped."""
    if not isinstance(contents, bytes):
        contents = json.dumps(contents).encode()
    path.write_bytes(gzip.compress(contents, 1))
    return path


def read_reference(path: Path, *, strict: bool, most_bytes: int = MOST_BYTES, **options: Any) -> ReferenceFile:
    """Read a file and check all of it, as the steps of an import do."""
    try:
        contents = read_json(path, most_bytes=most_bytes)
    except Unreadable as error:
        return ReferenceFile(problems=(Problem(message=str(error)),))
    return checked_reference(contents, strict=strict, **options)


def canonical(contents: Contents) -> Contents:
    """Give contents as they are exported: the keys that the format has, and no others; white space dropped."""
    return {
        "data_type": contents["data_type"],
        "organism": contents["organism"],
        **({"targets": contents["targets"]} if contents["data_type"] == "barcode" else {}),
        "otus": [_canonical_otu(otu) for otu in sorted(contents["otus"], key=lambda otu: str(otu["name"]).casefold())],
    }


def _canonical_otu(otu: Contents) -> Contents:
    return {
        "_id": otu["_id"],
        "name": otu["name"].strip(),
        "abbreviation": otu["abbreviation"],
        "schema": [{key: segment[key] for key in ("name", "molecule", "required")} for segment in otu["schema"]],
        "isolates": [_canonical_isolate(isolate) for isolate in otu["isolates"]],
    }


def _canonical_isolate(isolate: Contents) -> Contents:
    return {
        "id": isolate["id"],
        "source_type": isolate["source_type"].lower(),
        "source_name": isolate["source_name"].strip(),
        "default": isolate["default"],
        "sequences": [_canonical_sequence(sequence) for sequence in isolate["sequences"]],
    }


def _canonical_sequence(sequence: Contents) -> Contents:
    optional = {key: sequence[key] for key in ("segment", "target") if sequence.get(key)}
    return {
        "_id": sequence["_id"],
        "accession": sequence["accession"].strip(),
        "definition": sequence["definition"],
        "host": sequence["host"],
        **optional,
        "sequence": sequence["sequence"].upper(),
    }


REAL_REFERENCES = Path(__file__).resolve().parents[3] / "shared" / "data" / "reference"
OFFICIAL = REAL_REFERENCES / "plant_viruses.full.json.gz"
needs_real_references = pytest.mark.skipif(
    not REAL_REFERENCES.is_dir(), reason="The real references are left out: ../shared/data is not there."
)
