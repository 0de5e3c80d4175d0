"""Finding an address wherever it was written: in plain text, in a link, in a page, in JSON, in another character set.

An address is found as iContact compares it, without case, and only as a whole: `jo@example.com` is not found in
`banjo@example.com` nor in `jo@example.com.example`. A plus sign is a letter.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import lzma
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from icx.store.backups import UNREADABLE
from icx.store.wiping import Pattern

PIECE, OVERLAP = 4 << 20, 4096
_NOBODY = r"[^\s\S]"  # finds nothing
_NAMED = {
    "@": "&commat;",
    "+": "&plus;",
    ".": "&period;",
    "_": "&lowbar;",
    "'": "&apos;",
    '"': "&quot;",
    "&": "&amp;",
}


def _forms(letter: str) -> list[str]:
    """Return how one letter of an address may be written."""
    if letter.isascii() and letter.isalnum():
        return [letter]
    point = ord(letter)
    quoted = "".join(f"%{byte:02x}" for byte in letter.encode())
    forms = [letter, quoted, quoted.replace("%", "%25"), f"&#{point};", f"&#x{point:x};", f"\\u{point:04x}"]
    forms += ["".join(f"={byte:02x}" for byte in letter.encode()), html.escape(letter), f"\\{letter}"]
    return list(dict.fromkeys([*forms, *([_NAMED[letter]] if letter in _NAMED else [])]))


def _escape(text: str) -> str:
    return re.sub(r"([^\w\s]|_)", r"\\\1", text) if text.isascii() else re.escape(text)


def _whole(addresses: Iterable[str]) -> str:
    written = []
    for address in sorted({one.strip().lower() for one in addresses}, key=len, reverse=True):
        parts = [_forms(letter) for letter in address]
        written.append(
            "".join(one[0] if len(one) == 1 else f"(?:{'|'.join(map(_escape, one))})" for one in parts)
        )
    return "|".join(written)


def in_sql(addresses: Iterable[str]) -> Pattern:
    """Return the pattern for DuckDB (RE2): what stands before is its first group, what follows the second."""
    near = f"(?:{_whole(addresses) or _NOBODY})"
    before = r"(^|[^\pL\pN._+\-%]|%[0-9a-f]{2}|\\[nrtbf]|\\u[0-9a-f]{4})"
    after = r"($|[^\pL\pN.\-]|\.(?:$|[^\pL\pN]))"
    return Pattern(f"(?i){near}", f"(?i){before}{near}{after}")


def in_text(addresses: Iterable[str]) -> re.Pattern[str]:
    """Return the pattern for Python: it matches the address alone."""
    before = r"(?:(?<![\w.+\-%])|(?<=%[0-9a-f]{2})|(?<=\\[nrtbf])|(?<=\\u[0-9a-f]{4}))"
    after = r"(?![\w\-])(?!\.\w)"
    return re.compile(f"{before}(?:{_whole(addresses) or _NOBODY}){after}", re.IGNORECASE)


def packed(addresses: Iterable[str]) -> list[bytes]:
    """Return the addresses as they stand in what is no text: UTF-16, and base64 at each of its three beginnings."""
    found: list[bytes] = []
    for address in addresses:
        for text in {address.strip(), address.strip().lower()}:
            found += [text.encode("utf-16-le"), text.encode("utf-16-be")]
            raw = text.encode()
            for shift in range(3):
                # The first and the last letters also carry bits of what stands beside, and are left out.
                whole = base64.b64encode(bytes(shift) + raw)
                found.append(whole[(0, 2, 3)[shift] : len(whole) - (0, 3, 2)[(shift + len(raw)) % 3]])
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Trace:
    """What to look for: the same addresses as a pattern and as bytes."""

    text: re.Pattern[str]
    packed: tuple[bytes, ...]

    @classmethod
    def of(cls, addresses: Iterable[str]) -> Trace:
        every = list(addresses)
        return cls(in_text(every), tuple(packed(every)))

    def count(self, path: Path) -> int:
        """Return how often a file holds the address, in what it packs too."""
        try:
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    return sum(self._in(partial(archive.open, name)) for name in archive.namelist())
            opener = _OPENERS.get(path.suffix.lower(), Path.open)
            return self._in(lambda: opener(path, "rb"))
        except FileNotFoundError:
            return 0  # gone since its folder was listed
        except (OSError, lzma.LZMAError, *UNREADABLE):
            return self._in(lambda: path.open("rb"))

    def _in(self, open_: Callable[[], IO[bytes]]) -> int:
        found = 0
        with open_() as file:
            for piece, seen in _pieces(file):
                text = piece.decode("utf-8", "surrogateescape")
                skip = len(piece[:seen].decode("utf-8", "surrogateescape"))
                found += sum(1 for one in self.text.finditer(text) if one.end() > skip)
                for needle in self.packed:
                    at = piece.find(needle)
                    while at >= 0:
                        found += at + len(needle) > seen
                        at = piece.find(needle, at + 1)
        return found

    def replaced(self, text: str, word: str) -> tuple[str, int]:
        """Return a text with the address replaced, and how often it was."""
        return self.text.subn(lambda _: word, text)


_OPENERS: dict[str, Callable[..., IO[bytes]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}  # type: ignore[dict-item]


def _pieces(file: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield a file in pieces that overlap, each with how many of its bytes were in the one before."""
    before = b""
    while piece := file.read(PIECE):
        yield before + piece, len(before)
        before = (before + piece)[-OVERLAP:]
