"""What who is listening prefers: by their account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moodify.accounts.managing import TERMINAL
from moodify.config.household import Wishes

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.accounts.managing import Managing


def wishes_by(accounts: Managing | None) -> Callable[[str], Wishes | None]:
    """Return what tells an account's wishes by its id: None where the account is gone or may not sign in. Without accounts nobody wishes anything."""

    def wishes(account: str) -> Wishes | None:
        users = () if accounts is None else accounts.users(TERMINAL)
        user = next((user for user in users if str(user.id) == account and user.active), None)
        if user is None:
            return None
        prefers = user.preferences
        return Wishes(goal=prefers.goal, volume_cap=prefers.volume_cap, quiet_hours=prefers.quiet_hours, moods=prefers.moods)

    return wishes
