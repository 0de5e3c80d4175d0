"""What a plan says, as values: one source for the page a notebook keeps and for the view one clicks in.

Both show these words in this order; neither computes anything. There are no people in it but a few with masked
addresses, so it may be saved with a notebook.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from icx import mask
from icx.clock import aware_utc
from icx.look.page import number
from icx.look.when import moment
from icx.plan.questions import stop_words
from icx.plan.refusals import known
from icx.plan.text import acts
from icx.plan.words import calls, duration, people, reason
from icx.words import counted

if TYPE_CHECKING:
    from icx.plan.match import Target
    from icx.plan.plan import Plan

SAMPLE = 3  # people shown of each reason before anything is opened
BY_CHOICE = {
    "no_id": "a plan with create_contacts would make them",
    "pending": "a plan with invite would ask them",
    "invitable": "a plan with invite would ask them",
}
MORE = {
    "left_this_list": "unsubscribed from it",
    "do_not_contact": "holds for the whole folder",
    "said_no": "holds for every list",
} | BY_CHOICE
ALWAYS = {
    "left_this_list": "left this list",
    "do_not_contact": "do-not-contact",
    "bounced": "bounced",
    "deleted": "deleted",
    "gone": "gone",
}
Said = dict[str, Any]


@dataclass(frozen=True)
class Times:
    """Times as one view writes them, all in its zone; `look.when` says how a moment is written."""

    zone: str
    now: datetime

    def day(self, when: datetime, *, zone: bool = False) -> str:
        name = f" {when.astimezone(ZoneInfo(self.zone)):%Z}" if zone else ""
        return moment(when, self.now, self.zone) + name

    def clock(self, when: datetime) -> str:
        return f"{when.astimezone(ZoneInfo(self.zone)):%H:%M:%S}"

    def near(self, when: datetime) -> str:
        """The time of day when it is today, else with the day."""
        local, now = when.astimezone(ZoneInfo(self.zone)), self.now.astimezone(ZoneInfo(self.zone))
        return f"{local:%H:%M}" if local.date() == now.date() else self.day(when)


def view(plan: Plan, now: datetime | None = None) -> Said:
    """Return what the plan says: places, numbers, refusals, checks, questions, cost, what the button does."""
    times = Times(plan.zone, now or plan.made_at)
    plan = _placed(plan)
    return {
        "id": plan.plan_id,
        "title": title(plan),
        "crumbs": _crumbs(plan, times),
        "places": _places(plan),
        "tiles": _tiles(plan),
        "shift": _shift(plan),
        "refused": _refused(plan, times),
        "checks": _checks(plan),
        "stops": [stop_words(stop, plan) for stop in plan.stops],
        "cost": _cost(plan),
        "does": does(plan),
        "mail": _mail(plan),
        "undo_of": plan.policy.undo_of,
        "zone": plan.zone,
    }


def _placed(plan: Plan) -> Plan:
    """A list that the apply has made meanwhile has its id in the journal."""
    if plan.target.list_id is not None or plan.plans is None:
        return plan
    made = plan.plans.get(plan.plan_id).place.list_id
    return replace(plan, target=replace(plan.target, list_id=made)) if made is not None else plan


def title(plan: Plan) -> str:
    """Return what the plan is for, as a heading."""
    if plan.policy.undo_of:
        return f"Plan: take {plan.policy.undo_of} back"
    if plan.policy.retry_of:
        return f"Plan: try again whom {plan.policy.retry_of} did not get through"
    if plan.target.create and plan.target.list_id is None:
        return "Plan: make a list and add people"
    return "Plan: add people to a list"


def does(plan: Plan) -> Said | None:
    """Return what the button does, with its number; None when there is nothing to do."""
    if not acts(plan):
        return None
    counts = plan.counts
    adding = counts.add + counts.create
    verbs = [
        (adding, "add", "Add", ""),
        (counts.park, "move", "Move", f" away to “{mask.plain(plan.policy.parking_list)}”"),
        (counts.unsubscribe, "unsubscribe", "Unsubscribe", ""),
    ]
    chosen = [one for one in verbs if one[0]]
    if not chosen and plan.updates:
        chosen = [(plan.updates, "send fields of", "Send fields of", "")]
    if not chosen:
        chosen = [(0, "make the list", "Make the list", "")]
    short = ", ".join(f"{verb} {count:,}" if count else verb for count, verb, _, _ in chosen)
    count, _, verb, way = chosen[0]
    to = f"“{mask.plain(plan.target.list)}” ({_list_id(plan)}), {_folder(plan)}"
    joint = "to" if verb == "Add" else "of" if verb.startswith("Send") else "from"
    head = f"{verb} {people(count)} {joint} {to}" if count else f"{verb} {to}"
    more = "".join(f"; {verb.lower()} {people(count)}{way}" for count, _, verb, way in chosen[1:])
    return {
        "headline": head + way + more,
        "sub": "The list and the people are read again first. It may do less than shown, never more.",
        "button": f"Apply: {short}",
    }


def _crumbs(plan: Plan, times: Times) -> list[list[str]]:
    crumbs = [
        ["audience ", mask.plain(plan.audience), f", {people(plan.counts.wanted)}"],
        [f"profile of {times.day(plan.as_of, zone=True)}", "", ""],
        [f"list read {times.near(plan.made_at)}", "", ""],
        [f"plan {plan.plan_id}", "", ""],
    ]
    if plan.policy.retry_of:
        gone = plan.policy.tried - plan.counts.wanted - plan.counts.park - plan.counts.unsubscribe
        left = f"; {number(gone)} no longer in the audience" if gone > 0 else ""
        crumbs[0] = [
            f"{people(plan.policy.tried)} refused with {plan.policy.retry_of}, audience ",
            mask.plain(plan.audience),
            left,
        ]
    if plan.policy.undo_of:
        crumbs[0] = ["the way back of ", plan.policy.undo_of, ""]
        del crumbs[1]
        crumbs[1][0] = f"list read {times.day(plan.made_at, zone=True)}"
    return crumbs


def _folder(plan: Plan) -> str:
    return mask.plain(plan.target.folder) or f"folder {plan.target.client_folder_id}"


def _list_id(plan: Plan) -> str:
    return "to be made" if plan.target.list_id is None else f"#{plan.target.list_id}"


def place_boxes(target: Target) -> list[Said]:
    """Return company, folder and list with their ids, as every view of a push names them."""
    company = mask.plain(target.company) or f"account {target.account_id}"
    folder = mask.plain(target.folder) or f"folder {target.client_folder_id}"
    list_id = "" if target.list_id is None else f"#{target.list_id}"
    return [
        {"label": "Company", "name": company, "id": f"#{target.account_id}", "subject": False},
        {"label": "Client folder", "name": folder, "id": f"#{target.client_folder_id}", "subject": False},
        {"label": "List", "name": mask.plain(target.list), "id": list_id, "subject": True},
    ]


def _places(plan: Plan) -> list[Said]:
    boxes = place_boxes(plan.target)
    boxes[2]["id"] = _list_id(plan)
    return boxes


def _tiles(plan: Plan) -> list[Said]:
    counts, policy = plan.counts, plan.policy
    adding = counts.add + counts.create
    staying = counts.stale - counts.park - counts.unsubscribe
    new = "new on this list" if not policy.undo_of else "come back to this list"
    new = f"of them {number(counts.create)} new contacts" if counts.create else new
    new = f"of them {number(counts.pending)} asked to confirm" if counts.pending else new
    if policy.stale == "park":
        stale = f"move to “{mask.plain(policy.parking_list)}”"
        stale += f"; {number(staying)} cannot be moved" if staying else ""
    elif policy.stale == "unsubscribe":
        stale = "no longer match; unsubscribed for good"
    else:
        stale = "no longer match; left on the list"
    reasons = len(plan.refused)
    tiles: list[Said] = [
        {"label": "Add", "value": adding, "sub": new, "swatch": "add"},
        {"label": "Keep", "value": counts.keep, "sub": "members already", "swatch": "keep"},
        {
            "label": "Taken back" if policy.undo_of else "Stale",
            "value": counts.stale,
            "sub": stale,
            "swatch": "stale",
        },
        {
            "label": "Refused",
            "value": counts.refused,
            "sub": f"for {reasons} {'reason' if reasons == 1 else 'reasons'}, below" if reasons else "nobody",
            "swatch": "refused",
        },
    ]
    if policy.undo_of and not adding:
        tiles.insert(0, tiles.pop(2))
    tiles[0]["big"] = True
    return tiles


def _shift(plan: Plan) -> Said:
    """Two bars on one scale: the audience, and the list it makes; add and keep lie under each other."""
    counts = plan.counts
    adding = counts.add + counts.create
    staying = counts.stale - counts.park - counts.unsubscribe
    held = counts.members - counts.stale  # members who are wanted, also where `keep` holds more than members
    audience: list[list[Any]] = [["refused", counts.refused], ["add", adding], ["keep", counts.keep]]
    after: list[list[Any]] = [["gap", counts.refused], ["add", adding], ["keep", held], ["stale", staying]]
    scale = max(*(sum(n for _, n in parts) for parts in (audience, after)), 1)
    leaving = counts.park + counts.unsubscribe
    if plan.policy.undo_of and not adding:
        today: list[list[Any]] = [["keep", held], ["stale", counts.stale]]
        stay: list[list[Any]] = [["keep", held], ["stale", staying]]
        return {
            "label": f"List today {number(counts.members)}: {number(held)} stay, {number(leaving)} are taken back."
            f" List after: {number(counts.after)}.",
            "scale": max(counts.members, 1),
            "rows": [
                {"name": "List today", "total": counts.members, "parts": today, "side": ""},
                {"name": "List after", "total": counts.after, "parts": stay, "side": f"{number(-leaving)}"},
            ],
        }
    label = (
        f"Audience {number(counts.wanted)}: {number(counts.refused)} refused, {number(adding)} add,"
        f" {number(counts.keep)} keep. List after: {number(adding)} added, {number(held)} kept,"
        f" {number(staying)} stale, {number(counts.after)} in all; today {number(counts.members)}."
    )
    return {
        "label": label,
        "scale": scale,
        "rows": [
            {
                "name": "Tried again" if plan.policy.retry_of else "Audience",
                "total": counts.wanted,
                "parts": audience,
                "side": "everyone decided",
            },
            {
                "name": "List after",
                "total": counts.after,
                "parts": after,
                "side": f"today {number(counts.members)}",
            },
        ],
    }


def _refused(plan: Plan, times: Times) -> Said:
    where = plan.plans.refused(plan.plan_id) if plan.plans is not None and plan.refused else {}
    reasons = []
    for code, count in plan.refused.items():
        some = []
        if plan.plans is not None and code in where:
            some = plan.plans.some(plan.plan_id, where[code][:SAMPLE].to_pylist()).to_pylist()
        reasons.append(
            {
                "code": code,
                "title": reason(code)[:1].upper() + reason(code)[1:],
                "sub": MORE.get(code, people(count)),
                "count": count,
                "people": [person(row, times) for row in some],
            }
        )
    none = [words for code, words in ALWAYS.items() if code not in plan.refused]
    return {
        "total": plan.counts.refused,
        "side": "consent rules · there is no override",
        "reasons": reasons,
        "none": (", ".join(none)[:1].upper() + ", ".join(none)[1:]) if none else "",
    }


def person(row: Said, times: Times, *, show: bool = False) -> Said:
    """Return one refused person: who, the address (masked unless shown), what is known, and since when."""
    return {
        "who": f"#{row['contact_id']}" if row["contact_id"] is not None else "no id",
        "address": mask.plain(row["email"] or "no address") if show else mask.address(row["email"]),
        "told": known(row["source"], row["message_id"]),
        "when": times.day(aware_utc(row["fact_at"])) if row["fact_at"] else "",
    }


def _checks(plan: Plan) -> Said:
    checks = plan.checks
    used = list(checks.get("uses", {}).get("columns", []))
    fields = ", ".join(sorted({"email", *map(str, used)}))
    override = checks.get("override")
    if checks["ok"] is None:
        words = "Taking back uses no field." if plan.policy.undo_of else "No check was asked for."
        return {"kind": "", "words": "Not asked for", "lines": [], "fields": words}
    if checks["ok"]:
        return {"kind": "ok", "words": "Passed", "lines": [], "fields": f"{fields}: all pass, for this build"}
    lines = [{"kind": "bad", "name": str(one), "text": "did not pass"} for one in checks["failed"]]
    lines += [
        {"kind": "warn", "name": str(one), "text": "has not judged this data"} for one in checks["stale"]
    ]
    if override:
        who, because = (
            mask.plain(override.get("who", "somebody")),
            mask.plain(mask.addresses_in(override.get("because", ""))),
        )
        lines.append({"kind": "warn", "name": f"Overridden by {who}:", "text": because or "no reason given"})
        return {"kind": "warn", "words": "Overridden", "lines": lines, "fields": f"used: {fields}"}
    return {
        "kind": "bad",
        "words": "Not good enough to send",
        "lines": lines,
        "fields": f"used: {fields}",
    }


def _cost(plan: Plan) -> Said:
    left = f"of {number(plan.calls_left)} calls left this hour" if plan.calls_left is not None else ""
    return {
        "lines": [[what[:1].upper() + what[1:], calls(count)] for what, count in plan.cost.lines],
        "calls": calls(plan.cost.calls),
        "time": duration(plan.cost.hours),
        "left": left,
    }


def _mail(plan: Plan) -> str:
    parts = []
    if plan.welcome:
        parts.append(counted(plan.welcome, "welcome message"))
    if plan.counts.pending:
        parts.append(counted(plan.counts.pending, "confirmation message"))
    said = f"The list mails {' and '.join(parts)}" if parts else "The list sends no welcome"
    return f"{said}. Automations cannot be read through the API: look in iContact."
