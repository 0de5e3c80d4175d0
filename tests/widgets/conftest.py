"""What tests of widgets share: a bare page in real Chromium, a small account."""

from bare import bare, browser
from plan_place import place

__all__ = ["bare", "browser", "place"]
