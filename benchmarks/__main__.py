"""`script/bench query`, `fanout [sockets]`, `stores [samples]`, `upload [MiB]` and `references`."""

import sys

import uvloop

from benchmarks import fanout, query, references, stores, upload

BENCHMARKS = {
    "query": query.main,
    "fanout": fanout.main,
    "stores": stores.main,
    "upload": upload.main,
    "references": references.main,
}


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in BENCHMARKS:
        print(f"Name a benchmark: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    uvloop.run(BENCHMARKS[sys.argv[1]](*map(int, sys.argv[2:])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
