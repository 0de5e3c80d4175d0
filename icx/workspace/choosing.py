"""Whom to choose from, how, and what it costs: fields, lists, audiences; `Workspace` has these verbs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from icx.audience import Audience
    from icx.audience.comparison import Comparison
    from icx.audience.people import People
    from icx.fields import Catalogue
    from icx.rules import F, Rule
    from icx.workspace.cost import AudienceCost, PullCost
    from icx.workspace.workspace import Workspace


class Choosing:
    """The catalogue of fields, the lists, and the saved audiences of a workspace."""

    def catalogue(self: Workspace, name: str | None = None) -> Catalogue:  # type: ignore[misc]
        """Return every field: built in, custom, attached, points, and the files of data/fields."""
        from icx.profile import catalogue
        from icx.workspace.scored import totals

        saved = self.connection(name)
        self.accounts.enter(saved)
        return catalogue(self.store, saved.name, self.layout.fields, totals(self, saved.name))

    @property
    def fields(self: Workspace) -> F:  # type: ignore[misc]
        """The fields of the default connection, to build rules with: `ws.fields.opens_90d >= 3`."""
        from icx.rules import F

        return F(self.catalogue())

    def fill_rates(self: Workspace, name: str | None = None) -> pd.DataFrame:  # type: ignore[misc]
        """Return how full each field is, with its distribution."""
        from icx.profile import fill_rates

        return fill_rates(self.store, self.connection(name).name)

    def lists(self: Workspace, name: str | None = None) -> pd.DataFrame:  # type: ignore[misc]
        """Return the lists of the last pull: id, name, members by status, whether they mail a welcome."""
        from icx.workspace.look import lists

        return lists(self.store, self.connection(name).name)

    def explain_pull(self: Workspace, name: str | None = None, *, full: bool = False) -> PullCost:  # type: ignore[misc]
        """Return what the next pull would read and why, its calls and its minutes, by a call a collection."""
        from icx.workspace.cost import pull_cost

        return pull_cost(self, name, full=full)

    def explain_audience(self: Workspace, name: str) -> AudienceCost:  # type: ignore[misc]
        """Return what counting a saved audience reads."""
        from icx.workspace.cost import audience_cost

        return audience_cost(self, name)

    def people(self: Workspace, name: str | None = None, *, as_of: datetime | None = None) -> People:  # type: ignore[misc]
        """Return whom audiences of a connection choose from; `as_of` is that of a past build."""
        from icx.audience import People

        saved = self.connection(name)
        return People(
            self.store,
            saved.name,
            self.catalogue(saved.name),
            self.layout.audiences,
            self.settings.tz,
            as_of,
            "profile" if as_of is None else "profile_at",
        )

    def audience(  # type: ignore[misc]
        self: Workspace,
        name: str,
        rule: Rule | None = None,
        *,
        description: str = "",
        connection: str | None = None,
    ) -> Audience:
        """Save an audience under a name and return it; without a rule return the saved one.

        The rule is read before anything is saved: an unknown field or a value that does not fit saves nothing.
        """
        from icx.audience import Audience, checked, load, save

        if rule is None:
            found = load(self.layout.audiences, name)
            return found.of(self.people(found.connection or connection))
        people = self.people(connection)
        fresh = checked(people, Audience(name, rule, people.connection, description))
        save(self.layout.audiences, fresh)
        return fresh.of(people)

    def audiences(self: Workspace) -> list[Audience]:  # type: ignore[misc]
        """Return the saved audiences, by name."""
        from icx.audience import everything

        return [saved.audience for saved in everything(self.layout.audiences) if saved.audience is not None]

    def compare(self: Workspace, *audiences: Audience | str) -> Comparison:  # type: ignore[misc]
        """Compare two to six audiences: what they share, how the first one's size moved, who came and went."""
        from icx.audience.comparison import compare

        found = [self.audience(one) if isinstance(one, str) else one for one in audiences]
        people = self.people(found[0].connection if found else None)
        return compare(people, [one.of(people) for one in found])

    def delete_audience(self: Workspace, name: str) -> Path:  # type: ignore[misc]
        """Delete a saved audience; refused while another one, a job, a point action or a trigger uses it."""
        from icx.audience import delete
        from icx.workspace import scored, triggered

        return delete(
            self.layout.audiences,
            name,
            jobs=self.jobs().users_of(name),
            actions=scored.users_of(self, name),
            triggers=triggered.users_of(self, name),
        )
