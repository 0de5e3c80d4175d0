"""An audience: a name and a rule, of the people of one connection."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from icx import mask
from icx.errors import BadInput, IcxError
from icx.rules import Rule, code, sentence

if TYPE_CHECKING:
    import pandas as pd

    from icx.audience.compare import Breakdown, Overlap
    from icx.audience.count import Count
    from icx.audience.people import People
    from icx.audience.why import Why
    from icx.scale import Cluster


@dataclass(frozen=True, repr=False)
class Audience:
    """Who is meant, by name. `people` (set by the workspace) is whom it counts; without it only words show."""

    name: str
    rule: Rule
    connection: str = ""
    description: str = ""
    people: People | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        size = ""
        if self.people is not None:
            try:
                found = self.count()
                size = f"{found.count:,} people of {found.connection} · "
            except IcxError as error:
                size = f"not counted: {error.message} · "
        return f"{mask.plain(self.name)}: {size}{self.english}"

    def _repr_html_(self) -> str:
        from icx.audience.html import audience_html

        return audience_html(self)

    @property
    def english(self) -> str:
        """The rule as a sentence, dates in the workspace's zone."""
        return sentence(self.rule, self.people.zone) if self.people else sentence(self.rule)

    @property
    def python(self) -> str:
        """The rule as it would be typed."""
        return code(self.rule)

    def of(self, people: People) -> Audience:
        """Return the same audience, counting these people."""
        return replace(self, people=people, connection=self.connection or people.connection)

    def count(self, cluster: Cluster | None = None) -> Count:
        """Return how many people are in, of how many, and what each rule leaves; with `cluster`, Spark counts."""
        from icx.audience.count import count

        return count(self._people(), self, cluster)

    def sample(self, n: int = 5, *, show_people: bool = False) -> pd.DataFrame:
        """Return a few members at random, addresses masked unless `show_people`."""
        from icx.audience.compare import sample

        return sample(self._people(), self, n, show_people=show_people)

    def breakdown(self, by: str) -> Breakdown:
        """Return how many members have each value of a field, beside all contacts."""
        from icx.audience.compare import breakdown

        return breakdown(self._people(), self, by)

    def overlap(self, *others: Audience) -> Overlap:
        """Return how many people each combination of audiences has."""
        from icx.audience.compare import overlap

        return overlap(self._people(), [self, *others])

    def why(self, who: str | int) -> Why:
        """Return why a person (address or contact id) is in or out, and which rule decides."""
        from icx.audience.why import why

        return why(self._people(), self, who)

    def members(self) -> list[int]:
        """Return the contact ids of everybody in it."""
        from icx.audience.people import members

        return members(self._people(), self)

    def _people(self) -> People:
        if self.people is None:
            raise BadInput(
                "audience-unbound",
                f"{self.name} has a rule, but nobody to count.",
                where="an audience made by hand",
                kept="nothing was changed",
                next=[f'ws.audience("{self.name}") gives it with its people'],
            )
        return self.people
