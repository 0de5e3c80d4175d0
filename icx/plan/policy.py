"""What the person who plans may choose: stale members, unconfirmed people, mapping, creating."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from icx.errors import BadInput

STALE = ("stay", "park", "unsubscribe")
PARKING_LIST = "icx parking"


@dataclass(frozen=True)
class MapLine:
    """One line of a field mapping: `column` of the audience's rows travels to the contact's `field`.

    `field` is the service's own name (`firstName`) or a custom field's private name. Empty values are
    left out unless `blank` says that they empty the field.
    """

    column: str
    field: str
    blank: bool = False


@dataclass(frozen=True)
class Policy:
    """The choices of one plan; the defaults send the least.

    `stale` is what happens to members who are no longer wanted. `invite` asks unconfirmed people with the
    message `confirmation_message`. `create_contacts` makes people without an iContact id, on the stated
    `basis`. `match` is how the audience's people are found in the target folder (`contact_id` or `email`).
    `retry_of` is the plan of which `tried` people did not arrive, who alone are planned again. `trigger` names the
    trigger that fired for these people.
    """

    stale: str = "stay"
    invite: bool = False
    confirmation_message: int | None = None
    mapping: tuple[MapLine, ...] = ()
    create_contacts: bool = False
    basis: str = ""
    match: str = "contact_id"
    parking_list: str = PARKING_LIST
    undo_of: str | None = None
    retry_of: str | None = None
    tried: int = 0
    trigger: str = ""

    def __post_init__(self) -> None:
        if self.stale not in STALE:
            raise BadInput(
                "plan-choice",
                f'"{self.stale}" is nothing that can be done with stale members.',
                where=f"--stale {self.stale}; it can be {', '.join(STALE)}",
                kept="nothing was planned",
                next=["the same command with --stale park"],
            )
        if self.invite and self.confirmation_message is None:
            raise BadInput(
                "plan-choice",
                "Asking unconfirmed people needs the message that asks them.",
                where="a message of the type confirmation",
                kept="nothing was planned",
                next=["the same command with the id of that message"],
            )

    def as_dict(self) -> dict[str, Any]:
        """Return the policy as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> Policy:
        """Return the policy that `as_dict` wrote."""
        return cls(**kept | {"mapping": tuple(MapLine(**line) for line in kept["mapping"])})
