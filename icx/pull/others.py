"""Others: events of people the service no longer lists, counted once a pull and kept with each unit.

Who is listed, and what events there are, changes only while a pull lands. Landing forgets what was counted; the end
of the pull counts again. Whatever else happens, a number that may not be true any more is not used.
"""

from __future__ import annotations

from collections.abc import Mapping

from icx.pull.units import Unit
from icx.store import Connection

# A kind of event, in the plural, is the collection it belongs to.
_OTHERS = """
select message_id, event_type, count(*) as others from icontact_activity
where contact_id not in (select id from icontact_users where gone_at is null)
group by message_id, event_type
"""


def known(lines: Mapping[Unit, tuple[int, int | None]], there: Mapping[Unit, int]) -> dict[Unit, int] | None:
    """Return what was kept of each unit; None when it has to be counted.

    `lines` has what the last reading stored and how many of that are of others, `there` how many rows are here.

    >>> opens = Unit("opens", 5)
    >>> known({opens: (10, 3)}, {opens: 10}), known({opens: (10, None)}, {opens: 10}), known({opens: (9, 3)}, {opens: 10})
    ({Unit(collection='opens', message_id=5): 3}, None, None)
    """
    kept = {}
    for unit in there.keys() | {unit for unit in lines if unit.is_events}:
        stored, others = lines.get(unit, (0, None))
        if others is None or stored != there.get(unit, 0):
            return None
        kept[unit] = others
    return kept


def counted(con: Connection) -> dict[Unit, int]:
    """Count them now."""
    return {Unit(f"{kind}s", message): count for message, kind, count in con.execute(_OTHERS).fetchall()}


def keep(con: Connection) -> None:
    """Count them and keep the number with each unit."""
    con.execute(
        f"update units set others = coalesce(o.others, 0) from (select u.collection, u.message_id, o.others from units u"
        f" left join ({_OTHERS}) o on o.message_id = u.message_id and o.event_type || 's' = u.collection"
        " where u.message_id is not null) o"
        " where units.collection = o.collection and units.message_id = o.message_id"
    )


def forget(con: Connection) -> None:
    """Forget what was counted: who is listed has changed. A unit that lands has a new line, with nothing counted."""
    con.execute("update units set others = null where others is not null")
