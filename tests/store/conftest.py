"""What tests of the store may use: no keyring of this machine."""

from typing_commands import no_keyring

__all__ = ["no_keyring"]
