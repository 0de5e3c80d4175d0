"""Words of the products people come from, and what is meant here: understood by help, the search and a wrong command."""

from __future__ import annotations

from typing import NamedTuple


class Meant(NamedTuple):
    """What a word of another product is here: whose word it is, a sentence, the word to search by, what to type."""

    word: str
    of: str
    here: str
    search: str
    next: list[str]


_AUDIENCE = ["icx", "audience", "--help"]
_PLAN = ["icx", "plan", "--help"]
WORDS = {
    one.word: one
    for one in (
        Meant("lead", "Mautic", "a contact; `icx person` shows all that is held about one", "contact", ["icx", "person", "--help"]),
        Meant("lead list", "Mautic", "an audience: a rule over contacts", "audience", _AUDIENCE),
        Meant("anonymous lead", "Mautic", "a visitor, and iContact knows none: a contact has an address", "contact", ["icx", "person", "--help"]),
        Meant("visitor", "Mautic", "nobody iContact knows: a contact has an address", "contact", ["icx", "person", "--help"]),
        Meant("push to integration", "Mautic", "a plan, which asks consent first, and its apply", "list", _PLAN),
        Meant("point trigger", "Mautic", "a trigger that is reached by points", "points", ["icx", "triggers", "--help"]),
        Meant("segment", "Lytics and Mautic", "an audience: a rule over contacts", "audience", _AUDIENCE),
        Meant("import job", "Lytics", "a pull, by hand or by the clock", "pull", ["icx", "pull", "--help"]),
        Meant("export job", "Lytics", "a plan and its apply, by hand or by the clock", "list", _PLAN),
        Meant("lql", "Lytics", "SQL, one file a field in data/fields", "", ["icx", "fields", "--help"]),
        Meant("merge field", "Mailchimp", "a field; custom ones begin with cf_", "cf_", ["icx", "fields", "cf_"]),
        Meant("starting rule", "PieSync", "a rule of a sync", "", ["icx", "sync", "--help"]),
        Meant("dnc", "PieSync", "do-not-contact, which is never lifted", "contact", ["icx", "person", "--help"]),
        Meant("blacklist", "other products", "do-not-contact, which is never lifted", "contact", ["icx", "person", "--help"]),
    )
}  # fmt: skip


def meant(word: str) -> Meant | None:
    """Return what a word of another product is here, or None.

    >>> meant("Lead-Lists").here, meant("opens")
    ('an audience: a rule over contacts', None)
    """
    plain = " ".join(word.lower().replace("-", " ").replace("_", " ").split())
    return WORDS.get(plain) or WORDS.get(plain.removesuffix("s"))
