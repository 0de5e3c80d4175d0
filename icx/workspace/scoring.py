"""Points: actions, what they would give, who has what and why; `Workspace` has these verbs."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from icx.points import Action
    from icx.points.ledger import Ledger, Points, Recount
    from icx.rules import Rule
    from icx.workspace.workspace import Workspace


class Scoring:
    """What people earn points by, and the ledger of it."""

    @overload
    def points(self, *, connection: str | None = None) -> Points: ...
    @overload
    def points(self, name: str) -> Action: ...
    @overload
    def points(
        self,
        name: str,
        amount: int,
        earns: Rule,
        *,
        each: bool = False,
        group: str = "",
        since: date | str = "",
        until: date | str = "",
        machines: bool = False,
        description: str = "",
        connection: str | None = None,
        dry: bool = False,
        replace: bool = False,
    ) -> Action: ...

    def points(  # type: ignore[misc]
        self: Workspace,
        name: str | None = None,
        amount: int | None = None,
        earns: Rule | None = None,
        *,
        each: bool = False,
        group: str = "",
        since: date | str = "",
        until: date | str = "",
        machines: bool = False,
        description: str = "",
        connection: str | None = None,
        dry: bool = False,
        replace: bool = False,
    ) -> Points | Action:
        """Save a point action and return it; with a name alone return the saved one, without one all of them.

        `ws.points("Clicked pricing", 10, f.clicked(url="/pricing"), each=True, group="interest")` gives 10 points
        for each such click. A plain event rule is earned by events: the first one, `each` one, or with
        `distinct="messages"` the first in each message. Any other rule is earned when a build first finds somebody so,
        with `each` whenever one finds them newly so. `since` and `until` are dates of the workspace's zone, both
        included. What machines probably did counts only with `machines`. `dry` saves nothing.

        The ledger is counted by the next build. An action that reads differently from the saved one needs `replace`;
        without it `points-change` says what would change. Raises points-value, points-circle, and what is wrong with
        the rule; then nothing is saved.
        """
        from icx.workspace.scored import one, saved, standing

        if name is None:
            return standing(self, connection)
        if amount is None or earns is None:
            return one(self, name)
        from icx.points import Action

        first, last = (day if isinstance(day, str) else day.isoformat() for day in (since, until))
        given = Action(name, amount, earns, each, group, first, last, machines, description, connection or "")
        return saved(self, given, dry=dry, replace=replace)

    def remove_points(self: Workspace, name: str) -> Action:  # type: ignore[misc]
        """Remove a point action and return it; its lines leave the ledger with the next build.

        Raises points-used while a saved audience uses a field that would be gone with it.
        """
        from icx.workspace.scored import removed

        return removed(self, name)

    def points_ledger(self: Workspace, who: str | int, *, connection: str | None = None) -> Ledger:  # type: ignore[misc]
        """Return what gave somebody (address or contact id) points, line by line, as the last build counted it."""
        from icx.workspace.scored import ledger

        return ledger(self, str(who), connection)

    def recount_points(self: Workspace, name: str | None = None) -> Recount:  # type: ignore[misc]
        """Count the ledger of a connection again from the raw events and compare; nothing is changed."""
        from icx.points import everything
        from icx.points.ledger import recount
        from icx.workspace.scored import book

        saved = self.connection(name)
        return recount(book(self, saved.name), everything(self.layout.points, saved.name))
