"""What tests of widgets share: a bare page in real Chromium."""

from bare import bare, browser

__all__ = ["bare", "browser"]
