"""The panels of the overview: what is stored, how it grew, who opens, and what was pushed."""

from __future__ import annotations

from collections.abc import Sequence

from icx.look.charts import sparkline
from icx.look.lines import growth, legend, lines, stacked, strip
from icx.look.page import Html, bar, columns, fold, icon, join, number, panel, share, table, tag, tiles
from icx.look.when import ago, moment
from icx.workspace.attention import capital, odd
from icx.workspace.overview import Overview, Picture, Push, Week

MESSAGES = 60  # of the ledger's strips

STATES = {
    "mailable": ("may be mailed", "b"),
    "asked": ("asked, not confirmed yet", "bm"),
    "on no list": ("on no list", "tr"),
    "unsubscribed": ("left every list", "g"),
    "donotcontact": ("do-not-contact", "badf"),
    "bounced": ("bounced", "g"),
}
TIERS = (
    ("engaged_30", "engaged, 30 days", "b"),
    ("engaged_60", "engaged, 60 days", "b2"),
    ("engaged_90", "engaged, 90 days", "bm"),
    ("lapsed", "lapsed", "g"),
    ("never_engaged", "never engaged", "g2"),
    ("never_mailed", "never mailed", "tr"),
)


def tiles_panel(picture: Picture) -> Html:
    weeks = picture.weeks
    month = weeks[-1].size - weeks[-5].size
    engaged: Html | str
    if picture.tiers or picture.built_of is not None:
        engaged = _tile(
            "Engaged, 90 days",
            number(picture.engaged),
            f"{share(picture.engaged, picture.contacts)}, machines left out",
            [one.opens + one.clicks for one in weeks],
            "opens and clicks a week",
        )
    else:
        engaged = _tile("Engaged, 90 days", "–", "known once a profile is built", [], "")
    left = sum(one.unsubscribes for one in weeks[-4:])
    return tiles(
        _tile(
            "Contacts",
            number(picture.contacts),
            f"{'+' if month > 0 else ''}{number(month)} in 4 weeks",
            [o.size for o in weeks],
            "contacts a week",
        ),
        _tile(
            "May be mailed",
            number(picture.mailable),
            f"{share(picture.mailable, picture.contacts)} of contacts",
            [],
            "",
        ),
        Html(engaged),
        _tile(
            "Unsubscribed, 4 weeks",
            number(left),
            f"{share(left, picture.contacts)} of contacts",
            [one.unsubscribes for one in weeks],
            "unsubscribes a week",
        ),
    )


def _tile(label: str, value: str, words: str, trend: Sequence[int], of: str) -> Html:
    drawn = sparkline(trend, f"{of}, {len(trend)} weeks, now {number(trend[-1])}") if any(trend) else ""
    return tag(
        "div",
        tag("span", label, cls="label"),
        tag("div", tag("b", value), drawn, cls="with"),
        tag("span", words, cls="sub"),
        cls="tile",
    )


def growth_panel(weeks: Sequence[Week]) -> Html:
    if not any(one.joined or one.left for one in weeks):
        return panel("Growth, per week", tag("p", "Nobody joined or left in half a year.", cls="muted small"))
    days = [one.day for one in weeks]
    drawn = growth(days, [one.joined for one in weeks], [one.left for one in weeks], height=158)
    rows = [
        (f"{one.day:%-d %b %Y}", number(one.joined), number(one.left), number(one.size))
        for one in reversed(weeks)
    ]
    numbers = fold("Numbers", table(("Week of", "Joined", "Left", "Contacts"), rows, (1, 2, 3)))
    return panel(
        "Growth, per week", drawn, numbers, right=legend(("b", "joined"), ("g", "unsubscribed or gone"))
    )


def engagement_panel(weeks: Sequence[Week]) -> Html:
    if not any(one.opens or one.machines or one.clicks for one in weeks):
        return panel(
            "Engagement, per week", tag("p", "Nobody opened or clicked in half a year.", cls="muted small")
        )
    days = [one.day for one in weeks]
    drawn = lines(
        days, [one.opens for one in weeks], [one.machines for one in weeks], [one.clicks for one in weeks]
    )
    rows = [
        (
            f"{one.day:%-d %b %Y}",
            *(number(n) for n in (one.opens, one.machines, one.clicks, one.bounces, one.unsubscribes)),
        )
        for one in reversed(weeks)
    ]
    heads = ("Week of", "Opens", "Likely machines", "Clicks", "Bounces", "Unsubscribes")
    small = join(
        *(
            tag(
                "span",
                sparkline(values, f"{words} a week, now {number(values[-1])}", width=60, height=18),
                f"{number(sum(values))} {words}",
                cls="said",
            )
            for words, values in (
                ("bounces", [one.bounces for one in weeks]),
                ("unsubscribes", [one.unsubscribes for one in weeks]),
            )
        )
    )
    numbers = fold("Numbers", wide(table(heads, rows, (1, 2, 3, 4, 5))))
    right = "grey: likely machines" if any(one.machines for one in weeks) else f"{len(weeks)} weeks"
    return panel("Engagement, per week", drawn, tag("div", small, cls="foot"), numbers, right=right)


def freshness_panel(seen: Overview, picture: Picture) -> Html:
    book = picture.ledger
    rows: list[tuple[object, object, object]] = []
    for names, words in (
        (("contacts",), "Contacts"),
        (("subscriptions",), "Subscriptions"),
        (("lists",), "Lists"),
        (("messages", "sends"), "Messages, sends"),
    ):
        cells = [cell for cell in (book.cell(name) for name in names) if cell is not None]
        if not cells:
            continue
        bad = any(cell.state == "unequal" for cell in cells)
        due = any(cell.colour == "amber" and cell.state != "explained" for cell in cells)
        moments = [cell.verified_at for cell in cells if cell.verified_at]
        said = ago(min(moments), seen.now, seen.zone) if moments else "not read"
        shape = "bad" if bad else "clock" if due else "ok"
        rows.append((words, " · ".join(number(cell.stored) for cell in cells), _with(shape, said)))
    events = [cell for cell in book.cells if cell.unit.is_events]
    due_ = sum(cell.state in ("due", "provisional") for cell in events)
    if events:
        rows.append(
            (
                "Events",
                number(book.events),
                _with("clock", f"{number(due_)} counts due") if due_ else _with("ok", "all verified"),
            )
        )
    if picture.built_at is not None:
        fresh = picture.built_of is not None and picture.built_of >= picture.pulled_at
        rows.append(
            (
                "Profile",
                number(picture.people),
                _with("ok" if fresh else "warn", f"built {ago(picture.built_at, seen.now, seen.zone)}"),
            )
        )
    else:
        rows.append(("Profile", "–", "not built yet"))
    now = [one for one in picture.verdicts if one.current]
    if now:
        bad_ = sum(not one.ok for one in now)
        words = (
            f"{bad_} did not pass"
            if bad_
            else f"passed {ago(max(one.ran_at for one in now), seen.now, seen.zone)}"
        )
        rows.append(("Checks", number(len(now)), _with("bad" if bad_ else "ok", words)))
    else:
        rows.append(("Checks", "–", "not run on this data"))
    body = [tag("tr", tag("td", a), tag("td", b, cls="num"), tag("td", c)) for a, b, c in rows]
    return panel("Freshness", tag("table", tag("tbody", *body)))


def ledger_panel(picture: Picture) -> Html:
    book = picture.ledger
    by: dict[str, dict[int, str]] = {}
    totals: dict[str, int] = {}
    for cell in book.cells:
        if cell.unit.message_id is not None:
            by.setdefault(cell.unit.collection, {})[cell.unit.message_id] = cell.state
            totals[cell.unit.collection] = totals.get(cell.unit.collection, 0) + cell.stored
    ids = sorted({message for states in by.values() for message in states})[-MESSAGES:]
    rows = []
    for kind in ("opens", "clicks", "bounces", "unsubscribes"):
        states = [by.get(kind, {}).get(message, "none") for message in ids]
        unequal, open_ = (
            states.count("unequal"),
            sum(s in ("due", "provisional", "explained") for s in states),
        )
        label = f"{kind}: {unequal} unequal, {open_} due or explained, of {len(ids)} messages"
        rows += [
            tag("span", capital(kind)),
            strip(states, label, places=max(len(ids), 20)),
            tag("span", number(totals.get(kind, 0)), cls="num muted"),
        ]
    if not ids:
        return panel("Ledger", tag("p", "Contacts and lists only; no events are read.", cls="small muted"))
    what = legend(("okb", "equal"), ("expf", "explained"), ("duef", "due"), ("badf", "unequal"))
    total = tag(
        "p",
        f"{number(book.of_listed)} events of listed people + {number(book.of_unknown)} of others = ",
        tag("b", f"{number(book.events)} stored", cls="k"),
        cls="small muted",
        style="padding-top:10px",
    )
    return panel(f"Ledger, last {len(ids)} messages", tag("div", *rows, cls="lstrip"), total, right=what)


def domains_panel(picture: Picture) -> Html:
    if not picture.domains:
        words = "No domain with five people or more." if picture.contacts else "No contacts yet."
        return panel("Top domains", tag("p", words, cls="small muted"))
    most = max(one.people for one in picture.domains)
    people, opened = sum(o.people for o in picture.domains), sum(o.opened or 0 for o in picture.domains)
    rows = []
    for one in picture.domains:
        quiet = people > 0 and opened / people >= 0.05 and odd(one, opened / people)
        rate: object = "–" if one.opened is None else share(one.opened, one.people)
        rows.append(
            tag(
                "tr",
                tag("td", one.name, cls="name", title=one.name),
                tag("td", bar(100 * one.people / most, f"{number(one.people)} contacts")),
                tag("td", number(one.people), cls="num"),
                tag(
                    "td", tag("span", icon("warn"), tag("b", rate), cls="said") if quiet else rate, cls="num"
                ),
            )
        )
    heads = columns(("Domain", ""), ("", ""), ("Contacts", "num"), ("Opened 90 d", "num"))
    return panel(
        "Top domains", tag("table", heads, tag("tbody", *rows), cls="domains"), right="of five people or more"
    )


def consent_panel(picture: Picture) -> Html:
    order = [*STATES, *sorted(set(picture.states) - set(STATES))]
    parts = [
        (words, picture.states[one], cls)
        for one in order
        for words, cls in (STATES.get(one, (f"contact {one}", "g")),)
        if picture.states.get(one)
    ]
    if not parts:
        return panel("May they be mailed?", tag("p", "No contacts yet.", cls="small muted"))
    said = [
        tag(
            "span",
            tag("i", cls=f"sw {cls}"),
            f"{words} ",
            tag("b", number(count), cls="k"),
            f" {share(count, picture.contacts)}",
        )
        for words, count, cls in parts
    ]
    whole = f"of {number(picture.contacts)} contacts"
    return panel("May they be mailed?", stacked(parts), tag("div", *said, cls="legend below"), right=whole)


def tiers_panel(seen: Overview, picture: Picture) -> Html:
    if not picture.tiers:
        call = f'ws.build("{seen.saved.name}")' if seen.saved else "ws.build()"
        return panel(
            "Engagement tiers",
            tag("p", "Known once a profile is built: ", tag("code", call), cls="small muted"),
        )
    parts = [(words, picture.tiers[key], cls) for key, words, cls in TIERS if picture.tiers.get(key)]
    known = {key for key, _, _ in TIERS}
    parts += [(key, count, "g") for key, count in sorted(picture.tiers.items()) if key not in known]
    return _shares("Engagement tiers", parts, sum(picture.tiers.values()), "people")


def _shares(title: str, parts: Sequence[tuple[str, int, str]], whole: int, of: str) -> Html:
    if not parts:
        return panel(title, tag("p", "No contacts yet.", cls="small muted"))
    rows = [
        tag(
            "tr",
            tag("td", tag("span", tag("i", cls=f"sw {cls}"), words, cls="said")),
            tag("td", number(count), cls="num"),
            tag("td", share(count, whole), cls="num muted"),
        )
        for words, count, cls in parts
    ]
    return panel(title, stacked(parts), tag("table", tag("tbody", *rows)), right=f"of {number(whole)} {of}")


def lists_panel(picture: Picture) -> Html:
    if not picture.lists:
        return panel("Lists", tag("p", "The account has no list yet.", cls="small muted"))
    rows = []
    for one in picture.lists:
        mails = (
            tag(
                "span",
                icon("mail", "adding somebody mails a welcome"),
                title="adding somebody mails a welcome",
            )
            if one.welcome
            else ""
        )
        rows.append(
            tag(
                "tr",
                tag("td", one.name, " ", mails, cls="name", title=one.name),
                tag("td", f"#{one.list_id}", cls="mono muted hide-n"),
                tag("td", number(one.members), cls="num"),
                tag("td", number(one.pending), cls="num muted"),
                tag("td", number(one.unsubscribed), cls="num muted"),
            )
        )
    heads = columns(("List", ""), ("", "hide-n"), ("Members", "num"), ("Pending", "num"), ("Left", "num"))
    cell = picture.ledger.cell("lists")
    of = cell.stored if cell else len(picture.lists)
    foot = f"{len(picture.lists)} of {number(of)} shown, largest first"
    return panel("Lists", tag("table", heads, tag("tbody", *rows)), right=foot)


def pushes_panel(seen: Overview) -> Html:
    if not seen.pushes:
        words = join(
            "No push yet. ",
            tag("code", 'ws.plan("…", "' + (seen.saved.name if seen.saved else "acme") + '/lists/…")'),
            " shows what one would do; it sends nothing.",
        )
        return panel("Last pushes", tag("p", words, cls="small muted"))
    rows = [
        tag(
            "tr",
            tag("td", tag("code", one.plan_id)),
            tag(
                "td",
                f"{one.audience or 'way back'} → {one.list_name}",
                cls="name",
                title=f"{one.audience} → {one.list_name}",
            ),
            tag("td", _outcome(one)),
            tag("td", moment(one.at, seen.now, seen.zone), cls="num muted"),
        )
        for one in seen.pushes
    ]
    return panel("Last pushes", tag("table", tag("tbody", *rows)), right="newest first")


def _outcome(push: Push) -> Html:
    result = push.result
    if push.state == "finished" and result:
        done = [
            f"{number(result[key])} {words}"
            for key, words in (("added", "added"), ("parked", "parked"), ("unsubscribed", "unsubscribed"))
            if result.get(key)
        ]
        back = result.get("read_back") or {}
        equal = back.get("equal", True)
        refused = result.get("refused_by_service") or 0
        if refused:
            done.append(f"{number(refused)} refused")
        return _with("ok" if equal else "bad", ", ".join(done) or "nobody to add")
    if push.state == "applying":
        return _with("clock", f"{number(push.done)} of {number(push.people)}")
    if push.state == "closed":
        return _with("stop", "its list is gone")
    return _with("lock", "nothing sent")


def _with(shape: str, words: str) -> Html:
    return tag("span", icon(shape), words, cls="said")


def wide(inner: Html) -> Html:
    """Return a part that scrolls sideways rather than sticking out."""
    return tag("div", inner, style="overflow-x:auto")
