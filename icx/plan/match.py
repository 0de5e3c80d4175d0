"""Matching: the target's list by its exact name or #id, and the audience's people by id or address."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from icx import mask
from icx.errors import BadInput
from icx.icontact import Client
from icx.plan.by_id import all_different
from icx.store import Store
from icx.store.plans import Place
from icx.words import counted


@dataclass(frozen=True)
class Target:
    """A list of a client folder, and whose it is, so that nobody pushes to the wrong client.

    `list` is as typed (a name, `#3004`, or empty when the folder has one list) until `find` has put the
    list's own name there. `welcome` tells whether the list mails those who are added.
    """

    connection: str
    company: str
    account_id: int
    client_folder_id: int
    folder: str
    list: str
    list_id: int | None = None
    create: bool = False
    welcome: bool = False
    welcome_message_id: int | None = None

    @property
    def place(self) -> Place:
        return Place(self.account_id, self.client_folder_id, self.list_id)

    def line(self) -> str:
        """Return company, account, folder and list with their ids, on one line."""
        list_id = "to be made" if self.list_id is None else str(self.list_id)
        parts = [
            f"{mask.plain(self.company)} ({self.account_id})",
            f"{mask.plain(self.folder)} ({self.client_folder_id})",
            f"{mask.plain(self.list)} ({list_id})",
        ]
        return " › ".join(parts)

    def as_dict(self) -> dict[str, Any]:
        """Return the target as the plan's JSON has it."""
        return {
            "connection": self.connection,
            "company": self.company,
            "account_id": self.account_id,
            "client_folder_id": self.client_folder_id,
            "folder": self.folder,
            "list_id": self.list_id,
            "list": self.list,
            "create": self.create,
            "welcome": self.welcome,
            "welcome_message_id": self.welcome_message_id,
        }


def find(
    target: Target, lists: Sequence[Mapping[str, Any]], client: Client, *, create: bool, audience: str
) -> Target:
    """Return the target with its list found among the folder's `lists`, by exact name or `#id`.

    Raises `list-unknown` (with the nearest name; made on request only) and `list-twice` (with both ids).
    """
    typed = target.list
    if typed.startswith("#") and typed[1:].isascii() and typed[1:].isdigit():
        found = [row for row in lists if row["listId"] == int(typed[1:])]
    elif not typed:
        found = list(lists) if len(lists) == 1 else []
    else:
        found = [row for row in lists if row["name"] == typed]
    if len(found) == 1:
        return with_list(target, found[0])
    if len(found) > 1:
        raise _twice(target, found, client, audience)
    if create and typed and not typed.startswith("#"):
        return replace(target, create=True)
    raise _unknown(target, lists, audience)


def with_list(target: Target, row: Mapping[str, Any]) -> Target:
    """Return the target with what the service says of its list."""
    return replace(
        target,
        list=row["name"] or "",
        list_id=row["listId"],
        create=False,
        welcome=bool(row.get("welcomeOnManualAdd") or row.get("welcomeOnSignupAdd")),
        welcome_message_id=row.get("welcomeMessageId"),
    )


def people(store: Store, connection: str, want: pa.Table, by: str) -> pa.Table:
    """Return the wanted people with the ids they have in the target folder; each contact and new address once.

    By `contact_id` an id counts as it is and only people without one are looked up by address; by `email`
    (another connection's audience) everybody is. An address of two contacts goes to the one spelled alike,
    then to the one with the smaller id. Columns beyond contact_id, email, email_key are carried along.
    """
    more = [name for name in want.column_names if name not in {"contact_id", "email", "email_key"}]
    ids = want.column("contact_id")
    if by == "contact_id" and all_different(ids):
        # Everybody has an id of their own, as in an audience of this very folder: there is nothing to look up.
        return want.select(["contact_id", "email", "email_key", *more]).set_column(
            0, "contact_id", ids.cast(pa.int64())
        )
    columns = "".join(f', w."{name.replace(chr(34), chr(34) * 2)}"' for name in more)
    with store.open(connection) as con:
        con.register("wanted", want)
        found = con.sql(
            f"""
            with numbered as (select *, row_number() over () as position from wanted),
            found as (
              select w.position, u.id,
                     row_number() over (partition by w.position order by u.email is distinct from w.email, u.id) as rank
              from numbered w join icontact_users u on u.email_key = w.email_key and u.gone_at is null
              where $by = 'email' or w.contact_id is null
            ),
            matched as (
              select case when $by = 'email' then f.id else coalesce(w.contact_id, f.id) end as contact_id,
                     w.email, w.email_key{columns}, w.position
              from numbered w left join found f on f.position = w.position and f.rank = 1
            )
            select * exclude (position) from matched w
            qualify row_number() over (
              partition by contact_id, case when contact_id is null then coalesce(email_key, position::varchar) end
              order by position) = 1
            order by position
            """,
            params={"by": by},
        ).to_arrow_table()
        con.unregister("wanted")
    return found.set_column(0, "contact_id", found.column("contact_id").cast(pa.int64()))


def by_address(wanted: pa.Table, fresh: pa.Table) -> pa.Table:
    """Return the wanted people, those without an id given the one that `fresh` contacts have under their address."""
    known = {
        row["email_key"]: row["contact_id"]
        for row in reversed(fresh.to_pylist())
        if row["email_key"] is not None
    }
    pairs = zip(wanted.column("contact_id").to_pylist(), wanted.column("email_key").to_pylist(), strict=True)
    ids = [known.get(key) if contact is None else contact for contact, key in pairs]
    return wanted.set_column(0, "contact_id", pa.array(ids, pa.int64()))


def _unknown(target: Target, lists: Sequence[Mapping[str, Any]], audience: str) -> BadInput:
    by_name = {str(row["name"]): row["listId"] for row in lists}
    folded = {name.lower(): name for name in by_name}
    close = difflib.get_close_matches(target.list.lower(), folded, n=3, cutoff=0.5)
    near = [folded[name] for name in close] or list(by_name)[:3]
    where = "nearest: " + ", ".join(f"{mask.plain(name)} ({by_name[name]})" for name in near)
    path = f"{target.connection}/lists/{target.list}"
    made = ["icx", "plan", audience, "--to", path, "--create"]
    steps: list[list[str]] = [] if target.list.startswith("#") or not target.list else [made]
    steps += [
        ["icx", "plan", audience, "--to", f"{target.connection}/lists/#{by_name[name]}"] for name in near[:1]
    ]
    return BadInput(
        "list-unknown",
        f'{target.connection} has no list "{mask.plain(target.list)}".',
        where=where if lists else "the folder has no list yet",
        kept="nothing was planned",
        next=steps or [["icx", "lists", target.connection]],
        data={"nearest": [by_name[name] for name in near]},
    )


def _twice(target: Target, found: Sequence[Mapping[str, Any]], client: Client, audience: str) -> BadInput:
    sizes = {
        row["listId"]: client.page("subscriptions", listId=row["listId"], limit=1).total or 0 for row in found
    }
    return BadInput(
        "list-twice",
        f'{target.connection} has {len(found)} lists "{mask.plain(target.list)}".',
        where=", ".join(f"{list_id} with {counted(size, 'member')}" for list_id, size in sizes.items()),
        kept="nothing was planned",
        next=[
            ["icx", "plan", audience, "--to", f"{target.connection}/lists/#{list_id}"] for list_id in sizes
        ],
        data={"lists": sizes},
    )


def plan_command(audience: str, target: Target, *options: str) -> str:
    """Return the command that plans this again, as a shell takes it."""
    path = f"{target.connection}/lists/{target.list}"
    return shlex.join(["icx", "plan", audience, "--to", path, *options])
