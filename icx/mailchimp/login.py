"""What opens a Mailchimp account: a key, whose ending names the data centre, or the token of an authorised app."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from icx.errors import BadInput
from icx.http import Secret
from icx.http.session import safe_address

_CENTRE = re.compile(r"[a-z]{2,8}[0-9]{1,4}\Z")


@dataclass(frozen=True)
class MailchimpLogin:
    """Where the account lives and the secret header that opens it; made by `Key` or `Token`."""

    base_url: str
    secret: Secret
    header: Secret
    kind: str  # key | oauth

    def __repr__(self) -> str:
        return f"MailchimpLogin({self.base_url}, {self.kind})"


def address(centre: str) -> str:
    """Return the API's address in a data centre.

    >>> address("us19")
    'https://us19.api.mailchimp.com/3.0'
    """
    if not _CENTRE.match(centre):
        raise BadInput(
            "mailchimp-key",
            "This does not name a data centre of Mailchimp.",
            where="a key ends with a dash and its data centre, such as -us19",
            kept="nothing was sent or saved",
            next=["copy the whole key from Mailchimp: Profile › Extras › API keys; then the same command"],
        )
    return f"https://{centre}.api.mailchimp.com/3.0"


def Key(text: str | Secret, base_url: str | None = None) -> MailchimpLogin:  # noqa: N802  (reads as what it makes)
    """Return the login of an API key; its data centre is what stands after the last dash.

    `base_url` is for a twin on this machine. Raises `mailchimp-key` when the key has no data centre.

    >>> Key("0123456789abcdef0123456789abcdef-us19")
    MailchimpLogin(https://us19.api.mailchimp.com/3.0, key)
    """
    secret = Secret(Secret(text).reveal().strip())
    # No variable here holds the key itself: a traceback with its variables would show it.
    where = safe_address(base_url) if base_url else address(_centre(secret))
    return MailchimpLogin(where, secret, _basic(secret), "key")


def _centre(key: Secret) -> str:
    whole, _, centre = key.reveal().rpartition("-")
    return centre if whole and _CENTRE.match(centre) else ""


def _basic(key: Secret) -> Secret:
    encoded = base64.b64encode(f"icx:{key.reveal()}".encode("utf-8", "replace")).decode("ascii")
    return Secret(f"Basic {encoded}")


def Token(text: str | Secret, api_endpoint: str) -> MailchimpLogin:  # noqa: N802
    """Return the login of an OAuth 2 token at the address Mailchimp's metadata gave for it.

    >>> Token("t0k3n", "https://us19.api.mailchimp.com")
    MailchimpLogin(https://us19.api.mailchimp.com/3.0, oauth)
    """
    secret = Secret(text)
    where = safe_address(api_endpoint)
    where = where if where.endswith("/3.0") else f"{where}/3.0"
    return MailchimpLogin(where, secret, Secret(f"Bearer {secret.reveal()}"), "oauth")
