"""The 34 default columns by PySpark on two threads of this machine: two groupings, joined to people."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")

from pyspark.sql import SparkSession
from timed import ACTIVE, CONTACT, COUNTS, FIRST, LAST, main

SPARK = (
    SparkSession.builder.master("local[2]")
    .config("spark.driver.memory", "8g")
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.timestampType", "TIMESTAMP_NTZ")
    .config("spark.sql.shuffle.partitions", "8")
    .config("spark.sql.parquet.compression.codec", "zstd")
    .getOrCreate()
)
SPARK.sparkContext.setLogLevel("ERROR")


def job(tables: Path, out: Path, as_of: str) -> None:
    for name in ("icontact_users", "icontact_activity", "urls"):
        SPARK.read.parquet(str(tables / name)).createOrReplaceTempView(name)
    columns = ", ".join(f"u.{old} as {new}" for old, new in CONTACT.items() if old != "id")
    counts = ", ".join(f"count_if(event_type = '{kind}') as {name}" for name, kind in COUNTS.items())
    times = ", ".join(
        f"{what}(event_ts) filter (where event_type = '{kind}') as {name}"
        for what, names in (("max", LAST), ("min", FIRST))
        for name, kind in names.items()
    )
    zeros = ", ".join(f"coalesce(a.{name}, 0) as {name}" for name in COUNTS)
    stamps = ", ".join(f"a.{name}" for name in (*LAST, *FIRST))
    SPARK.sql(f"""
        with events as (select * from icontact_activity where event_ts < timestamp_ntz '{as_of}'),
        a as (select contact_id, {counts}, {times} from events group by contact_id),
        p as (
          select contact_id, map_from_entries(collect_list(struct(url_key, n))) as hashedurls
          from (
            select contact_id, url_key, count(*) as n
            from events e join urls l on l.event_url = e.event_url
            where l.url_key is not null
            group by contact_id, url_key
          )
          group by contact_id
        ),
        whole as (
          select cast(u.id as string) as ic_contact_id, {columns}, {zeros}, {stamps}, p.hashedurls,
            greatest({", ".join(f"a.{name}" for name in ACTIVE)}) as last_active_ts
          from icontact_users u left join a on a.contact_id = u.id left join p on p.contact_id = u.id
          where u.gone_at is null
        )
        select *,
          case when last_active_ts is not null then map('email', last_active_ts) end as last_channel_activities,
          case when last_active_ts is not null then array('email') end as channels
        from whole
    """).write.mode("overwrite").parquet(str(out))


def java() -> list[int]:
    return [SPARK.sparkContext._gateway.proc.pid]


main(job, java)
