"""What the page can do beyond showing the room: looking back, health, data and wishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fastapi import APIRouter

    from moodify.web.data_routes import Confirms
    from moodify.web.keeping import Keeping
    from moodify.web.port import House
    from moodify.web.skin_port import SkinKeeping, SkinLooking


def page_routes(house: House, keeping: Keeping, accounts: Confirms, folder: Path) -> Sequence[APIRouter]:
    """Return the routes; ``folder`` is on the disk that has room for a backup."""
    from moodify.web.data_routes import data_routes
    from moodify.web.health_routes import health_routes
    from moodify.web.history_routes import history_routes
    from moodify.web.waiting import Aside
    from moodify.web.wish_routes import wish_routes

    looking, packing = Aside(), Aside()
    # A backup takes its time, and nobody who looks back is to wait for it.
    return history_routes(keeping, looking), health_routes(house, keeping, looking), data_routes(keeping, accounts, packing, folder), wish_routes(house)


def skin_routes_of(keeping: SkinKeeping, looking: SkinLooking) -> APIRouter:
    """Return the routes of the face record."""
    from moodify.web.skin_routes import skin_routes

    return skin_routes(keeping, looking)
