"""OAuth 2: the way into somebody else's Mailchimp account, by their leave in a browser.

Authorize, then a code, then a token, then the metadata that say at which address the account lives. A token has no end
and is never renewed; it lives until the account's owner takes it back.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson

from icx.clock import SYSTEM, Clock
from icx.errors import Refused, TryLater
from icx.http import Answer, Lost, NotSent, Secret, Session
from icx.mailchimp.login import MailchimpLogin, Token

LOGIN = "https://login.mailchimp.com"
PORT = 8912  # the redirect address of the app must be registered to the letter
TIMEOUT = (10.0, 60.0)


@dataclass(frozen=True)
class Asked:
    """A question put to the account's owner: `url` is where they answer it, `redirect` where the answer goes."""

    client_id: str
    redirect: str
    state: str
    base_url: str = LOGIN

    @property
    def url(self) -> str:
        """The address to open in a browser.

        >>> Asked("123", "http://127.0.0.1:8912/", "s").url
        'https://login.mailchimp.com/oauth2/authorize?response_type=code&client_id=123&redirect_uri=http%3A%2F%2F127.0.0.1%3A8912%2F&state=s'
        """
        asked = {"response_type": "code", "client_id": self.client_id, "redirect_uri": self.redirect}
        return f"{self.base_url}/oauth2/authorize?{urlencode(asked | {'state': self.state})}"


def ask(client_id: str, *, port: int = PORT, base_url: str = LOGIN) -> Asked:
    """Return a question with a state that nobody can guess."""
    return Asked(client_id, f"http://127.0.0.1:{port}/", secrets.token_urlsafe(24), base_url)


def code_in(answer: str, asked: Asked) -> Secret:
    """Return the code out of the address a browser ended at, or the code itself; raise `oauth-refused`.

    >>> code_in("http://127.0.0.1:8912/?code=c0de&state=s", Asked("123", "http://127.0.0.1:8912/", "s")).reveal()
    'c0de'
    """
    text = answer.strip()
    if "?" not in text:
        return Secret(text)
    given = {key: values[0] for key, values in parse_qs(urlsplit(text).query).items()}
    if not secrets.compare_digest(given.get("state", "").encode(), asked.state.encode()):
        raise _refused("the answer is not to the question that was asked here")
    if "code" not in given:
        raise _refused("access was not given")
    return Secret(given["code"])


def token_for(asked: Asked, client_secret: Secret, code: Secret, *, clock: Clock = SYSTEM) -> MailchimpLogin:
    """Exchange a code for a token, and ask where the account lives; nothing is kept here.

    Raises `oauth-refused`, or `service-unreachable` when Mailchimp does not answer.
    """
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    form = _form(asked, client_secret, code)
    answer = _send(Session(asked.base_url, headers=kind, secrets={}, timeout=TIMEOUT, clock=clock), form)
    token = Secret(_text(answer, "access_token"))
    if not token:
        raise _refused(
            "Mailchimp gave no token: the code was used before or is too old, or the secret is wrong"
        )
    login = {"Authorization": Secret(f"OAuth {token.reveal()}")}
    told = _send(
        Session(
            asked.base_url,
            headers={"Accept": "application/json"},
            secrets=login,
            timeout=TIMEOUT,
            clock=clock,
        )
    )
    where = _text(told, "api_endpoint")
    if not where:
        raise _refused("Mailchimp did not say where the account lives")
    return Token(token, where)


def _form(asked: Asked, client_secret: Secret, code: Secret) -> Secret:
    """Return what is sent for a token; a `Secret`, so that no variable on the way shows it."""
    return Secret(
        urlencode(
            {
                "grant_type": "authorization_code",
                "client_id": asked.client_id,
                "client_secret": client_secret.reveal(),
                "redirect_uri": asked.redirect,
                "code": code.reveal(),
            }
        )
    )


class Listener:
    """Hears the browser come back to this machine, while somebody may as well paste the address it ended at."""

    def __init__(self, asked: Asked) -> None:
        self.answer = ""
        heard = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                heard.answer = self.path
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.end_headers()
                self.wfile.write(b"icx has heard it. You can close this page and go back to the terminal.\n")

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing: the line would hold the code."""

        self._server = HTTPServer(("127.0.0.1", urlsplit(asked.redirect).port or PORT), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="icx-oauth", daemon=True)

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _send(session: Session, form: Secret | None = None) -> Answer:
    try:
        if form is None:
            return session.send("GET", "/oauth2/metadata")
        return session.send("POST", "/oauth2/token", body=form.reveal().encode())
    except (NotSent, Lost) as error:
        raise TryLater(
            "service-unreachable",
            "Mailchimp's login does not answer.",
            where=f"{session.base_url}: {error}",
            kept="nothing was saved",
            next=["check the network, then the same command"],
        ) from None
    finally:
        session.close()


def _text(answer: Answer, key: str) -> str:
    try:
        value = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return ""
    found = value.get(key) if isinstance(value, dict) and answer.status == 200 else None
    return found if isinstance(found, str) else ""


def _refused(why: str) -> Refused:
    return Refused(
        "oauth-refused",
        f"Mailchimp was not opened: {why}.",
        where="the application's client id and secret, its redirect address, and the code",
        kept="nothing was saved",
        next=["the same command again; each code counts once and for ten minutes"],
    )
