"""What every kind of system can do: five verbs, and the two values they speak of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

# Where iContact's own pages let an application in, and where one is made.
LINK = "https://app.icontact.com/icp/core/externallogin"
PATH = "Settings and Billing › iContact Integrations › Custom API Integrations › Create"


@dataclass(frozen=True)
class Container:
    """A place that holds people and can be written to: a list, an audience, a table."""

    id: int | str
    name: str


@dataclass(frozen=True)
class Column:
    """One thing known of each person there. `writable` ones may be mapped to; `longest` is in characters."""

    name: str
    label: str
    required: bool = False
    writable: bool = True
    custom: bool = False
    longest: int | None = None


class Connection(Protocol):
    """A system with people in it. Reading is free; only `icx.plan` calls `write`."""

    @property
    def kind(self) -> str:
        """Return the kind of system: icontact, table …"""

    def verify(self) -> Any:
        """Try the login now; return what it may see, or raise one of the diagnoses."""

    def containers(self) -> list[Container]:
        """Return the lists people can be put on."""

    def schema(self) -> list[Column]:
        """Return what is known of each person."""

    def read(self, container: int | str | None = None) -> Iterator[dict[str, Any]]:
        """Yield the people of a container, or of the whole folder."""

    def write(self, container: int | str, people: Sequence[tuple[int, str]]) -> Any:
        """Put people, (id, status) each, into a container; return what was accepted, row by row."""
