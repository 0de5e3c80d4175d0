"""Alerts: one message to a command or a webhook, without an address or a secret in it.

A webhook's address is often a key to somebody's channel. So a job's file names where the address is kept,
`env:NAME` or `keyring:NAME`; an address is written out only when it holds nothing that looks like a key.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import shlex
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from icx import mask
from icx.clock import SYSTEM, Clock
from icx.errors import BadInput

SERVICE = "icx"  # the name under which the system keyring keeps what belongs to icx
TRIES = 3
COMMAND_SECONDS = 30.0
WEBHOOK_SECONDS = (10.0, 20.0)  # to connect, to answer
PATIENCE = 5.0  # seconds; a keyring that asks on a screen nobody sees never answers
# The login of the service is nothing an alert's command needs.
KEPT_FROM_COMMANDS = ("ICX_PASSWORD", "ICX_APP_ID")
_WORDS = "password|passwd|passphrase|token|secret|api[_-]?key|authorization|bearer"
_SECRET = re.compile(rf"(?i)(?:{_WORDS})\s*[=: ]\s*\S")
_SECRET_OPTION = re.compile(rf"(?i)-{{1,2}}(?:{_WORDS})")
_PLAIN_SEGMENT = re.compile(r"[a-z]{1,15}([._-][a-z]{1,15})*|v?\d{1,2}")


@dataclass(frozen=True)
class Delivery:
    """What became of an alert on one way: `channel` is command or webhook, `problem` empty when it arrived."""

    channel: str
    problem: str = ""
    tries: int = 1

    @property
    def ok(self) -> bool:
        return not self.problem

    def __str__(self) -> str:
        return f"{self.channel}: {'delivered' if self.ok else f'not delivered, {self.problem}'}"


class _NotDelivered(Exception):
    """One try did not arrive; another may."""


class _Pointless(Exception):
    """Another try would end the same."""


def send(
    alert: Mapping[str, Any],
    *,
    command: Sequence[str] = (),
    webhook: str = "",
    addresses: bool = False,
    clock: Clock = SYSTEM,
    environment: Mapping[str, str] | None = None,
    keyring: Callable[[str], str | None] | None = None,
) -> list[Delivery]:
    """Send an alert every way that is named and return what became of each; never raises.

    A command gets it as JSON on stdin; a webhook as the body of one POST, over https, or over http to this
    machine only; a redirect is not followed. Each way is tried three times. With `addresses` those in it stay.
    """
    environment = os.environ if environment is None else environment
    body = json.dumps(alert if addresses else masked(alert), ensure_ascii=False, default=str).encode()
    done = []
    if command:
        done.append(_tried("command", lambda: _run(command, body, environment), clock))
    if webhook:

        def post() -> None:
            _post(_address(webhook, environment, keyring or _from_keyring), body)

        done.append(_tried("webhook", post, clock))
    return done


def masked(value: Any) -> Any:
    """Return a message's values with every e-mail address masked and control characters visible.

    >>> masked({"text": "ada@example.com is refused", "rows": [1]})
    {'text': 'a…@e….com is refused', 'rows': [1]}
    """
    if isinstance(value, str):
        return mask.plain(mask.addresses_in(value))
    if isinstance(value, Mapping):
        return {masked(str(key)): masked(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked(each) for each in value]
    return value


def shown_way(command: Sequence[str], webhook: str) -> str:
    """Return who hears, for everybody to read: of a web address only its host, for its path may be a key.

    >>> shown_way(["mail", "ops@example.com"], "https://hooks.example.com/T0/B0")
    'command mail o…@e….com, webhook https://hooks.example.com/…'
    >>> shown_way([], "env:OPS")
    'webhook env:OPS'
    """
    ways = [f"command {mask.plain(mask.addresses_in(shlex.join(command)))}"] if command else []
    return ", ".join(ways + ([f"webhook {shown_webhook(webhook)}"] if webhook else []))


def shown_webhook(webhook: str) -> str:
    """Return a webhook as everybody may read it: the name it is kept under, or the host it goes to."""
    if webhook.startswith(("env:", "keyring:")) or "//" not in webhook:
        return mask.plain(webhook)
    parts = urlsplit(webhook)
    return mask.plain(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…")


def check_webhook(text: str) -> None:
    """Raise `webhook` when a text is no place to send to, or holds what may be a key.

    >>> check_webhook("env:ICX_WEBHOOK"); check_webhook("https://hooks.example.com/icx")
    """
    if re.fullmatch(r"env:[A-Za-z_][A-Za-z0-9_]*|keyring:[\w.-]+", text):
        return
    if text.startswith(("env:", "keyring:")):
        raise _bad("the name after env: or keyring: is letters, digits and _")
    problem = _unsafe(text)
    if problem:
        raise _bad(problem)
    if _key_in(text):
        raise _bad("this one holds what may be a key, and a job's file is for everybody to read")


def check_command(words: Sequence[str]) -> None:
    """Raise `alert-command` when a command's words hold what may be a secret.

    >>> check_command(["/usr/bin/mail", "-s", "icx", "ops@example.com"])
    """
    for before, word in zip(["", *words], words, strict=False):
        given = _SECRET.search(word)
        named = _SECRET_OPTION.fullmatch(before) and not word.startswith("-")
        address = word if "://" in word else ""
        if given or named or (address and _key_in(address)):
            raise BadInput(
                "alert-command",
                "This command cannot be kept in a job: it holds what may be a secret.",
                where="--alert-command; a job's file is for everybody to read",
                kept="nothing was saved",
                next=[
                    "a script that reads its secret from its own place, and only the script as the command"
                ],
            )


def _key_in(address: str) -> bool:
    """Tell whether a web address holds what may be a key."""
    parts = urlsplit(address)
    segments = [segment for segment in parts.path.split("/") if segment]
    return bool(parts.query) or "@" in parts.netloc or not all(map(_PLAIN_SEGMENT.fullmatch, segments))


def _bad(why: str) -> BadInput:
    return BadInput(
        "webhook",
        "This webhook cannot be kept in a job.",
        where=f"--webhook: {why}",
        kept="nothing was saved",
        next=[
            "put its address into the environment and name it: --webhook env:ICX_WEBHOOK",
            "or keep it with `keyring set icx NAME`: --webhook keyring:NAME",
        ],
    )


def _unsafe(address: str) -> str:
    """Return why nothing is sent to an address, or nothing."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "this is not a web address"
    if not host or parts.scheme not in {"http", "https"}:
        return "this is not a web address; it begins with https://"
    if parts.username is not None:
        return "a login does not belong into an address"
    if parts.scheme == "http" and not _loopback(host):
        return "plain http is for this machine alone"
    return ""


def _loopback(host: str) -> bool:
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(webhook: str, environment: Mapping[str, str], keyring: Callable[[str], str | None]) -> str:
    where, _, name = webhook.partition(":")
    found: str | None = webhook
    if where == "env":
        found = environment.get(name)
    elif where == "keyring":
        found = keyring(name)
    if not found:
        raise _Pointless(f"{webhook} holds no address")
    problem = _unsafe(found)
    if problem:
        raise _Pointless(problem)
    return found


def _from_keyring(name: str) -> str | None:
    """Ask the system keyring, but not for ever; without a desktop it may never answer."""
    answer: list[str | None] = []

    def ask() -> None:
        import keyring

        answer.append(keyring.get_password(SERVICE, name))

    def quietly() -> None:
        try:
            ask()
        except Exception:  # a backend raises whatever its system library raises; all mean the same here
            answer.append(None)

    thread = threading.Thread(target=quietly, name="icx-keyring", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return answer[0] if answer else None


def _tried(channel: str, act: Callable[[], None], clock: Clock) -> Delivery:
    import tenacity

    tries = 0

    def once() -> None:
        nonlocal tries
        tries += 1
        act()

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(TRIES),
        wait=tenacity.wait_exponential(multiplier=1, max=10),
        retry=tenacity.retry_if_exception_type(_NotDelivered),
        sleep=clock.sleep,
        reraise=True,
    )
    try:
        retrying(once)
    except (_NotDelivered, _Pointless) as error:
        return Delivery(channel, str(error), tries)
    except Exception as error:
        # An alert that cannot be sent must not hide what it is about, whatever went wrong with it.
        return Delivery(channel, type(error).__name__, tries)
    return Delivery(channel, "", tries)


def _run(command: Sequence[str], body: bytes, environment: Mapping[str, str]) -> None:
    given = {name: value for name, value in environment.items() if name not in KEPT_FROM_COMMANDS}
    try:
        done = subprocess.run(  # noqa: S603 - an argument list the user wrote down; no shell reads it
            list(command),
            input=body,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=given,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _NotDelivered(f"it did not end within {COMMAND_SECONDS:.0f} s") from None
    except OSError as error:
        raise _Pointless(f"it could not be started: {error.strerror}") from None
    if done.returncode:
        raise _NotDelivered(f"it ended with {done.returncode}")


def _post(address: str, body: bytes) -> None:
    """Send once. What is raised names no address: a webhook's path may be its key."""
    import requests

    session = requests.Session()
    session.trust_env = not _loopback(urlsplit(address).hostname or "")
    with session:
        try:
            answer = session.post(
                address,
                data=body,
                headers={"Content-Type": "application/json", "User-Agent": "icx"},
                timeout=WEBHOOK_SECONDS,
                allow_redirects=False,
                auth=_no_login,
                stream=True,  # the answer's body is nobody's business, however large
            )
        except requests.exceptions.SSLError:
            raise _Pointless("its certificate is not one this machine trusts") from None
        except requests.exceptions.Timeout:
            raise _NotDelivered("no answer in time") from None
        except requests.RequestException:
            raise _NotDelivered("no connection") from None
        answer.close()
    if answer.is_redirect or 300 <= answer.status_code < 400:
        raise _Pointless(f"it redirects ({answer.status_code}), which is not followed")
    if answer.status_code in {408, 425, 429} or answer.status_code >= 500:
        raise _NotDelivered(f"it answered {answer.status_code}")
    if answer.status_code >= 400:
        raise _Pointless(f"it answered {answer.status_code}")


def _no_login(request: Any) -> Any:
    """Being given as `auth`, this keeps requests from adding what a .netrc file says."""
    return request
