"""Every group of faults, in the order of the week."""

from __future__ import annotations

from typing import TYPE_CHECKING

from faults_week import camera, clocks, database, disk, hub_threads, hubs, kills, link, models, process, speaker, spotify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faults_week.fault import AnyGroup


def groups() -> Sequence[AnyGroup]:
    """Return all of them; their names and their faults' names differ."""
    return (
        camera.GROUP,
        models.GROUP,
        spotify.GROUP,
        speaker.GROUP,
        link.GROUP,
        hubs.GROUP,
        hub_threads.GROUP,
        clocks.GROUP,
        disk.GROUP,
        database.GROUP,
        process.GROUP,
        kills.GROUP,
        kills.WRITES,
    )
