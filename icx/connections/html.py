"""A saved connection as a notebook shows it: which account and client folder a push would go to; no secret, no address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from icx.look.page import Html, head, pill, root, tag

if TYPE_CHECKING:
    from icx.connections.saved import SavedConnection

KINDS = {
    "icontact": "iContact",
    "sandbox": "simulated on this machine",
    "table": "a table",
    "mailchimp": "Mailchimp",
}


def saved_html(saved: SavedConnection) -> Html:
    """Return a connection as HTML: its name, and company and folder with their ids; of a table its columns."""
    if not saved.pulled:
        return _table(saved)
    folder = saved.folder_name or f"folder {saved.client_folder_id}"
    audience = saved.options.get("audience", "") if saved.kind == "mailchimp" else ""
    boxes = (
        [
            ("Account", saved.company, "", ""),
            ("Audience", saved.folder_name, audience, "subject"),
        ]
        if audience
        else [
            ("Company", saved.company or f"account {saved.account_id}", f"#{saved.account_id}", ""),
            ("Client folder", folder, f"#{saved.client_folder_id}", "subject"),
        ]
    )
    where = [
        tag(
            "div",
            tag("dt", label, cls="label"),
            tag("dd", tag("b", name, title=name), " ", tag("span", number, cls="mono muted")),
            cls=cls,
        )
        for label, name, number, cls in boxes
    ]
    about = saved.description or KINDS.get(saved.kind, saved.kind)
    crumbs = [about, *(["contacts only"] if saved.contacts_only else [])]
    default = pill("", "default", "check") if saved.default else ""
    return root(
        head(saved.name, default, *crumbs), tag("dl", *where, cls="places"), name=f"Connection {saved.name}"
    )


def _table(saved: SavedConnection) -> Html:
    options = saved.options
    writable = ", ".join(column for column in options["writable"].split("\n") if column) or "nothing"
    told = {"Source": saved.company, "Told apart by": options["identity"], "Addresses": options["email"],
            "May be written": writable}  # fmt: skip
    boxes = [
        tag("div", tag("dt", label, cls="label"), tag("dd", tag("b", text, title=text)))
        for label, text in told.items()
    ]
    return root(
        head(saved.name, "", saved.description or KINDS["table"]),
        tag("dl", *boxes, cls="places"),
        name=f"Connection {saved.name}",
    )
