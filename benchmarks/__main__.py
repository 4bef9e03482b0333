"""`script/bench query` and `script/bench fanout [sockets]`."""

import sys

import uvloop

from benchmarks import fanout, query

BENCHMARKS = {"query": query.main, "fanout": fanout.main}


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in BENCHMARKS:
        print(f"Name a benchmark: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    uvloop.run(BENCHMARKS[sys.argv[1]](*map(int, sys.argv[2:])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
