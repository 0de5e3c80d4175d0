"""The vendor's functions of one text, to the byte: hash, urlmain, email, emaildomain.

They run once per distinct value when a page lands, and their results are stored: no SQL calls them.
`None` means "not evaluated", as in the vendor's query language: nothing is counted, no key is made.
"""

from __future__ import annotations

from icx.functions.address import email, emaildomain
from icx.functions.hashing import hash_sip
from icx.functions.url import urlmain

__all__ = ["email", "emaildomain", "hash_sip", "url_key", "urlmain"]


def url_key(text: str | None) -> str | None:
    """Return the key of a URL in the map `hashedurls`: signed decimal text, or None when it has none.

    >>> url_key("http://www.google.com/?q=shoes")
    '8529409649993261571'
    >>> url_key("/foo?query=http://bad")
    '3158721044809920106'
    >>> url_key("mailto:webmaster@example.org")
    """
    key = hash_sip(urlmain(text))
    return None if key is None else str(key)
