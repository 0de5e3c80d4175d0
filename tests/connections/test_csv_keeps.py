"""Whatever a CSV file looks like, what is changed is changed, and every other letter of it stays."""

from __future__ import annotations

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from icx.connections.base import Change
from icx.connections.table import table
from icx.connections.table.csv import cells, raw_cells, records

# Python's writer leaves a lone \r without quotes, and nobody reads that back.
WRITTEN = "ab\"',;\t|\n é日\u2028\x0b"
LETTERS = st.text(st.sampled_from(WRITTEN), max_size=8)
VALUES = st.text(st.sampled_from(WRITTEN + "\r"), max_size=8)


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, list[list[str]], str]:
    """A CSV file as Python's own writer makes it, its cells, and its encoding."""
    delimiter = draw(st.sampled_from(",;\t|"))
    rows = draw(st.lists(st.lists(LETTERS, min_size=2, max_size=2), min_size=1, max_size=5))
    every = [["id", "email", "one", "two"]]
    every += [[str(at), f"p{at}@example.com", *row] for at, row in enumerate(rows)]
    out = io.StringIO()
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    end = draw(st.sampled_from(["\r\n", "\n"]))
    csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(every)
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    text = out.getvalue() if draw(st.booleans()) else out.getvalue().removesuffix(end)
    return text.encode(encoding), every, encoding


@settings(max_examples=40)
@given(files(), VALUES, st.data())
def test_one_cell_changes_and_nothing_else(tmp_path_factory, made, value: str, data: st.DataObject) -> None:
    raw, every, encoding = made
    path = tmp_path_factory.mktemp("csv") / "people.csv"
    path.write_bytes(raw)
    at = data.draw(st.integers(0, len(every) - 2))
    there = table(path, "id", email="email", writable=["one"])
    before = {one.key: one for one in there.read()}
    assert [before[row[0]].fields.get("two", "") for row in every[1:]] == [row[3] for row in every[1:]]
    [done] = there.write([Change(1, str(at), fields={"one": value})])
    assert done.state == "done"
    after = {one.key: one for one in table(path, "id", email="email").read()}
    assert after[str(at)].fields.get("one", "") == value
    assert {key: one for key, one in after.items() if key != str(at)} == {
        key: one for key, one in before.items() if key != str(at)
    }
    told = list(
        csv.reader(
            io.StringIO(path.read_bytes().decode(encoding), newline=""), delimiter=there.source._delimiter
        )
    )
    assert told == [*every[: at + 1], [*every[at + 1][:2], value, every[at + 1][3]], *every[at + 2 :]]
    mark = there.source._delimiter
    old, new = (list(records(each.decode(encoding), mark)) for each in (raw, path.read_bytes()))
    assert [one for place, one in enumerate(new) if place != at + 1] == [
        one for place, one in enumerate(old) if place != at + 1
    ]
    was, now = raw_cells(old[at + 1], mark), raw_cells(new[at + 1], mark)
    assert [*was[:2], was[3]] == [*now[:2], now[3]]


@given(st.text(st.sampled_from('ab",\n\r'), max_size=30))
def test_a_text_falls_into_records_and_cells_that_make_it_up_again(text: str) -> None:
    try:
        found = list(records(text, ","))
    except ValueError:
        assert text.count('"') % 2 or '"' in text
        return
    assert "".join(found) == text
    for record in found:
        assert ",".join(raw_cells(record, ",")) == record.rstrip("\r\n")
        assert len(cells(record, ",")) == len(raw_cells(record, ","))
