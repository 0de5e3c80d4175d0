"""The 34 default columns by chdb: ClickHouse's SQL over Parquet, its two-level grouping for pages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from chdb import session
from timed import ACTIVE, CONTACT, COUNTS, FIRST, LAST, main

SESSION = session.Session()


def job(tables: Path, out: Path, as_of: str) -> None:
    def table(name: str) -> str:
        return f"file('{tables / name}/*.parquet', Parquet)"

    columns = ", ".join(f"u.{old} as {new}" for old, new in CONTACT.items() if old != "id")
    counts = ", ".join(f"toInt64(countIf(event_type = '{kind}')) as {name}" for name, kind in COUNTS.items())
    times = ", ".join(
        f"{what}OrNullIf(event_ts, event_type = '{kind}') as {name}"
        for what, names in (("max", LAST), ("min", FIRST))
        for name, kind in names.items()
    )
    zeros = ", ".join(f"ifNull(a.{name}, 0) as {name}" for name in COUNTS)
    stamps = ", ".join(f"a.{name} as {name}" for name in (*LAST, *FIRST))
    sql = f"""
        select toString(u.id) as ic_contact_id, {columns}, {zeros}, {stamps},
          greatest({", ".join(f"a.{name}" for name in ACTIVE)}) as last_active_ts,
          if(last_active_ts is null, map(), map('email', assumeNotNull(last_active_ts))) as last_channel_activities,
          if(last_active_ts is null, [], ['email']) as channels,
          mapFromArrays(p.keys, p.numbers) as hashedurls
        from {table("icontact_users")} u
        left join (
          select contact_id, {counts}, {times} from {table("icontact_activity")}
          where event_ts < toDateTime64('{as_of}', 6, 'UTC') group by contact_id
        ) a on a.contact_id = u.id
        left join (
          select contact_id, groupArray(url_key) as keys, groupArray(n) as numbers
          from (
            select contact_id, url_key, toInt64(count()) as n
            from {table("icontact_activity")} e join {table("urls")} l on l.event_url = e.event_url
            where event_ts < toDateTime64('{as_of}', 6, 'UTC') and l.url_key is not null
            group by contact_id, url_key
          )
          group by contact_id
        ) p on p.contact_id = u.id
        where u.gone_at is null
        settings max_threads = 2, join_use_nulls = 0
    """
    table = SESSION.query(sql, "ArrowTable")
    for name in ("last_channel_activities", "channels", "hashedurls"):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, pa.chunked_array([_null_if_empty(c) for c in table[name].chunks]))
    pq.write_table(table, out / "profile.parquet", compression="zstd")


def _null_if_empty(chunk: pa.Array) -> pa.Array:
    """ClickHouse has no null list and no null map; who has nothing is to have none."""
    ends = chunk.offsets.to_numpy()
    begins = pa.array(ends, pa.int32(), mask=np.append(ends[1:] == ends[:-1], False))
    if isinstance(chunk, pa.MapArray):
        return pa.MapArray.from_arrays(begins, chunk.keys, chunk.items)
    return pa.ListArray.from_arrays(begins, chunk.values)


main(job)
