"""The client: the part of Mailchimp's Marketing API 3.0 that icx needs, as a handful of verbs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from icx import mask
from icx.clock import SYSTEM, Clock, aware_utc
from icx.errors import BadInput, Refused
from icx.http import Pace, Tape
from icx.http.pace import Waiting
from icx.mailchimp.answers import Batch, Page, Row, changed, member_hash, moment
from icx.mailchimp.calls import Caller, Method, Reply
from icx.mailchimp.login import MailchimpLogin

MOST = 500  # members in one POST /lists/{id}, and addresses in one change of a static segment
PAGE = 1000  # the most rows a page may have
OVERLAP = timedelta(
    seconds=2
)  # times have whole seconds, and it is not said whether "since" includes its own
_LAP = 20  # rows read twice where pages follow each other by number


class Client:
    """Mailchimp's API with one key or token.

    >>> from icx.mailchimp import Key
    >>> Client(Key("0123456789abcdef0123456789abcdef-us19"))
    Client(https://us19.api.mailchimp.com/3.0, key)

    Rows come as Mailchimp sends them. Thread-safe: every thread has its own connection, all share the pace and the ten
    calls that Mailchimp takes at once. `timeout` is (connect, read) in seconds, `patience` the longest a call is tried
    again. Errors are those of `icx.mailchimp.failures`; a write whose fate is not known raises `UnknownOutcome`.
    """

    def __init__(
        self,
        login: MailchimpLogin,
        *,
        page_size: int = PAGE,
        pace: Pace | None = None,
        tape: Tape | None = None,
        clock: Clock = SYSTEM,
        timeout: tuple[float, float] = (10, 130),  # Mailchimp ends a call after 120 s
        patience: float = 1800,
        on_wait: Callable[[Waiting], None] | None = None,
    ) -> None:
        self.login = login
        self.page_size = min(page_size, PAGE)
        self.clock = clock
        self.pace = pace or Pace(clock=clock)
        #: Asked before each write, with its method and what it is about; what it raises stops the write.
        self.before_write: Callable[[str, str], None] | None = None
        self._caller = Caller(
            login,
            pace=self.pace,
            tape=tape,
            clock=clock,
            timeout=timeout,
            patience=patience,
            on_wait=on_wait,
        )

    def __repr__(self) -> str:
        return f"Client({self.login.base_url}, {self.login.kind})"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    @property
    def on_wait(self) -> Callable[[Waiting], None] | None:
        """Who is told why and until when a call waits; may be set later, for a progress line."""
        return self._caller.on_wait

    @on_wait.setter
    def on_wait(self, told: Callable[[Waiting], None] | None) -> None:
        self._caller.on_wait = told

    def close(self) -> None:
        """Close the connections of all threads; the client may be used again."""
        self._caller.session.close()

    # --- reading ---------------------------------------------------------------------------------------------------

    def ping(self) -> bool:
        """Try the login by the cheapest call; raises what is wrong with it."""
        return bool(self._get("/ping", "GET /ping", needs="health_status").found)

    def account(self) -> Row:
        """Return the account: `account_id`, `account_name`, …"""
        params = {"fields": "account_id,account_name,role"}
        return dict(self._get("/", "the account", params, needs="account_id").value)

    def lists(self) -> Iterator[Row]:
        """Yield the audiences of the account, which the API calls lists."""
        return self.rows("/lists", "lists", {}, exclude="lists._links,_links")

    def audience(self, id: str) -> Row | None:
        """Return one audience, None when there is none."""
        reply = self._get(f"/lists/{_part(id)}", f"lists/{id}", {"exclude_fields": "_links"}, needs="id")
        return dict(reply.value) if reply.found else None

    def merge_fields(self, list_id: str) -> Iterator[Row]:
        """Yield the fields an audience has beside the address."""
        path = f"/lists/{_part(list_id)}/merge-fields"
        return self.rows(path, "merge_fields", {}, exclude="merge_fields._links,_links")

    def segments(self, list_id: str, *, type: str = "static") -> Iterator[Row]:
        """Yield the segments of an audience; static ones by default, tags among them."""
        path = f"/lists/{_part(list_id)}/segments"
        return self.rows(path, "segments", {"type": type}, exclude="segments._links,_links")

    def members(
        self, list_id: str, *, since: datetime | None = None, status: str | None = None
    ) -> Iterator[Row]:
        """Yield the members of an audience, in the order of their last change; archived ones only by that `status`.

        `since` leaves out who did not change since then (some seconds before it are read too). Somebody who changes while pages are read comes again with
        the later row, which is the true one; nobody is skipped by it.
        """
        path = f"/lists/{_part(list_id)}/members"
        params = {"sort_field": "last_changed", "sort_dir": "ASC", "exclude_fields": "members._links,_links"}
        params |= {"status": status} if status is not None else {}
        known: dict[tuple[Any, Any], datetime | None] = {}
        since = None if since is None else aware_utc(since) - OVERLAP
        offset = 0
        while True:
            asked = params if since is None else {**params, "since_last_changed": moment(since)}
            page = self.page(path, "members", asked, offset)
            fresh = 0
            for row in page.rows:
                name = (row.get("id"), row.get("last_changed"))
                if name not in known:
                    known[name] = changed(row)
                    fresh += 1
                    yield row
            if not page.rows or (page.total is not None and page.end >= page.total):
                return
            # Who changes leaves a gap behind, and an offset would step over somebody. So the next page begins at the
            # last one's moment, a little before it; only inside one moment, as after an import, offsets are used.
            last = changed(page.rows[-1])
            after = None if last is None else last - OVERLAP
            if after is not None and fresh and (since is None or after > since):
                since, offset = after, 0
                known = {name: at for name, at in known.items() if at is not None and at >= after}
            else:
                offset = page.end - min(_LAP, len(page.rows) // 2)

    def member(self, list_id: str, who: str) -> Row | None:
        """Return one member, None when the audience has none; `who` is an address' hash or a contact id.

        One that was archived is still told, with that status.
        """
        reply = self._get(
            f"/lists/{_part(list_id)}/members/{_part(who)}",
            f"lists/{list_id}/members/{who[:6]}…",
            {"exclude_fields": "_links"},
            needs="id",
        )
        return dict(reply.value) if reply.found else None

    def member_tags(self, list_id: str, who: str) -> list[Row]:
        """Return all tags of a member; a member's own row has fifty at most."""
        path = f"/lists/{_part(list_id)}/members/{_part(who)}/tags"
        return [*self.rows(path, "tags", {}, exclude="_links")]

    def campaigns(self, list_id: str | None = None) -> Iterator[Row]:
        """Yield the campaigns that were sent, to one audience or to all, oldest first."""
        params = {"status": "sent", "sort_field": "send_time", "sort_dir": "ASC"}
        if list_id is not None:
            params["list_id"] = list_id
        return self.rows("/campaigns", "campaigns", params, exclude="campaigns._links,_links")

    def report(self, campaign_id: str) -> Row:
        """Return the totals of a campaign."""
        label = f"reports/{campaign_id}"
        reply = self._get(f"/reports/{_part(campaign_id)}", label, {"exclude_fields": "_links"}, needs="id")
        if not reply.found:
            raise _gone(label)
        return dict(reply.value)

    def content(self, campaign_id: str) -> Row:
        """Return the body of a campaign: `html`, `plain_text`."""
        label = f"campaigns/{campaign_id}/content"
        reply = self._get(f"/campaigns/{_part(campaign_id)}/content", label, {"fields": "html"})
        if not reply.found:
            raise _gone(label)
        return dict(reply.value or {})

    def page(
        self,
        path: str,
        key: str,
        params: Mapping[str, str],
        offset: int,
        *,
        count: int | None = None,
        tries: int | None = None,
    ) -> Page:
        """Return one page of a collection, whose rows stand under `key`. A collection that is gone is refused."""
        asked = {**params, "count": str(min(count or self.page_size, PAGE)), "offset": str(offset)}
        label = f"{path.strip('/')}, from row {offset + 1:,}"
        reply = self._get(path, label, asked, needs=key, tries=tries)
        if not reply.found:
            raise _gone(label)
        rows = reply.value[key]
        total = reply.value.get("total_items")
        good = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        return Page(good, total if isinstance(total, int) else None, offset)

    def rows(
        self,
        path: str,
        key: str,
        params: Mapping[str, str],
        *,
        exclude: str,
    ) -> Iterator[Row]:
        """Yield every row of a small collection; one whose id came before is left out."""
        asked = {**params, "exclude_fields": exclude}
        seen: set[Any] = set()
        offset = 0
        while True:
            page = self.page(path, key, asked, offset)
            for row in page.rows:
                name = row.get("id", row.get("merge_id"))
                if name not in seen:
                    seen.add(name)
                    yield row
            if not page.rows or (page.total is not None and page.end >= page.total):
                return
            offset = page.end

    # --- writing ---------------------------------------------------------------------------------------------------

    def put(self, list_id: str, email: str, fields: Mapping[str, Any]) -> Row:
        """Make a member or change the one who has the address; `status_if_new` counts only for a new one."""
        return self._member("PUT", list_id, member_hash(email), {"email_address": email, **fields})

    def patch(self, list_id: str, who: str, fields: Mapping[str, Any]) -> Row:
        """Change a member who is there; refused (404) for anybody else. `who` is a hash or a contact id."""
        return self._member("PATCH", list_id, who, fields)

    def batch(self, list_id: str, members: Sequence[Mapping[str, Any]], *, update: bool) -> Batch:
        """Make members in one call, and change those who are there if `update`; at most 500.

        Mailchimp answers 200 also when it refused every one of them: who was refused, and why, is in `errors`.
        """
        if len(members) > MOST:
            raise BadInput(
                "parameter",
                f"One call takes {MOST} members, not {len(members):,}.",
                where=f"POST lists/{list_id}",
                kept="nothing was sent",
                next=[f"give at most {MOST} at a time"],
            )
        if not members:
            return Batch({}, {})
        body = {"members": list(map(dict, members)), "update_existing": update}
        label = f"POST lists/{list_id} ({len(members)} {'member' if len(members) == 1 else 'members'})"
        value = self._write("POST", f"/lists/{_part(list_id)}", label, body, needs="errors").value
        taken = [row for key in ("new_members", "updated_members") for row in value.get(key) or ()]
        return Batch(
            {str(row.get("email_address", "")).lower(): row for row in taken},
            {str(row.get("email_address", "")).lower(): self._said(row) for row in value["errors"] or ()},
        )

    def tag(self, list_id: str, who: str, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Put tags on a member and take others off. Automations that begin with a tag are not begun by this.

        A tag nobody had before is made; taking off one that is not there is no error.
        """
        tags = [{"name": name, "status": "active"} for name in add]
        tags += [{"name": name, "status": "inactive"} for name in remove]
        if tags:
            path = f"/lists/{_part(list_id)}/members/{_part(who)}/tags"
            label = f"POST lists/{list_id}/members/{who[:6]}…/tags"
            self._write("POST", path, label, {"tags": tags, "is_syncing": True})

    def change_segment(
        self, list_id: str, segment: int | str, add: Sequence[str] = (), remove: Sequence[str] = ()
    ) -> Batch:
        """Put members of the audience into a static segment and take others out, by address; at most 500 of each."""
        body = {"members_to_add": list(add), "members_to_remove": list(remove)}
        path = f"/lists/{_part(list_id)}/segments/{_part(str(segment))}"
        value = self._write("POST", path, f"POST lists/{list_id}/segments/{segment}", body).value or {}
        rows = [row for key in ("members_added", "members_removed") for row in value.get(key) or ()]
        refused = {
            str(email).lower(): self._said(row)
            for row in value.get("errors") or ()
            for email in row.get("email_addresses") or ()
        }
        return Batch({str(row.get("email_address", "")).lower(): row for row in rows}, refused)

    # --- plumbing --------------------------------------------------------------------------------------------------

    def _get(
        self,
        path: str,
        label: str,
        params: Mapping[str, str] | None = None,
        *,
        needs: str | None = None,
        tries: int | None = None,
    ) -> Reply:
        return self._caller.call("GET", path, label, params=params, needs=needs, tries=tries)

    def _member(self, method: Method, list_id: str, who: str, fields: Mapping[str, Any]) -> Row:
        path = f"/lists/{_part(list_id)}/members/{_part(who)}"
        label = f"{method} lists/{list_id}/members/{who[:6]}…"
        return dict(self._write(method, path, label, dict(fields), needs="id").value)

    def _write(self, method: Method, path: str, label: str, body: Any, needs: str | None = None) -> Reply:
        if self.before_write is not None:
            self.before_write(method, label.removeprefix(f"{method} "))
        return self._caller.call(method, path, label, body=body, needs=needs)

    def _said(self, row: Mapping[str, Any]) -> str:
        words = [str(row[key]) for key in ("error", "field", "field_message") if row.get(key)]
        return mask.plain(mask.addresses_in(self._caller.session.hidden(": ".join(words))))[:500]


def _part(text: str) -> str:
    """Return one part of a path; what it holds is never read as more of the path."""
    return quote(text, safe="")


def _gone(label: str) -> Refused:
    return Refused(
        "service-refused",
        "Mailchimp has no such thing any more (404).",
        where=label,
        kept="all that is stored",
        next=["icx connect NAME --mailchimp --update asks which audience is meant"],
        data={"status": 404},
    )
