"""What the twin knows: audiences, members with the rules of consent, campaigns and what people did with them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")
KEY = "0123456789abcdef0123456789abcdef-us19"
TOKEN = "5d41402abc4b2a76b9719d911017c592token"
CLIENT_SECRET = "c11ent-s3cret-of-the-twin"


def hashed(email: str) -> str:
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()


class No(Exception):
    """A refusal, as Mailchimp words it."""

    def __init__(
        self, status: int, title: str, detail: str, errors: list[dict[str, str]] | None = None
    ) -> None:
        super().__init__(title)
        self.status, self.title, self.detail, self.errors = status, title, detail, errors


@dataclass
class Member:
    email: str
    status: str
    web_id: int
    merge: dict[str, Any] = field(default_factory=dict)
    tags: dict[int, str] = field(default_factory=dict)
    changed: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    opted: datetime | None = None
    left_itself: bool = False  # by its own click: nobody but itself may undo that
    vip: bool = False
    contact_id: str = ""

    @property
    def id(self) -> str:
        return hashed(self.email)


@dataclass
class Campaign:
    id: str
    web_id: int
    list_id: str
    title: str
    subject: str
    sent_at: datetime
    type: str = "regular"
    recipients: list[str] = field(default_factory=list)  # addresses
    events: list[tuple[str, str, datetime, str]] = field(default_factory=list)  # address, action, when, url
    left: list[tuple[str, datetime]] = field(default_factory=list)


@dataclass
class Audience:
    id: str
    web_id: int
    name: str
    double_optin: bool = False
    has_welcome: bool = False
    fields: list[dict[str, Any]] = field(default_factory=list)
    members: dict[str, Member] = field(default_factory=dict)  # by hash
    forgotten: set[str] = field(default_factory=set)
    segments: dict[int, str] = field(default_factory=dict)  # static ones; a tag is one


@dataclass
class State:
    """An account. `violations` are writes that would mail somebody who said no; in `permissive` mode they go through."""

    permissive: bool = False
    account_id: str = "8d3a3db4d97663a9074efcc16"
    account_name: str = "Acme Outdoor"
    audiences: dict[str, Audience] = field(default_factory=dict)
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    mailed: list[tuple[str, str]] = field(default_factory=list)  # (why, address)
    now: datetime = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
    numbers: int = 1000

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def audience(self, name: str, **more: Any) -> Audience:
        """Make an audience with the three fields every new one has."""
        number = self.number()
        made = Audience(f"{number * 7919:010x}", number, name, **more)
        for place, (tag, label, kind) in enumerate(
            (
                ("FNAME", "First Name", "text"),
                ("LNAME", "Last Name", "text"),
                ("ADDRESS", "Address", "address"),
            )
        ):
            made.fields.append(
                {
                    "merge_id": place + 1,
                    "tag": tag,
                    "name": label,
                    "type": kind,
                    "required": False,
                    "options": {},
                }
            )
        self.audiences[made.id] = made
        return made

    def field(self, audience: Audience, tag: str, kind: str = "text", **more: Any) -> None:
        made = {"merge_id": len(audience.fields) + 1, "tag": tag, "name": tag.title(), "type": kind}
        audience.fields.append({**made, "required": False, "options": {}, **more})

    def person(self, audience: Audience, email: str, status: str = "subscribed", **more: Any) -> Member:
        """Put somebody there as the signup form would, without the API's rules."""
        number, at = self.number(), self.tick()
        tags = more.pop("tags", ())
        made = Member(email, status, number, changed=at, opted=at, contact_id=f"{number:032x}", **more)
        audience.members[made.id] = made
        for name in tags:
            self.tag(audience, made, name, on=True)
        return made

    def campaign(
        self, audience: Audience, title: str, recipients: list[str], sent_at: datetime | None = None
    ) -> Campaign:
        number = self.number()
        at = sent_at or self.tick()
        made = Campaign(
            f"{number * 104729:010x}", number, audience.id, title, f"{title}!", at, recipients=recipients
        )
        self.campaigns[made.id] = made
        return made

    def who(self, audience: Audience, name: str) -> Member | None:
        found = audience.members.get(name) or audience.members.get(hashed(name))
        return found or next((one for one in audience.members.values() if one.contact_id == name), None)

    def tag(self, audience: Audience, member: Member, name: str, *, on: bool) -> None:
        number = next((id for id, known in audience.segments.items() if known == name), None)
        if on:
            if number is None:
                number = self.number()
                audience.segments[number] = name
            member.tags[number] = name
        elif number is not None:
            member.tags.pop(number, None)

    def set(
        self, audience: Audience, name: str, body: Mapping[str, Any], *, make: bool
    ) -> tuple[Member, bool]:
        """Carry one write out as the API would; return the member and whether it is new. Raises `No`."""
        member = self.who(audience, name)
        email = str(body.get("email_address") or (member.email if member else ""))
        if hashed(email) in audience.forgotten:
            raise No(
                400,
                "Forgotten Email Not Subscribed",
                f"{email} was permanently deleted and cannot be re-imported. The contact must re-subscribe to get "
                "back on the list.",
            )
        if member is None and not make:
            raise No(404, "Resource Not Found", "The requested resource could not be found.")
        wanted = body.get("status") or (body.get("status_if_new") if member is None else None)
        if wanted is not None and wanted not in STATUSES:
            raise No(
                400,
                "Invalid Resource",
                "The resource submitted could not be validated.",
                [{"field": "status", "message": "Value must be one of the listed ones"}],
            )
        if member is None and wanted is None:
            raise No(400, "Invalid Resource", "A status is needed for a new member.")
        if member is None and ("@" not in email or email.endswith("@")):
            raise No(
                400, "Invalid Resource", f"{email} looks fake or invalid, please enter a real email address."
            )
        self._consent(audience, member, email, wanted)
        self._fields(audience, member, body.get("merge_fields") or {})
        new = member is None
        if member is None:
            member = self.person(audience, email, str(wanted))
            self._greet(audience, member, str(wanted))
        else:
            if "email_address" in body and hashed(email) != member.id:
                del audience.members[member.id]
                member.email = email
                audience.members[member.id] = member
            if wanted is not None and wanted != member.status:
                self._greet(audience, member, str(wanted))
                member.status, member.left_itself = str(wanted), False
        member.merge |= {
            tag: value for tag, value in (body.get("merge_fields") or {}).items() if value is not None
        }
        member.vip = bool(body.get("vip", member.vip))
        for tag in body.get("tags") or ():
            self.tag(audience, member, tag, on=True)
        member.changed = self.tick()
        return member, new

    def _greet(self, audience: Audience, member: Member, status: str) -> None:
        if status == "pending":
            self.mailed.append(("confirmation", member.email))
        elif status == "subscribed" and audience.has_welcome:
            self.mailed.append(("welcome", member.email))

    def _consent(self, audience: Audience, member: Member | None, email: str, wanted: str | None) -> None:
        if wanted != "subscribed":
            return
        if member is None:
            if audience.double_optin:
                self.violations.append(f"{email}: subscribed without the double opt-in of {audience.name}")
            return
        if member.status == "subscribed":
            return
        self.violations.append(f"{email}: {member.status} made subscribed")
        if not self.permissive and (member.left_itself or member.status == "cleaned"):
            raise No(
                400,
                "Member In Compliance State",
                f"{email} is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be "
                "subscribed.",
            )

    def _fields(self, audience: Audience, member: Member | None, given: Mapping[str, Any]) -> None:
        wrong = []
        for one in audience.fields:
            tag, value = one["tag"], given.get(one["tag"])
            have = (member.merge.get(tag) if member else None) if tag not in given else value
            if one["required"] and have in (None, ""):
                wrong.append({"field": tag, "message": "Please enter a value"})
            choices = one["options"].get("choices")
            if choices and value not in (None, "") and value not in choices:
                wrong.append({"field": tag, "message": "Value must be one of the choices"})
            if one["type"] == "number" and isinstance(value, str) and value:
                try:
                    float(value)
                except ValueError:
                    wrong.append({"field": tag, "message": "Please enter a number"})
        if wrong:
            raise No(400, "Invalid Resource", "Your merge fields were invalid.", wrong)
