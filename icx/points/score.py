"""Counting points while a profile is built: who meets the rules, the ledger, everybody's totals."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from icx.errors import IcxError
from icx.fields import Catalogue, Field
from icx.points import lines
from icx.points.action import Action, as_json, checked, fields, no_circle, points_words, waits
from icx.rules import Lookup, Reading, Rule, Sql, audiences_used, condition, fields_used, without_machines
from icx.store import Connection
from icx.words import counted

MET = "points_met"


class Score:
    """The points of one connection, counted in one build.

    Everything is made beside what is there, a share of the people at a time, and put in its place with the profile.
    For a past moment only totals are made: the ledger and the stays are those of the profile.
    `lines` and `notes` tell afterwards what came of it.
    """

    def __init__(self, actions: Sequence[Action], lookup: Callable[[Connection], Lookup]) -> None:
        """`lookup` gives the lists and audiences that rules name, from a cursor on the connection's tables."""
        self.actions = tuple(actions)
        self.fields: tuple[Field, ...] = fields(self.actions)
        self.groups = sorted({one.group for one in self.actions} - {""})
        self.lines = 0
        self.notes: list[str] = []
        self._lookup = lookup
        self._rules: dict[str, Rule] = {}  # digest: what a build looks for

    def begin(
        self,
        con: Connection,
        *,
        schema: str,
        as_of: datetime,
        build_id: str,
        past: bool,
        catalogue: Catalogue,
        made_of: Callable[[set[str]], set[str]],
    ) -> set[str] | None:
        """Return the fields that rules ask for, which have to be computed before points are; None without such rules.

        `as_of` is naive UTC; `catalogue` has the fields without points, and `made_of` adds to some of them those they
        are made of. An action whose rule cannot be read now (a list or a custom field is gone) waits: nobody enters or
        leaves it, and what it gave stays. Asked again, it begins anew.
        """
        self._rules, self.notes = {}, []
        self._schema, self._build_id, self._past, self._catalogue = schema, build_id, past, catalogue
        self._reading = Reading(catalogue, self._lookup(con), as_of.replace(tzinfo=UTC), past=past)
        self._ledger = "temp.points_ledger_at" if past else f"{schema}.points_ledger_next"
        self._stays = f"{schema}.points_stays" if past else f"{schema}.points_stays_next"
        table = "temp table" if past else "table"
        con.execute(
            f"create or replace {table} {self._ledger} as select * from {schema}.points_ledger limit 0"
        )
        if past:
            return None
        con.execute(f"create or replace table {self._stays} as select * from {schema}.points_stays limit 0")
        needed: set[str] = set()
        for action in self.actions:
            if action.event is None and action.digest not in self._rules:
                try:
                    rule, used = looked_for(action, self._reading)
                    used = made_of(used)
                    no_circle(action.name, used)
                except IcxError as error:
                    self.notes.append(waits(action, error))
                else:
                    self._rules[action.digest] = rule
                    needed |= used
        return needed if self._rules else None

    def share(
        self,
        con: Connection,
        *,
        people: str,
        activity: str,
        machines: str,
        seen: str | None,
        into: str,
        mine: Callable[[str], str],
    ) -> None:
        """Count one share of the people and make the table `into` of their totals.

        `people` is a select of their ids, `seen` a table of them with the fields asked for (None: none was),
        `mine` gives the condition on a contact's id, called so, that chooses them.
        """
        if not self._past:
            self._look(con, machines, seen, mine)
        source = lines.Source(people, activity, machines, self._stays, self._build_id)
        lines.write(con, self._ledger, self.actions, self._reading, source)
        sums = lines.totals(self.groups, self._ledger, mine("contact_id"))
        con.execute(f"create or replace temp table {into} as {sums}")

    def _look(self, con: Connection, machines: str, seen: str | None, mine: Callable[[str], str]) -> None:
        """Look who meets each rule now, and carry on the stays: some begin, some end, the others go on."""
        con.execute(f"create or replace temp table {MET} (contact_id bigint, rule varchar)")
        if self._rules and seen is not None:
            # rules that leave out machines ask the marks by their name, and this build's are not in place yet
            con.execute(f"create or replace temp view machine_events as select * from {machines}")
            try:
                met = meeting(self._rules, self._reading, seen)
                con.execute(f"insert into {MET} {met.text}", list(met.params))
            finally:
                con.execute("drop view temp.machine_events")
        con.execute(
            f"""
            insert into {self._stays} (rule, contact_id, since, since_build, until, until_build)
            select
              s.rule, s.contact_id, s.since, s.since_build,
              case when ended then $as_of else s.until end, case when ended then $build else s.until_build end
            from (
              select s.*, s.until is null and m.contact_id is null and list_contains($rules::varchar[], s.rule) as ended
              from {self._schema}.points_stays s
              left join {MET} m on m.rule = s.rule and m.contact_id = s.contact_id
              where {mine("s.contact_id")}
            ) s
            union all
            select m.rule, m.contact_id, $as_of, $build, null, null
            from {MET} m
            anti join (select * from {self._schema}.points_stays where until is null) s
              on s.rule = m.rule and s.contact_id = m.contact_id
            """,
            {"as_of": self._reading.now, "build": self._build_id, "rules": list(self._rules)},
        )
        con.execute(f"drop table {MET}")

    def end(self, con: Connection) -> None:
        """Say what each action came to, and how that differs from the build before; nothing is in its place yet."""
        found = {name: rest for name, *rest in lines.tally(con, self._ledger)}
        self.lines = sum(count for count, _, _ in found.values())
        if self._past:
            con.execute(f"drop table {self._ledger}")
            return
        before = last_counts(con)
        told = {one.name: (as_text(one), found.get(one.name, [0, 0, 0])) for one in self.actions}
        self.notes += _differences(before, told)
        con.execute(
            f"create or replace temp table points_told as select * from {self._schema}.points_counts limit 0"
        )
        for name, (text, (count, people, points)) in told.items():
            con.execute(
                "insert into points_told values (?, ?, ?, ?, ?, ?, ?)",
                [self._build_id, self._reading.now, name, text, count, people, points],
            )

    def swap(self, con: Connection) -> None:
        """Put ledger and stays in the place of the old ones; called in the transaction that does so for the profile."""
        if self._past:
            return
        for name in ("points_ledger", "points_stays"):
            con.execute(f"drop table {self._schema}.{name}")
            con.execute(f"alter table {self._schema}.{name}_next rename to {name}")
        con.execute(f"insert into {self._schema}.points_counts select * from points_told")


def looked_for(action: Action, reading: Reading) -> tuple[Rule, set[str]]:
    """Return the rule a build looks for, and the fields it reads, also through audiences; raise what is wrong in it."""
    for name in sorted(audiences_used(action.earns)):
        reading.lookup.audience(name, f"action {action.name}")
    rule = action.earns if action.machines else without_machines(action.earns, reading.catalogue)
    used = fields_used(rule, reading.lookup)
    no_circle(action.name, used)
    checked(action, reading.catalogue, reading.lookup, reading.as_of)
    return rule, used


def meeting(rules: dict[str, Rule], reading: Reading, people: str) -> Sql:
    """Return the select of (contact_id, digest) of who meets which rule, in one scan of a table of people."""
    tests = [condition(rule, reading) for rule in rules.values()]
    marks = ", ".join(
        f"case when {test.text} then '{digest}' end" for digest, test in zip(rules, tests, strict=True)
    )
    return Sql(
        f"select contact_id, rule from (select contact_id, unnest([{marks}]) as rule from {people}) where rule is not null",
        tuple(value for test in tests for value in test.params),
    )


def as_text(action: Action) -> str:
    """Return what an action gives and for what; two that differ in their note alone are the same."""
    told = {key: value for key, value in as_json(action).items() if key not in {"description", "connection"}}
    return json.dumps(told, sort_keys=True, ensure_ascii=False)


def last_counts(con: Connection) -> dict[str, tuple[str, int, int, int]]:
    """Return of each action of the last build: how it read, and its lines, people and points."""
    rows = con.execute(
        "select action, definition, lines, people, points from points_counts"
        " where build_id = (select build_id from builds order by built_at desc, build_id desc limit 1)"
    ).fetchall()
    return {name: (text, count, people, points) for name, text, count, people, points in rows}


def _differences(
    before: dict[str, tuple[str, int, int, int]], now: Mapping[str, tuple[str, Sequence[int]]]
) -> list[str]:
    """Return what a person has to know: actions that read differently, are gone, or gave more before."""
    said = []
    for name, (text, count, _, points) in before.items():
        if name not in now:
            said.append(
                f"{name} is gone: its {counted(count, 'award')} ({points_words(points)}) no longer count"
            )
            continue
        fresh, (lines_now, _, points_now) = now[name]
        if fresh != text:
            said.append(
                f"{name} reads differently since the last build: {counted(count, 'award')}, now {lines_now:,}"
                f" ({points_words(points)}, now {points_words(points_now)})"
            )
        elif lines_now < count:
            said.append(
                f"{name}: {counted(count - lines_now, 'award')} fewer, since what earned them is no longer there"
            )
    return said
