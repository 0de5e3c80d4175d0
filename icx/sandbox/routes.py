"""The paths: which words there are, which verbs each takes, which handler answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from icx.sandbox import (
    account,
    campaigns,
    contacts,
    customfields,
    history,
    lists,
    messages,
    sends,
    stored,
    subscriptions,
    tracking,
    uploads,
)
from icx.sandbox.answers import not_implemented, not_supported
from icx.sandbox.call import Call

Handler = Callable[[Call], Any]
Verbs = Mapping[str, Handler]


@dataclass(frozen=True)
class Resource:
    """A collection, its members, and what lies below a member."""

    collection: Verbs = field(default_factory=dict)
    member: Verbs = field(default_factory=dict)
    below: Mapping[str, Resource] = field(default_factory=dict)
    area: str = "subscriber"  # which folder permission a write needs: subscriber, creative or analytic


def _stored(
    what: stored.Stored, *, member: str = "", area: str = "subscriber", **below: Resource
) -> Resource:
    makers = {
        "GET": lambda: stored.read_of(what),
        "POST": lambda: stored.write_of(what),
        "PUT": lambda: stored.write_of(what, replace=True),
        "DELETE": lambda: stored.delete_of(what),
    }
    verbs: dict[str, Handler] = {verb: makers[verb]() for verb in member.split()}
    return Resource({"GET": stored.page_of(what), "POST": stored.create_of(what)}, verbs, below, area)


def _event(word: str) -> Resource:
    return Resource({"GET": tracking.page_of(word)}, area="analytic")


def _module(module: Any, verbs: str) -> dict[str, Handler]:
    names = {"GET": "read", "POST": "merge", "PUT": "replace", "DELETE": "delete"}
    return {verb: getattr(module, names[verb]) for verb in verbs.split()}


FOLDER = {
    "contacts": Resource(
        {"GET": contacts.list_page, "POST": contacts.create},
        _module(contacts, "GET POST PUT DELETE"),
        {"actions": Resource({"GET": history.read})},
    ),
    "lists": Resource({"GET": lists.list_page, "POST": lists.create}, _module(lists, "GET POST PUT DELETE")),
    "subscriptions": Resource(
        {"GET": subscriptions.list_page, "POST": subscriptions.create},
        _module(subscriptions, "GET POST") | {"PUT": subscriptions.move},
    ),
    "customfields": Resource(
        {"GET": customfields.list_page, "POST": customfields.create},
        _module(customfields, "GET POST PUT DELETE"),
    ),
    "segments": _stored(
        stored.SEGMENTS,
        member="GET POST DELETE",
        criteria=_stored(stored.CRITERIA, member="GET POST PUT DELETE"),
    ),
    "uploads": Resource(
        {"GET": uploads.list_page, "POST": uploads.create},
        _module(uploads, "GET POST DELETE"),
        {"data": Resource({"PUT": uploads.put_data, "GET": uploads.read_data})},
    ),
    "campaigns": Resource(
        {"GET": campaigns.list_page, "POST": campaigns.create},
        _module(campaigns, "GET POST PUT"),
        area="creative",
    ),
    "messages": Resource(
        {"GET": messages.list_page, "POST": messages.create},
        _module(messages, "GET POST"),
        {word: _event(word) for word in tracking.KINDS}
        | {"statistics": Resource({"GET": tracking.statistics}, area="analytic")},
        area="creative",
    ),
    "sends": Resource(
        {"GET": sends.list_page, "POST": sends.create}, _module(sends, "GET DELETE"), area="creative"
    ),
    "webhooks": _stored(stored.WEBHOOKS, member="GET DELETE", area="creative"),
    "signupforms": Resource(
        {"GET": stored.page_of(stored.FORMS)}, {"GET": stored.read_of(stored.FORMS)}, area="creative"
    ),
    "automations": Resource({}, {"POST": messages.welcome_automation}, area="creative"),
}
USERS = _stored(
    stored.USERS,
    member="GET POST DELETE",
    area="account",
    permissions=_stored(stored.PERMISSIONS, area="account"),
)
TIME = Resource({"GET": account.time})
ACCOUNTS = Resource(
    {"GET": account.accounts_page, "POST": account.accounts_create},
    {"GET": account.account_read, "POST": account.account_merge},
    area="account",
)
FOLDERS = Resource(
    {"GET": account.folders_page, "POST": account.folders_create},
    {"GET": account.folder_read, "POST": account.folder_merge, "PUT": account.folder_replace},
    area="account",
)


def find(
    words: list[str], resources: Mapping[str, Resource], method: str
) -> tuple[Handler, tuple[str, ...], Resource]:
    """Walk the words below a folder (or account) to a handler; return it with the ids on the way.

    Raises 501 for a word that is none and 405 for a verb the place does not take.
    """
    if not words or words[0] not in resources:
        raise not_implemented()
    resource = resources[words[0]]
    ids: list[str] = []
    rest = words[1:]
    while len(rest) >= 2:
        ids.append(rest[0])
        if not rest[0] or rest[1] not in resource.below:
            raise not_implemented()
        resource = resource.below[rest[1]]
        rest = rest[2:]
    verbs = resource.member if rest else resource.collection
    if rest and not resource.member:
        raise not_implemented()
    if method not in verbs:
        raise not_supported()
    return verbs[method], (*ids, *rest), resource
