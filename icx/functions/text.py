"""Text and the bytes it stands for, both ways, also when the bytes are no UTF-8."""

from __future__ import annotations


def as_bytes(text: str) -> bytes:
    r"""Return the bytes of a text; `surrogateescape` characters become the bytes they stand for.

    Any other lone surrogate (JSON can carry one) becomes U+FFFD, which is what Go's JSON reader makes of it.

    >>> as_bytes("caf\udce9"), as_bytes("\ud800")
    (b'caf\xe9', b'\xef\xbf\xbd')
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        whole = "".join("\ufffd" if "\ud800" <= c < "\udc80" or "\udcff" < c <= "\udfff" else c for c in text)
        return whole.encode("utf-8", "surrogateescape")


def as_text(data: bytes) -> str:
    r"""Return bytes as text that `as_bytes` turns back into the same bytes.

    >>> as_text(b"caf\xe9") == "caf\udce9"
    True
    """
    return data.decode("utf-8", "surrogateescape")


def lower(text: str) -> str:
    """Return the text in lower case, character by character as Go does.

    Python looks at neighbours (the Greek final sigma) and makes two characters of the dotted capital I.
    A byte that was no UTF-8 becomes U+FFFD here, in Go too.

    >>> lower("ΟΔΟΣ@İ.example.com")
    'οδοσ@i.example.com'
    """
    if text.isascii():
        return text.lower()
    return "".join("i" if c == "İ" else "\ufffd" if _surrogate(c) else c.lower() for c in text)


def _surrogate(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"
