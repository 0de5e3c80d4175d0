"""Links of the generated messages: ordinary shop addresses, and every odd kind of URL seen in real clicks."""

from __future__ import annotations

import html

import numpy as np

PATHS = (
    "/tents/{n}",
    "/boots/trail-{n}",
    "/sale",
    "/sale/",
    "/blog/2025/eno-river-{n}",
    "/stores/durham",
    "/kayaks/{n}/specs",
    "/account/preferences",
    "/gift-cards",
    "/lamps/headlamp-{n}",
)

# Hosts stay in the example domains or on loopback wherever the oddity allows a host at all.
ODD = (
    "http://www.Example.com/Search?q1=tents&q2=boots",
    "www.example.com/?q=no-scheme",
    "www.example.com/path/without/scheme?utm_source=mail",
    "http://www.example.com",
    "http://www.example.com/",
    "http://www.example.com/#file%20one%26two",
    "http://www.example.com:8080/port/kept",
    "http://192.168.0.2:/foo",
    "ftp://webmaster@www.example.com/",
    "http://user:secret@www.example.com/private",
    "mailto:help@example.com",
    "http:www.example.com/opaque",
    "localhost:8080/x",
    "//cdn.example.net/pixel",
    "//foo",
    "///threeslashes",
    "/foo?query=http://bad",
    "http://www.example.com/a//b///c",
    "http://www.example.com/a%2fb%2Fc",
    "http://www.example.com/caf%C3%A9+menu",
    "http://www.example.com/%ff%fe/raw-bytes",
    "http://www.example.com/café/ünïcode",
    "http://bücher.example.com/neu",
    "http://b%C3%BCcher.example.com/neu",
    "http://[2001:db8::1]:8080/ipv6",
    "http://www.example.com/%zz",
    "http://192.168.0.%31:8080/",
    "http://www.example.com:port/",
    "http://www exam ple.com/space-in-host",
    "http://www.example.com/control\x7fcharacter",
    " http://www.example.com/leading-blank",
    "1.2.3.4:80/x",
    ":starts-with-colon",
    "HTTP://WWW.EXAMPLE.COM/UPPER",
    "http://www.example.com/space in path?x=1",
    "http://www.example.com?q=123",
    "?only=query",
    "#only-fragment",
    "tel:+19195550100",
    "http://www.example.com/" + "long/" * 90,
    "",
)


def links_of(rng: np.random.Generator, number: int, message_id: int) -> list[str]:
    """The links of one message, four to eight ordinary ones and then one odd; position is popularity."""
    count = int(rng.integers(4, 9))
    paths = rng.choice(len(PATHS), size=count, replace=False)
    ordinary = [
        f"https://www.example.com{PATHS[p].format(n=int(rng.integers(1, 90)))}?utm_source=icontact&utm_campaign=m{message_id}"
        for p in paths
    ]
    return [*ordinary, ODD[number % len(ODD)]]


def body(subject: str, links: list[str], tag: int | None) -> str:
    """HTML of a message with its links; with `tag`, also the marker that an outside system left in it."""
    marker = "" if tag is None else f"<!-- lytics-aid:{tag} -->"
    items = "".join(
        f'<p><a href="{html.escape(link)}">Look {n}</a></p>' for n, link in enumerate(links, 1) if link
    )
    return f"<html><body>{marker}<h1>{html.escape(subject)}</h1>{items}</body></html>"
