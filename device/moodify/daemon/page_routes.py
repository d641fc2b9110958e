"""What the page can do beyond showing the room: set-up, looks at skin, looking back, health, data and wishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fastapi import APIRouter

    from moodify.web.data_routes import Confirms
    from moodify.web.keeping import Keeping
    from moodify.web.port import House
    from moodify.web.setting_up import SettingUp
    from moodify.web.skin_port import SkinKeeping, SkinLooking

    Routes = Callable[[House, Confirms], Sequence[APIRouter]]


def page_routes(setup: SettingUp, looks: SkinKeeping, looking: SkinLooking, keeping: Keeping, folder: Path) -> Routes:
    """Return what makes the routes, once the house and who may sign in are known.

    Args:
        setup: the set-up.
        looks: the looks at people's skin that are kept.
        looking: the one that is under way.
        keeping: the rest of what is kept.
        folder: on the disk that has room for a backup.
    """

    def routes(house: House, accounts: Confirms) -> Sequence[APIRouter]:
        # Where there is no page its libraries are not read in.
        from moodify.web.data_routes import data_routes
        from moodify.web.health_routes import health_routes
        from moodify.web.history_routes import history_routes
        from moodify.web.setup_routes import setup_routes
        from moodify.web.skin_routes import skin_routes
        from moodify.web.waiting import Aside
        from moodify.web.wish_routes import wish_routes

        reading, packing = Aside(), Aside()
        return (
            setup_routes(setup, Aside()),
            skin_routes(looks, looking),
            history_routes(keeping, reading),
            health_routes(house, keeping, reading),
            # A backup takes its time, and nobody who looks back is to wait for it.
            data_routes(keeping, accounts, packing, folder),
            wish_routes(house),
        )

    return routes
