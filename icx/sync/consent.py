"""Who may be made and who may be put on a list: the one consent table of icx, asked for any kind of system. Pure."""

from __future__ import annotations

from collections.abc import Set

from icx.connections.base import Person
from icx.plan.consent import judge

WITHOUT_FACTS: Set[str] = frozenset()


def allowed(person: Person | None, list_id: str | None, facts: Set[str] = WITHOUT_FACTS) -> str:
    """Return "" when somebody (None: who is to be made) may be put on a list (None: made at all), else the reason not.

    `facts` are the consent facts that stand about them. The table is `icx.plan.consent`.

    >>> allowed(Person("7", "ada@example.com"), "3"), allowed(Person("7", None, lists={"3": "unsubscribed"}), "3")
    ('', 'left_this_list')
    >>> allowed(None, None), allowed(None, None, {"deleted"})
    ('', 'deleted')
    """
    contact = person.status if person is not None else "new"
    on_list = person.lists.get(list_id, "not") if person is not None and list_id is not None else "not"
    verdict = judge(contact, on_list, facts)
    return "" if verdict.action in {"add", "create", "keep"} else verdict.reason or "not_in_table"
