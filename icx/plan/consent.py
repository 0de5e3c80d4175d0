"""Consent: who may be added to a list. This table decides; what is not in it is refused.

contact      | not on the list      | normal               | pending              | unsubscribed
normal       | add                  | keep                 | keep                 | refuse left_this_list
new          | create               | refuse not_in_table  | refuse not_in_table  | refuse left_this_list
pending      | refuse pending       | keep                 | keep                 | refuse left_this_list
invitable    | refuse invitable     | keep                 | keep                 | refuse left_this_list
bounced      | refuse bounced       | keep bounced         | refuse bounced       | refuse bounced
donotcontact | refuse do_not_contact | keep do_not_contact | refuse do_not_contact | refuse do_not_contact
deleted      | refuse deleted       | keep deleted         | refuse deleted       | refuse deleted
gone         | refuse gone          | keep gone            | refuse gone          | refuse gone
"""

from __future__ import annotations

from collections.abc import Set
from typing import NamedTuple


class Verdict(NamedTuple):
    """What may happen (`add`, `add_pending`, `create`, `keep`, `refuse`), and the reason's code."""

    action: str
    reason: str


TABLE = {
    ("normal", "not"): Verdict("add", ""),
    ("normal", "normal"): Verdict("keep", ""),
    ("normal", "pending"): Verdict("keep", ""),
    ("normal", "unsubscribed"): Verdict("refuse", "left_this_list"),
    ("new", "not"): Verdict("create", ""),
    ("new", "unsubscribed"): Verdict("refuse", "left_this_list"),
    ("pending", "not"): Verdict("refuse", "pending"),
    ("pending", "normal"): Verdict("keep", ""),
    ("pending", "pending"): Verdict("keep", ""),
    ("pending", "unsubscribed"): Verdict("refuse", "left_this_list"),
    ("invitable", "not"): Verdict("refuse", "invitable"),
    ("invitable", "normal"): Verdict("keep", ""),
    ("invitable", "pending"): Verdict("keep", ""),
    ("invitable", "unsubscribed"): Verdict("refuse", "left_this_list"),
    ("bounced", "not"): Verdict("refuse", "bounced"),
    ("bounced", "normal"): Verdict("keep", "bounced"),
    ("bounced", "pending"): Verdict("refuse", "bounced"),
    ("bounced", "unsubscribed"): Verdict("refuse", "bounced"),
    ("donotcontact", "not"): Verdict("refuse", "do_not_contact"),
    ("donotcontact", "normal"): Verdict("keep", "do_not_contact"),
    ("donotcontact", "pending"): Verdict("refuse", "do_not_contact"),
    ("donotcontact", "unsubscribed"): Verdict("refuse", "do_not_contact"),
    ("deleted", "not"): Verdict("refuse", "deleted"),
    ("deleted", "normal"): Verdict("keep", "deleted"),
    ("deleted", "pending"): Verdict("refuse", "deleted"),
    ("deleted", "unsubscribed"): Verdict("refuse", "deleted"),
    ("gone", "not"): Verdict("refuse", "gone"),
    ("gone", "normal"): Verdict("keep", "gone"),
    ("gone", "pending"): Verdict("refuse", "gone"),
    ("gone", "unsubscribed"): Verdict("refuse", "gone"),
}
BY_CHOICE = {
    ("pending", "not"): Verdict("add_pending", ""),
    ("invitable", "not"): Verdict("add_pending", ""),
}
NOT_IN_TABLE = Verdict("refuse", "not_in_table")

# A fact that stands puts somebody into a row, or (left) into a column, whatever today's read says.
ROW_OF_FACT = {"donotcontact": "donotcontact", "deleted": "deleted", "gone": "gone"}
COLUMN_OF_FACT = {("left", "not"): "unsubscribed", ("left", "pending"): "unsubscribed"}
# A later fact of this kind that icx did not write itself ends it; the others never end.
ENDED_BY = {"left": "normal"}
# `bounced` counts only while the service itself says so, and that is today's read.
WITHOUT_WEIGHT = {"normal", "bounced"}

# What icx may write, before -> after, on a list. A status only ever moves toward less contact.
WRITES = {
    ("not", "normal"),
    ("not", "pending"),
    ("normal", "not"),
    ("normal", "unsubscribed"),
}


def judge(contact: str, on_list: str, facts: Set[str] = frozenset(), *, invite: bool = False) -> Verdict:
    """Return what may happen to one person.

    `contact` is the contact's status today (`new` for one that is not in iContact, `gone` for one the
    service no longer lists), `on_list` their subscription to the target list (`not` for none), `facts`
    the consent facts that stand, `invite` whether unconfirmed people are asked to confirm.

    >>> judge("normal", "not")
    Verdict(action='add', reason='')
    >>> judge("normal", "not", {"left"})
    Verdict(action='refuse', reason='left_this_list')
    """
    if not facts <= {*ROW_OF_FACT, *WITHOUT_WEIGHT, *(fact for fact, _ in COLUMN_OF_FACT)}:
        return NOT_IN_TABLE
    for fact, row in ROW_OF_FACT.items():
        if fact in facts and contact != "donotcontact":
            contact = row
    for fact in facts:
        on_list = COLUMN_OF_FACT.get((fact, on_list), on_list)
    if invite and (contact, on_list) in BY_CHOICE:
        return BY_CHOICE[contact, on_list]
    return TABLE.get((contact, on_list), NOT_IN_TABLE)
