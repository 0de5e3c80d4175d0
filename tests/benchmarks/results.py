"""What was found: kept as JSON, one file a size, printed as one table, and written into RESULTS.md."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.big_account import SIZES, VERSION
from benchmarks.datasets import cache

RESULTS = Path(__file__).with_name("RESULTS.md")
NOTES = Path(__file__).with_name("NOTES.md")
LIBRARIES = ("duckdb", "pandas", "pyarrow", "numpy", "great-expectations")
ROWS = {
    1: "profile build", 2: "profile, Parquet to Parquet, beside others", 3: "refresh of the profile",
    4: "an audience, nothing cached", 5: "an edit in the builder", 6: "pages to table", 7: "first pull",
    8: "daily pull", 9: "plan and apply", 10: "checks", 11: "start", 12: "bytes in the store",
}  # fmt: skip


def file(size: str) -> Path:
    return cache() / f"{size}.json"


def keep(size: str, name: str, row: int, found: dict[str, Any]) -> None:
    """Put what one benchmark found in place of what it found before."""
    there = read(size)
    there["benches"][name] = {"row": row, **found}
    there |= {
        "size": size,
        "of": SIZES[size].people,
        "generator": VERSION,
        "machine": machine(),
        "versions": versions(),
    }
    cache().mkdir(parents=True, exist_ok=True)
    file(size).write_text(json.dumps(there, indent=1, ensure_ascii=False), encoding="utf-8")


def read(size: str) -> dict[str, Any]:
    found: dict[str, Any] = {"benches": {}}
    if file(size).exists():
        found = json.loads(file(size).read_text(encoding="utf-8"))
    return found


def machine() -> str:
    """Return what the figures depend on: cores, memory, system; never the machine's name."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GB, {platform.system()}"


def versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in LIBRARIES
    }


def lines(size: str) -> Iterator[tuple[str, ...]]:
    """Yield the table's lines: row, what, measured, target, met, and the load it was measured under."""
    benches = sorted(read(size)["benches"].values(), key=lambda one: one["row"])
    for found in benches:
        for one in found["figures"]:
            target = (
                ""
                if one["target"] is None
                else f"{'≥' if one['least'] else '≤'} {_number(one['target'])} {one['unit']}"
            )
            met = {True: "yes", False: "no", None: ""}[one["met"]]
            what = one["what"] + (f", against {one['against']}" if one["against"] else "")
            note = " · ".join(part for part in (one["wrong"], one["note"]) if part)
            yield (
                str(found["row"]),
                what,
                f"{_number(one['value'])} {one['unit']}",
                target,
                met,
                note,
                f"{found['load']:.1f}",
            )


def printed(size: str) -> str:
    """Return the table for the terminal."""
    rows = [("row", "what", "measured", "target", "met", "", "load"), *lines(size)]
    wide = [max(len(row[n]) for row in rows) for n in range(5)]
    told = ["  ".join(cell.ljust(wide[n]) for n, cell in enumerate(row[:5])).rstrip() for row in rows]
    return f"{size}: {SIZES[size].people}\n" + "\n".join(told)


def write() -> None:
    """Write RESULTS.md from the JSON of all sizes and the notes that explain it."""
    parts = [
        "# Measured\n\nWritten by `make bench-results` from what `make bench` and `make bench-large` found last."
    ]
    for size in ("S1", "S2", "hard"):
        found = read(size)
        if not found["benches"]:
            continue
        known = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
        parts.append(f"## {size}: {found['of']}\n\n{found['machine']}; {known}.")
        heads = "| # | what | measured | target | met | | load |\n|---|---|---|---|---|---|---|"
        parts.append("\n".join([heads, *("| " + " | ".join(line) + " |" for line in lines(size))]))
    if NOTES.exists():
        parts.append(NOTES.read_text(encoding="utf-8").strip())
    RESULTS.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
