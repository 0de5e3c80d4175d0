"""The vendor's functions, checked against the published vectors and against Go itself.

`go-vectors.json` holds rows of [text, host+path, address, domain after lower-casing], written by Go's own
`net/url` and `net/mail` (with the strict-colon check of its newest releases off); null is an error there.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icx.functions import email, emaildomain, hash_sip, url_key, urlmain
from icx.functions.text import as_bytes, as_text, lower

GO = json.loads((Path(__file__).parent / "go-vectors.json").read_text(encoding="utf-8"))
ANY_TEXT = st.text() | st.binary().map(as_text)
URLISH = st.lists(
    st.sampled_from(["http", "://", "//", "/", ":", "@", "[", "]", "%41", "%zz", "é", "?", "#", " "])
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://www.google.com?q=123", 5673948842516703987),
        ("http://go.gl", 4903078846009498015),
        ("This is a string being used as an example", -1913777820508603599),
        ("www.google.com", -5816704685896663168),
        ("www.google.com/", 8529409649993261571),
        ("/foo", 3158721044809920106),
        ("foo", -6606456034095209585),
        ("", None),
        (None, None),
    ],
)
def test_hash_is_the_published_one(text, expected):
    assert hash_sip(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://www.Google.com/search?q1=golang&q2=github", "www.Google.com/search"),
        ("www.Google.com/?q=golang", "www.Google.com/"),
        ("http://192.168.0.%31:8080/", None),
        ("http://www.lytics.com/?utm_source=google", "www.lytics.com/"),
        ("http://www.google.com", "www.google.com"),
        ("http://www.google.com/#file%20one%26two", "www.google.com/"),
        ("ftp://webmaster@www.google.com/", "www.google.com/"),
        ("mailto:webmaster@golang.org", ""),
        ("/foo?query=http://bad", "/foo"),
        ("//foo", "foo"),
        ("///threeslashes", "///threeslashes"),
        ("http://192.168.0.2:/foo", "192.168.0.2:/foo"),
        ("http:www.x.com/", ""),
        ("localhost:8080/x", ""),
        (" http://example.com", None),
        ("1.2.3.4:80/x", None),
        (":x", None),
        ("http://exa mple.com/", None),
        ("http://example.com:8a/", None),
        ("", None),
        (None, None),
    ],
)
def test_urlmain_is_the_published_one(text, expected):
    assert urlmain(text) == expected


@pytest.mark.parametrize(
    ("text", "address", "domain"),
    [
        ("Bob@Bob.com", "bob@bob.com", "bob.com"),
        ("Bob <bob@bob.com>", "bob@bob.com", "bob.com"),
        ("Bob <bob>", None, None),
        ("Test <TEST@test.com>", "test@test.com", "test.com"),
        ("<joe@uk>", "joe@uk", "uk"),
        ("<Abc.example.com>", None, None),
        ("<john..doe@example.com>", None, None),
        ("<.john.doe@example.com>", None, None),
        ('"a@b"@example.com', "a@b@example.com", "b@example.com"),
        ("jo@[IPv6:::1]", "jo@[ipv6:::1]", None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_addresses_are_read_as_published(text, address, domain):
    assert (email(text), emaildomain(text)) == (address, domain)


@pytest.mark.parametrize(("text", "main", "address", "domain"), GO, ids=range(len(GO)))
def test_go_reads_the_same(text, main, address, domain):
    assert (urlmain(text), email(text), emaildomain(text)) == (main, address, domain)


def test_a_path_that_is_no_utf8_is_hashed_as_its_bytes():
    main = urlmain("http://example.com/caf%E9")
    assert main == "example.com/caf\udce9"
    assert as_bytes(main) == b"example.com/caf\xe9"
    assert url_key("http://example.com/caf%E9") == url_key("http://example.com/caf\udce9")
    assert url_key("http://example.com/caf%E9") != url_key("http://example.com/caf%C3%A9")


def test_an_opaque_url_has_no_key():
    assert url_key("mailto:jo@example.com") is None
    assert url_key("http://%zz/") is None


@given(ANY_TEXT)
@settings(max_examples=200, deadline=None)
def test_no_text_makes_a_function_fail(text):
    key = hash_sip(text)
    assert key is None or -(2**63) <= key < 2**63
    assert url_key(text) is None or int(url_key(text)) == hash_sip(urlmain(text))
    assert email(text) is None or "@" in email(text)
    assert emaildomain(text) is None or emaildomain(text)


@given(st.binary())
@settings(max_examples=100, deadline=None)
def test_bytes_survive_as_text(data):
    assert as_bytes(as_text(data)) == data


@given(URLISH.map("".join), st.text(alphabet="abc&=?/%"))
@settings(max_examples=200, deadline=None)
def test_a_query_never_changes_the_main_part(url, query):
    if "#" not in url and url:
        assert urlmain(f"{url}?{query}") == urlmain(f"{url}?")


@given(st.from_regex(r"[a-z0-9]+(\.[a-z0-9]+)*@[a-z0-9]+(\.[a-z]+)*", fullmatch=True))
@settings(max_examples=100, deadline=None)
def test_a_plain_address_is_its_own_and_reading_again_changes_nothing(address):
    assert email(address) == address
    assert email(f"Somebody <{address.upper()}>") == address
    assert emaildomain(address) == address.partition("@")[2]


def test_lower_case_is_per_character():
    assert lower("ΑΣ") == "ας".replace("ς", "σ")
    assert lower("İ") == "i"
