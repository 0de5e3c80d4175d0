"""The client: iContact's API 2.2 as a handful of verbs over the resource table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from icx import mask
from icx.clock import SYSTEM, Clock
from icx.errors import BadInput
from icx.http.pace import Pace, Waiting
from icx.http.secret import Secret
from icx.http.session import safe_address
from icx.http.tape import Tape
from icx.icontact import answers, codec, failures, find, resolve, resources
from icx.icontact.calls import Caller, Method, Reply
from icx.icontact.codec import SetAside
from icx.icontact.paging import Erased, Page, Sent, pages, without_erased
from icx.icontact.resources import RESOURCES, Resource, collection_path, member_path, subscription_id
from icx.icontact.written import Written, matched, one_written

PRODUCTION = "https://app.icontact.com/icp"


class Client:
    """iContact's API with one login, account and client folder.

    >>> Client("https://app.icontact.com/icp", "1f3c9a00000000000000000000000000", "ada@example.com", "…",
    ...        account_id=111, client_folder_id=222)
    Client(https://app.icontact.com/icp, application 1f3c…, account 111, folder 222)

    Rows come decoded: ids are int, times aware UTC datetimes, flags bool, missing and '' None, a contact's custom
    fields under `row["custom"]`. Account and folder may be left out to read `accounts()` and `folders()` first.

    Thread-safe: every thread has its own connection, all share the pace. `pace` holds the budget of calls, `tape` is
    told every call (masked), `on_wait` why a call waits. `timeout` is (connect, read) in seconds; `patience` is the
    longest a call is tried again, in seconds. Errors are those of `icx.icontact.failures`; a write whose fate is not
    known raises `UnknownOutcome` and is never sent again.
    """

    def __init__(
        self,
        base_url: str,
        app_id: str | Secret,
        username: str,
        password: str | Secret,
        *,
        account_id: int | None = None,
        client_folder_id: int | None = None,
        page_size: int = 1000,
        pace: Pace | None = None,
        tape: Tape | None = None,
        clock: Clock = SYSTEM,
        timeout: tuple[float, float] = (10, 120),
        patience: float = 1800,
        on_wait: Callable[[Waiting], None] | None = None,
    ) -> None:
        self.base_url = safe_address(base_url)
        self.account_id = account_id
        self.client_folder_id = client_folder_id
        self.page_size = page_size
        self.clock = clock
        self.pace = pace or Pace(clock=clock)
        #: The private names of the custom fields, when known; then only these keys count as custom.
        self.custom_names: frozenset[str] | None = None
        #: Asked before each write, with its method and what it is about; what it raises stops the write.
        self.before_write: Callable[[str, str], None] | None = None
        #: Who is never read and never written, whoever asks; see `icx.store.erased`.
        self.erased: Erased | None = None
        self._caller = Caller(
            self.base_url,
            app_id,
            username,
            password,
            pace=self.pace,
            tape=tape,
            clock=clock,
            timeout=timeout,
            patience=patience,
            on_wait=on_wait,
        )

    def __repr__(self) -> str:
        parts = [self.base_url, f"application {mask.app_id(self._caller.app_id.reveal())}"]
        parts += [f"account {self.account_id}"] if self.account_id is not None else []
        parts += [f"folder {self.client_folder_id}"] if self.client_folder_id is not None else []
        return f"Client({', '.join(parts)})"

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

    def page(
        self,
        resource: str,
        *,
        parent: int | str | None = None,
        offset: int = 0,
        limit: int | None = None,
        tries: int | None = None,
        **filters: Any,
    ) -> Page:
        """Return one page of a collection.

        `limit` is always sent, since iContact's own default of 20 is the field's most frequent mistake; how many rows
        come is the service's choice. Filters are iContact's field names; they are hints: `*` in a value means
        "anything", a comma "or", an empty value finds nothing. A filter that iContact does not know raises
        `filter-ignored`, because it would answer with everything. `tries` are made of an answer that cannot be read.
        """
        return self.sent(resource, parent=parent, offset=offset, limit=limit, tries=tries, **filters).page

    def sent(
        self,
        resource: str,
        *,
        parent: int | str | None = None,
        offset: int = 0,
        limit: int | None = None,
        tries: int | None = None,
        **filters: Any,
    ) -> Sent:
        """Return a page as it was sent, for a reader of whole columns; all else as `page`."""
        what = _able(resource, "rows")
        params = {
            **what.always,
            **{key: answers.param(value) for key, value in filters.items() if value is not None},
        }
        given = frozenset(params) - frozenset(what.always) | frozenset(filters)
        params |= {"limit": str(limit or self.page_size), "offset": str(offset)}
        label = f"{self._label(what, parent)}, from row {offset + 1:,}"
        reply = self._caller.call(
            "GET",
            self._collection(what, parent),
            label,
            params=params,
            check=answers.has_rows(what),
            gone=_never,
            tries=tries,
        )
        raws = answers.rows_of(what, reply.value)
        warnings = tuple(failures.warnings_in(reply.value))
        answers.refuse_ignored(warnings, given, label)
        names = self.custom_names

        def read(raws: Sequence[Any], offset: int) -> tuple[list[dict[str, Any]], tuple[SetAside, ...]]:
            rows, aside = codec.decode_rows(what, raws, offset, names)
            if self.erased is None:
                return rows, tuple(aside)
            return without_erased(rows, aside, offset, lambda row: self._erased(what, row))

        return Sent(
            what.name,
            raws,
            answers.total_of(reply.value),
            offset,
            warnings,
            plain=self.erased is None,
            custom_names=names,
            read=read,
        )

    def pages(
        self,
        resource: str,
        *,
        parent: int | str | None = None,
        start: int = 0,
        limit: int | None = None,
        **filters: Any,
    ) -> Iterator[Page]:
        """Yield the pages of a collection, from row `start` (0-based) to the end; see `icx.icontact.paging`."""
        what = _able(resource, "rows")
        return pages(
            lambda offset: self.page(resource, parent=parent, offset=offset, limit=limit, **filters),
            self._label(what, parent),
            start,
            what.id,
        )

    def rows(
        self, resource: str, *, parent: int | str | None = None, start: int = 0, **filters: Any
    ) -> Iterator[dict[str, Any]]:
        """Yield every row of a collection, each id once; events, which have none, all of them."""
        for page in self.pages(resource, parent=parent, start=start, **filters):
            yield from page.rows

    def get(self, resource: str, id: int | str, *, parent: int | str | None = None) -> dict[str, Any] | None:
        """Return one row, or None when iContact has no such row.

        A deleted contact is still there with the status `deleted`; a deleted list is None (the recordings show a
        500 for it, with the words "No result for").
        """
        what = _able(resource, "get")
        path = member_path(what, id, account=self.account_id, folder=self.client_folder_id, parent=parent)
        label = f"{self._label(what, parent)}/{id}"
        reply = self._caller.call(
            "GET",
            path,
            label,
            gone=answers.list_not_there if what.name == "lists" else answers.not_there,
            check=answers.has_row(what),
        )
        return self._row(what, reply.value, label) if reply.found else None

    def time(self) -> datetime:
        """Return the service's clock, aware UTC; needs no login, so it tells an outage from a refusal."""
        reply = self._caller.call("GET", "/time", "GET /time", login=False, check=answers.has_time)
        return codec.read_time(str(reply.value["time"]))

    def accounts(self) -> list[dict[str, Any]]:
        """Return the accounts this login sees."""
        return list(self.rows("accounts"))

    def folders(self, account_id: int | None = None) -> list[dict[str, Any]]:
        """Return the client folders of an account; ordinary accounts name theirs not."""
        return list(self.within(account_id or self.account_id, None).rows("folders"))

    def statistics(self, message_id: int) -> dict[str, int | None]:
        """Return the counters of a message, flat: bounces, delivered, opens_unique, opens_total, clicks_unique …

        They are counted by the service at its leisure: a hint of what a reading of the events should give, no proof.
        """
        what = RESOURCES["opens"]
        path = self._collection(what, message_id).removesuffix(what.word) + "statistics"
        reply = self._caller.call(
            "GET", path, f"messages/{message_id}/statistics", check=answers.has("statistics")
        )
        found: dict[str, int | None] = {}
        for key, value in dict(reply.value["statistics"]).items():
            for inner, one in value.items() if isinstance(value, Mapping) else [("", value)]:
                found[f"{key}_{inner}" if inner else key] = answers.count(one)
        return found

    def within(self, account_id: int | None, client_folder_id: int | None) -> Client:
        """Return a client for another account or folder that shares this one's login, pace and connections."""
        other = object.__new__(Client)
        other.__dict__.update(self.__dict__)
        other.account_id, other.client_folder_id, other.custom_names = account_id, client_folder_id, None
        return other

    # --- writing ---------------------------------------------------------------------------------------------------

    def create(
        self, resource: str, rows: Sequence[Mapping[str, Any]], *, parent: int | str | None = None
    ) -> Written:
        """Create rows in one call, and return which of them iContact accepted; the others are in `missing`.

        A contact whose address exists is *changed* by this, and the fields not given may be blanked (so clients in the
        field report): look it up first and use `update`. iContact answers 200 also when it refused every row.
        """
        what = _able(resource, "create")
        if not rows:
            return Written((), (), 200)
        if any(self._erased(what, row) for row in rows):
            raise failures.was_erased(self._label(what, parent))
        wire = [codec.encode(what, row) for row in rows]
        label = f"POST {self._label(what, parent)} ({len(rows)} {'row' if len(rows) == 1 else 'rows'})"
        reply = self._write("POST", self._collection(what, parent), label, wire, answers.has_rows(what))
        accepted, _ = codec.decode_rows(what, answers.rows_of(what, reply.value), 0, self.custom_names)
        return matched(what, rows, accepted, failures.warnings_in(reply.value), reply.status)

    def update(
        self, resource: str, id: int | str, fields: Mapping[str, Any], *, parent: int | str | None = None
    ) -> Written:
        """Change the given fields of one row and leave the others as they are (member POST, never PUT)."""
        what = _able(resource, "update")
        path = member_path(what, id, account=self.account_id, folder=self.client_folder_id, parent=parent)
        label = f"POST {self._label(what, parent)}/{id}"
        reply = self._write("POST", path, label, codec.encode(what, fields), answers.has_row(what))
        return self._one(what, fields, reply, label)

    def subscribe(
        self, changes: Sequence[tuple[int, int, str]], *, confirmation: int | None = None
    ) -> Written:
        """Put contacts on lists in one call: (contact id, list id, status) each.

        `confirmation` is the message that asks for the opt-in of `pending` ones. A row iContact answers with another
        status than the one asked for counts as missing: it says so in a warning and leaves the row as it was.
        """
        rows = [
            {"contactId": contact, "listId": list_id, "status": status, "confirmationMessageId": confirmation}
            for contact, list_id, status in changes
        ]
        return self.create("subscriptions", rows)

    def move(self, list_id: int, contact_id: int, to_list_id: int) -> Written:
        """Move a contact from one list to another; the subscription gets a new id and keeps its status."""
        what = _able("subscriptions", "move")
        id = subscription_id(list_id, contact_id)
        path = member_path(what, id, account=self.account_id, folder=self.client_folder_id)
        reply = self._write(
            "PUT", path, f"PUT subscriptions/{id}", {"listId": to_list_id}, answers.has_row(what)
        )
        return self._one(
            what, {"contactId": contact_id, "listId": to_list_id}, reply, f"PUT subscriptions/{id}"
        )

    def delete(self, resource: str, id: int | str, *, parent: int | str | None = None) -> Written:
        """Delete one row. A contact stays readable by its id, with the status `deleted`."""
        what = _able(resource, "delete")
        path = member_path(what, id, account=self.account_id, folder=self.client_folder_id, parent=parent)
        reply = self._write(
            "DELETE", path, f"DELETE {self._label(what, parent)}/{id}", None, lambda value: None
        )
        return Written((), tuple(failures.warnings_in(reply.value)), reply.status)

    # --- finding and reading back: see the modules -----------------------------------------------------------------

    find_contact_by_email = find.contact_by_email
    find_list_by_name = find.list_by_name
    contacts_by_id = find.contacts_by_id
    resolve_subscribe = resolve.subscribe
    resolve_move = resolve.move
    resolve_create_contact = resolve.create_contact
    resolve_create_list = resolve.create_list
    resolve_create_custom_field = resolve.create_custom_field
    resolve_update_contact = resolve.update_contact
    resolve_delete_contact = resolve.delete_contact

    # --- plumbing --------------------------------------------------------------------------------------------------

    def _collection(self, what: Resource, parent: int | str | None) -> str:
        return collection_path(what, account=self.account_id, folder=self.client_folder_id, parent=parent)

    def _label(self, what: Resource, parent: int | str | None) -> str:
        return what.name if what.parent is None else f"{what.parent}/{parent}/{what.name}"

    def _erased(self, what: Resource, row: Mapping[str, Any]) -> bool:
        if self.erased is None or (what.name != "contacts" and "contactId" not in row):
            return False
        return self.erased.names(self.account_id, self.client_folder_id, row)

    def _row(self, what: Resource, value: Any, label: str) -> dict[str, Any]:
        try:
            return codec.decode(what, answers.first(value[what.singular]), self.custom_names)
        except codec.CannotRead as error:
            raise failures.unreadable(label, 1, f"a row that cannot be read ({error})") from None

    def _one(self, what: Resource, sent: Mapping[str, Any], reply: Reply, label: str) -> Written:
        try:
            row = codec.decode(what, answers.first(reply.value[what.singular]), self.custom_names)
        except codec.CannotRead as error:
            raise failures.unknown_outcome(label, str(error)) from None
        return one_written(what, sent, row, failures.warnings_in(reply.value), reply.status)

    def _write(self, method: Method, path: str, label: str, body: Any, check: answers.Check) -> Reply:
        if self.before_write is not None:
            self.before_write(method, label.removeprefix(f"{method} "))
        return self._caller.call(method, path, label, body=body, check=check, gone=_never)


def _able(name: str, verb: str) -> Resource:
    what = resources.resource(name)
    if what.can(verb):
        return what
    raise BadInput(
        "parameter",
        f"{what.name} cannot be {_DONE[verb]} through this client.",
        where=f"{what.name}, {verb}",
        kept="nothing was asked",
        next=[f"{what.name} can: {', '.join(sorted(what.verbs))}"],
    )


_DONE = {
    "rows": "listed",
    "get": "read one by one",
    "create": "created",
    "update": "changed",
    "delete": "deleted",
    "move": "moved",
}


def _never(status: int, words: Sequence[str]) -> bool:
    return False
