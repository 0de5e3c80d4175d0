"""A look: after a build, who crossed since the look before; the firings and what was seen are stored together or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from icx import mask
from icx.audience import People
from icx.audience.people import choice
from icx.clock import naive_utc
from icx.errors import BadInput, IcxError, NeedsYou
from icx.rules import Compare, InAudience, Reading, Rule, Sql, fields_used
from icx.store import Connection, one_row, quoted
from icx.store.transactions import transaction
from icx.triggers.decide import crossings, existing
from icx.triggers.trigger import Trigger
from icx.words import counted, form

NUMBERS = {"integer", "number"}
NOW = "temp.trigger_now"


@dataclass(frozen=True)
class Look:
    """What one look at one trigger came to.

    `first` is a look that fires for nobody: it only notes who is where. `let_go` crossed while it was paused.
    `already` is how many meet the condition now. `error` is why nobody could look.
    """

    trigger: str
    fired: int = 0
    let_go: int = 0
    first: bool = False
    already: int = 0
    error: IcxError | None = None

    def __str__(self) -> str:
        name = mask.plain(self.trigger)
        if self.error is not None:
            return f"{name} waits: {self.error.message}"
        if self.first:
            return f"{name} begins: {counted(self.already, 'person')} {form(self.already, 'is')} so already and left alone"
        if self.let_go:
            return f"{name} is paused: {counted(self.let_go, 'crossing')} let go"
        return f"{name} fired for {counted(self.fired, 'person')}"


def look_all(people: People, triggers: Sequence[Trigger], now: datetime) -> list[Look]:
    """Look at all triggers of a connection; what is wrong with one keeps no other from being looked at.

    What was seen for a trigger that is no longer saved is forgotten, so that one of its name begins anew.
    """
    with people.store.open(people.connection) as con:
        known = con.execute("select trigger_name from trigger_looks").fetchall()
        for name in {row[0] for row in known} - {one.name for one in triggers}:
            forget(con, name)
    return [look(people, one, now) for one in triggers]


def look(people: People, trigger: Trigger, now: datetime) -> Look:
    """Note who crossed since the last look, once a build; `now` is aware. What cannot be read is in the answer."""
    try:
        with people.open(trigger.when, f"trigger {trigger.name}") as (con, reading, _):
            last = one_row(
                con.execute(
                    "select digest, build_id from trigger_looks where trigger_name = ?", [trigger.name]
                )
            )
            build_id = last_build(con)
            if last == (trigger.digest, build_id):
                return Look(trigger.name)
            found = seen(con, people, trigger, reading)
            with transaction(con):
                con.execute(f"create or replace temp table trigger_now as {found.text}", list(found.params))
                done = _stored(
                    con,
                    people,
                    trigger,
                    reading,
                    now,
                    build_id,
                    first=last is None or last[0] != trigger.digest,
                )
                con.execute("drop table temp.trigger_now")
            return done
    except IcxError as error:
        return Look(trigger.name, error=error)


def seen(con: Connection, people: People, trigger: Trigger, reading: Reading) -> Sql:
    """Return the select of (contact_id, value, met) of everybody of whom it is known now; raise what is wrong."""
    rule, profile = trigger.when, quoted(people.profile)
    _built(con, people, rule, reading)
    if isinstance(rule, Compare):
        field = people.catalogue.find(rule.field, reading.where)
        if field.type not in NUMBERS:
            raise BadInput(
                "trigger-value",
                f"`{rule.field}` is {field.type}; a trigger watches a number.",
                where=f"trigger {trigger.name}",
                kept="nothing was changed",
                next=[
                    ["icx", "fields", rule.field],
                    "any other rule is saved as an audience, whose entering fires",
                ],
            )
        test = choice(
            people, rule, reading
        )  # reads the value as any rule does, and says what is wrong with it
        column = quoted(rule.field)
        return Sql(
            f"select p.contact_id, p.{column}::double as value, m.contact_id is not null as met from {profile} p"
            f" left join ({test.text}) m on m.contact_id = p.contact_id where p.{column} is not null",
            test.params,
        )
    assert isinstance(rule, InAudience)
    inside = choice(people, InAudience("in", rule.audience), reading)
    met = "true" if trigger.way == "entered" else "false"
    if trigger.way == "entered":
        return Sql(
            f"select contact_id, null::double as value, {met} as met from ({inside.text})", inside.params
        )
    return Sql(
        f"select p.contact_id, null::double as value, m.contact_id is null as met from {profile} p"
        f" left join ({inside.text}) m on m.contact_id = p.contact_id",
        inside.params,
    )


def _built(con: Connection, people: People, rule: Rule, reading: Reading) -> None:
    """Raise profile-missing for a field that came since the last build, such as the points of a new action."""
    known = {row[0] for row in con.execute(f"describe {quoted(people.profile)}").fetchall()}
    used = {name for name in fields_used(rule, reading.lookup) if name in people.catalogue}
    for name in sorted(used - known):
        raise NeedsYou(
            "profile-missing",
            f"The field `{name}` is not in the profile yet.",
            where=reading.where,
            kept="nothing was changed",
            next=[["icx", "build", "--connection", people.connection]],
        )


def _stored(
    con: Connection,
    people: People,
    trigger: Trigger,
    reading: Reading,
    now: datetime,
    build_id: str,
    *,
    first: bool,
) -> Look:
    name = trigger.name
    before = "(select contact_id, value, met from trigger_last where trigger_name = $name)"
    fired = "(select contact_id from trigger_firings where trigger_name = $name and state <> 'dropped')"
    chosen = crossings(trigger, before, NOW, fired)
    asks = {"name": name} if "$name" in chosen.text else {}
    count = 0
    if not first:
        row = one_row(con.execute(f"select count(*) from ({chosen.text})", asks))
        count = int(row[0]) if row else 0
    if count and trigger.paused is None:
        fire(
            con,
            people.connection,
            trigger,
            chosen,
            asks,
            way=_way(trigger),
            build_id=build_id,
            as_of=reading.now,
            now=now,
        )
    con.execute("delete from trigger_last where trigger_name = ?", [name])
    # Of an audience only the side that a crossing starts from is kept: who is in.
    kept = "" if trigger.numeric else " where met" if trigger.way == "entered" else " where not met"
    con.execute(f"insert into trigger_last select ?, contact_id, value, met from {NOW}{kept}", [name])
    let_go = count if trigger.paused is not None else 0
    con.execute("delete from trigger_looks where trigger_name = ?", [name])
    con.execute(
        "insert into trigger_looks values (?, ?, ?, ?, ?, ?)",
        [name, trigger.digest, build_id, reading.now, naive_utc(now), let_go],
    )
    already = one_row(con.execute(f"select count(*) from {NOW} where met"))
    return Look(name, count - let_go, let_go, first, int(already[0]) if already else 0)


def fire(
    con: Connection,
    connection: str,
    trigger: Trigger,
    chosen: Sql,
    asks: dict[str, Any],
    *,
    way: str,
    build_id: str,
    as_of: datetime,
    now: datetime,
) -> None:
    """Store a firing, waiting for its action, for each of the chosen (contact_id, before, after); once a build."""
    con.execute(
        f"""
        insert into trigger_firings (firing_id, trigger_name, contact_id, way, build_id, as_of, fired_at, before, after, state)
        select $prefix || c.contact_id, $trigger, c.contact_id, $way, $build, $as_of, $now, c.before, c.after, 'waiting'
        from ({chosen.text}) c
        where $prefix || c.contact_id not in (select firing_id from trigger_firings where trigger_name = $trigger)
        """,
        asks
        | {"prefix": f"{connection}/{trigger.name}/{build_id}/", "trigger": trigger.name, "way": way}
        | {"build": build_id, "as_of": as_of, "now": naive_utc(now)},
    )


def fire_existing(people: People, trigger: Trigger, now: datetime) -> int:
    """Store a firing for everybody whom the trigger finds so already and for whom it never fired; return how many."""
    with people.open(trigger.when, f"trigger {trigger.name}") as (con, reading, _):
        found = seen(con, people, trigger, reading)
        build_id = last_build(con)
        with transaction(con):
            con.execute(f"create or replace temp table trigger_now as {found.text}", list(found.params))
            fired = (
                "(select contact_id from trigger_firings where trigger_name = $name and state <> 'dropped')"
            )
            chosen, asks = existing(NOW, fired), {"name": trigger.name}
            row = one_row(con.execute(f"select count(*) from ({chosen.text})", asks))
            fire(
                con,
                people.connection,
                trigger,
                chosen,
                asks,
                way="existing",
                build_id=build_id,
                as_of=reading.now,
                now=now,
            )
            con.execute("drop table temp.trigger_now")
    return int(row[0]) if row else 0


def existing_ids(people: People, trigger: Trigger) -> list[int]:
    """Return whom a trigger finds so already and for whom it never fired; nothing is stored."""
    with people.open(trigger.when, f"trigger {trigger.name}") as (con, reading, _):
        chosen = _existing(con, people, trigger, reading)
        rows = con.execute(
            f"select contact_id from ({chosen.text}) order by 1", list(chosen.params)
        ).fetchall()
    return [int(row[0]) for row in rows]


def existing_count(con: Connection, people: People, trigger: Trigger, reading: Reading) -> int:
    """Return how many those are; `con` is on the connection's tables."""
    chosen = _existing(con, people, trigger, reading)
    row = one_row(con.execute(f"select count(*) from ({chosen.text})", list(chosen.params)))
    return int(row[0]) if row else 0


def _existing(con: Connection, people: People, trigger: Trigger, reading: Reading) -> Sql:
    found = seen(con, people, trigger, reading)
    fired = "(select contact_id from trigger_firings where trigger_name = ? and state <> 'dropped')"
    return Sql(existing(f"({found.text})", fired).text, (*found.params, trigger.name))


def forget(con: Connection, name: str) -> None:
    """Forget what was seen for a trigger, and drop what waits; its firings stay as what happened."""
    with transaction(con):
        con.execute("delete from trigger_last where trigger_name = ?", [name])
        con.execute("delete from trigger_looks where trigger_name = ?", [name])
        con.execute(
            "update trigger_firings set state = 'dropped', reason = 'the trigger was removed'"
            " where trigger_name = ? and state in ('waiting', 'failed', 'planned')",
            [name],
        )


def last_build(con: Connection) -> str:
    """Return the last build's id; `con` is on the connection's tables."""
    row = one_row(con.execute("select build_id from builds order by built_at desc, build_id desc limit 1"))
    assert row is not None
    return str(row[0])


def _way(trigger: Trigger) -> str:
    return "found" if trigger.fires == "each" else trigger.way
