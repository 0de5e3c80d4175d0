"""The 34 default columns by pandas: grouped once by person and kind, once by person and page; maps made by pyarrow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from timed import ACTIVE, CONTACT, COUNTS, FIRST, LAST, main


def job(tables: Path, out: Path, as_of: str) -> None:
    contacts = pq.read_table(tables / "icontact_users", columns=[*CONTACT, "gone_at"])
    contacts = contacts.filter(pa.compute.is_null(contacts["gone_at"])).drop_columns(["gone_at"])
    kept = ["contact_id", "event_type", "event_ts", "event_url"]
    texts = ["event_type", "event_url"]
    events = pq.read_table(tables / "icontact_activity", columns=kept, read_dictionary=texts).to_pandas()
    events = events[events["event_ts"] < pd.Timestamp(as_of)]
    urls = pq.read_table(tables / "urls", columns=["event_url", "url_key"]).to_pandas()

    people = pd.Index(contacts["id"].to_numpy())
    found = events.groupby(["event_type", "contact_id"], observed=True, sort=False)["event_ts"]
    found = found.agg(["size", "max", "min"])
    columns: dict[str, pa.Array] = {}

    def of(kind: str, what: str) -> pd.Series:
        there = kind in found.index.get_level_values(0)
        return (found.loc[kind, what] if there else found[what].iloc[:0].droplevel(0)).reindex(people)

    for name, kind in COUNTS.items():
        columns[name] = pa.array(of(kind, "size").fillna(0).astype("int64"))
    for names, what in ((LAST, "max"), (FIRST, "min")):
        for name, kind in names.items():
            columns[name] = pa.array(of(kind, what), pa.timestamp("us"))
    active = pa.compute.max_element_wise(*(columns[name] for name in ACTIVE))
    nobody = pa.compute.is_null(active).to_numpy(zero_copy_only=False)
    columns["last_active_ts"] = active
    ends = pa.array(np.concatenate([[0], np.cumsum(~nobody)]), pa.int32())
    word = pa.array(np.repeat("email", (~nobody).sum()), pa.string())
    columns["last_channel_activities"] = pa.MapArray.from_arrays(
        _with_nulls(ends, nobody), word, active.drop_null()
    )
    columns["channels"] = pa.ListArray.from_arrays(_with_nulls(ends, nobody), word)
    columns["hashedurls"] = _pages(events, urls, people)
    plain = [contacts["id"].cast(pa.string()), *contacts.columns[1:]]
    names = [*CONTACT.values(), *columns]
    table = pa.Table.from_arrays([*plain, *columns.values()], names)
    pq.write_table(table, out / "profile.parquet", compression="zstd")


def _pages(events: pd.DataFrame, urls: pd.DataFrame, people: pd.Index) -> pa.Array:
    """Count pages as numbers: a page's code beside the person's row, in one integer, sorted once."""
    key_of = urls.dropna(subset="url_key").set_index("event_url")["url_key"]
    codes, keys = pd.factorize(key_of)
    links = events["event_url"].cat.categories
    page_of_link = pd.Series(codes, key_of.index).reindex(links).fillna(-1).to_numpy("int64")
    clicked = events["event_url"].cat.codes.to_numpy()
    rows = people.get_indexer(events["contact_id"])
    page = np.where(clicked >= 0, page_of_link[clicked], -1) if len(links) else np.full(len(events), -1)
    counted = (page >= 0) & (rows >= 0)
    packed, n = np.unique((rows[counted].astype("int64") << 32) | page[counted], return_counts=True)
    some = np.bincount(packed >> 32, minlength=len(people))
    ends = pa.array(np.concatenate([[0], np.cumsum(some)]), pa.int32())
    key = (
        pa.array(keys, pa.string()).take(pa.array(packed & 0xFFFFFFFF))
        if len(packed)
        else pa.array([], pa.string())
    )
    return pa.MapArray.from_arrays(_with_nulls(ends, some == 0), key, pa.array(n, pa.int64()))


def _with_nulls(ends: pa.Array, nobody: np.ndarray) -> pa.Array:
    """Return where each row's entries begin; a null there is a null row."""
    return pa.compute.if_else(pa.array(np.append(nobody, False)), pa.scalar(None, pa.int32()), ends)


main(job)
