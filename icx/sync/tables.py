"""What a sync keeps in the store: the columns of its tables, and people on their way into them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa

from icx.connections.base import Person
from icx.functions import email as email_key
from icx.sync.definition import Side
from icx.sync.seen import Wanted, digest, doc

PART = 50_000  # people that are held in memory at once
SCRATCH = ".sync-"
LEFT_FOR = 24 * 3600.0  # seconds after which the file of a reading is surely nobody's any more
ACTING = "verb_a is not null or verb_b is not null"  # rows of a plan that something is written of
READING = pa.schema(
    [
        ("n", pa.int64()),
        ("key", pa.string()),
        ("email_key", pa.string()),
        ("digest", pa.int64()),
        ("told", pa.string()),
    ]
)
ROWS = pa.schema(
    [
        ("row", pa.int64()),
        *((name, pa.string()) for name in ("a_key", "b_key", "a_email", "b_email")),
        *((name, pa.int64()) for name in ("a_digest", "b_digest")),
        ("linked", pa.bool_()),
        *(
            (name, pa.string())
            for name in ("state", "reason", "memory", "verb_a", "verb_b", "rounds", "notes")
        ),
    ]
)


class Unit(NamedTuple):
    """Two people who are one, or somebody alone, of whom something changed: as last read, and what is remembered."""

    a_key: str | None
    b_key: str | None
    a_email: str | None
    b_email: str | None
    a_digest: int | None
    b_digest: int | None
    a_told: str | None
    b_told: str | None
    why: str
    memory: str | None
    state: str | None
    reason: str | None
    known_a: int | None
    known_b: int | None
    known_other: str | None


@dataclass(frozen=True)
class Marks:
    """When both sides were last read, and by which definition; times are aware UTC."""

    looks: str
    definition: str
    read: Mapping[Side, datetime | None]
    full: Mapping[Side, datetime | None]
    folded: int


def batches(people: Iterable[Person], want: Wanted) -> Iterator[pa.RecordBatch]:
    columns: tuple[list[Any], ...] = ([], [], [], [], [])
    for n, person in enumerate(people):
        told = doc(person, want)
        for column, value in zip(
            columns, (n, person.key, email_key(person.email), digest(told), told), strict=True
        ):
            column.append(value)
        if len(columns[0]) >= PART:
            yield pa.RecordBatch.from_arrays(
                [pa.array(c, f.type) for c, f in zip(columns, READING, strict=True)], schema=READING
            )
            columns = ([], [], [], [], [])
    if columns[0]:
        yield pa.RecordBatch.from_arrays(
            [pa.array(c, f.type) for c, f in zip(columns, READING, strict=True)], schema=READING
        )


OUTLOOK = """
with rows as (select * from shared.sync_rows where sync = $sync and plan = $plan),
here as (select side, key from shared.sync_people where sync = $sync)
select state, reason, count(*) from (
  select state, reason from rows
  union all
  select s.state, s.reason from shared.sync_pairs s
  left join here a on a.side = 'a' and a.key = s.a_key left join here b on b.side = 'b' and b.key = s.b_key
  where s.sync = $sync and (a.key is not null or b.key is not null)
    and not exists (from rows r where r.a_key = s.a_key) and not exists (from rows r where r.b_key = s.b_key)
) group by all order by all
"""
