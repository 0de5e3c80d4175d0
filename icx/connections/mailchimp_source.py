"""A Mailchimp audience as the pull reads it: members as contacts, campaigns as messages, activity as events.

Nothing else of the pull knows of Mailchimp. Its own words are kept beside iContact's: every member has custom fields
whose names begin with `mailchimp_`, and merge fields are custom fields by their tags.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from icx.connections.mailchimp import ADDRESS, STATUS, values
from icx.connections.mailchimp_activity import ACTION, Activities
from icx.errors import BadInput
from icx.http import Pace
from icx.http.pace import Waiting
from icx.icontact.codec import SetAside
from icx.icontact.paging import Erased, Page, without_erased
from icx.mailchimp import Client, ids
from icx.mailchimp.answers import Row, read_moment

#: Mailchimp's own facts of a member: name, label, and their type in iContact's words for custom fields.
OWN = (
    ("mailchimp_status", "Status in Mailchimp", "text"),
    ("mailchimp_opted_in", "When the opt-in was confirmed", "date"),
    ("mailchimp_last_changed", "When Mailchimp last changed the member", "date"),
    ("mailchimp_tags", "Tags, by name", "text"),
    ("mailchimp_rating", "Member rating, 1 to 5", "number"),
    ("mailchimp_vip", "Whether the member is a VIP", "checkbox"),
    ("mailchimp_language", "Language", "text"),
    ("mailchimp_source", "Where the member came from", "text"),
    ("mailchimp_contact_id", "Contact id, which stays when the address changes", "text"),
    ("mailchimp_web_id", "Id in Mailchimp's web pages", "text"),
)
TYPES = {"number": "number", "date": "date"}
#: Merge fields that iContact has a column of its own for.
COLUMNS = {"FNAME": "firstName", "LNAME": "lastName", "PHONE": "phone"}
PARTS = dict(zip(ADDRESS, ("street", "street2", "city", "state", "postalCode"), strict=False))
ON_THE_LIST = [said for said, (_, membership) in STATUS.items() if membership is not None]
_MEMBER = (
    "email_address,id,contact_id,web_id,status,merge_fields,timestamp_signup,timestamp_opt,member_rating,"
)
_MEMBER += "last_changed,language,vip,source,tags,tags_count"
_SORTED = {"sort_field": "timestamp_opt", "sort_dir": "ASC"}  # unlike last_changed it stays where it is


class Source:
    """What a pull asks of a client, answered by Mailchimp. `account_id` and `client_folder_id` are made of its names."""

    service = "Mailchimp"

    def __init__(self, client: Client, account_id: int, audience: str, erased: Erased | None = None) -> None:
        self.client, self.audience = client, audience
        self.account_id: int | None = account_id
        self.client_folder_id: int | None = ids.number(audience)
        self.custom_names: frozenset[str] | None = None
        self.erased = erased
        self._activities = Activities(client)
        self._pieces: list[tuple[str, int]] = []
        self._handed: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Source({self.client!r}, audience {self.audience})"

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *reason: object) -> None:
        self.client.close()

    @property
    def pace(self) -> Pace:
        return self.client.pace

    @property
    def on_wait(self) -> Callable[[Waiting], None] | None:
        return self.client.on_wait

    @on_wait.setter
    def on_wait(self, told: Callable[[Waiting], None] | None) -> None:
        self.client.on_wait = told

    def sent(
        self,
        resource: str,
        *,
        parent: int | None = None,
        offset: int = 0,
        limit: int | None = None,
        tries: int | None = None,
    ) -> Page:
        """Return a page of one of the pull's collections, from the 0-based row `offset`."""
        size = min(limit or self.client.page_size, self.client.page_size)
        if resource in ACTION:
            return self._events(resource, ids.name(parent or 0), offset, size, tries)
        raws, total = self._raws(resource, parent, offset, size, tries)
        return self._page(resource, raws, total, offset)

    def page(self, resource: str, *, limit: int = 1, **filters: object) -> Page:
        """Return the first page, for its count; a filter is one of iContact's and of no use here."""
        return self.sent(resource, limit=limit)

    def statistics(self, message_id: int) -> Mapping[str, Any]:
        """Return the totals of a campaign's report, by the names that the pull keeps them under."""
        report = self.client.report(ids.name(message_id))

        def of(part: str, *names: str) -> int:
            found = report.get(part) or {}
            return sum(int(found.get(name) or 0) for name in names)

        bounces = of("bounces", "hard_bounces", "soft_bounces", "syntax_errors")
        return {
            "bounces": bounces,
            "delivered": int(report.get("emails_sent") or 0) - bounces,
            "unsubscribes": report.get("unsubscribed"),
            "opens_unique": of("opens", "unique_opens"),
            "opens_total": of("opens", "opens_total"),
            "clicks_unique": of("clicks", "unique_clicks"),
            "clicks_total": of("clicks", "clicks_total"),
            "forwards": of("forwards", "forwards_count"),
            "complaints": report.get("abuse_reports"),
        }

    def get(self, resource: str, id: int) -> Mapping[str, Any]:
        """Return a message with its HTML body, for the tag filter."""
        return {"messageId": id, "htmlBody": self.client.content(ids.name(id)).get("html")}

    # --- collections -----------------------------------------------------------------------------------------------

    def _raws(
        self, resource: str, parent: int | None, offset: int, size: int, tries: int | None
    ) -> tuple[Sequence[Row], int | None]:
        whose = f"/lists/{self.audience}"
        if resource == "customfields":
            own = [{"tag": name, "name": label, "type": kind} for name, label, kind in OWN]
            rows = own + [row for row in self.client.merge_fields(self.audience) if not _has_column(row)]
            return rows[offset : offset + size], len(rows)
        if resource == "lists":
            found = self.client.audience(self.audience)
            return [found] if found and not offset else [], 1 if found else 0
        if resource == "subscriptions":
            return self._members_by_status(offset, size, tries)
        if resource == "contacts":
            return self._asked(
                f"{whose}/members", "members", _fields("members", _MEMBER), offset, size, tries
            )
        if resource in ("campaigns", "messages", "sends"):
            asked = {"status": "sent", "sort_field": "send_time", "sort_dir": "ASC", "list_id": self.audience}
            asked["exclude_fields"] = "campaigns._links,_links"
            return self._asked("/campaigns", "campaigns", asked, offset, size, tries)
        if resource == "unsubscribes" and parent is not None:
            fields = {"fields": "unsubscribes.email_id,unsubscribes.timestamp,total_items"}
            path = f"/reports/{ids.name(parent)}/unsubscribed"
            return self._asked(path, "unsubscribes", fields, offset, size, tries)
        raise BadInput(
            "parameter",
            f"Mailchimp has no {resource} to read.",
            where=resource,
            kept="nothing was asked",
            next=["the collections of a pull are contacts, lists, messages and their events"],
        )

    def _asked(
        self, path: str, key: str, params: Mapping[str, str], offset: int, size: int, tries: int | None
    ) -> tuple[Sequence[Row], int | None]:
        page = self.client.page(path, key, params, offset, count=size, tries=tries)
        return page.rows, page.total

    def _members_by_status(self, offset: int, size: int, tries: int | None) -> tuple[list[Row], int]:
        """Return who is on the list, status by status: each has a total of its own, so the sum is that of all rows."""
        path = f"/lists/{self.audience}/members"
        fields = _fields("members", "id,email_address,status,timestamp_signup,timestamp_opt")
        if offset == 0 or not self._pieces:
            first = [
                (said, self._asked(path, "members", {**fields, "status": said}, 0, 1, tries)[1] or 0)
                for said in ON_THE_LIST
            ]
            with self._lock:
                self._pieces = first
        rows: list[Row] = []
        total, begins = 0, 0
        for said, known in self._pieces:
            place = offset + len(rows) - begins
            begins += known
            if not 0 <= place < known or len(rows) == size:
                total += known
                continue
            want = min(size - len(rows), known - place)
            some, now = self._asked(path, "members", {**fields, "status": said}, place, want, tries)
            rows += some
            total += known if now is None else now  # one that moved is noticed by who reads
        return rows, total

    def _events(self, kind: str, campaign: str, offset: int, size: int, tries: int | None) -> Page:
        # A kind read from its beginning again, after rows of it were handed out, is to be asked for anew.
        key = (kind, campaign)
        with self._lock:
            fresh = offset == 0 and key in self._handed
            self._handed.add(key)
            if fresh:
                self._handed -= {one for one in self._handed if one[1] == campaign and one != key}
        activity = self._activities.of(campaign, fresh=fresh, tries=tries)
        rows = activity.rows(kind, offset, size)
        return self._finished(rows, [], activity.count(kind), offset)

    # --- rows ------------------------------------------------------------------------------------------------------

    def _page(self, resource: str, raws: Sequence[Row], total: int | None, offset: int) -> Page:
        read, rows, aside = _READ[resource], [], []
        for place, raw in enumerate(raws, offset):
            try:
                rows.append(read(raw, self))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                reason = f"no {error.args[0]}" if isinstance(error, KeyError) else type(error).__name__
                aside.append(SetAside(place, reason, json.dumps(raw, default=str)))
        return self._finished(rows, aside, total, offset)

    def _finished(
        self, rows: list[dict[str, Any]], aside: Sequence[SetAside], total: int | None, offset: int
    ) -> Page:
        count = len(rows) + len(aside)
        digest = hashlib.blake2b(orjson.dumps(rows, default=str), digest_size=16).digest() if rows else b""
        varied = any(row != rows[0] for row in rows[1:50])
        erased = self.erased
        if erased is not None:
            rows, aside = without_erased(
                rows,
                aside,
                offset,
                lambda row: "contactId" in row and erased.names(self.account_id, self.client_folder_id, row),
            )
        return Page(rows, total, offset, (), tuple(aside), count, digest, varied)


def _fields(key: str, names: str) -> dict[str, str]:
    return _SORTED | {"fields": ",".join([f"{key}.{name}" for name in names.split(",")] + ["total_items"])}


def _has_column(row: Row) -> bool:
    return row.get("tag") in COLUMNS or (row.get("tag") == "ADDRESS" and row.get("type") == "address")


def _contact(row: Row, source: Source) -> dict[str, Any]:
    email = row["email_address"] or None
    merge = dict(values(row.get("merge_fields") or {}))
    signed = row.get("timestamp_signup") or row.get("timestamp_opt") or None
    tags = [str(tag["name"]) for tag in row.get("tags") or ()]
    if isinstance(row.get("tags_count"), int) and row["tags_count"] > len(tags):
        tags = [str(tag["name"]) for tag in source.client.member_tags(source.audience, row["id"])]
    own = {
        "mailchimp_status": row["status"],
        "mailchimp_opted_in": _day(row.get("timestamp_opt")),
        "mailchimp_last_changed": _day(row.get("last_changed")),
        "mailchimp_tags": ", ".join(sorted(tags)),
        "mailchimp_rating": row.get("member_rating"),
        "mailchimp_vip": {True: "yes", False: "no"}.get(row.get("vip")),  # type: ignore[arg-type]
        "mailchimp_language": row.get("language"),
        "mailchimp_source": row.get("source"),
        "mailchimp_contact_id": row.get("contact_id"),
        "mailchimp_web_id": row.get("web_id"),
    }
    custom = {name: str(value) for name, value in own.items() if value not in (None, "")}
    custom |= {
        name: text for name, text in merge.items() if name not in COLUMNS and not name.startswith("ADDRESS.")
    }
    return {
        "contactId": ids.person(row["id"]),
        "email": email,
        **{column: merge.get(tag) for tag, column in COLUMNS.items()},
        **{column: merge.get(f"ADDRESS.{part}") for part, column in PARTS.items()},
        "status": STATUS.get(row["status"], ("donotcontact", None))[0],
        "createDate": read_moment(signed),
        "createDate_text": signed,
        "custom": custom,
    }


def _day(text: object) -> str | None:
    at = read_moment(text)
    return None if at is None else f"{at:%Y-%m-%d %H:%M:%S}"


def _subscription(row: Row, source: Source) -> dict[str, Any]:
    return {
        "listId": source.client_folder_id,
        "contactId": ids.person(row["id"]),
        "email": row.get("email_address"),
        "status": STATUS[row["status"]][1],
        "addDate": read_moment(row.get("timestamp_opt") or row.get("timestamp_signup")),
    }


def _list(row: Row, source: Source) -> dict[str, Any]:
    welcomes = row.get("has_welcome") if isinstance(row.get("has_welcome"), bool) else None
    return {
        "listId": ids.number(row["id"]),
        "name": row["name"],
        "publicname": row["name"],
        "welcomeOnManualAdd": welcomes,
        "welcomeOnSignupAdd": welcomes,
    }


def _custom_field(row: Row, source: Source) -> dict[str, Any]:
    kind = TYPES.get(row["type"], "checkbox" if row["type"] == "checkbox" else "text")
    return {
        "privateName": row["tag"],
        "publicName": row.get("name") or row["tag"],
        "fieldType": kind,
        "displayToUser": row.get("public") if isinstance(row.get("public"), bool) else None,
    }


def _campaign(row: Row, source: Source) -> dict[str, Any]:
    settings = row.get("settings") or {}
    return {
        "campaignId": ids.number(row["id"]),
        "name": settings.get("title"),
        "fromName": settings.get("from_name"),
        "fromEmail": settings.get("reply_to"),
    }


def _message(row: Row, source: Source) -> dict[str, Any]:
    settings = row.get("settings") or {}
    kind = row.get("type")
    return {
        "messageId": ids.number(row["id"]),
        "campaignId": ids.number(row["id"]),
        # Those that go on being sent never age; see `icx.pull.due`.
        "messageType": "normal" if kind in ("regular", "plaintext", "absplit", "variate", None) else kind,
        "subject": settings.get("subject_line"),
        "messageName": settings.get("title") or settings.get("subject_line"),
        "previewText": settings.get("preview_text"),
        "createDate": read_moment(row.get("create_time")),
    }


def _send(row: Row, source: Source) -> dict[str, Any]:
    segment = ((row.get("recipients") or {}).get("segment_opts") or {}).get("saved_segment_id")
    return {
        "sendId": ids.number(row["id"]),
        "messageId": ids.number(row["id"]),
        "status": "released",
        "releasedTime": read_moment(row.get("send_time")),
        "recipientCount": row.get("emails_sent"),
        "includeListIds": [source.client_folder_id],
        "includeSegmentIds": [segment] if isinstance(segment, int) else [],
    }


def _unsubscribe(row: Row, source: Source) -> dict[str, Any]:
    return {"contactId": ids.person(row["email_id"]), "unsubscribeTime": read_moment(row["timestamp"])}


_READ: Mapping[str, Callable[[Row, Source], dict[str, Any]]] = {
    "contacts": _contact,
    "subscriptions": _subscription,
    "lists": _list,
    "customfields": _custom_field,
    "campaigns": _campaign,
    "messages": _message,
    "sends": _send,
    "unsubscribes": _unsubscribe,
}
