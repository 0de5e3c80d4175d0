"""The 34 default columns by polars: lazy, streamed from Parquet to Parquet."""

from __future__ import annotations

import os
from pathlib import Path

os.environ["POLARS_MAX_THREADS"] = "2"

import polars as pl
from timed import ACTIVE, CONTACT, COUNTS, FIRST, LAST, main


def job(tables: Path, out: Path, as_of: str) -> None:
    contacts = pl.scan_parquet(tables / "icontact_users" / "*.parquet")
    events = pl.scan_parquet(tables / "icontact_activity" / "*.parquet").filter(
        pl.col("event_ts") < pl.lit(as_of).str.to_datetime(time_unit="us")
    )
    urls = pl.scan_parquet(tables / "urls" / "*.parquet").select("event_url", "url_key")

    def of(kind: str) -> pl.Expr:
        return pl.col("event_type") == kind

    counted = events.group_by("contact_id").agg(
        *(of(kind).sum().cast(pl.Int64).alias(name) for name, kind in COUNTS.items()),
        *(pl.col("event_ts").filter(of(kind)).max().alias(name) for name, kind in LAST.items()),
        *(pl.col("event_ts").filter(of(kind)).min().alias(name) for name, kind in FIRST.items()),
    )
    pages = (
        events.filter(pl.col("event_url").is_not_null())
        .group_by("contact_id", "event_url")
        .agg(pl.len().cast(pl.Int64).alias("n"))
        .join(urls.filter(pl.col("url_key").is_not_null()), on="event_url")
        .group_by("contact_id", "url_key")
        .agg(pl.col("n").sum())
        .group_by("contact_id")
        .agg(pl.struct(key="url_key", value="n").alias("hashedurls"))
    )
    active = pl.max_horizontal(*ACTIVE)
    (
        contacts.filter(pl.col("gone_at").is_null())
        .select(*CONTACT)
        .join(counted, left_on="id", right_on="contact_id", how="left")
        .join(pages, left_on="id", right_on="contact_id", how="left")
        .with_columns(
            pl.col("id").cast(pl.String),
            *(pl.col(name).fill_null(0) for name in COUNTS),
            last_active_ts=active,
        )
        .with_columns(
            last_channel_activities=pl.when(pl.col("last_active_ts").is_not_null()).then(
                pl.concat_list(pl.struct(key=pl.lit("email"), value="last_active_ts"))
            ),
            channels=pl.when(pl.col("last_active_ts").is_not_null()).then(pl.concat_list(pl.lit("email"))),
        )
        .rename(CONTACT)
        .sink_parquet(out / "profile.parquet", compression="zstd", maintain_order=False, engine="streaming")
    )


main(job)
