"""The profile recomputed in plain Python from the raw rows, one person at a time, without any SQL of icx."""

from __future__ import annotations

import calendar
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from icx.functions import email, emaildomain, url_key

RENAMED = {
    "prefix": "prefix",
    "first_name": "first_name",
    "last_name": "last_name",
    "suffix": "suffix",
    "street": "street_address",
    "street_line_2": "address_2",
    "city": "city",
    "state": "region",
    "postal_code": "postal_code",
    "phone": "phone",
    "fax": "fax",
    "business": "ic_business",
    "status": "ic_status",
    "bounce_count": "ic_bounce_count",
    "create_date": "ic_user_created",
}
KINDS = {"open": "opens", "click": "clicks", "bounce": "bounces"}
Row = dict[str, Any]


def rows(con: Any, table: str) -> list[Row]:
    found = con.execute(f"select * from {table}")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def people(con: Any, as_of: datetime, zone: str, links: int = 3, seconds: int = 10) -> dict[int, Row]:
    """Return the profile of everybody not gone, by contact id; `as_of` is naive UTC."""
    activity = [e for e in rows(con, "icontact_activity") if e["event_ts"] < as_of]
    sends = [s for s in rows(con, "sends") if s["released_at"] is not None and s["released_at"] < as_of]
    subscriptions, changes = rows(con, "subscriptions"), rows(con, "changes")
    return {
        user["id"]: person(
            user,
            [e for e in activity if e["contact_id"] == user["id"]],
            sends,
            [s for s in subscriptions if s["contact_id"] == user["id"]],
            [c for c in changes if c["contact_id"] == user["id"] and c["entity"] == "subscription"],
            as_of,
            ZoneInfo(zone),
            (links, timedelta(seconds=seconds)),
        )
        for user in rows(con, "icontact_users")
        if user["gone_at"] is None
    }


def person(
    user: Row,
    events: list[Row],
    sends: list[Row],
    subscriptions: list[Row],
    changes: list[Row],
    as_of: datetime,
    zone: ZoneInfo,
    machine: tuple[int, timedelta],
) -> Row:
    out: Row = {"contact_id": user["id"], "ic_contact_id": str(user["id"])}
    out |= {"email": email(user["email"]), "email_domain": emaildomain(user["email"])}
    out |= {new: user[old] for old, new in RENAMED.items()}

    times = {
        k: sorted(e["event_ts"] for e in events if e["event_type"] == k) for k in (*KINDS, "unsubscribe")
    }
    marked = [machine_made(e, events, sends, *machine) for e in events]
    human = [e for e, is_machine in zip(events, marked, strict=True) if not is_machine]
    out["email_bouncect"] = len(times["bounce"])
    out["email_click_ct"] = len(times["click"])
    out["email_open_ct"] = len(times["open"])
    out["email_unsubscribect"] = len(times["unsubscribe"])
    for kind, word in (
        ("click", "_click"),
        ("open", "_open"),
        ("bounce", "bounce"),
        ("unsubscribe", "unsubscribe"),
    ):
        out[f"email_last{word}_ts"] = times[kind][-1] if times[kind] else None
        out[f"email_first{word}_ts"] = times[kind][0] if times[kind] else None
    active = max(times["open"] + times["click"] + times["unsubscribe"], default=None)
    out["last_active_ts"] = active
    out["last_channel_activities"] = {"email": active} if active else None
    out["channels"] = ["email"] if active else None
    out["hashedurls"] = count(url_key(e["event_url"]) for e in events if e["event_url"])

    for days in (7, 30, 90, 365):
        start = as_of - timedelta(hours=24 * days)
        for kind, word in KINDS.items():
            out[f"{word}_{days}d"] = number(events, kind, start)
            if kind != "bounce":
                out[f"{word}_{days}d_human"] = number(human, kind, start)
    start = as_of - timedelta(days=90)
    for kind, done in (("open", "opened"), ("click", "clicked")):
        out[f"messages_{done}_90d"] = len({e["message_id"] for e in chosen(events, kind, start)})
        out[f"messages_{done}_90d_human"] = len({e["message_id"] for e in chosen(human, kind, start)})
        out[f"email_{kind}_ct_human"] = number(human, kind)
        out[f"likely_machine_{kind}s"] = number(events, kind) - number(human, kind)
        mine = chosen(events, kind)
        out[f"{kind}s_by_message"] = count(str(e["message_id"]) for e in mine)
        local = [e["event_ts"].replace(tzinfo=UTC).astimezone(zone) for e in mine]
        out[f"{kind}_hours"] = count(str(e["event_ts"].hour) for e in mine)
        out[f"{kind}_hours_local"] = count(str(t.hour) for t in local)
        out[f"{kind}_hours_of_week"] = count(hour_of_week(e["event_ts"]) for e in mine)
        out[f"{kind}_hours_of_week_local"] = count(hour_of_week(t) for t in local)
    engaged = max((e["event_ts"] for e in human if e["event_type"] in {"open", "click"}), default=None)
    out["last_engaged_ts"] = engaged

    got = [s for s in sends if received(s, sends, subscriptions, changes, events, excluding=False)]
    recent = [s for s in got if s["released_at"] >= start]
    recent = [s for s in recent if received(s, sends, subscriptions, changes, events, excluding=True)]
    out["received_90d"] = len({s["send_id"] for s in recent})
    out["ever_mailed"] = bool(got or events)
    out["open_rate_90d"] = ratio(out["messages_opened_90d"], out["received_90d"])
    out["click_rate_90d"] = ratio(out["messages_clicked_90d"], out["received_90d"])
    out["click_to_open_90d"] = ratio(out["messages_clicked_90d"], out["messages_opened_90d"])
    out["engagement_tier"] = tier(engaged, out["ever_mailed"], as_of)
    out["days_since_last_open"] = (as_of - times["open"][-1]).days if times["open"] else None
    out["days_since_last_active"] = (as_of - active).days if active else None
    return out


def machine_made(event: Row, events: list[Row], sends: list[Row], links: int, span: timedelta) -> bool:
    """Say whether an open or click is likely a machine's."""
    if event["event_type"] not in {"open", "click"}:
        return False
    for send in sends:
        if send["message_id"] == event["message_id"]:
            delay = event["event_ts"] - send["released_at"]
            if timedelta(0) <= delay <= span:
                return True
    if event["event_type"] == "open" or event["event_url"] is None:
        return False
    clicks = [
        e
        for e in events
        if e["event_type"] == "click"
        and e["message_id"] == event["message_id"]
        and e["event_url"] is not None
    ]
    for last in clicks:  # every span of that length that ends with a click and holds this one
        if last["event_ts"] - span <= event["event_ts"] <= last["event_ts"]:
            inside = {
                e["event_url"] for e in clicks if last["event_ts"] - span <= e["event_ts"] <= last["event_ts"]
            }
            if len(inside) >= links:
                return True
    return False


def held_at(
    list_id: int, moment: datetime, sends: list[Row], state: tuple[list[Row], list[Row], list[Row]]
) -> bool:
    """Say whether a list held the person as normal at a moment, as far as anything is known."""
    subscriptions, changes, events = state
    mine = [s for s in subscriptions if s["list_id"] == list_id]
    since = (mine[0]["add_date"] if mine else None) or datetime(1970, 1, 1)  # noqa: DTZ001
    steps = sorted((c for c in changes if c["list_id"] == list_id), key=lambda c: c["happened_at"])
    if steps:
        timeline = [(since, steps[0]["old"] or steps[0]["new"])]
        timeline += [(s["happened_at"], s["new"]) for s in steps if s["old"] is not None or s is not steps[0]]
        timeline.sort(key=lambda at: at[0])
        known = [status for at, status in timeline if at <= moment]
        return bool(known) and known[-1] == "normal"
    if not mine or moment < since:
        return False
    if mine[0]["status"] == "unsubscribed":
        left = [
            e["event_ts"] for e in events if e["event_type"] == "unsubscribe" and names(e, list_id, sends)
        ]
        return bool(left) and moment < max(left)
    return bool(mine[0]["status"] == "normal")


def names(event: Row, list_id: int, sends: list[Row]) -> bool:
    lists = {
        one for s in sends if s["message_id"] == event["message_id"] for one in s["include_list_ids"] or []
    }
    return list_id in lists or not lists


def received(
    send: Row, sends: list[Row], subs: list[Row], changes: list[Row], events: list[Row], *, excluding: bool
) -> bool:
    state = (subs, changes, events)
    held = any(held_at(one, send["released_at"], sends, state) for one in send["include_list_ids"] or [])
    out = any(held_at(one, send["released_at"], sends, state) for one in send["exclude_list_ids"] or [])
    return held and not (excluding and out)


def tier(engaged: datetime | None, mailed: bool, as_of: datetime) -> str:
    if engaged is None:
        return "never_engaged" if mailed else "never_mailed"
    for days in (30, 60, 90):
        if engaged >= as_of - timedelta(days=days):
            return f"engaged_{days}"
    return "lapsed"


def chosen(events: list[Row], kind: str, start: datetime | None = None) -> list[Row]:
    return [e for e in events if e["event_type"] == kind and (start is None or e["event_ts"] >= start)]


def number(events: list[Row], kind: str, start: datetime | None = None) -> int:
    return len(chosen(events, kind, start))


def count(keys: Any) -> dict[str, int] | None:
    return dict(Counter(key for key in keys if key is not None)) or None


def ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def hour_of_week(moment: datetime) -> str:
    """Hours since Sunday 0:00, by the calendar module rather than by DuckDB's dayofweek."""
    weekday = calendar.weekday(moment.year, moment.month, moment.day)  # Monday is 0
    return str((weekday + 1) % 7 * 24 + moment.hour)
