"""The workspace as a notebook shows it: one line, and its connections."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from icx.mask import plain

if TYPE_CHECKING:
    from icx.workspace.workspace import Workspace


def workspace_html(ws: Workspace) -> str:
    """Return the saved connections as HTML; the database is not opened for it."""
    found = ws.accounts.connections.all()
    head = f"<p><b>icx</b> · {_text(ws.layout.root)} · zone {_text(ws.settings.zone)}</p>"
    if not found:
        return f"{head}<p>No connection is saved here yet: <code>icx connect acme</code></p>"
    rows = "".join(
        f"<tr><td>{_text(one.name)}</td><td>{_text(one.company)} ({one.account_id})</td>"
        f"<td>{_text(one.folder_name)} ({one.client_folder_id})</td>"
        f"<td>{'contacts only' if one.contacts_only else ''}{' default' if one.default else ''}</td></tr>"
        for one in found
    )
    heads = "<tr><th>connection</th><th>account</th><th>folder</th><th></th></tr>"
    return f"{head}<table><thead>{heads}</thead><tbody>{rows}</tbody></table>"


def _text(value: object) -> str:
    return escape(plain(value))
