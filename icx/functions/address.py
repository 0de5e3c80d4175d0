"""`email` and `emaildomain`: addresses read the way Go's net/mail reads them.

The grammar is RFC 5322 with UTF-8 (RFC 6532), without obsolete routes and folded lines: an addr-spec, or a
display name and an addr-spec in angle brackets, or a group holding exactly one of these; comments in
brackets. RFC 2047 words in a display name must be in a character set Go knows (UTF-8, ISO-8859-1,
US-ASCII). Python's `email.utils` accepts far more, so the reading is done here.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re

from icx.functions.text import lower

_SPECIALS = frozenset('()<>[]:;@\\,"')
_CHARSETS = {"utf-8", "iso-8859-1", "us-ascii"}


_ATOMS = r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
#: Nearly every address; what these say is themselves in lower case, so that SQL can read them too (RE2 and Python alike).
PLAIN = f"{_ATOMS}@{_ATOMS}"
_PLAIN = re.compile(PLAIN, re.ASCII)


class _Unreadable(ValueError):
    """Go's ParseAddress would return an error."""


def email(text: str | None) -> str | None:
    """Return the address in lower case without its display name, or None when it is none.

    The quotes of a quoted local part are taken off, as Go does.

    >>> email("Bob@Bob.com"), email("Bob <bob@bob.com>"), email("<joe@uk>")
    ('bob@bob.com', 'bob@bob.com', 'joe@uk')
    >>> email("Test <TEST@test.com>"), email('"Jo Lee"@Example.com'), email("jo@[192.0.2.1]")
    ('test@test.com', 'jo lee@example.com', 'jo@[192.0.2.1]')
    >>> email("Bob <bob>"), email("<john..doe@example.com>"), email("a@b.example, c@d.example"), email("")
    (None, None, None, None)
    """
    if not text:
        return None
    if _PLAIN.fullmatch(text):  # the grammar says the same, much slower
        return text.lower()
    try:
        return lower(_Reader(text).single_address())
    except _Unreadable:
        return None


def emaildomain(text: str | None) -> str | None:
    """Return what follows the first `@` of the address; the text is put in lower case before it is read.

    >>> emaildomain("Test <TEST@test.com>"), emaildomain("Jo@Mail.Example.org")
    ('test.com', 'mail.example.org')
    >>> emaildomain('"a@b"@example.com')
    'b@example.com'
    >>> emaildomain("Abc.example.com")
    """
    address = email(lower(text)) if text else None
    return None if address is None else address.partition("@")[2]


class _Reader:
    """What is left of the text, and how to take the next piece of grammar off its front."""

    def __init__(self, text: str) -> None:
        self.rest = text

    def single_address(self) -> str:
        found = self.mailboxes(groups=True)
        self.skip_comments()
        if self.rest:
            raise _Unreadable("more than one address")
        if len(found) != 1:
            raise _Unreadable("a group with none or several")
        return found[0]

    def mailboxes(self, *, groups: bool) -> list[str]:
        """Take one mailbox, or where `groups` are allowed a whole group."""
        self.skip_space()
        if not self.rest:
            raise _Unreadable("no address")
        start = self.rest
        try:
            spec = self.addr_spec()
        except _Unreadable:
            self.rest = start
        else:
            self.skip_space()
            if self.take("("):
                for word in re.split(r"[ \t]+", self.comment()):
                    _check_word(word)
            return [spec]
        if not self.rest.startswith("<"):
            self.display_name()
        self.skip_space()
        if groups and self.take(":"):
            return self.group()
        self.need("<")
        spec = self.addr_spec()
        self.need(">")
        return [spec]

    def group(self) -> list[str]:
        members: list[str] = []
        self.skip_space()
        if not self.take(";"):
            while True:
                members += self.mailboxes(groups=False)
                self.skip_comments()
                if self.take(";"):
                    break
                self.need(",")
        self.skip_comments()
        return members

    def addr_spec(self) -> str:
        self.skip_space()
        if self.rest.startswith('"'):
            local = self.quoted_string()
            if not local:
                raise _Unreadable("empty quoted local part")
        else:
            local = self.dot_atom()
        self.need("@")
        self.skip_space()
        domain = self.domain_literal() if self.rest.startswith("[") else self.dot_atom()
        return f"{local}@{domain}"

    def display_name(self) -> None:
        """Take words; an unreadable one ends the name, and is an error only when it is the first."""
        words = 0
        encoded = 0  # Go counts a run of encoded words when it ends, so it is kept apart
        while True:
            if words:
                self.skip_comments()
            self.skip_space()
            if not self.rest:
                return
            try:
                if self.rest.startswith('"'):
                    self.quoted_string()
                    is_encoded, length = False, 0
                else:
                    is_encoded, length = _check_word(self.atom())
            except _Unreadable:
                if words == 0 and encoded == 0:
                    raise
                return
            if is_encoded:
                encoded += length
            else:
                words += 1 + (encoded > 0)
                encoded = 0

    def atom(self) -> str:
        size = 0
        for character in self.rest:
            _check_utf8(character)
            if character in _SPECIALS or not _visible(character):
                break
            size += 1
        if size == 0:
            raise _Unreadable("no atom")
        found, self.rest = self.rest[:size], self.rest[size:]
        return found

    def dot_atom(self) -> str:
        found = self.atom()
        if found.startswith(".") or found.endswith(".") or ".." in found:
            raise _Unreadable("a dot too many")
        return found

    def quoted_string(self) -> str:
        """Take a quoted string and return it without quotes; a backslash makes the next character plain."""
        text: list[str] = []
        escaped = False
        for position, character in enumerate(self.rest[1:], start=1):
            _check_utf8(character)
            if escaped:
                if not _visible(character) and character not in " \t":
                    raise _Unreadable("character in a quoted string")
                text.append(character)
                escaped = False
            elif character == '"':
                self.rest = self.rest[position + 1 :]
                return "".join(text)
            elif character == "\\":
                escaped = True
            elif _visible(character) or character in " \t":
                text.append(character)
            else:
                raise _Unreadable("character in a quoted string")
        raise _Unreadable("quoted string without end")

    def domain_literal(self) -> str:
        inside, bracket, rest = self.rest[1:].partition("]")
        if not bracket:
            raise _Unreadable("domain literal without end")
        for character in inside:
            _check_utf8(character)
            if character in "[\\" or not _visible(character):
                raise _Unreadable("character in a domain literal")
        if inside.startswith("IPv6:"):
            _ip(inside.removeprefix("IPv6:"))
        else:
            address = _ip(inside)
            if address.version == 6 and address.ipv4_mapped is None:
                raise _Unreadable("IPv6 without its prefix")
        self.rest = rest
        return f"[{inside}]"

    def comment(self) -> str:
        """Take a comment, whose opening bracket is taken already, and return its text."""
        text: list[str] = []
        depth = 1
        position = 0
        while position < len(self.rest):
            character = self.rest[position]
            if character == "\\" and position + 1 < len(self.rest):
                position += 1
                character = self.rest[position]
            elif character == "(":
                depth += 1
            elif character == ")":
                depth -= 1
                if depth == 0:
                    self.rest = self.rest[position + 1 :]
                    return "".join(text)
            text.append(character)
            position += 1
        raise _Unreadable("comment without end")

    def skip_comments(self) -> None:
        self.skip_space()
        while self.take("("):
            self.comment()
            self.skip_space()

    def skip_space(self) -> None:
        self.rest = self.rest.lstrip(" \t")

    def take(self, character: str) -> bool:
        if not self.rest.startswith(character):
            return False
        self.rest = self.rest[1:]
        return True

    def need(self, character: str) -> None:
        if not self.take(character):
            raise _Unreadable(f"no {character}")


def _visible(character: str) -> bool:
    return "!" <= character <= "~" or character >= "\x80"


def _check_utf8(character: str) -> None:
    if "\ud800" <= character <= "\udfff":
        raise _Unreadable("bytes that are no UTF-8")


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        if "%" in text:
            raise _Unreadable("an address with a zone")
        return ipaddress.ip_address(text)
    except ValueError:
        raise _Unreadable("no IP address") from None


def _check_word(word: str) -> tuple[bool, int]:
    """Return whether Go reads this word as an RFC 2047 encoded one, and how many bytes it decodes to.

    A word that is not well formed is plain text; a well-formed one in a character set that Go does not
    know is an error.
    """
    found = re.fullmatch(r"=\?([^?]+)\?([BbQq])\?([^?]*)\?=", word, re.DOTALL)
    if not found:
        return False, 0
    charset, encoding, content = found.groups()
    length = _base64_size(content) if encoding in "Bb" else _quoted_size(content)
    if length is None:
        return False, 0
    if charset.casefold() not in _CHARSETS:
        raise _Unreadable("character set")
    return True, length


def _base64_size(content: str) -> int | None:
    content = content.replace("\r", "").replace("\n", "")
    if not re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", content) or len(content) % 4:
        return None
    try:
        return len(base64.b64decode(content, validate=True))
    except binascii.Error:
        return None


def _quoted_size(content: str) -> int | None:
    if not re.fullmatch(r"(?:=[0-9A-Fa-f]{2}|[ -<>-~\t\r\n])*", content):
        return None
    return len(re.sub(r"=..", "_", content))
