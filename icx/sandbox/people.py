"""Contacts of a generated account: names, addresses and custom fields, made and written a chunk at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from icx.sandbox.pools import (
    BUSINESSES,
    CITIES,
    CULTURES,
    DOMAINS,
    ODD_LOCALS,
    PREFIXES,
    STREETS,
    SUFFIXES,
    UNUSABLE,
)
from icx.sandbox.traits import NO_CITY, STATUSES, Traits

CHUNK = 20_000
JSON = json.JSONEncoder(ensure_ascii=False)
Texts = npt.NDArray[np.object_]

# (private name, label, type); the last two are no identifiers, as iContact allows.
CUSTOM_FIELDS = (
    ("country", "Country", "text"),
    ("region", "Region", "text"),
    ("orders", "Orders so far", "number"),
    ("spent", "Spent so far", "decimalTwo"),
    ("last_order", "Last order", "date"),
    ("birthday", "Birthday", "date"),
    ("catalogue", "Paper catalogue", "checkbox"),
    ("vip-tier", "VIP tier", "text"),
    ("2nd.choice", "Second choice", "text"),
)
COUNTRIES = {
    "US": ("US", "US", "US", "USA", "United States"),
    "CA": ("CA", "Canada"),
    "GB": ("GB", "UK"),
    "DE": ("DE", "Deutschland"),
    "PL": ("PL", "Polska"),
    "BR": ("BR", "Brasil"),
    "JP": ("JP", "日本"),
}
INSERT = (
    "insert into contacts (contact_id, folder_id, email, prefix, first_name, last_name, suffix, street, street2, city,"
    " state, postal_code, phone, fax, business, status, create_date, custom) values ("
    + ",".join("?" * 18)
    + ")"
)


@dataclass
class Names:
    """Both forms of every name, and the chance of each."""

    shown: Texts
    latin: Texts
    chances: npt.NDArray[np.float64]

    @classmethod
    def of(cls, text: str) -> Names:
        pairs = [[*name.split("|"), name][:2] for name in text.split(" ")]
        weights = 1 / (1 + np.arange(len(pairs))) ** 0.7
        return cls(
            np.array([shown for shown, _ in pairs], dtype=object),
            np.array([latin.lower() for _, latin in pairs], dtype=object),
            weights / weights.sum(),
        )


FIRST = [Names.of(culture.first) for culture in CULTURES]
LAST = [Names.of(culture.last) for culture in CULTURES]


@dataclass
class Addresses:
    """Makes each address once. Short ones while the small memory lasts, then the contact's place in it keeps it apart."""

    taken: set[str] = field(default_factory=set)
    room: int = 50_000

    def make(self, local: str, domain: str, place: int) -> str:
        short = f"{local}@{domain}"
        if len(self.taken) < self.room and short.lower() not in self.taken:
            self.taken.add(short.lower())
            return short
        head, plus, tag = local.partition("+")
        return f"{head}{place}{plus}{tag}@{domain}"


def write_custom_fields(con: sqlite3.Connection, folder_id: int, extra: int) -> None:
    """The folder's custom fields, and `extra` further empty-ish ones for accounts with very many."""
    rows = [*CUSTOM_FIELDS, *((f"extra_{n}", f"Extra {n}", "text") for n in range(1, extra + 1))]
    con.executemany(
        "insert into custom_fields (folder_id, private_name, public_name, display_to_user, field_type, position)"
        " values (?, ?, ?, ?, ?, ?)",
        [
            (folder_id, name, label, int(n % 2 == 0), kind, n)
            for n, (name, label, kind) in enumerate(rows, start=1)
        ],
    )


def write_contacts(
    con: sqlite3.Connection, rng: np.random.Generator, traits: Traits, folder_id: int, extra: int
) -> None:
    """Insert every contact of `traits`, `CHUNK` at a time."""
    addresses = Addresses()
    for begin in range(0, len(traits), CHUNK):
        part = slice(begin, min(begin + CHUNK, len(traits)))
        rows = _rows(rng, traits, part, folder_id=folder_id, addresses=addresses, extra=extra)
        con.executemany(INSERT, rows)


def _rows(
    rng: np.random.Generator, traits: Traits, part: slice, *, folder_id: int, addresses: Addresses, extra: int
) -> Iterator[tuple[Any, ...]]:
    size = part.stop - part.start
    first, last, handles = _names(rng, size)
    emails = _emails(rng, traits, part, handles, addresses)
    places = [CITIES[c] if c != NO_CITY else None for c in traits.city[part].tolist()]
    digits = rng.integers(0, 10, (size, 4)).tolist()
    custom = _custom(rng, traits, part, extra)
    columns: list[list[Any]] = [
        traits.ids[part].tolist(),
        [folder_id] * size,
        emails,
        _some(rng, size, 0.15, PREFIXES),
        first.tolist(),
        last.tolist(),
        _some(rng, size, 0.03, SUFFIXES),
        _streets(rng, size),
        [f"Apt {n}" if n < 30 else None for n in rng.integers(1, 300, size).tolist()],
        [place and place.name for place in places],
        [place and place.state for place in places],
        [
            _fill(place.postal, four) if place and four[0] else None
            for place, four in zip(places, digits, strict=True)
        ],
        [f"+1 919 555 {n:04d}" if n < 3700 else None for n in rng.integers(0, 10_000, size).tolist()],
        [f"919-555-{n:04d}" if n < 300 else None for n in rng.integers(0, 10_000, size).tolist()],
        _some(rng, size, 0.08, BUSINESSES),
        [STATUSES[s] for s in traits.status[part].tolist()],
        traits.created[part].tolist(),
        custom,
    ]
    return zip(*columns, strict=True)


def _names(rng: np.random.Generator, size: int) -> tuple[Texts, Texts, list[str]]:
    weights = np.array([culture.weight for culture in CULTURES])
    culture = rng.choice(len(CULTURES), size=size, p=weights / weights.sum())
    first, last, a, b = (np.empty(size, dtype=object) for _ in range(4))
    for number in range(len(CULTURES)):
        mine = np.flatnonzero(culture == number)
        for names, shown, latin in ((FIRST[number], first, a), (LAST[number], last, b)):
            pick = rng.choice(len(names.shown), size=len(mine), p=names.chances)
            shown[mine], latin[mine] = names.shown[pick], names.latin[pick]
    style = rng.integers(0, 5, size).tolist()
    handles = [
        (f"{x}.{y}", f"{x}{y}", f"{x[0]}.{y}", f"{x}_{y}", f"{y}.{x}")[s]
        for x, y, s in zip(a.tolist(), b.tolist(), style, strict=True)
    ]
    _quirks(rng, first, last)
    return first, last, handles


def _quirks(rng: np.random.Generator, first: Texts, last: Texts) -> None:
    """Names as they are typed: quotes, capitals, blanks, a comma, markup, and nothing at all."""
    lot = rng.random(len(first))
    for low, high, change in (
        (0.000, 0.006, lambda f, n: (f, f'{n} "Bob"')),
        (0.006, 0.016, lambda f, n: (f.upper(), n.upper())),
        (0.016, 0.026, lambda f, n: (f.lower(), n.lower())),
        (0.026, 0.030, lambda f, n: (f + " ", " " + n)),
        (0.030, 0.033, lambda f, n: (f, n + ", Jr")),
        (0.033, 0.035, lambda f, n: (f"[red]{f}[/x]", f"<b>{n}</b>")),
        (0.035, 0.155, lambda f, n: (f, None)),
        (0.155, 0.235, lambda f, n: (None, None)),
    ):
        for place in np.flatnonzero((lot >= low) & (lot < high)).tolist():
            first[place], last[place] = change(first[place], last[place])
    for place in range(0, len(first), 4_001):
        first[place], last[place] = "Bob", 'O\'Brien "Bob"'


def _emails(
    rng: np.random.Generator, traits: Traits, part: slice, handles: list[str], addresses: Addresses
) -> list[str | None]:
    weights = np.array([weight for _, weight in DOMAINS], dtype=float)
    domains = rng.choice(len(DOMAINS), size=len(handles), p=weights / weights.sum()).tolist()
    lot = rng.random(len(handles)).tolist()
    unusable = traits.unusable[part].tolist()
    emails: list[str | None] = []
    for n, handle in enumerate(handles):
        place, domain, local = part.start + n, DOMAINS[domains[n]][0], handle.replace("'", "")
        before = emails[-1] if emails else None
        if unusable[n]:
            pattern = UNUSABLE[place % len(UNUSABLE)]
            emails.append(pattern and pattern.format(n=place))
        elif lot[n] < 0.004 and before and not unusable[n - 1] and before != before.title():
            emails.append(before.title())  # the same address to most readers, another one to the service
        elif lot[n] < 0.008:
            emails.append(ODD_LOCALS[place % len(ODD_LOCALS)].format(n=place) + "@" + domain.lower())
        elif lot[n] < 0.030:
            emails.append(addresses.make(f"{local}+{('news', 'shop', 'acme')[place % 3]}", domain, place))
        elif lot[n] < 0.050:
            emails.append(addresses.make(local.title(), domain, place))
        else:
            emails.append(addresses.make(local, domain, place))
    return emails


def _custom(rng: np.random.Generator, traits: Traits, part: slice, extra: int) -> list[str]:
    """One JSON object a contact: private name to text, absent when nobody filled it in."""
    size = part.stop - part.start
    lot = rng.random((size, len(CUSTOM_FIELDS))).tolist()
    numbers = rng.pareto(1.3, size).tolist()
    days = rng.integers(0, 25_000, size).tolist()
    texts = []
    for n, city in enumerate(traits.city[part].tolist()):
        values: dict[str, str] = {}
        chance = lot[n]
        if city != NO_CITY and chance[0] < 0.8:
            forms = COUNTRIES[CITIES[city].country]
            values["country"] = forms[int(chance[0] * 997) % len(forms)]
        if city != NO_CITY and chance[1] < 0.7:
            values["region"] = CITIES[city].region
        if chance[2] < 0.6:
            values["orders"] = str(int(numbers[n])) if chance[2] > 0.004 else ("n/a", "12+", "three")[n % 3]
        if chance[3] < 0.6:
            values["spent"] = (
                f"{numbers[n] * 71.3:.2f}" if chance[3] > 0.004 else ("$1,204.50", "-", "1.2.3")[n % 3]
            )
        if chance[4] < 0.5:
            values["last_order"] = _date(19_000 + days[n] % 1_500)
        if chance[5] < 0.35:
            values["birthday"] = (
                _date(days[n] - 7_000) if chance[5] > 0.006 else ("31.12.1980", "1980-02-30", "May")[n % 3]
            )
        if chance[6] < 0.4:
            values["catalogue"] = "1" if chance[6] < 0.2 else "0"
        if chance[7] < 0.15:
            values["vip-tier"] = ("bronze", "bronze", "bronze", "silver", "silver", "gold")[
                int(chance[7] * 40)
            ]
        if chance[8] < 0.1:
            values["2nd.choice"] = ('kayak "XL"', "tent", "boots, 42", "O'Neill wetsuit")[n % 4]
        for number in range(1 + n % 7, extra + 1, 7):
            values[f"extra_{number}"] = str(days[n] % (number + 5))
        texts.append(JSON.encode(values))
    return texts


def _date(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def _some(rng: np.random.Generator, size: int, share: float, choices: tuple[str, ...]) -> list[str | None]:
    picks = rng.integers(0, len(choices), size).tolist()
    return [
        choices[p] if lot < share else None for p, lot in zip(picks, rng.random(size).tolist(), strict=True)
    ]


def _streets(rng: np.random.Generator, size: int) -> list[str | None]:
    numbers = rng.integers(1, 2_400, size).tolist()
    picks = rng.integers(0, len(STREETS) * 2, size).tolist()
    return [
        f"{number} {STREETS[p]}" if p < len(STREETS) else None
        for number, p in zip(numbers, picks, strict=True)
    ]


def _fill(pattern: str, digits: list[int]) -> str:
    """`277##` with digits, `M5V #R#` too.

    >>> _fill("277##", [0, 1, 2, 3])
    '27701'
    """
    for digit in digits:
        pattern = pattern.replace("#", str(digit), 1)
    return pattern
