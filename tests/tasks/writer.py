"""Another process that has files open: it does what is written to its standard input, a line at a time."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


class Writer:
    """A process that writes files as it is told, and has done so when the call comes back."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def do(self, *words: object) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([str(word) for word in words]) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def open(self, path: Path, mode: str = "w") -> None:
        self.do("open", path, mode)

    def write(self, path: Path, text: str) -> None:
        self.do("write", path, text)

    def close(self, path: Path) -> None:
        self.do("close", path)


@contextmanager
def another_process() -> Iterator[Writer]:
    command = [sys.executable, __file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Writer(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(10)


def main() -> None:
    files: dict[str, IO[str]] = {}
    for line in sys.stdin:
        deed, path, *rest = json.loads(line)
        if deed == "open":
            files[path] = Path(path).open(rest[0])  # noqa: SIM115 - it stays open until it is told otherwise
        elif deed == "write":
            files[path].write(rest[0])
            files[path].flush()
        else:
            files.pop(path).close()
        print("done", flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
