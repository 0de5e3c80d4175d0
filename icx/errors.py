"""Errors by what to do next; each says what happened, where, what was kept, and what to type.

IcxError
├── BadInput        exit 2: nothing was tried; type it differently
├── NeedsYou        exit 3: a check, a limit or an unanswered question stopped it
├── Refused         exit 1: the service answered and said no
├── TryLater        exit 1: the same command later goes on where this one stopped
│   └── UnknownOutcome   a write was sent and nobody knows whether it was done
├── Stopped         exit 130: somebody asked for its end; the same command goes on
└── Damaged         exit 1: something here needs mending (disk, database, folder)
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class IcxError(Exception):
    """What happened, where, what was left unchanged, what to type next.

    >>> error = IcxError("login-refused", "iContact refused this login (401).",
    ...     where="API password", kept="nothing was saved", next=[["icx", "connect", "acme", "--update"]])
    >>> print(error)
    iContact refused this login (401). [login-refused]
      where  API password
      kept   nothing was saved
      next   icx connect acme --update

    `where` may be a mapping (kept whole for JSON). `next` holds argument lists that run as printed;
    a plain sentence is also allowed where no command can help. `data` holds facts for machines, never
    a secret and never an address.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        code: str,
        message: str,
        *,
        where: str | Mapping[str, Any] = "",
        kept: str = "",
        next: Sequence[Sequence[str] | str] = (),
        data: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where
        self.kept = kept
        self.next = [step if isinstance(step, str) else list(step) for step in next]
        self.data = dict(data or {})

    def where_text(self) -> str:
        if isinstance(self.where, str):
            return self.where
        return "; ".join(f"{key} {value}" for key, value in self.where.items())

    def next_text(self) -> str:
        return steps(self.next)

    def __str__(self) -> str:
        parts = [
            f"{self.message} [{self.code}]",
            f"  where  {self.where_text()}",
            f"  kept   {self.kept}",
            f"  next   {self.next_text()}",
        ]
        # A name from outside that has lines of its own must not look like another part of the answer.
        return "\n".join(part.replace("\n", "\\x0a") for part in parts)

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows below its cell: the four parts, not the way through icx that led there."""
        return str(self).splitlines()

    def as_dict(self) -> dict[str, Any]:
        """Return the `error` object of the JSON output."""
        where = dict(self.where) if isinstance(self.where, Mapping) else {"text": self.where}
        return {
            "code": self.code,
            "message": self.message,
            "where": where | self.data,
            "kept": self.kept,
            "next": self.next,
        }


def steps(next: Sequence[Sequence[str] | str]) -> str:
    """Return what to type next, as people read it.

    >>> steps([["icx", "apply", "P-3"], "close it there"])
    'icx apply P-3 · close it there'
    """
    return " · ".join(step if isinstance(step, str) else shlex.join(step) for step in next)


class BadInput(IcxError, ValueError):
    """A name or value icx could check before trying anything."""

    exit_code = 2


class NeedsYou(IcxError):
    """Stopped by a check, a limit or a question that nobody answered."""

    exit_code = 3


class Refused(IcxError):
    """The service answered and said no."""


class TryLater(IcxError):
    """Nothing is lost; the same command goes on later."""


class UnknownOutcome(TryLater):
    """A write was sent and nobody knows whether it was done. It is never sent again; read back instead."""


class Stopped(IcxError):
    """Somebody asked for its end: what was done is kept, and the same command goes on."""

    exit_code = 130


class Damaged(IcxError):
    """Something on this machine needs mending before icx can go on."""
