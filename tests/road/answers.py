"""The 34 default columns recomputed from what the service answers: requests, the standard library, nothing of icx.

The functions of the profile are not imported but written again: SipHash from its paper, addresses and URLs by the
few forms that occur here, the odd URLs by a table worked out by hand from Go's rules.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import requests

from icx.sandbox.process import SandboxProcess

EASTERN = ZoneInfo("America/New_York")
MASK = (1 << 64) - 1
Row = dict[str, Any]

# field of the profile <- key of the service
COPIED = {
    "ic_bounce_count": "bounceCount",
    "ic_business": "business",
    "city": "city",
    "fax": "fax",
    "first_name": "firstName",
    "last_name": "lastName",
    "phone": "phone",
    "postal_code": "postalCode",
    "prefix": "prefix",
    "region": "state",
    "ic_status": "status",
    "street_address": "street",
    "address_2": "street2",
    "suffix": "suffix",
}
KINDS = {
    "opens": "openTime",
    "clicks": "clickTime",
    "bounces": "bounceTime",
    "unsubscribes": "unsubscribeTime",
}

# URL -> host and path as Go's net/url gives them; None where it does not parse or nothing is left to hash.
ODD: dict[str, bytes | None] = {
    "http://www.Example.com/Search?q1=tents&q2=boots": b"www.Example.com/Search",
    "www.example.com/?q=no-scheme": b"www.example.com/",
    "www.example.com/path/without/scheme?utm_source=mail": b"www.example.com/path/without/scheme",
    "http://www.example.com": b"www.example.com",
    "http://www.example.com/": b"www.example.com/",
    "http://www.example.com/#file%20one%26two": b"www.example.com/",
    "http://www.example.com:8080/port/kept": b"www.example.com:8080/port/kept",
    "http://192.168.0.2:/foo": b"192.168.0.2:/foo",
    "ftp://webmaster@www.example.com/": b"www.example.com/",
    "http://user:secret@www.example.com/private": b"www.example.com/private",
    "mailto:help@example.com": None,
    "http:www.example.com/opaque": None,
    "localhost:8080/x": None,
    "//cdn.example.net/pixel": b"cdn.example.net/pixel",
    "//foo": b"foo",
    "///threeslashes": b"///threeslashes",
    "/foo?query=http://bad": b"/foo",
    "http://www.example.com/a//b///c": b"www.example.com/a//b///c",
    "http://www.example.com/a%2fb%2Fc": b"www.example.com/a/b/c",
    "http://www.example.com/caf%C3%A9+menu": "www.example.com/café+menu".encode(),
    "http://www.example.com/%ff%fe/raw-bytes": b"www.example.com/\xff\xfe/raw-bytes",
    "http://www.example.com/café/ünïcode": "www.example.com/café/ünïcode".encode(),
    "http://bücher.example.com/neu": "bücher.example.com/neu".encode(),
    "http://b%C3%BCcher.example.com/neu": "bücher.example.com/neu".encode(),
    "http://[2001:db8::1]:8080/ipv6": b"[2001:db8::1]:8080/ipv6",
    "http://www.example.com/%zz": None,
    "http://192.168.0.%31:8080/": None,
    "http://www.example.com:port/": None,
    "http://www exam ple.com/space-in-host": None,
    "http://www.example.com/control\x7fcharacter": None,
    " http://www.example.com/leading-blank": None,
    "1.2.3.4:80/x": None,
    ":starts-with-colon": None,
    "HTTP://WWW.EXAMPLE.COM/UPPER": b"WWW.EXAMPLE.COM/UPPER",
    "http://www.example.com/space in path?x=1": b"www.example.com/space in path",
    "http://www.example.com?q=123": b"www.example.com",
    "?only=query": None,
    "#only-fragment": None,
    "tel:+19195550100": None,
}
ORDINARY = re.compile(r"https?://([a-z.]+/[a-z0-9/-]*)(?:\?[a-z0-9_=&]*)?")

# Address -> normalised, its domain; worked out from Go's net/mail.
ODD_ADDRESSES: dict[str, tuple[str, str] | None] = {
    "john..doe@example.com": None,
    ".first@example.com": None,
    "last.@example.com": None,
    "two@at@example.com": None,
    "empty@example..com": None,
    "Joe@UK": ("joe@uk", "uk"),
    "<Angle@Example.net>": ("angle@example.net", "example.net"),
}
PLAIN = re.compile(
    r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII
)


def siphash(data: bytes) -> int:
    """SipHash-2-4 of `data` under the key 0, 1, as a signed number.

    >>> siphash(b"http://www.google.com?q=123")
    5673948842516703987
    >>> siphash("This is a string being used as an example".encode())
    -1913777820508603599
    """
    k0, k1 = 0, 1
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def turn(value: int, bits: int) -> int:
        return ((value << bits) | (value >> (64 - bits))) & MASK

    def rounds(number: int) -> None:
        for _ in range(number):
            v[0] = (v[0] + v[1]) & MASK
            v[1] = turn(v[1], 13) ^ v[0]
            v[0] = turn(v[0], 32)
            v[2] = (v[2] + v[3]) & MASK
            v[3] = turn(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & MASK
            v[3] = turn(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & MASK
            v[1] = turn(v[1], 17) ^ v[2]
            v[2] = turn(v[2], 32)

    whole = len(data) - len(data) % 8
    words = [int.from_bytes(data[at : at + 8], "little") for at in range(0, whole, 8)]
    words.append(int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56)
    for word in words:
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    found = v[0] ^ v[1] ^ v[2] ^ v[3]
    return found - (1 << 64) if found >> 63 else found


def url_key(url: str) -> str | None:
    """The key of `hashedurls` that a click of this URL counts under."""
    if url in ODD:
        main = ODD[url]
    elif url == "http://www.example.com/" + "long/" * 90:
        main = url.removeprefix("http://").encode()
    else:
        found = ORDINARY.fullmatch(url)
        assert found, f"work out by hand what this URL gives: {url!r}"
        main = found.group(1).encode()
    return str(siphash(main)) if main else None


def address(text: str | None) -> tuple[str | None, str | None]:
    """The normalised address and its domain."""
    if not text:
        return None, None
    if text in ODD_ADDRESSES:
        return ODD_ADDRESSES[text] or (None, None)
    assert PLAIN.fullmatch(text), f"work out by hand what this address gives: {text!r}"
    return text.lower(), text.lower().split("@")[1]


@dataclass(frozen=True)
class Service:
    """A login, and pages read with it; small odd pages, so that their seams are passed often."""

    at: str
    headers: dict[str, str]
    page: int = 37

    @classmethod
    def of(cls, sandbox: SandboxProcess, page: int = 37) -> Service:
        headers = {
            "API-AppId": sandbox.app_id,
            "API-Username": sandbox.username,
            "API-Password": sandbox.password,
            "API-Version": "2.2",
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        return cls(f"{sandbox.base_url}/a/{sandbox.account_id}/c/{sandbox.client_folder_id}", headers, page)

    def folder(self, number: int) -> Service:
        """The same login in another client folder."""
        return replace(self, at=f"{self.at.rpartition('/')[0]}/{number}")

    def folders(self) -> list[int]:
        """The client folders of the account."""
        answer = requests.get(self.at.rpartition("/")[0], headers=self.headers, timeout=30)
        return [int(row["clientFolderId"]) for row in answer.json()["clientfolders"]]

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = requests.request(
            method, f"{self.at}/{path}", params=query, json=body, headers=self.headers, timeout=30
        )
        return answer.json()

    def rows(self, path: str, key: str, **query: Any) -> Iterator[Row]:
        offset = 0
        while True:
            answer = self.call("GET", path, limit=self.page, offset=offset, **query)
            yield from answer[key]
            offset += len(answer[key])
            if not answer[key] or offset >= answer["total"]:
                return


def moment(text: str) -> datetime:
    """Naive UTC of any form the service writes; without an offset it is New York, the earlier of two."""
    found = datetime.fromisoformat(text)
    return (
        (found if found.tzinfo else found.replace(tzinfo=EASTERN, fold=0))
        .astimezone(UTC)
        .replace(tzinfo=None)
    )


def profiles(service: Service, as_of: datetime) -> dict[int, Row]:
    """The default columns of everybody the service lists; `as_of` is naive UTC."""
    people = {int(row["contactId"]): row for row in service.rows("contacts", "contacts", status="total")}
    events: dict[int, list[tuple[str, datetime, str]]] = {contact: [] for contact in people}
    for message in service.rows("messages", "messages"):
        for kind, when in KINDS.items():
            for row in service.rows(f"messages/{message['messageId']}/{kind}", kind):
                at = moment(row[when])
                if int(row["contactId"]) in events and at < as_of:
                    events[int(row["contactId"])].append((kind, at, row.get("clickLink") or ""))
    return {contact: _person(contact, row, events[contact]) for contact, row in people.items()}


def _person(contact: int, row: Row, events: list[tuple[str, datetime, str]]) -> Row:
    found: Row = {field: row[key] or None for field, key in COPIED.items()}
    found["ic_contact_id"] = str(contact)
    found["ic_user_created"] = moment(row["createDate"])
    found["email"], found["email_domain"] = address(row["email"])
    times = {kind: sorted(at for what, at, _ in events if what == kind) for kind in KINDS}
    found["email_open_ct"] = len(times["opens"])
    found["email_click_ct"] = len(times["clicks"])
    found["email_bouncect"] = len(times["bounces"])
    found["email_unsubscribect"] = len(times["unsubscribes"])
    for kind, last, first in (
        ("opens", "email_last_open_ts", "email_first_open_ts"),
        ("clicks", "email_last_click_ts", "email_first_click_ts"),
        ("bounces", "email_lastbounce_ts", "email_firstbounce_ts"),
        ("unsubscribes", "email_lastunsubscribe_ts", "email_firstunsubscribe_ts"),
    ):
        found[last] = times[kind][-1] if times[kind] else None
        found[first] = times[kind][0] if times[kind] else None
    active = max(times["opens"] + times["clicks"] + times["unsubscribes"], default=None)
    found["last_active_ts"] = active
    found["last_channel_activities"] = {"email": active} if active else None
    found["channels"] = ["email"] if active else None
    keys = [url_key(url) for kind, _, url in events if kind == "clicks" and url]
    found["hashedurls"] = dict(Counter(key for key in keys if key is not None)) or None
    return found
