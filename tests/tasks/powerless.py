"""A process of a user without any rights, which says what it may do with the files of a watch folder."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from virtool_gql.tasks.sources import LeftAlone, inspect, seen_in
from virtool_gql.tasks.watch_folder import _check_rights
from virtool_gql.tasks.writers import Writers

NOBODY = 65534


def main(folder: Path) -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    print("folder", _said(lambda: _check_rights(folder)))  # noqa: T201 - the answer
    for source in sorted(seen_in(folder)[0], key=lambda source: source.name):
        print(source.name, _said(lambda source=source: inspect(folder, source, Writers())))  # noqa: T201 - the same


def _said(deed: Callable[[], None]) -> str:
    try:
        deed()
    except LeftAlone as error:
        return str(error)
    return "well"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
