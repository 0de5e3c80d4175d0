"""What a command hands back: text for people, an object for machines, an exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from icx.errors import IcxError


@dataclass(frozen=True)
class Result:
    """One command's answer. `schema` names the JSON shape and its number, such as `pull/1`.

    `text` is None when the command said all it had to say on the way. `problem` is told on stderr although the work is done: a list that differs, too many refused rows.
    """

    schema: str
    text: str | None
    data: Mapping[str, Any] = field(default_factory=dict)
    exit_code: int = 0
    run: str | None = None
    problem: IcxError | None = None
