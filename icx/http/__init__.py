"""One way to the outside: a session, its pace and its tape."""

from icx.http.pace import Budget, Pace, Unlimited
from icx.http.secret import Secret
from icx.http.session import Answer, Lost, NotSent, Session, Unreadable, UnsafeAddress
from icx.http.tape import Call, Tape

__all__ = [
    "Answer",
    "Budget",
    "Call",
    "Lost",
    "NotSent",
    "Pace",
    "Secret",
    "Session",
    "Tape",
    "Unlimited",
    "Unreadable",
    "UnsafeAddress",
]
