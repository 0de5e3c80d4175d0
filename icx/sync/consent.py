"""Who may be made and who may be put on a list: the one consent table of icx, asked for any kind of system. Pure."""

from __future__ import annotations

from icx.connections.base import Person
from icx.plan.consent import judge


def allowed(person: Person | None, list_id: str | None) -> str:
    """Return "" when somebody (None: who is to be made) may be put on a list (None: made at all), else the reason not.

    This is today's word alone; what is remembered is asked through `Watch`. The table of both is `icx.plan.consent`.

    >>> allowed(Person("7", "ada@example.com"), "3"), allowed(Person("7", None, lists={"3": "unsubscribed"}), "3")
    ('', 'left_this_list')
    """
    contact = person.status if person is not None else "new"
    on_list = person.lists.get(list_id, "not") if person is not None and list_id is not None else "not"
    verdict = judge(contact, on_list)
    return "" if verdict.action in {"add", "create", "keep"} else verdict.reason or "not_in_table"
