"""`hash`: SipHash-2-4 of a text, as a signed 64-bit integer."""

from __future__ import annotations

import siphash24

from icx.functions.text import as_bytes

KEY = bytes(8) + (1).to_bytes(8, "little")  # k0 = 0, k1 = 1


def hash_sip(text: str | None) -> int | None:
    """Return the hash of the text's UTF-8 bytes, or None for an empty text (nothing is counted then).

    Bytes that were no UTF-8 and came in by `surrogateescape` are hashed as the bytes they were.

    >>> hash_sip("http://www.google.com?q=123")
    5673948842516703987
    >>> hash_sip("http://go.gl")
    4903078846009498015
    >>> hash_sip("This is a string being used as an example")
    -1913777820508603599
    >>> hash_sip("")
    """
    if not text:
        return None
    digest: bytes = siphash24.siphash24(as_bytes(text), key=KEY).digest()
    return int.from_bytes(digest, "little", signed=True)
