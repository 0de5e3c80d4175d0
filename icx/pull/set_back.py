"""A clock that was wrong: what was noted in the future is brought back before the present."""

from __future__ import annotations

from datetime import datetime, timedelta

from icx.store import Connection, one_row


def set_right(con: Connection, now: datetime) -> None:
    """Bring pulls and builds that lie after `now` (naive UTC) before it, in their order.

    A machine whose clock went ahead for a day would otherwise take that day's pull for the newest one until the day
    has come. Readings of units need no mending: one that lies in the future counts as due.
    """
    last = one_row(con.execute("select max(greatest(began_at, coalesce(ended_at, began_at))) from pulls"))
    if last is not None and last[0] is not None and last[0] > now:
        back = last[0] - now + timedelta(seconds=1)
        con.execute(
            "update pulls set started_at = started_at - $back, began_at = began_at - $back where began_at > $now",
            {"back": back, "now": now},
        )
        con.execute(
            "update pulls set ended_at = greatest(began_at, ended_at - $back) where ended_at > $now",
            {"back": back, "now": now},
        )
    last = one_row(con.execute("select max(built_at) from builds"))
    if last is not None and last[0] is not None and last[0] > now:
        back = last[0] - now + timedelta(seconds=1)
        con.execute(
            "update builds set built_at = built_at - $back where built_at > $now", {"back": back, "now": now}
        )
