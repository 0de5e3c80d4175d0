"""Mailchimp's names as the whole numbers that icx keeps ids as; those of audiences and campaigns go there and back."""

from __future__ import annotations

import re

from icx.errors import TryLater

_HEX = re.compile(r"[0-9a-f]{1,15}\Z")


def number(name: str) -> int:
    """Return the number of an audience or a campaign, whose name is ten hexadecimal digits.

    >>> number("1b724bb934"), name(117881682228)
    (117881682228, '1b724bb934')
    """
    if not _HEX.match(name):
        raise TryLater(
            "answer-unreadable",
            "Mailchimp gave an id of a form that icx does not know.",
            where="an audience or campaign whose id is not ten hexadecimal digits",
            kept="what was read before it; stored rows as they were",
            next=["a newer icx, then the same command"],
        )
    return int(name, 16)


def name(number: int) -> str:
    """Return the name a number was made of."""
    return f"{number:010x}"


def person(hash: str) -> int:
    """Return the number of a member: the first 63 bits of the hash that Mailchimp names them by.

    Of ten million members two share a number in one audience of two hundred thousand; the count of different
    members read would then be one too few, which turns the ledger's cell amber.

    >>> person("8b3ce3ec1f2a4f1a8b3ce3ec1f2a4f1a") < 2**63
    True
    """
    return int(hash[:16], 16) >> 1


def account(id: str) -> int:
    """Return the number of an account, whose id is longer than a number: its first 60 bits."""
    return int(id[:15], 16) if re.match(r"[0-9a-f]{15}", id) else number(id)
