"""Several audiences side by side: what they share, how the first one grew, and who came and went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from icx.audience.audience import Audience
from icx.audience.compare import Overlap, overlap
from icx.audience.people import People, moment_of
from icx.audience.snapshots import Snapshot, snapshots
from icx.look import page, upset
from icx.look.charts import sparkline

SHOWN = 12


@dataclass(frozen=True)
class Turn:
    """One stored snapshot of an audience, and how many entered and left since the one before; None for the first."""

    snapshot: Snapshot
    entered: int | None
    left: int | None


@dataclass(frozen=True)
class Comparison:
    """How audiences overlap as of a moment (aware), and the history of the first, oldest turn first."""

    overlap: Overlap
    as_of: datetime
    history: tuple[Turn, ...]
    zone: tzinfo = UTC

    def __repr__(self) -> str:
        lines = [repr(self.overlap)]
        for turn in self.history[-SHOWN:]:
            moved = "" if turn.entered is None else f"  +{turn.entered:,} −{turn.left:,}"
            lines.append(f"  {self._day(turn.snapshot.as_of)}  {turn.snapshot.size:>9,}{moved}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON."""
        history = [
            {
                "as_of": f"{turn.snapshot.as_of.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
                "count": turn.snapshot.size,
                "entered": turn.entered,
                "left": turn.left,
            }
            for turn in self.history
        ]
        return self.overlap.as_dict() | {"history": history}

    def _repr_html_(self) -> str:
        names, found = self.overlap.names, self.overlap
        at = self.as_of.astimezone(self.zone)
        head = page.head(
            f"Compare {len(names)} audiences",
            "",
            f"{page.number(found.anybody)} people in at least one",
            f"as of {at.day} {at:%b %Y, %H:%M %Z}",
        )
        shared = page.panel(
            "Overlap", upset.upset(names, found.sizes, found.cells), right=f"blue: with {names[0]}"
        )
        return page.root(head, page.tag("div", shared, self._past(names[0]), cls="stack"), name="Comparison")

    def _past(self, name: str) -> page.Html:
        if not self.history:
            words = "Each push and scheduled run stores who is in an audience; from the second on, who came and who went shows here."
            said = page.tag(
                "p", page.tag("b", "No size is stored yet.", cls="k"), f" {words}", cls="small muted"
            )
            return page.panel(f"{name}, over time", said)
        sizes = [turn.snapshot.size for turn in self.history]
        label = f"{len(sizes)} stored sizes, from {page.number(sizes[0])} to {page.number(sizes[-1])}"
        rows = [
            (self._day(turn.snapshot.as_of), turn.snapshot.size, turn.entered, turn.left)
            for turn in self.history[-SHOWN:]
        ]
        line = sparkline(sizes, label, width=220, height=36) if len(sizes) > 1 else ""
        return page.panel(f"{name}, over time", line, upset.in_and_out(rows), right=label)

    def _day(self, moment: datetime) -> str:
        at = moment.astimezone(self.zone)
        return f"{at.day} {at:%b %Y %H:%M}"


def compare(people: People, audiences: Sequence[Audience]) -> Comparison:
    """Compare two to six audiences; the history is the first one's. Raises what `overlap` raises."""
    found = overlap(people, audiences)
    return Comparison(found, moment_of(people), tuple(turns(people, audiences[0].name)), people.zone)


def turns(people: People, name: str) -> list[Turn]:
    """Return every stored snapshot of an audience with who entered and left since the one before, oldest first."""
    kept = snapshots(people, name)
    if not kept:
        return []
    with people.store.open(people.connection) as con:
        rows = con.execute(
            """
            with taken as (
              select taken_at, row_number() over (order by taken_at) as n from shared.snapshots
              where connection = ? and audience = ?
            ),
            members as (
              select n, contact_id from shared.member_snapshots join taken using (taken_at)
              where connection = ? and audience = ?
            )
            select n, count(*) filter (where came), count(*) filter (where not came) from (
              select n, true as came from members m
              where not exists (select 1 from members b where b.n = m.n - 1 and b.contact_id = m.contact_id)
              union all
              select n + 1, false from members m
              where not exists (select 1 from members b where b.n = m.n + 1 and b.contact_id = m.contact_id)
            ) group by n
            """,
            [people.connection, name] * 2,
        ).fetchall()
    flow = {int(n): (int(came), int(went)) for n, came, went in rows}
    first, *later = kept
    return [Turn(first, None, None), *(Turn(one, *flow.get(n, (0, 0))) for n, one in enumerate(later, 2))]
