"""The twin's answers: one function for each operation, by its path."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from mailchimp_twin.state import Audience, Campaign, Member, No, State, hashed

Params = Mapping[str, str]


def iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def told(list_id: str, member: Member) -> dict[str, Any]:
    return {
        "id": member.id,
        "email_address": member.email,
        "unique_email_id": member.contact_id[:10],
        "contact_id": member.contact_id,
        "web_id": member.web_id,
        "email_type": "html",
        "status": member.status,
        "merge_fields": dict(member.merge),
        "stats": {"avg_open_rate": 0, "avg_click_rate": 0},
        "timestamp_opt": iso(member.opted),
        "timestamp_signup": "",
        "member_rating": 2,
        "last_changed": iso(member.changed),
        "language": "",
        "vip": member.vip,
        "source": "API - Generic",
        "tags_count": len(member.tags),
        "tags": [{"id": id, "name": name} for id, name in list(member.tags.items())[:50]],
        "list_id": list_id,
        "_links": [],
    }


def page(
    rows: list[Any], key: str, params: Params, shown: Callable[[Any], Any] = lambda row: row, **more: Any
) -> dict[str, Any]:
    count = min(int(params.get("count", "10")), 1000)
    offset = int(params.get("offset", "0"))
    some = [shown(row) for row in rows[offset : offset + count]]
    return {key: some, "total_items": len(rows), "_links": [], **more}


class Api:
    """The Marketing API over a `State`."""

    def __init__(self, state: State) -> None:
        self.state = state
        member = r"/lists/([^/]+)/members/([^/]+)"
        self.routes: list[tuple[str, str, Callable[..., Any]]] = [
            ("GET", r"/", self.root),
            ("GET", r"/ping", lambda p, b: {"health_status": "Everything's Chimpy!"}),
            ("GET", r"/lists", self.lists),
            ("GET", r"/lists/([^/]+)", lambda p, b, id: self.list_row(self.audience(id))),
            ("POST", r"/lists/([^/]+)", self.batch),
            ("GET", r"/lists/([^/]+)/members", self.members),
            ("GET", member, self.member),
            ("PUT", member, lambda p, b, id, who: self.write(id, who, b, make=True)),
            ("PATCH", member, lambda p, b, id, who: self.write(id, who, b, make=False)),
            ("POST", member + "/tags", self.tags),
            ("GET", member + "/tags", self.member_tags),
            ("GET", r"/lists/([^/]+)/merge-fields", self.merge_fields),
            ("GET", r"/lists/([^/]+)/segments", self.segments),
            ("POST", r"/lists/([^/]+)/segments/(\d+)", self.segment),
            ("GET", r"/campaigns", self.campaigns),
            (
                "GET",
                r"/campaigns/([^/]+)/content",
                lambda p, b, id: {"html": f"<p>{self.campaign(id).title}</p>"},
            ),
            ("GET", r"/reports/([^/]+)", lambda p, b, id: self.report(self.campaign(id))),
            ("GET", r"/reports/([^/]+)/email-activity", self.activity),
            ("GET", r"/reports/([^/]+)/unsubscribed", self.unsubscribed),
        ]

    def answer(self, method: str, path: str, params: Params, body: Any) -> tuple[int, Any]:
        for verb, pattern, function in self.routes:
            found = re.fullmatch(pattern, path)
            if found and verb == method:
                value = function(params, body, *found.groups())
                return (204, None) if value is None else (200, value)
        raise No(404, "Resource Not Found", "The requested resource could not be found.")

    def audience(self, id: str) -> Audience:
        if id not in self.state.audiences:
            raise No(404, "Resource Not Found", "The requested resource could not be found.")
        return self.state.audiences[id]

    def campaign(self, id: str) -> Campaign:
        if id not in self.state.campaigns:
            raise No(404, "Resource Not Found", "The requested resource could not be found.")
        return self.state.campaigns[id]

    def root(self, params: Params, body: Any) -> Any:
        return {"account_id": self.state.account_id, "account_name": self.state.account_name, "role": "owner"}

    def list_row(self, one: Audience) -> dict[str, Any]:
        counts = {
            "member_count": sum(member.status == "subscribed" for member in one.members.values()),
            "unsubscribe_count": sum(member.status == "unsubscribed" for member in one.members.values()),
        }
        return {
            "id": one.id,
            "web_id": one.web_id,
            "name": one.name,
            "double_optin": one.double_optin,
            "has_welcome": one.has_welcome,
            "marketing_permissions": False,
            "date_created": "2024-01-01T00:00:00+00:00",
            "stats": counts,
            "_links": [],
        }

    def lists(self, params: Params, body: Any) -> Any:
        return page([self.list_row(one) for one in self.state.audiences.values()], "lists", params)

    def members(self, params: Params, body: Any, id: str) -> Any:
        audience = self.audience(id)
        wanted = params.get("status")
        rows = [
            one
            for one in audience.members.values()
            if (one.status == wanted if wanted else one.status != "archived")
        ]
        if since := params.get("since_last_changed"):
            rows = [one for one in rows if one.changed > datetime.fromisoformat(since)]
        if params.get("sort_field") == "last_changed":
            rows.sort(key=lambda one: one.changed, reverse=params.get("sort_dir") == "DESC")
        return page(rows, "members", params, lambda one: told(id, one), list_id=id)

    def member(self, params: Params, body: Any, id: str, who: str) -> Any:
        found = self.state.who(self.audience(id), who)
        if found is None:
            raise No(404, "Resource Not Found", "The requested resource could not be found.")
        return told(id, found)

    def write(self, id: str, who: str, body: Any, *, make: bool) -> Any:
        return told(id, self.state.set(self.audience(id), who, body, make=make)[0])

    def batch(self, params: Params, body: Any, id: str) -> Any:
        audience = self.audience(id)
        if len(body["members"]) > 500:
            raise No(400, "Invalid Resource", "Up to 500 members may be added or updated with each API call.")
        new, updated, errors, seen = [], [], [], set()
        for row in body["members"]:
            email = row["email_address"]
            try:
                if email.lower() in seen:
                    raise No(400, "", "Duplicate items found for email address", None)
                seen.add(email.lower())
                there = self.state.who(audience, email)
                if there is not None and not body.get("update_existing"):
                    raise No(400, "ERROR_CONTACT_EXISTS", f"{email} is already a list member")
                member, made = self.state.set(audience, email, row, make=True)
                (new if made else updated).append(told(id, member))
            except No as no:
                code = no.title if no.title == "ERROR_CONTACT_EXISTS" else "ERROR_GENERIC"
                first = (no.errors or [{}])[0]
                errors.append(
                    {
                        "email_address": email,
                        "error": no.detail,
                        "error_code": code,
                        "field": first.get("field", ""),
                        "field_message": first.get("message", ""),
                    }
                )
        return {
            "new_members": new,
            "updated_members": updated,
            "errors": errors,
            "total_created": len(new),
            "total_updated": len(updated),
            "error_count": len(errors),
            "_links": [],
        }

    def tags(self, params: Params, body: Any, id: str, who: str) -> None:
        audience = self.audience(id)
        member = self.state.who(audience, who)
        if member is None:
            raise No(404, "Resource Not Found", "The requested resource could not be found.")
        for tag in body["tags"]:
            self.state.tag(audience, member, tag["name"], on=tag["status"] == "active")
        member.changed = self.state.tick()

    def member_tags(self, params: Params, body: Any, id: str, who: str) -> Any:
        member = self.state.who(self.audience(id), who)
        tags = member.tags if member else {}
        return page([{"id": number, "name": name} for number, name in tags.items()], "tags", params)

    def merge_fields(self, params: Params, body: Any, id: str) -> Any:
        return page(self.audience(id).fields, "merge_fields", params, list_id=id)

    def segments(self, params: Params, body: Any, id: str) -> Any:
        rows = [
            {"id": number, "name": name, "type": "static", "list_id": id, "member_count": 0}
            for number, name in self.audience(id).segments.items()
        ]
        return page(rows, "segments", params, list_id=id)

    def segment(self, params: Params, body: Any, id: str, number: str) -> Any:
        audience = self.audience(id)
        if int(number) not in audience.segments:
            raise No(404, "Resource Not Found", "The requested resource could not be found.")
        done: dict[bool, list[Any]] = {True: [], False: []}
        for key, on in (("members_to_add", True), ("members_to_remove", False)):
            for email in body.get(key, ()):
                member = self.state.who(audience, email)
                if member is not None:  # an address that is not there is passed over in silence
                    self.state.tag(audience, member, audience.segments[int(number)], on=on)
                    member.changed = self.state.tick()
                    done[on].append(told(id, member))
        return {
            "members_added": done[True],
            "members_removed": done[False],
            "errors": [],
            "total_added": len(done[True]),
            "total_removed": len(done[False]),
            "error_count": 0,
            "_links": [],
        }

    def campaigns(self, params: Params, body: Any) -> Any:
        wanted = params.get("list_id")
        rows = [one for one in self.state.campaigns.values() if wanted in (None, one.list_id)]
        rows.sort(key=lambda one: one.sent_at)
        return page(
            [
                {
                    "id": one.id,
                    "web_id": one.web_id,
                    "type": one.type,
                    "status": "sent",
                    "create_time": iso(one.sent_at),
                    "send_time": iso(one.sent_at),
                    "emails_sent": len(one.recipients),
                    "recipients": {"list_id": one.list_id},
                    "settings": {
                        "subject_line": one.subject,
                        "title": one.title,
                        "preview_text": "",
                        "from_name": "Acme",
                        "reply_to": "news@example.org",
                    },
                }
                for one in rows
            ],
            "campaigns",
            params,
        )

    def report(self, one: Campaign) -> Any:
        def people(action: str) -> int:
            return len({email for email, did, *_ in one.events if did == action})

        def times(action: str) -> int:
            return sum(did == action for _, did, *_ in one.events)

        return {
            "id": one.id,
            "campaign_title": one.title,
            "type": one.type,
            "list_id": one.list_id,
            "emails_sent": len(one.recipients),
            "abuse_reports": 0,
            "unsubscribed": len(one.left),
            "send_time": iso(one.sent_at),
            "bounces": {"hard_bounces": times("bounce"), "soft_bounces": 0, "syntax_errors": 0},
            "forwards": {"forwards_count": 0, "forwards_opens": 0},
            "opens": {"opens_total": times("open"), "unique_opens": people("open")},
            "clicks": {"clicks_total": times("click"), "unique_clicks": people("click")},
            "_links": [],
        }

    def activity(self, params: Params, body: Any, id: str) -> Any:
        one = self.campaign(id)
        did: dict[str, list[Any]] = {email: [] for email in one.recipients}
        for email, action, at, url in one.events:
            event = {"action": action, "timestamp": iso(at), "ip": "192.0.2.7"}
            event |= {"url": url} if action == "click" else {"type": "hard"} if action == "bounce" else {}
            did.setdefault(email, []).append(event)

        def shown(row: tuple[str, list[Any]]) -> dict[str, Any]:
            email, events = row
            return {
                "campaign_id": id,
                "list_id": one.list_id,
                "list_is_active": True,
                "email_id": hashed(email),
                "email_address": email,
                "activity": events,
            }

        return page(list(did.items()), "emails", params, shown, campaign_id=id)

    def unsubscribed(self, params: Params, body: Any, id: str) -> Any:
        one = self.campaign(id)
        rows = [
            {
                "email_id": hashed(email),
                "email_address": email,
                "timestamp": iso(at),
                "reason": "None given",
                "campaign_id": id,
                "list_id": one.list_id,
                "list_is_active": True,
            }
            for email, at in one.left
        ]
        return page(rows, "unsubscribes", params, campaign_id=id)


def problem(no: No) -> bytes:
    value = {
        "type": "https://mailchimp.com/developer/marketing/docs/errors/",
        "title": no.title,
        "status": no.status,
        "detail": no.detail,
        "instance": "995c5cb0-3280-4a6e-808b-3b096d0bb219",
    }
    return json.dumps(value | ({"errors": no.errors} if no.errors else {})).encode()
