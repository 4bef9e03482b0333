"""What is found in a reference file: what is wrong and what is odd, each with its OTU."""

from virtool_gql.models.tasks import Problem

MOST_TOLD = 1_000
"""How many problems, and how many warnings, are told; of the others only how many there are."""


class Findings:
    """What is wrong, which nobody can mend but the file's maker, and what is odd."""

    def __init__(self) -> None:
        self._problems = _Told("problems")
        self._warnings = _Told("warnings")

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self._problems.all()

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return self._warnings.all()

    def wrong(self, message: str, otu_id: str | None = None, otu_name: str | None = None) -> None:
        self._problems.add(message, otu_id, otu_name)

    def odd(self, message: str, otu_id: str | None = None, otu_name: str | None = None) -> None:
        self._warnings.add(message, otu_id, otu_name)


class _Told:
    """The first of many."""

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._first: list[Problem] = []
        self._count = 0

    def add(self, message: str, otu_id: str | None, otu_name: str | None) -> None:
        self._count += 1
        if self._count <= MOST_TOLD:
            self._first.append(Problem(message=message, otu_id=otu_id, otu_name=otu_name))

    def all(self) -> tuple[Problem, ...]:
        more = self._count - len(self._first)
        rest = (Problem(message=f"There are {more:,} more {self._noun}."),) if more else ()
        return (*self._first, *rest)
