"""Numbers with their noun, as people write them."""

from __future__ import annotations

MANY = {
    "person": "people",
    "has": "have",
    "is": "are",
    "was": "were",
    "moves": "move",
    "stays": "stay",
    "joins": "join",
    "leaves": "leave",
    "retry": "retries",
}


def counted(count: int, word: str) -> str:
    """Return a number and its noun in the right form; `word` is the form for one.

    >>> counted(1, "row"), counted(1204, "row"), counted(0, "person")
    ('1 row', '1,204 rows', '0 people')
    """
    return f"{count:,} {form(count, word)}"


def form(count: int, word: str) -> str:
    """Return the word alone as the number wants it.

    >>> form(1, "has"), form(2, "has"), form(2, "kind of event")
    ('has', 'have', 'kinds of event')
    """
    if count == 1:
        return word
    if word in MANY:
        return MANY[word]
    first, blank, rest = word.partition(" of ")
    return f"{first}s{blank}{rest}"
