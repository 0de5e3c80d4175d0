"""The field mapping of a push: a row per field that travels, problems named beside the row.

By default nothing travels but the contact id. What is made here is what code would type: `editor.policy` goes to
`ws.plan(audience, to, policy=editor.policy)`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pyarrow as pa
import traitlets

from icx import mask
from icx.look.page import Html, head, join, note, number, panel, pill, root, table, tag
from icx.plan import MapLine, Policy
from icx.plan.html import places
from icx.plan.mapping import CONTACT_FIELDS, LONGEST, Tally, nearest, problems, tally, travels
from icx.widgets.base import Answer, Widget, module, told
from icx.words import counted

LABELS = {
    "prefix": "Prefix",
    "firstName": "First name",
    "lastName": "Last name",
    "suffix": "Suffix",
    "street": "Street",
    "street2": "Street, second line",
    "city": "City",
    "state": "State",
    "postalCode": "Postal code",
    "phone": "Phone",
    "fax": "Fax",
    "business": "Business",
}


class MappingEditor(Widget):
    """Rows field → iContact's field; `mapping` and `policy` are what code would have made.

    `people(columns)` gives the audience's rows with these columns; `custom` are the target folder's custom fields
    as the service lists them, `columns` the profile's fields as (name, type, description).
    """

    _esm = module("mapping")
    rows: traitlets.List[Any] = traitlets.List().tag(sync=True)
    rev = traitlets.Int(0).tag(sync=True)
    make = traitlets.Bool(False).tag(sync=True)
    basis = traitlets.Unicode("").tag(sync=True)
    facts = traitlets.Dict().tag(sync=True)
    answers = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        *,
        audience: str,
        places: Sequence[Mapping[str, Any]],
        columns: Sequence[tuple[str, str, str]],
        custom: Sequence[Mapping[str, Any]],
        people: Callable[[list[str]], pa.Table],
        policy: Policy | None = None,
    ) -> None:
        self._people = people
        self._custom = [dict(row) for row in custom]
        self._policy = policy or Policy()
        self._kept: pa.Table | None = None  # the people last asked for, with the columns used then
        # what an edit asks of a column's values, asked once of these people
        self._tally: Callable[[str], Tally] = lambda column: {}
        self._travels: Callable[[str], int] = lambda column: 0
        self._ids = itertools.count(1)
        facts = {
            "audience": mask.plain(audience),
            "places": [dict(one) for one in places],
            "columns": [
                {"name": name, "type": kind, "words": mask.plain(words)} for name, kind, words in columns
            ],
            "fields": _targets(self._custom),
        }
        rows = [
            {"id": f"r{next(self._ids)}", "column": line.column, "field": line.field, "blank": line.blank}
            for line in self._policy.mapping
        ]
        super().__init__(facts=facts, rows=rows, make=self._policy.create_contacts, basis=self._policy.basis)
        self.observe(lambda _: self._judge(), names=["rev"])
        self._judge()

    def __repr__(self) -> str:
        lines = ", ".join(f"{line.column} → {line.field}" for line in self.mapping)
        return f"MappingEditor({lines or 'nothing but the contact id travels'})"

    @property
    def mapping(self) -> tuple[MapLine, ...]:
        """Return the lines that are filled in on both sides, in order."""
        return tuple(
            MapLine(row["column"], row["field"], bool(row.get("blank")))
            for row in self.rows
            if row.get("column") and row.get("field")
        )

    @property
    def policy(self) -> Policy:
        """Return the policy with this mapping: for `ws.plan(audience, to, policy=editor.policy)`."""
        basis = self.basis.strip() if self.make else ""
        return replace(self._policy, mapping=self.mapping, create_contacts=self.make, basis=basis)

    @property
    def ok(self) -> bool:
        """Tell whether a plan would take this mapping as it is."""
        return not self.answers["problems"] and not self.answers["basis"] and not self.answers["error"]

    def ask_judge(self) -> Answer:
        """Judge again, against the people as they are now."""
        self._kept = None
        self._judge()
        return {}

    # --- inside ------------------------------------------------------------------------------------------------------

    def _judge(self) -> None:
        rev, lines = self.rev, self.mapping
        ids = [row["id"] for row in self.rows if row.get("column") and row.get("field")]
        answer: dict[str, Any] = {
            "rev": rev,
            "of": None,
            "problems": {},
            "travel": {},
            "basis": "",
            "error": {},
            "python": self._python(),
        }
        try:
            known = {one["name"] for one in self.facts["columns"]}
            want = self._want({line.column for line in lines if line.column in known})
            answer["of"] = want.num_rows
            for one in problems(want, lines, self._custom, self._tally):
                # `want` has only the columns in use; what comes nearest is looked for among all.
                near = nearest(lines[one.line - 1].column, sorted(known)) if one.column else one.fixes
                answer["problems"][ids[one.line - 1]] = {
                    "message": one.message,
                    "people": one.people,
                    "fixes": list(near),
                    "side": "column" if one.column else "field",
                }
            for row, line in zip(ids, lines, strict=True):
                if line.column in known:
                    answer["travel"][row] = self._travels(line.column)
            if self.make and not self.basis.strip():
                answer["basis"] = "State on what basis, in a sentence: how they agreed."
            if self.make:
                answer["unmade"] = want.num_rows - self._travels("email")
        except Exception as error:  # a view that only waits would say nothing
            answer["error"] = told(error)
        self.answers = answer

    def _want(self, columns: set[str]) -> pa.Table:
        if self._kept is None or not columns <= set(self._kept.column_names):
            people = self._kept = self._people(sorted(columns))
            self._tally = cache(lambda column: tally(people.column(column)))
            self._travels = cache(lambda column: travels(people.column(column)))
        return self._kept

    def _python(self) -> str:
        if not self.mapping and not self.make:
            return "Policy()"
        lines = "".join(
            f"    MapLine({line.column!r}, {line.field!r}{', blank=True' if line.blank else ''}),\n"
            for line in self.mapping
        )
        parts = [f"mapping=(\n{lines})"] if lines else []
        parts += [f"create_contacts=True, basis={self.basis.strip()!r}"] if self.make else []
        return f"Policy({', '.join(parts)})"

    def static_html(self) -> Html:
        facts, answers = self.facts, self.answers
        parts = [
            head(
                "Field mapping",
                _pill(answers, len(self.mapping)),
                join("audience ", tag("b", facts["audience"])),
            ),
            places(facts),
        ]
        if answers["error"]:
            parts.append(note("bad", answers["error"]["message"], answers["error"]["where"]))
        rows = []
        for row in self.rows:
            wrong = answers["problems"].get(row["id"])
            count = answers["travel"].get(row["id"])
            said = f"{number(count)} of {number(answers['of'])} have a value" if count is not None else ""
            whom = counted(wrong["people"], "person") if wrong and wrong["people"] else ""
            words = join(pill("bad", wrong["message"]), " ", whom) if wrong else said
            empty = "empties the field" if row.get("blank") else "is left out"
            rows.append((tag("code", row["column"] or "–"), tag("code", row["field"] or "–"), empty, words))
        body = (
            table(("Field of the profile", "iContact's field", "No value", "People"), rows)
            if rows
            else tag(
                "p", "No field travels: people who are in iContact go by their contact id alone.", cls="muted"
            )
        )
        parts.append(panel("What travels with people", body))
        return root(*parts, name="Field mapping")


def _pill(answers: Mapping[str, Any], lines: int) -> Html:
    wrong = len(answers["problems"]) + bool(answers["basis"])
    if answers["error"] or wrong:
        return pill("bad", f"{wrong or 1} to fix")
    return (
        pill("ok", f"{lines} {'field travels' if lines == 1 else 'fields travel'}")
        if lines
        else pill("", "By contact id alone")
    )


def _targets(custom: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the fields that may be written, the contact's own first."""
    own = [
        {"name": name, "words": LABELS.get(name, name), "group": "Contact", "limit": LONGEST.get(name)}
        for name in CONTACT_FIELDS
    ]
    rest = [
        {
            "name": str(row["privateName"]),
            "words": mask.plain(row.get("publicName") or row["privateName"]),
            "group": "Custom",
            "limit": None,
            "kind": str(row.get("fieldType") or "text"),
        }
        for row in custom
    ]
    return own + sorted(rest, key=lambda one: str(one["words"]).casefold())
