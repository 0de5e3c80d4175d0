"""What tests of widgets share: a bare page in real Chromium, a small account."""

from bare import bare, browser, windows
from plan_place import place

__all__ = ["bare", "browser", "place", "windows"]
