"""The session: the only place that opens a connection, and what it refuses to open one to."""

from __future__ import annotations

import ipaddress
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from icx import mask
from icx.clock import SYSTEM, Clock
from icx.errors import BadInput, IcxError
from icx.http.secret import Secret

MAX_BYTES = 64 * 2**20  # an answer is at most this large after decompression
MAX_SECONDS = 600.0  # the read timeout is per packet; this bounds the whole answer
_CHUNK = 2**16


class UnsafeAddress(IcxError):
    """A login would have to be sent where it must not go; nothing was sent."""


class NotSent(Exception):
    """No connection was made, so the service cannot have seen the request."""


class Lost(Exception):
    """The request may have been sent; no whole answer came back."""


class Unreadable(Lost):
    """An answer came, but cut off, undecodable or too large."""


@dataclass(frozen=True)
class Answer:
    """One whole answer. `body` is decompressed; `seconds` runs to the last byte; `retry_after` is in seconds too."""

    status: int
    reason: str
    body: bytes = field(repr=False)
    seconds: float
    retry_after: float | None = None


class _Login(requests.auth.AuthBase):
    """Puts the secret headers on at the last moment, so that no variable on the way holds them.

    Being given as `auth`, it also keeps requests from adding what a .netrc file says.
    """

    def __init__(self, secrets: Mapping[str, Secret]) -> None:
        self._secrets = dict(secrets)
        self.values = sorted(
            self._secrets.values(), key=lambda one: -len(one.reveal())
        )  # one may hold another

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        for name, secret in self._secrets.items():
            text = secret.reveal()
            if not text.isprintable() or not text.isascii():
                raise BadInput(
                    "parameter",
                    "The login holds a character that cannot be sent; it was probably pasted along.",
                    where=name,
                    kept="nothing was sent",
                    next=["type the value by hand, then the same command"],
                )
            request.headers[name] = text
        return request


class Session:
    """Sends requests to one service: verified TLS only, no redirects, bounded answers, a connection per thread."""

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
        secrets: Mapping[str, Secret],
        timeout: tuple[float, float] = (10, 120),
        clock: Clock = SYSTEM,
    ) -> None:
        self.base_url = safe_address(base_url)
        self._headers = dict(headers)
        self._login = _Login(secrets)
        self._timeout = timeout
        self._clock = clock
        self._local = threading.local()
        self._all: list[requests.Session] = []
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Session({self.base_url})"

    def hidden(self, text: str) -> str:
        """Return a text of the service's with the login taken out, which it may repeat when it refuses it."""
        for secret in self._login.values:
            text = text.replace(secret.reveal(), repr(secret)) if len(secret.reveal()) > 3 else text
        return text

    def close(self) -> None:
        """Close every connection of every thread."""
        with self._lock:
            for session in self._all:
                session.close()
            self._all.clear()
            self._local = threading.local()

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        login: bool = True,
    ) -> Answer:
        """Send once and return the whole answer, whatever its status.

        Raises `NotSent` when no connection was made, `Lost` or `Unreadable` when the answer did not arrive whole,
        `UnsafeAddress` when the certificate is not verified or the service redirects elsewhere.
        """
        try:
            return self._sent(method, path, params, body, self._login if login else _Login({}))
        except requests.RequestException as error:
            raised = _what_happened(error, self.base_url)
        except BaseException as error:  # also what stops us from outside
            raised = error
        # What a traceback shows with its variables is not to show the headers: nothing below this line is part of it,
        # and outside of `except` it has no error before it either.
        raise raised.with_traceback(None)

    def _sent(
        self, method: str, path: str, params: Mapping[str, str] | None, body: bytes | None, login: _Login
    ) -> Answer:
        session = self._session()
        if method != "GET":
            # A kept connection may have been closed by the other side meanwhile; on a fresh one a write that
            # was never seen is told apart from one whose answer got lost.
            session.get_adapter(self.base_url).close()
        started = self._clock.monotonic()
        with session.request(
            method,
            self.base_url + path,
            params=params,
            data=body,
            auth=login,
            timeout=self._timeout,
            allow_redirects=False,
            stream=True,
        ) as response:
            if response.is_redirect or 300 <= response.status_code < 400:
                raise _redirected(self.base_url, response)
            if "," in response.headers.get("Content-Encoding", ""):
                # Each layer unpacks a thousandfold, and not every version of urllib3 counts between them.
                raise Unreadable("packed more than once")
            whole = b"".join(self._chunks(response, started))
            return Answer(
                response.status_code,
                response.reason or "",
                whole,
                self._clock.monotonic() - started,
                retry_after(response.headers),
            )

    def _chunks(self, response: requests.Response, started: float) -> Iterator[bytes]:
        size = 0
        for chunk in response.iter_content(_CHUNK):
            size += len(chunk)
            if size > MAX_BYTES:
                raise Unreadable(f"over {MAX_BYTES // 2**20} MB")
            if self._clock.monotonic() - started > MAX_SECONDS:
                raise Unreadable(f"not whole after {MAX_SECONDS:.0f} s")
            yield chunk

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.headers.update(self._headers)
            # A proxy or a certificate bundle of the environment is honoured, but not for this machine itself.
            session.trust_env = not is_loopback(urlsplit(self.base_url).hostname or "")
            # Never retried here: only the layer above knows whether a call may be repeated.
            session.mount("https://", HTTPAdapter(max_retries=0))
            session.mount("http://", HTTPAdapter(max_retries=0))
            self._local.session = session
            with self._lock:
                self._all.append(session)
        return session


def is_loopback(host: str) -> bool:
    """Tell whether a host name is this machine.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("app.icontact.com")
    (True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def safe_address(base_url: str) -> str:
    """Return the address without a trailing slash, or raise `unsafe-address`.

    Only https is safe, and plain http to this machine itself (the sandbox).

    >>> safe_address("https://app.icontact.com/icp/")
    'https://app.icontact.com/icp'
    """
    try:
        parts = urlsplit(base_url.strip())
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise unsafe(base_url, "this is not a web address") from None
    if not host or parts.scheme not in ("http", "https"):
        raise unsafe(base_url, "this is not a web address; it begins with https://")
    if parts.username is not None or parts.query or parts.fragment:
        raise unsafe(base_url, "an address ends with its path: no login, no ?, no #")
    if parts.scheme == "http" and not is_loopback(host):
        raise unsafe(base_url, "plain http")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def unsafe(address: str, why: str) -> UnsafeAddress:
    """Return the error that says why no login is sent to this address."""
    parts = address.strip().partition("://")
    # Whatever stands before an @ may be a password somebody pasted.
    shown = mask.plain(f"{parts[0]}{parts[1]}{parts[2].rpartition('@')[2].partition('?')[0]}")
    return UnsafeAddress(
        "unsafe-address",
        "A login is only sent over verified https, to the host you named.",
        where=f"{shown}: {why}",
        kept="nothing was sent",
        next=["mend --base-url, then the same command"],
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds an answer asks us to wait, None when it asks for none that can be read.

    A moment is taken from the answer's own `Date`, since the service's clock need not be ours.

    >>> retry_after({"Retry-After": "120"}), retry_after({"Retry-After": "soon"}), retry_after({})
    (120.0, None, None)
    >>> retry_after({"Retry-After": "Mon, 02 Mar 2026 14:17:00 GMT", "Date": "Mon, 02 Mar 2026 14:15:00 GMT"})
    120.0
    """
    said = headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdecimal():
        return float(said)
    try:
        until, now = parsedate_to_datetime(said), parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _redirected(base_url: str, response: requests.Response) -> UnsafeAddress:
    target = urlsplit(response.headers.get("Location", "")).hostname or "another path"
    return unsafe(base_url, f"redirect to {target} ({response.status_code})")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and everything it was raised from, also where urllib3 keeps it in an attribute."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]


def _what_happened(error: requests.RequestException, base_url: str) -> BaseException:
    causes = list(_chain(error))

    def among(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if among(ssl.SSLCertVerificationError):
        return unsafe(base_url, "its certificate is not one for this host, or not one this machine trusts")
    if among(urllib3.exceptions.NameResolutionError):
        return NotSent("name not found")
    if among(ConnectionRefusedError):
        return NotSent("connection refused")
    if among(urllib3.exceptions.ConnectTimeoutError):
        return NotSent("no connection in time")
    if among(urllib3.exceptions.NewConnectionError):
        return NotSent("no connection")
    if among(requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, UnicodeError):
        return NotSent("a value that cannot be sent")
    if among(urllib3.exceptions.IncompleteRead):
        return Unreadable("cut off")
    if among(urllib3.exceptions.DecodeError):
        return Unreadable("cut off")
    if among(urllib3.exceptions.ReadTimeoutError, TimeoutError):
        return Lost("no answer in time")
    return Lost("connection lost")
