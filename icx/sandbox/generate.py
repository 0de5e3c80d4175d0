"""A believable account from a seed: people, lists, two years of messages and what became of them."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np

from icx.sandbox import events, mailings, membership, people, traits
from icx.sandbox.bulk import bulk, next_id, write_place
from icx.sandbox.past import Past, write_bounce_counts
from icx.sandbox.traits import Traits


@dataclass(frozen=True)
class Options:
    """What a generated account may have besides its size.

    `no_address`: contacts nobody could mail (3 in 1,000 when None). `twin_list`: a second list named
    "Durham regulars". `extra_custom_fields`: that many more custom fields.
    """

    company: str = "Acme Outdoor"
    folder_name: str = "Main"
    no_address: int | None = None
    twin_list: bool = False
    extra_custom_fields: int = 0


@dataclass(frozen=True)
class Made:
    """Row counts of a generated account; `contacts` without the deleted ones."""

    contacts: int
    deleted: int
    lists: int
    subscriptions: int
    messages: int
    events: int


def generate(
    con: sqlite3.Connection,
    *,
    contacts: int,
    messages: int,
    seed: int,
    as_of: int,
    account_id: int = 41733,
    folder_id: int = 8021,
    options: Options = Options(),
) -> Made:
    """Fill the tables of schema.sql with one folder and, when missing, its account; all in one transaction.

    `as_of` is the account's present (Unix seconds): nothing in it is later, but for a send still to come.
    The same arguments give the same rows. Ids go on behind those already there, so a second folder can be added.
    Memory is about 100 bytes a contact and subscription, and the rows of one message.
    """
    if contacts < 1 or messages < 0:
        raise ValueError(
            f"an account needs a contact and no negative messages, not {contacts} and {messages}"
        )
    streams = [np.random.default_rng([seed, folder_id, part]) for part in range(5)]
    with bulk(con):
        write_place(
            con,
            account_id=account_id,
            folder_id=folder_id,
            company=options.company,
            folder_name=options.folder_name,
        )
        past = Past(con, folder_id)
        drawn = traits.draw(
            streams[0],
            contacts=contacts,
            as_of=as_of,
            first_id=next_id(con, "contacts", "contact_id", 70_001),
            no_address=round(contacts * 0.003) if options.no_address is None else options.no_address,
        )
        people.write_custom_fields(con, folder_id, options.extra_custom_fields)
        people.write_contacts(con, streams[1], drawn, folder_id, options.extra_custom_fields)
        lists = membership.draw(
            streams[2], drawn, as_of, next_id(con, "lists", "list_id", 3_001), options.twin_list
        )
        planned = mailings.plan(
            streams[3],
            messages=messages,
            as_of=as_of,
            first_id=next_id(con, "messages", "message_id", 88_101),
        )
        campaign = next_id(con, "campaigns", "campaign_id", 501)
        mailings.write_campaigns(con, folder_id, campaign, options.company)
        recipients, written = _send_all(streams[4], past, planned, lists, drawn, as_of=as_of)
        mailings.write(
            con,
            planned,
            folder_id=folder_id,
            campaign_id=campaign,
            first_send=next_id(con, "sends", "send_id", 9_001),
            lists=[one.list_id for one in lists],
            recipients=recipients,
        )
        for places, when, list_id in membership.leave_quietly(streams[4], lists, as_of):
            past.left(drawn.ids[places], when, list_id, actor="admin")
        by_kind = {mailing.kind: mailing.message_id for mailing in planned}
        subscriptions = membership.write(
            con,
            lists,
            drawn,
            folder_id=folder_id,
            confirmation=by_kind.get("confirmation"),
            welcome=by_kind.get("welcome"),
        )
        past.created_and_stopped(drawn)
        write_bounce_counts(con, drawn)
    return Made(contacts, len(drawn) - contacts, len(lists), subscriptions, messages, written)


def _send_all(
    rng: np.random.Generator,
    past: Past,
    planned: list[mailings.Mailing],
    lists: list[membership.Membership],
    drawn: Traits,
    *,
    as_of: int,
) -> tuple[dict[int, int], int]:
    """Let every send happen in order of time; returns recipients by message and the number of events."""
    con, folder_id = past.con, past.folder_id
    begin = event_id = next_id(con, "events", "event_id", 1)
    recipients: dict[int, int] = {}
    for mailing in planned:
        if mailing.state != mailings.SENT:
            continue
        outcome = events.draw(rng, mailing, lists, drawn, as_of)
        recipients[mailing.message_id] = outcome.recipients
        for rows in outcome.rows:
            event_id = events.write(con, event_id, folder_id, mailing, rows)
        for who, when, list_id in outcome.left:
            past.left(who, when, list_id, actor="contact")
        con.execute(
            "insert into statistics (message_id, folder_id, delivered, forwards, comments, complaints)"
            " values (?, ?, ?, ?, 0, ?)",
            (
                mailing.message_id,
                folder_id,
                outcome.recipients - outcome.bounced,
                int(rng.poisson(outcome.recipients * 0.0008)),
                int(rng.poisson(outcome.recipients * 0.0001)),
            ),
        )
    return recipients, event_id - begin
