"""Row 2: the 34 default columns from Parquet to Parquet, beside polars, chdb, pandas and PySpark, all judged equal."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.big_account import AS_OF, VERSION, Size
from benchmarks.datasets import NAME, account, cache
from benchmarks.harness import Figure, bench
from icx.profile import builtin
from icx.profile.catalogue import Everything
from icx.profile.statement import Tables, profile_sql
from icx.scale import export, relation, tables_of
from icx.store import memory

PACKAGES = ("polars==2.1.0", "chdb==4.4.0", "pandas==3.1.1", "pyarrow==26.0.1")
ENGINES = ("icx", "polars", "chdb", "pandas", "spark")
PEERS = Path(__file__).with_name("peers")
COLUMNS = [field.name for field in builtin.fields()][:34]
MAPS = ("last_channel_activities", "hashedurls")


def others() -> Path:
    """Return the Python that has the other engines, in an environment made once; they are no dependencies of icx."""
    home = cache() / "peers"
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        (home / "ready").touch()
    return python


def exported(size: Size) -> Path:
    """Return the folder with the account's tables as a build on a cluster is given them, made once."""
    kept = cache() / f"{size.name}-{VERSION}-parquet"
    if not kept.exists():
        making = kept.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        tables = Tables()
        read = tables_of(profile_sql(Everything([], [], []), tables)) | {"icontact_activity", "urls"}
        with account(size) as acme, acme.store.open(NAME) as con:
            for name in sorted(name for name in read if not name.startswith(tables.stem)):
                export(con, f"from {name}", making / name)
        making.rename(kept)
    return kept


def computed(engine: str, tables: Path, out: Path, rounds: int = 1) -> list[dict[str, float]]:
    """Let an engine compute the columns in a process of its own; return what each round took."""
    # Spark is a dependency of icx's tests already.
    python = sys.executable if engine in {"icx", "spark"} else others()
    script = PEERS / f"by_{engine}.py"
    made = subprocess.run(
        [python, script, tables, out, f"{AS_OF:%Y-%m-%d %H:%M:%S}", str(rounds)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return [json.loads(line) for line in made.stdout.splitlines() if line.startswith("{")]


def checksums(out: Path) -> dict[str, Any]:
    """Return a checksum of every column, and of the rows' number; a map is its entries in order, however it is kept."""
    with memory() as con:
        kinds = {name: kind for name, kind, *_ in con.execute(f"describe from {relation(out)}").fetchall()}
        missing = [name for name in COLUMNS if name not in kinds]
        if missing:
            return {"missing": missing}

        def plain(name: str) -> str:
            if name not in MAPS:
                return f"{name}::timestamp" if kinds[name].startswith("TIMESTAMP") else name
            entries = f"map_entries({name})" if kinds[name].startswith("MAP") else name
            kind = "timestamp" if name == MAPS[0] else "bigint"
            return f"list_sort(list_transform({entries}, lambda e: {{'k': e.key::varchar, 'v': e.value::{kind}}}))"

        # DuckDB gives no list and an empty one the same hash: so whether there is one is hashed too.
        sums = ", ".join(f"sum(hash(ic_contact_id, {name} is null, {plain(name)}))" for name in COLUMNS)
        row = con.execute(f"select count(*), {sums} from {relation(out)}").fetchall()[0]
    return dict(zip(["rows", *COLUMNS], row, strict=True))


@bench(2, "XS", "S1", "S2")
def beside_others(size: Size) -> Iterator[Figure]:
    """Each engine in turn, twice, each time in a new process: its quickest, the least work, the most memory."""
    tables = exported(size)
    engines = [name for name in ENGINES if size.name != "S2" or name not in {"pandas", "spark"}]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in engines}
    sums: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(dir=cache(), prefix="copy-") as folder:
        for turn in (engines, engines[::-1]):
            for name in turn:
                out = Path(folder) / name
                found[name] += computed(name, tables, out)
                if name not in sums:
                    sums[name] = checksums(out)
                shutil.rmtree(out)
    least = {
        name: {key: min(one[key] for one in rounds) for key in ("seconds", "cpu")}
        | {"rss": max(one["rss"] for one in rounds)}
        for name, rounds in found.items()
    }
    ours = least.pop("icx")
    fastest = min(least, key=lambda name: least[name]["seconds"])
    for name in sorted(least, key=lambda name: least[name]["seconds"]):
        theirs = least[name]
        other = [column for column, value in sums["icx"].items() if sums[name].get(column) != value]
        yield Figure(
            "the 34 columns, Parquet in and out",
            ours["seconds"] / theirs["seconds"],
            target=1.2 if name == fastest and size.name == "S2" else None,
            against=f"{name} ({theirs['seconds']:.1f} s, {theirs['cpu']:.1f} s of cores' work, {theirs['rss'] / 1e9:.1f} GB)",
            note=f"{ours['seconds']:.1f} s, {ours['cpu']:.1f} s, {ours['rss'] / 1e9:.1f} GB;"
            f" {ours['cpu'] / theirs['cpu']:.3g} × by cores' work",
            wrong=f"other values in {', '.join(other)}" if other else "",
            times={kind: [one["seconds"] for one in found[kind]] for kind in ("icx", name)},
        )
