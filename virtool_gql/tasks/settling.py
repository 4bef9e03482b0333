"""Which files of the watch directory have been quiet for long enough to be looked into."""

import math
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from virtool_gql.tasks.sources import Source, seen_in

FOR_GOOD = math.inf
"""Until the file is another one."""


@dataclass(slots=True)
class _Entry:
    source: Source
    quiet_since: float
    due: float
    handed_out: bool = False
    told: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that has been quiet for so long."""

    source: Source
    quiet_seconds: float


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at the folder has found; `next_due` is when another is worth it."""

    settled: list[Candidate]
    others: list[str]
    next_due: float


class Settling:
    """What is known of the files of one folder. Each look is one listing, in a thread; `again` comes from elsewhere."""

    def __init__(self, folder: Path, quiet_seconds: float) -> None:
        self._folder = folder
        self._quiet_seconds = quiet_seconds
        self._entries: dict[str, _Entry] = {}
        self._others: frozenset[str] = frozenset()
        self._returned: deque[tuple[Source, float]] = deque()

    def look(self, now: float) -> Look:
        """List the folder; give what is settled and was not given before."""
        sources, others = seen_in(self._folder)
        self._entries = {source.name: self._entry(source, now) for source in sources}
        self._take_back()
        new = [name for name in others if name not in self._others]
        self._others = frozenset(others)
        settled = [entry for entry in self._entries.values() if not entry.handed_out and entry.due <= now]
        for entry in settled:
            entry.handed_out = True
        waiting = (entry.due for entry in self._entries.values() if not entry.handed_out)
        candidates = [Candidate(entry.source, now - entry.quiet_since) for entry in settled]
        return Look(sorted(candidates, key=lambda settled: settled.source.name), new, min(waiting, default=FOR_GOOD))

    def again(self, source: Source, due: float) -> None:
        """Have a file that was given looked at again, if it is still the same then."""
        self._returned.append((source, due))

    def is_news(self, source: Source, message: str) -> bool:
        """Tell whether this was not said of the file before."""
        entry = self._entries.get(source.name)
        if entry is None or entry.source != source or entry.told == message:
            return entry is None
        entry.told = message
        return True

    def _entry(self, source: Source, now: float) -> _Entry:
        entry = self._entries.get(source.name)
        if entry is not None and entry.source == source:
            return entry
        return _Entry(source, quiet_since=now, due=now + self._quiet_seconds)

    def _take_back(self) -> None:
        while self._returned:
            source, due = self._returned.popleft()
            entry = self._entries.get(source.name)
            if entry is not None and entry.source == source:
                entry.handed_out, entry.due = False, due
