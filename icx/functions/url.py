"""`urlmain`: host and path of a URL, read the way Go's net/url reads it.

`urllib.parse.urlsplit` differs in opaque URLs, the first-segment colon, user-info, percent signs in the
host and control characters, so the reading is done here, over bytes. The rules are those of Go 1.12 to
1.25; later releases also refuse a bracketed host that is no IPv6 address and a second colon in the host.
"""

from __future__ import annotations

import re

from icx.functions.text import as_bytes, as_text

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_SCHEME = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*):")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})?")
_PORT = re.compile(rb"(:[0-9]*)?")
_USERINFO = re.compile(rb"[A-Za-z0-9._:~!$&'()*+,;=%@-]*")
# ASCII that a host may hold unescaped; bytes from 0x80 up are always allowed.
_HOST = frozenset(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" + b"-_.~!$&'()*+,;=:[]<>\"" + b"%"
)


class _Unreadable(ValueError):
    """Go's Parse would return an error."""


def urlmain(text: str | None) -> str | None:
    """Return host + path of a URL, or None when it is empty or Go could not parse it.

    Case and port are kept; scheme, user-info, query and fragment are dropped; the path is decoded to raw
    bytes (bytes that are no UTF-8 come back by `surrogateescape`). An opaque URL gives an empty text.

    >>> urlmain("http://www.Google.com/search?q1=golang&q2=github")
    'www.Google.com/search'
    >>> urlmain("ftp://webmaster@www.google.com/"), urlmain("http://192.168.0.2:/foo")
    ('www.google.com/', '192.168.0.2:/foo')
    >>> urlmain("www.Google.com/?q=golang"), urlmain("//foo"), urlmain("///threeslashes")
    ('www.Google.com/', 'foo', '///threeslashes')
    >>> urlmain("http://example.com/a%2fb+c%20d"), urlmain("mailto:webmaster@golang.org")
    ('example.com/a/b+c d', '')
    >>> urlmain("http://192.168.0.%31:8080/"), urlmain("1.2.3.4:80/x"), urlmain("")
    (None, None, None)
    """
    if not text:
        return None
    try:
        return as_text(_host_and_path(as_bytes(text)))
    except _Unreadable:
        return None


def _host_and_path(raw: bytes) -> bytes:
    main, _, fragment = raw.partition(b"#")
    if _CONTROL.search(main):
        raise _Unreadable("control character")
    _decoded(fragment)
    if main == b"*":
        return main
    if main.startswith(b":"):
        raise _Unreadable("missing scheme")
    scheme = _SCHEME.match(main)
    rest = main[scheme.end() :] if scheme else main
    rest = rest.partition(b"?")[0]
    if not rest.startswith(b"/"):
        if scheme:
            return b""  # opaque: mailto:a@b
        if b":" in rest.partition(b"/")[0]:
            raise _Unreadable("first path segment has a colon")
    host = b""
    if rest.startswith(b"//") and (scheme or not rest.startswith(b"///")):
        authority, slash, path = rest[2:].partition(b"/")
        host, rest = _host_of(authority), slash + path
    return host + _decoded(rest)


def _host_of(authority: bytes) -> bytes:
    userinfo, _, host = authority.rpartition(b"@")
    decoded = _checked_host(host)
    if not _USERINFO.fullmatch(userinfo):
        raise _Unreadable("user-info")
    _decoded(userinfo)
    return decoded


def _checked_host(host: bytes) -> bytes:
    if host.startswith(b"["):
        end = host.rfind(b"]")
        if end < 0:
            raise _Unreadable("no closing bracket")
        _check_port(host[end + 1 :])
        zone = host.find(b"%25", 0, end)
        if zone >= 0:
            return _decoded_host(host[:zone]) + _decoded_zone(host[zone:end]) + _decoded_host(host[end:])
    elif b":" in host:
        _check_port(host[host.rindex(b":") :])
    return _decoded_host(host)


def _check_port(text: bytes) -> None:
    if not _PORT.fullmatch(text):
        raise _Unreadable("port")


def _decoded(text: bytes) -> bytes:
    """Return `text` with percent escapes decoded; `+` stays."""

    def byte(found: re.Match[bytes]) -> bytes:
        if found.group(1) is None:
            raise _Unreadable("percent sign without two hex digits")
        return bytes.fromhex(found.group(1).decode("ascii"))

    return _ESCAPE.sub(byte, text)


def _decoded_host(text: bytes) -> bytes:
    """Decode a host: escapes may stand for non-ASCII bytes only, save %25."""
    _check_host_bytes(text)
    for found in _ESCAPE.finditer(text):
        digits = found.group(1) or b"zz"
        if digits[:1] in b"01234567" and digits != b"25":
            raise _Unreadable("escaped ASCII in the host")
    return _decoded(text)


def _decoded_zone(text: bytes) -> bytes:
    """Decode an IPv6 zone: what it may hold plainly, it may hold escaped, and a space too."""
    _check_host_bytes(text)
    decoded = _decoded(text)
    for found in _ESCAPE.finditer(text):
        value = int(found.group(1), 16)
        # A byte above ASCII may stand plainly but, by a quirk of Go, not escaped.
        if found.group(1) != b"25" and value != 0x20 and (value not in _HOST or value == 0x25):
            raise _Unreadable("escape in the zone")
    return decoded


def _check_host_bytes(text: bytes) -> None:
    if any(byte < 0x80 and byte not in _HOST for byte in text):
        raise _Unreadable("character in the host")
