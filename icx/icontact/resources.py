"""The resource table: every collection of iContact's API, what its rows hold, and which verbs it takes.

The names and verbs are those of iContact's articles. Where clients in the field or recorded answers know more, the
note beside the row says so. Types are what this client hands out; on the wire nearly everything is text.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

from icx.errors import BadInput

Level = Literal["top", "account", "folder"]
IdForm = Literal["number", "text", "list_contact", "none"]
Kind = Literal["id", "ids", "number", "flag", "time", "text", "any"]


@dataclass(frozen=True)
class Resource:
    """One collection: where it lives, how its rows are called, which verbs it takes.

    `path` is the word in the address, `parent` the resource whose id comes before it. `kinds` gives the Python type
    of each known field that is not plain text. `open` rows carry more keys than the table names (custom fields).
    """

    name: str
    plural: str
    singular: str
    id: str | None
    level: Level = "folder"
    path: str = ""
    parent: str | None = None
    id_form: IdForm = "number"
    verbs: frozenset[str] = frozenset()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    texts: frozenset[str] = frozenset()
    receive_only: frozenset[str] = frozenset()
    # What each read sends when nothing else is asked; `status=total` because sources disagree on what a plain
    # read of contacts leaves out.
    always: Mapping[str, str] = field(default_factory=dict)
    match: tuple[str, ...] = ()  # the fields that tell which sent row an accepted row is
    open: bool = False
    paged: bool = True

    @property
    def word(self) -> str:
        return self.path or self.name

    def can(self, verb: str) -> bool:
        return verb in self.verbs


def _verbs(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ALL = [
    Resource(
        "accounts", "accounts", "account", "accountId", "top", path="a", verbs=_verbs("rows get"),
        kinds={"accountId": "id", "enabled": "flag", "multiClientFolder": "flag", "multiUser": "flag",
               "subscriberLimit": "number"},
    ),
    Resource(
        "folders", "clientfolders", "clientfolder", "clientFolderId", "account", path="c", verbs=_verbs("rows get"),
        kinds={"clientFolderId": "id", "logoId": "id"},
    ),
    Resource(
        "users", "users", "user", "userId", "account", verbs=_verbs("rows get"), kinds={"userId": "id"},
    ),
    Resource(
        "permissions", "permissions", "permission", None, "account", parent="users", id_form="none",
        verbs=_verbs("rows"),
        kinds={"clientFolderId": "id", "creative": "flag", "subscriber": "flag", "analytic": "flag"},
    ),
    Resource(
        "contacts", "contacts", "contact", "contactId", verbs=_verbs("rows get create update delete"),
        kinds={"contactId": "id", "createDate": "time", "bounceCount": "number"},
        texts=frozenset({"email", "prefix", "firstName", "lastName", "suffix", "street", "street2", "city",
                         "state", "postalCode", "phone", "fax", "business", "status"}),
        receive_only=frozenset({"createDate", "bounceCount"}),
        always={"status": "total"}, match=("email",), open=True,
    ),
    Resource(
        "actions", "actions", "action", None, parent="contacts", id_form="none", verbs=_verbs("rows"),
        kinds={"actionTime": "time", "details": "any"},
    ),
    Resource(
        "lists", "lists", "list", "listId", verbs=_verbs("rows get create update delete"),
        kinds={"listId": "id", "emailOwnerOnChange": "flag", "welcomeOnManualAdd": "flag",
               "welcomeOnSignupAdd": "flag", "welcomeMessageId": "id"},
        match=("name",),
    ),
    Resource(
        "subscriptions", "subscriptions", "subscription", "subscriptionId", id_form="list_contact",
        verbs=_verbs("rows get create update move"),
        kinds={"listId": "id", "contactId": "id", "confirmationMessageId": "id", "addDate": "time"},
        receive_only=frozenset({"addDate"}), match=("contactId", "listId"),
    ),
    Resource(
        "messages", "messages", "message", "messageId", verbs=_verbs("rows get create update"),
        kinds={"messageId": "id", "campaignId": "id", "replyToCampaignId": "id", "createDate": "time",
               "spamCheck": "any"},
        receive_only=frozenset({"createDate", "spamCheck"}), match=("subject", "messageName"),
    ),
    Resource(
        "campaigns", "campaigns", "campaign", "campaignId", verbs=_verbs("rows get create update"),
        kinds={"campaignId": "id", "subscriptionManagement": "number", "clickTrackMode": "number",
               "useAccountAddress": "flag", "archiveByDefault": "flag", "forwardToFriend": "number"},
        match=("name",),
    ),
    Resource(
        # A send mails people and is never repeated; this client reads sends and makes none.
        "sends", "sends", "send", "sendId", verbs=_verbs("rows get"),
        kinds={"sendId": "id", "messageId": "id", "includeListIds": "ids", "excludeListIds": "ids",
               "includeSegmentIds": "ids", "excludeSegmentIds": "ids", "scheduledTime": "time",
               "releasedTime": "time", "recipientCount": "number", "spamCheck": "any"},
    ),
    Resource(
        "segments", "segments", "segment", "segmentId", verbs=_verbs("rows get"),
        kinds={"segmentId": "id", "listId": "id"},
    ),
    Resource(
        "criteria", "criteria", "criterion", "criterionId", parent="segments", verbs=_verbs("rows get"),
        kinds={"criterionId": "id", "values": "any"},
    ),
    Resource(
        "customfields", "customfields", "customfield", "customFieldId", id_form="text",
        verbs=_verbs("rows get create delete"),
        kinds={"displayToUser": "flag"}, match=("privateName",),
    ),
    Resource(
        "uploads", "uploads", "upload", "uploadId", verbs=_verbs("rows get"),
        kinds={"uploadId": "id", "listIds": "ids"},
    ),
    Resource(
        "webhooks", "webhooks", "webhook", "webhookId", verbs=_verbs("rows get"), kinds={"webhookId": "id"},
    ),
    Resource(
        # The articles print the row word `form`; the plural is inferred from it.
        "signupforms", "forms", "form", "formId", verbs=_verbs("rows get"),
        kinds={"formId": "id", "confirmationMessageId": "id", "created": "time", "updated": "time"},
    ),
    Resource(
        # By the articles an automation can be made and then neither read nor removed; listing it says so with 405.
        "automations", "automations", "automation", "automationId", verbs=_verbs("rows"),
        kinds={"automationId": "id", "messageId": "id", "listId": "id"},
    ),
    *(
        Resource(
            f"{kind}s", f"{kind}s", kind, None, parent="messages", id_form="none", verbs=_verbs("rows"),
            kinds={"contactId": "id", f"{kind}Time": "time"},
        )
        for kind in ("open", "click", "bounce", "unsubscribe")
    ),
]  # fmt: skip

RESOURCES: Mapping[str, Resource] = {resource.name: resource for resource in _ALL}
_OTHER_NAMES = {"clientfolders": "folders", "forms": "signupforms"}


def resource(name: str) -> Resource:
    """Return a row of the table, or name the nearest ones.

    >>> resource("contacts").id
    'contactId'
    >>> resource("contact")
    Traceback (most recent call last):
    icx.errors.BadInput: iContact has no resource `contact`. Nearest: `contacts`. [parameter]
    ...
    """
    found = RESOURCES.get(_OTHER_NAMES.get(name, name))
    if found is not None:
        return found
    near = difflib.get_close_matches(name, RESOURCES, n=3)
    hint = f" Nearest: {', '.join(f'`{n}`' for n in near)}." if near else ""
    raise BadInput(
        "parameter",
        f"iContact has no resource `{name}`.{hint}",
        where="icx.icontact.RESOURCES names them all",
        kept="nothing was asked",
        next=[f"one of {', '.join(sorted(RESOURCES))}"],
    )


def collection_path(
    what: Resource, *, account: int | None, folder: int | None, parent: int | str | None = None
) -> str:
    """Return the path of a collection below the base address.

    >>> collection_path(resource("opens"), account=111, folder=222, parent=7)
    '/a/111/c/222/messages/7/opens'
    """
    if what.level == "top":
        return "/a"
    if account is None or (what.level == "folder" and folder is None):
        raise BadInput(
            "parameter",
            f"Reading {what.name} needs {'an account' if account is None else 'a client folder'}.",
            where="Client(account_id=…, client_folder_id=…)",
            kept="nothing was asked",
            next=["client.accounts() and client.folders(account_id) list them"],
        )
    start = f"/a/{account}" if what.level == "account" else f"/a/{account}/c/{folder}"
    if what.parent is None:
        return f"{start}/{what.word}"
    if parent is None:
        raise BadInput(
            "parameter",
            f"Reading {what.name} needs the id of one of the {what.parent}.",
            where=f"parent= in a read of {what.name}",
            kept="nothing was asked",
            next=[f"give parent=, an id out of {what.parent}"],
        )
    return f"{start}/{RESOURCES[what.parent].word}/{_id_text(parent)}/{what.word}"


def member_path(
    what: Resource, id: int | str, *, account: int | None, folder: int | None, parent: int | str | None = None
) -> str:
    """Return the path of one row.

    >>> member_path(resource("customfields"), "shirt size", account=111, folder=222)
    '/a/111/c/222/customfields/shirt%20size'
    """
    if what.id is None:
        raise BadInput(
            "parameter",
            f"Rows of {what.name} have no id.",
            where=f"a read of one of the {what.name}",
            kept="nothing was asked",
            next=[f"client.rows({what.name!r}, parent=…)"],
        )
    return f"{collection_path(what, account=account, folder=folder, parent=parent)}/{_id_text(id)}"


def subscription_id(list_id: int, contact_id: int) -> str:
    """Return the id of a subscription, which is computable (articles and recordings agree).

    >>> subscription_id(3001, 70012)
    '3001_70012'
    """
    return f"{list_id}_{contact_id}"


def _id_text(id: int | str) -> str:
    text = quote(str(id), safe="")
    if text in ("", ".", ".."):
        # An empty or dotted id would turn a member into its collection.
        raise BadInput(
            "parameter",
            "An id is empty.",
            where=repr(id),
            kept="nothing was asked",
            next=["give the id iContact shows"],
        )
    return text
