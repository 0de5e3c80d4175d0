"""Secret: a text that cannot be printed, logged, pickled or saved by accident."""

from __future__ import annotations

import hmac
from typing import NoReturn


class Secret:
    """A password or key; only `reveal()` gives it, and nothing shows it, not even its length.

    >>> Secret("hunter2")
    Secret(hidden)
    >>> f"{Secret('hunter2')}"
    'Secret(hidden)'
    >>> Secret("hunter2").reveal()
    'hunter2'
    """

    __slots__ = ("__text",)

    def __init__(self, text: str | Secret) -> None:
        self.__text = text.reveal() if isinstance(text, Secret) else text

    def reveal(self) -> str:
        """Return the text itself; for the one place that sends or stores it."""
        return self.__text

    def __repr__(self) -> str:
        return "Secret(hidden)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(
            self.__text.encode("utf-8", "surrogatepass"), other.reveal().encode("utf-8", "surrogatepass")
        )

    # Unhashable: a hash of a short password is a way to guess it.
    __hash__ = None  # type: ignore[assignment]

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is not pickled or copied; reveal() it where it is needed")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret is not pickled or copied; reveal() it where it is needed")
