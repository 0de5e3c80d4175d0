"""Whose tables they are is noted by nearly every command; the views of the default connection change with it alone."""

from pathlib import Path

import pytest

from icx.pull import keep
from icx.store import Store


def test_views_are_made_for_a_new_default_and_left_alone_when_it_is_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, made = Store(tmp_path / "icx.duckdb"), []
    refresh = keep.refresh_views
    monkeypatch.setattr(keep, "refresh_views", lambda store: made.append(refresh(store)))
    for name, default in (("acme", True), ("acme", True), ("outlet", None), ("acme", None), ("outlet", True)):
        keep.register(store, name, 41733, 8021, default=default)
    assert made == ["acme", "acme", "outlet"]
    with store.open("outlet") as con:
        con.execute("insert into lists (list_id, name) values (7, 'News')")
        assert con.execute("select name from main.lists").fetchall() == [("News",)]
