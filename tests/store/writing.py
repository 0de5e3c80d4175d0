"""Writes rows into a store and its checkpoint after each, for ever, and says each that was committed; to be killed."""

from __future__ import annotations

import sys
from pathlib import Path

from icx.store import Store
from icx.store.transactions import transaction


def main(words: list[str]) -> None:
    """Words: the folder. The numbers go on after the last that is there."""
    store = Store(Path(words[0]) / "icx.duckdb")
    with store.open() as con:
        con.execute("create table if not exists shared.written (n bigint, filler varchar)")
        ((number,),) = con.execute("select coalesce(max(n), 0) from shared.written").fetchall()
    while True:
        with store.open() as con, transaction(con):
            number += 1
            con.execute(
                "insert into shared.written select $n, repeat(md5(i::varchar || $n), 4) from range(5000) t(i)",
                {"n": number},
            )
        print(number, flush=True)
        with store.open() as con:
            con.execute("checkpoint")
        sys.stdout.flush()
