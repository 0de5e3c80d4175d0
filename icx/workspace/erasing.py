"""Erasing a person: everywhere they are held is counted and shown, then emptied, then counted again.

The order is what makes it safe to be cut off: first the hashes that keep a later pull from bringing them back, last
the database, which alone knows which contacts an address has. So the same command goes on.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from icx.errors import NeedsYou
from icx.store import Store, locks, wiping
from icx.store import backups as kept
from icx.store.names import quoted
from icx.store.restoring import WAITING
from icx.store.wiping import Whom
from icx.words import counted, form
from icx.workspace.held import copies, empty, everything, look, name_of, texts
from icx.workspace.keeping import backups, files_of
from icx.workspace.layout import Layout
from icx.workspace.traces import Trace

if TYPE_CHECKING:
    from icx.store.backups import Backup
    from icx.workspace.workspace import Workspace


@dataclass(frozen=True)
class Erasure:
    """Where a person is held. `places` counts rows and texts that go, by table or file; `after` what is left of them.

    `backups` counts by backup, `others` by file that is not icx's to change, `alike` are contacts with another address
    that differs by what follows a plus sign: other people, as iContact sees it. `typed` is what names exactly them
    without an address, which stays out of the shell's history; `-` asks for it. `services` are those that may still
    have them.
    """

    whom: Whom = field(repr=False)
    places: Mapping[str, int]
    backups: Mapping[str, int]
    others: Mapping[str, int]
    alike: tuple[int, ...] = ()
    rewritten: tuple[str, ...] = ()
    after: Mapping[str, int] | None = None
    typed: tuple[str, ...] = ("-",)
    services: tuple[str, ...] = ("iContact",)

    def __repr__(self) -> str:
        return self.text()

    @property
    def count(self) -> int:
        """How many places hold them; what is typed to confirm."""
        return sum(self.places.values())

    @property
    def done(self) -> bool:
        return self.after is not None

    @property
    def left(self) -> int:
        """How many of the places still hold them: 0 once it is done."""
        return sum((self.places if self.after is None else self.after).values())

    def text(self) -> str:
        """Return it as people read it; contacts are ids."""
        who = ", ".join(f"#{one.contact_id} of {one.schema}" for one in self.whom.contacts) or "no contact"
        addresses = len(self.whom.keys)
        head = f"{who}, {addresses:,} {'address' if addresses == 1 else 'addresses'}"
        lines = [f"{'Erased' if self.done else 'To be erased'}: {head}"]
        lines += [
            f"  {f'#{one.contact_id}':<10} {one.why} ({one.schema})" for one in self.whom.contacts if one.why
        ]
        lines += [f"  {count:>9,}  {place}" for place, count in self.places.items()]
        before = f"  {self.count:>9,}  {'places' if self.count != 1 else 'place'} in all"
        lines.append(before + (f" before, {self.left:,} now" if self.done else ""))
        for name, count in self.backups.items():
            told = "written anew without them" if name in self.rewritten else "still holds them"
            lines.append(
                f"  backup     {name}: {counted(count, 'place')}, {told if self.done else 'holds them'}"
            )
        lines += [
            f"  yours      {name}: {counted(count, 'place')}; icx does not change it"
            for name, count in self.others.items()
        ]
        if self.alike:
            ids = ", ".join(f"#{one}" for one in self.alike[:5])
            lines.append(
                f"  not meant  {ids}: {form(len(self.alike), 'address')} that only {'looks' if len(self.alike) == 1 else 'look'} alike"
            )
        if self.done:
            lines += [
                f"  {name:<10} still has them: delete the contact there too; a pull sets them aside and says so"
                for name in self.services
            ]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return what `icx erase --json` prints; no address is in it."""
        return {
            "contacts": [
                {"connection": one.schema, "contact_id": one.contact_id, "why": one.why}
                for one in self.whom.contacts
            ],
            "addresses": len(self.whom.keys),
            "places": dict(self.places),
            "before": self.count,
            "after": self.left if self.done else None,
            "backups": dict(self.backups),
            "rewritten": list(self.rewritten),
            "others": dict(self.others),
            "alike": list(self.alike),
            "erased": self.done,
        }


def erase(
    ws: Workspace, who: str, *, connection: str | None, confirm: int | None, backups: str | None
) -> Erasure:
    """Show where a person is held, or empty it; see `Workspace.erase`."""
    with ws.store.open() as con:
        whom = wiping.who_is(con, who, connection)
        alike = _alike(con, whom)
        typed = _typed(con, whom)
    services = _services(ws, whom)
    shown = replace(_shown(ws, whom, alike), typed=typed, services=services)
    if not shown.count and not shown.backups and not shown.others and not whom.contacts:
        return shown
    if confirm is None:
        return shown
    _agreed(shown, confirm, backups)
    with locks.alone(ws.layout.data / "locks", what="an erasure", clock=ws.clock):
        shutil.rmtree(
            ws.layout.data / WAITING, ignore_errors=True
        )  # of a restore that was killed before it was one
        shutil.rmtree(ws.layout.scale, ignore_errors=True)  # of a build on Spark that was killed
        shutil.rmtree(ws.layout.handed, ignore_errors=True)  # of a trigger's notebook that was killed
        ws.accounts.erase(whom.places(), whom.keys)
        trace = Trace.of(whom.addresses)
        empty(ws.layout, whom, trace, ws.clock, store=ws.store)
        rewritten = []
        for backup in _holding(ws, shown) if backups == "rewrite" else ():
            _rewrite(ws, backup, whom, trace)
            rewritten.append(backup.path.name)
    with ws.noted("erase", counted(len(whom.contacts), "contact")):
        _note(ws, f"{counted(len(whom.contacts), 'contact')}, {counted(shown.count, 'place')}")
    again = _shown(ws, whom, alike)
    return Erasure(
        whom,
        shown.places,
        shown.backups,
        again.others,
        alike,
        tuple(rewritten),
        again.places,
        services=services,
    )


def _shown(ws: Workspace, whom: Whom, alike: tuple[int, ...]) -> Erasure:
    trace = Trace.of(whom.addresses)
    places = look(ws.layout, whom, trace, store=ws.store, clock=ws.clock)
    mine = {path.resolve() for path in texts(ws.layout)}
    others: dict[str, int] = {}
    for path in everything(ws.layout):
        if path.resolve() not in mine and (count := trace.count(path)):
            others[name_of(ws.layout, path)] = count
    held = {}
    for backup in backups(ws):
        with Unpacked(ws, backup) as inside:
            found = sum(look(inside, whom, trace, store=Store(inside.database), clock=ws.clock).values())
        if found:
            held[backup.path.name] = found
    return Erasure(whom, places, held, others, alike)


# --- backups ----------------------------------------------------------------------------------------------------------


class Unpacked:
    """A backup's contents as a data folder of its own, for the time of a block."""

    def __init__(self, ws: Workspace, backup: Backup) -> None:
        self._backup = backup
        self._layout = Layout(ws.layout.data / f".erasing-{os.getpid()}")

    def __enter__(self) -> Layout:
        shutil.rmtree(self._layout.root, ignore_errors=True)
        for left in self._layout.root.parent.glob(".erasing-*"):  # of one that was killed: everybody's rows
            if not locks.alive(int(left.name.rpartition("-")[2])):
                shutil.rmtree(left, ignore_errors=True)
        names = {kept.DATABASE: self._layout.database, kept.JOURNAL: self._layout.journal}
        self._layout.root.mkdir(mode=0o700)
        for name in self._backup.members:
            place = names.get(name) or self._layout.root / name.removeprefix(kept.FILES)
            kept.unpack(self._backup, name, place)
        return self._layout

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._layout.root, ignore_errors=True)


def _holding(ws: Workspace, shown: Erasure) -> list[Backup]:
    return [one for one in backups(ws) if one.path.name in shown.backups]


def _rewrite(ws: Workspace, backup: Backup, whom: Whom, trace: Trace) -> None:
    with Unpacked(ws, backup) as inside:
        store = Store(inside.database, clock=ws.clock)
        empty(inside, whom, trace, ws.clock, store=store)
        for path in copies(inside):
            path.unlink()  # made just now, when the backup's database was brought to this version
        files = dict(files_of(inside))
        kept.write(backup.path, store=store, journal=inside.journal, files=files, instead_of=backup)


# --- asking -----------------------------------------------------------------------------------------------------------


def _agreed(shown: Erasure, confirm: int, backups: str | None) -> None:
    typed = shown.typed
    if confirm != shown.count:
        raise NeedsYou(
            "needs-answer",
            f"{counted(shown.count, 'place')} {form(shown.count, 'is')} to be emptied, and {confirm:,} was typed.",
            where="what is held may have changed since it was shown",
            kept="nothing was erased",
            next=[["icx", "erase", *typed, "--confirm", f"erase={shown.count}"]],
        )
    if shown.backups and backups not in {"rewrite", "keep"}:
        raise NeedsYou(
            "needs-answer",
            f"{counted(len(shown.backups), 'backup')} {'holds' if len(shown.backups) == 1 else 'hold'} them too.",
            where=", ".join(shown.backups),
            kept="nothing was erased",
            next=[
                ["icx", "erase", *typed, "--confirm", f"erase={shown.count}", "--backups", one]
                for one in ("rewrite", "keep")
            ],
        )


def _typed(con: Any, whom: Whom) -> tuple[str, ...]:
    """Return the contact's id by which the very same person is found, or that the address is asked for."""
    for one in whom.contacts:
        same = wiping.who_is(con, str(one.contact_id), one.schema)
        if (same.contacts, same.keys) == (whom.contacts, whom.keys):
            return (str(one.contact_id), "--connection", one.schema)
    return ("-",)


def _services(ws: Workspace, whom: Whom) -> tuple[str, ...]:
    """Return which services have the contacts; where there is none, iContact may have one that was never pulled."""
    kinds = {one.name: one.kind for one in ws.accounts.connections.all()}
    there = {kinds.get(one.schema, "") == "mailchimp" for one in whom.contacts}
    return tuple(
        name for name, mailchimp in (("iContact", False), ("Mailchimp", True)) if mailchimp in there
    ) or ("iContact",)


def _alike(con: Any, whom: Whom) -> tuple[int, ...]:
    stems = sorted({_stem(key) for key in whom.keys})
    ours = {one.contact_id for one in whom.contacts}
    found: set[int] = set()
    for (schema,) in con.execute("select name from shared.connections").fetchall():
        rows = con.execute(
            f"select id from {quoted(schema)}.icontact_users where list_contains(?::varchar[],"
            " regexp_replace(email_key, '\\+[^@]*@', '@'))",
            [stems],
        ).fetchall()
        found |= {contact for (contact,) in rows}
    return tuple(sorted(found - ours))


def _stem(key: str) -> str:
    local, at, domain = key.partition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def _note(ws: Workspace, what: str) -> None:
    from icx.workspace.bringing import note

    note(ws, "erased", what)
