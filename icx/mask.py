"""Masking: how people and secrets appear where everybody can read them."""

from __future__ import annotations

import re
from collections.abc import Collection

_ADDRESS = re.compile(  # tried once a word, else a word of a million letters would be read a million times
    r"(?<![^\s@<>\"'(),;:\[\]\\/=?&])[^\s@<>\"'(),;:\[\]\\/=?&]+@[^\s@<>\"'(),;:\[\]\\/=?&]+"
)
WRITTEN = re.compile(
    r"[\w.+%'-]{1,64}@(?:[\w-]+\.)+[^\W\d_]{2,}"
)  # 64: as long as mail allows, and see above
_WRITTEN_IN_JSON = re.compile(rf"\\(?:u....|.)|{WRITTEN.pattern}")
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\u061c\ud800-\udfff]"
)


def address(email: str | None) -> str:
    """Return an address with everything hidden but the first letters and the top-level domain.

    >>> address("jo@example.com")
    'j…@e….com'
    >>> address("no address")
    'n…'
    >>> address(None)
    'no address'
    """
    if not email:
        return "no address"
    local, at, domain = email.partition("@")
    if not at:
        return f"{local[:1]}…"
    name, dot, top = domain.rpartition(".")
    return f"{local[:1]}…@{name[:1]}…{dot}{top}" if dot else f"{local[:1]}…@{domain[:1]}…"


def addresses_in(text: str) -> str:
    """Return a text with every e-mail address in it masked.

    >>> addresses_in('GET /contacts?email=ada@example.com refused')
    'GET /contacts?email=a…@e….com refused'
    """
    return _ADDRESS.sub(lambda found: address(found.group()), text)


def written_in(text: str, known: Collection[str] = ()) -> str:
    """Return a text with every address in it masked that could be written to, but for those in `known`.

    Stricter than `addresses_in`: names, code and commands that only hold an `@` stay what they are.

    >>> written_in("ada@example.com and jo@example.com at home@2x", {"jo@example.com"})
    'a…@e….com and jo@example.com at home@2x'
    """
    return WRITTEN.sub(lambda found: found[0] if found[0].lower() in known else address(found[0]), text)


def written_in_json(text: str, known: Collection[str] = ()) -> str:
    """Return the same of JSON: what it writes with a backslash is no part of an address, and stays whole.

    >>> written_in_json(r'{"a": "x\\nada@example.com"}'), written_in_json(r'"\\njo@example.com"', {"jo@example.com"})
    ('{"a": "x\\\\na…@e….com"}', '"\\\\njo@example.com"')
    """

    def shown(found: re.Match[str]) -> str:
        text = found[0]
        return text if text[0] == "\\" or text.lower() in known else address(text)

    return _WRITTEN_IN_JSON.sub(shown, text)


def app_id(value: str | None) -> str:
    """Return the four characters of an application id that may be shown.

    >>> app_id("1f3c9a00000000000000000000000000")
    '1f3c…'
    """
    return f"{value[:4]}…" if value else "none"


def escaped(text: str) -> str:
    """Return JSON with the characters that would do something on a terminal as JSON writes them; it means the same.

    >>> escaped('{"name": "a\x9b31mb\u202ec"}')
    '{"name": "a\\\\u009b31mb\\\\u202ec"}'
    """
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def plain(text: object) -> str:
    """Return text from outside with control and direction characters, and bytes that were no text, made visible.

    >>> plain("a\\x1b[31mb\\u202ec")
    'a\\\\x1b[31mb\\\\u202ec'
    """

    def visible(found: re.Match[str]) -> str:
        point = ord(found.group())
        return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"

    return _CONTROL.sub(visible, str(text))
