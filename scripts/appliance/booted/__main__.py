"""Runs in the booted root, with the root's own Python: installs the appliance, uses it and breaks it as a household would. Prints what it saw."""

# ruff: noqa: T201 - it prints what it saw

from __future__ import annotations

import sys
from pathlib import Path

import breaking
import use
from aid import drop_in, say, sh

PHASES = {
    "first": (
        use.installs,
        use.works_in_the_sandbox,
        use.looks_through_the_drivers_process,
        use.says_it_in_the_journal,
        use.hears_the_button,
        use.serves_its_page_to_the_home,
        breaking.is_restarted_by_the_watchdog,
        breaking.stops_cleanly,
        breaking.holds_back_after_five_crashes,
        breaking.survives_a_failed_upgrade,
        use.upgrades,
        use.serves_a_hub,
        use.is_about_to_lose_power,
    ),
    "second": (use.begins_in_privacy, use.begins_without_a_camera, use.uninstalls),
}


def main() -> int:
    """Try a phase; return its exit status."""
    phase = Path("/srv/phase").read_text().strip()
    say(f"booted: {sh('systemctl', '--version').splitlines()[0]}, Python {sys.version.split()[0]}")
    try:
        if phase == "first":
            drop_in()
        for each in PHASES[phase]:
            each()
    except Exception as error:  # noqa: BLE001 - whatever it was is said, with the journal
        say(f"FAILED: {type(error).__name__}: {error}")
        print(sh("journalctl", "--no-pager", "--lines=60", "--unit=moodify.service", "--unit=moodify-hub.service"), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    Path(f"/out/{Path('/srv/phase').read_text().strip()}").write_text(f"{code}\n")
