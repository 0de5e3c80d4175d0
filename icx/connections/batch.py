"""Changes carried out some at a time: what one batch has come to, and what is told when it breaks off half way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from icx.connections.base import Change, Done
from icx.errors import IcxError, UnknownOutcome


class Batch:
    """What one batch has come to: `sent` is whether any write left, `refused` row -> words, `keys` row -> id."""

    def __init__(self) -> None:
        self.sent = False
        self.refused: dict[int, str] = {}
        self.keys: dict[int, str] = {}

    def carried_out(self, changes: Sequence[Change], act: Callable[[], None]) -> list[Done]:
        """Act, and return what became of each change, in their order.

        An error after a write has left is an UnknownOutcome: part of it was made, so all of it is read back first.
        """
        try:
            act()
        except UnknownOutcome:
            raise
        except IcxError as error:
            if not self.sent:
                raise
            raise UnknownOutcome(
                "in-doubt",
                f"Part of these changes was made, then: {error.message}",
                where=error.where,
                kept="what was made is not made twice: all are read back first",
                next=error.next,
            ) from error
        return [
            Done(one.row, "refused" if one.row in self.refused else "done", self.keys.get(one.row),
                 self.refused.get(one.row, ""))
            for one in changes
        ]  # fmt: skip
