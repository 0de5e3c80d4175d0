"""What an apply may meet and end with when the service goes wrong, and how often people were put on a list."""

from typing import Any

from icx.sandbox.faults import KINDS

# What an apply may end with when the service goes wrong; the same command then goes on.
GIVES_UP = {
    "service-busy", "service-unreachable", "answer-unreadable", "in-doubt", "login-lost", "login-refused", "service-refused",
}  # fmt: skip
MET = [name for name, kind in KINDS.items() if kind.effect == "answer" and (kind.passes or name == "401")]


def times_added(here: Any, target: int) -> dict[int, int]:
    """How often each contact's own history says that it became normal on this list."""
    rows = here.sql(
        "select contact_id, count(*) from actions where action_type = 'EditSubscription'"
        " and details ->> 'listId' = ? and details ->> 'newStatus' = 'normal' group by contact_id",
        str(target),
    )
    return dict(rows)
