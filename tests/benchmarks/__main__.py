"""`python -m benchmarks S1 [NAME…]` measures and prints the table; `--results` writes RESULTS.md."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path

from benchmarks import results
from benchmarks.big_account import SIZES
from benchmarks.harness import BENCHES, load


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("size", nargs="?", choices=list(SIZES))
    parser.add_argument("names", nargs="*", help="benchmarks, or rows of the targets; all when none is named")
    parser.add_argument(
        "--one", action="store_true", help="measure the named one in this process, print its JSON"
    )
    parser.add_argument("--results", action="store_true", help="write RESULTS.md from what was found last")
    given = parser.parse_args()
    for path in sorted(Path(__file__).parent.glob("row_*.py")):
        importlib.import_module(f"benchmarks.{path.stem}")
    if given.one:
        for figure in BENCHES[given.names[0]].run(SIZES[given.size]):
            print(json.dumps(figure.as_dict(), ensure_ascii=False), flush=True)
        return 0
    wrong = measure(given.size, given.names) if given.size else 0
    if given.results:
        results.write()
        print(f"Written: {results.RESULTS}")
    return wrong


def measure(size: str, names: list[str]) -> int:
    """Run the benchmarks one after another, each in its own process; a failure of one does not stop the others."""
    unknown = [name for name in names if name not in BENCHES and not name.isdigit()]
    if unknown:
        print(f"No benchmark is called {unknown[0]}. There are: {', '.join(BENCHES)}")
        return 2
    failed = []
    for bench in sorted(BENCHES.values(), key=lambda one: one.row):
        if size not in bench.sizes or (names and bench.name not in names and str(bench.row) not in names):
            continue
        print(f"{bench.name}, {size}", file=sys.stderr, flush=True)
        before = load()
        made = subprocess.run(
            [sys.executable, "-m", "benchmarks", size, bench.name, "--one"],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if made.returncode:
            failed.append(bench.name)
            continue
        figures = [json.loads(line) for line in made.stdout.splitlines() if line.startswith("{")]
        results.keep(size, bench.name, bench.row, {"load": before, "figures": figures})
    print(results.printed(size))
    if failed:
        print(f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
