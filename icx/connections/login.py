"""Login: the four values that open an iContact account, cleaned of what was pasted along with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from icx import mask
from icx.errors import IcxError
from icx.http import Secret
from icx.http.session import safe_address
from icx.icontact import PRODUCTION

# Blank space of every kind, and the marks that editors and mail programs leave around a copied value.
_BLANKS = (
    "".join(
        map(chr, (*range(0x21), 0x7F, 0xA0, 0x1680, *range(0x2000, 0x2010), *range(0x2028, 0x2030), 0x205F))
    )
    + "\u2060\u3000\ufeff"
)
_OLD_HOSTS = ("icpro.co", "invoc.us", "omkt.co")  # iContact Pro and its sisters; by HELP the names are gone


@dataclass(frozen=True)
class Login:
    """An iContact login. `notes` say what was taken off the values as given.

    `app_id` is the application's id (yours, or the one a partner gave you: that one counts once it is enabled on the
    account), `username` the login e-mail, `password` the one made for the application, not the login's own.

    >>> login = Login.clean("1f3c9a00000000000000000000000000", "ada@example.com ", Secret("s3cret"))
    >>> login
    Login(https://app.icontact.com/icp, application 1f3c…, user a…@e….com)
    >>> login.notes
    ('a blank at the end of the user name was taken off',)
    """

    base_url: str
    app_id: Secret
    username: str
    password: Secret
    notes: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def clean(
        cls, app_id: str | Secret, username: str, password: str | Secret, base_url: str = PRODUCTION
    ) -> Login:
        """Return a login with pasted blanks taken off; raise `unsafe-address` or `old-platform` for its address."""
        notes: list[str] = []
        app = Secret(_stripped(Secret(app_id).reveal(), "application id", notes))
        user = _stripped(username, "user name", notes)
        word = Secret(_stripped(Secret(password).reveal(), "API password", notes))
        address = service_address(_stripped(base_url, "address", notes))
        return cls(address, app, user, word, tuple(notes))

    def __repr__(self) -> str:
        shown = f"application {mask.app_id(self.app_id.reveal())}, user {mask.address(self.username)}"
        return f"Login({self.base_url}, {shown})"


def service_address(base_url: str) -> str:
    """Return the address with iContact's path `/icp` where none was given.

    >>> service_address("https://app.icontact.com")
    'https://app.icontact.com/icp'
    """
    host = (urlsplit(base_url).hostname or "") if "://" in base_url else ""
    if any(host == old or host.endswith(f".{old}") for old in _OLD_HOSTS):
        raise IcxError(
            "old-platform",
            "That is an iContact Pro address; its API is closed.",
            where=f"--base-url {host}",
            kept="nothing was saved",
            next=["move to the current iContact first, then icx connect"],
        )
    address = safe_address(base_url)
    return address if urlsplit(address).path else f"{address}/icp"


def _stripped(text: str, what: str, notes: list[str]) -> str:
    start = len(text) - len(text.lstrip(_BLANKS))
    core = text.strip(_BLANKS)
    end = len(text) - start - len(core)
    places = [place for place, count in (("beginning", start), ("end", end)) if count]
    if places and core:
        several = start + end > 1
        notes.append(
            f"{'blanks' if several else 'a blank'} at the {' and the '.join(places)} of the {what} "
            f"{'were' if several else 'was'} taken off"
        )
    return core
