"""What a hold of the button for a password reset leads to. Whoever stands at the device may do it: that is what the button proves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResetAnswer:
    """What came of it."""

    done: bool
    """Whether something was reset; the light winks three times a second for a while, or flickers where not."""
    said: str
    """For a person."""


def no_accounts() -> ResetAnswer:
    """Answer where there are no accounts."""
    return ResetAnswer(done=False, said="There are no accounts yet, so there is no password to reset: nothing was changed")
