"""Row 9: a plan for a million wanted against a million on the list; the calls of an apply, and its journal's share."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import wraps
from pathlib import Path
from typing import Any

from benchmarks.big_account import Size
from benchmarks.datasets import NAME, account, cache
from benchmarks.harness import SCAN, Figure, bench, in_turn, peak, ratio
from icx.plan import Policy, Target, facts, mapping, match
from icx.plan.decide import HAVE, PARKING
from icx.plan.make import Side, decide_now, with_fields
from icx.sandbox.process import start
from icx.settings import Settings
from icx.store.journal import Journal
from icx.store.plans import Place, Plans

TARGET = Target(NAME, "Acme Outdoor", 41733, 8021, "Main", "List 0", 1)
PLACE = Place(41733, 8021, 1)
# Half of the wanted are on the list, a twentieth of those as unsubscribed; as many more on it no pull has seen yet.
WANTED = "select id as contact_id, email, email_key from icontact_users where id % $every = 0 order by id"
ON_LIST = """
select case when id // $every % 2 = 0 then id else 1000000000 + id end as contact_id,
  case when hash(id, 40) % 20 = 0 then 'unsubscribed' else 'normal' end as status, timestamp '2024-01-01' as add_date
from icontact_users where id % $every = 0 order by id
"""


@bench(9, "XS", "S1", "S2", "hard")
def plan(size: Size) -> Iterator[Figure]:
    """Everything a plan does once the list is read: known facts, decision, refusals with reasons, the kept file."""
    every = max(1, size.contacts // 1_000_000)
    with account(size) as acme, acme.store.open(NAME) as con:
        con.execute("set threads = 2")
        want = con.sql(WANTED, params={"every": every}).to_arrow_table()
        have = con.sql(ON_LIST, params={"every": every}).to_arrow_table().cast(HAVE)
        plans = Plans(Journal(acme.folder / "journal.sqlite", acme.store.clock))
        kept: list[Any] = []

        def ours() -> None:
            wanted = mapping.travelling(match.people(acme.store, NAME, want, Policy().match), (), ())
            facts.remember(acme.store, PLACE, have, acme.store.clock.now())
            decision, _ = decide_now(
                wanted, Side(have, PARKING.empty_table(), {}, None), store=acme.store, plans=plans, target=TARGET,
                policy=Policy(), settings=Settings(), clock=acme.store.clock,
            )  # fmt: skip
            names = {"list_name": "List 0", "connection": NAME, "audience": "A", "who": "w"}
            plans.add({}, with_fields(decision, wanted), place=PLACE, **names)
            kept.append(decision.counts)

        ours()
        with peak() as told:
            times = in_turn(3, ours=ours, scan=lambda: con.execute(SCAN).fetchall())
            held = told()
        scan = min(times["scan"])
        yield Figure(
            f"a plan of {want.num_rows:,} wanted, {have.num_rows:,} on the list", min(times["ours"]), "s", 1.5,
            times=times, note=f"{kept[-1].add:,} adds; {min(times['ours cpu']):.2f} s of cores' work; {held:.1f} GB held",
        )  # fmt: skip
        yield Figure(
            "the same",
            ratio(times, "ours", "scan"),
            against=f"one scan of the events ({scan * 1000:.0f} ms)",
            times=times,
        )


@bench(9, "XS", "S1")
def apply(size: Size) -> Iterator[Figure]:
    """On a simulated account over a socket: every call counted, and the time spent in the journal."""
    from plan.conftest import opened

    adds, batch = 2_000, Settings().batch_size
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache(), prefix="apply-") as name, ExitStack() as stack:
        folder = Path(name)
        running = stack.enter_context(
            start(contacts=3_000, messages=1, consent="permissive", state=folder / "account.sqlite")
        )
        place = opened(running, folder, Settings())
        place.pull()
        list_id = place.make_list()
        people = place.people()
        place.put(list_id, people[:500])
        made = place.plan(people[: adds + 250], stale="stay")
        journal = _timed(place.plans, "intend", "outcome", "begin", "end")
        before = sum(place.calls().values())
        began = time.perf_counter()
        place.apply(made)
        took = time.perf_counter() - began
        calls = sum(place.calls().values()) - before
        lines = dict(made.cost.lines)
        looks = lines.get("look at each once more, right before", 0)
        yield Figure(
            f"calls of an apply of {made.counts.add:,} adds", calls, "calls", made.cost.calls,
            note="; ".join(f"{count:,} {what}" for what, count in lines.items()),
        )  # fmt: skip
        asked = calls - looks
        wanted = -(-made.counts.add // batch) + sum(
            count for what, count in lines.items() if what.startswith(("read", "move"))
        )
        yield Figure("the same without looking at each once more", asked, "calls", wanted)
        yield Figure(
            "journal's share of the apply's time", sum(journal) / took * 100, "%", 10,
            times={"journal": [sum(journal)], "ours": [took]}, note=f"{sum(journal):.2f} of {took:.1f} s, no latency",
        )  # fmt: skip
        place.client.close()
        place.journal.close()


def _timed(plans: Plans, *names: str) -> list[float]:
    """Note the seconds spent in some methods."""
    spent: list[float] = []
    for name in names:
        do = getattr(plans, name)

        def timed(*args: Any, do: Any = do, **options: Any) -> Any:
            began = time.perf_counter()
            try:
                return do(*args, **options)
            finally:
                spent.append(time.perf_counter() - began)

        setattr(plans, name, wraps(do)(timed))
    return spent
