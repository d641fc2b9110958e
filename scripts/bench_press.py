"""Presses the button of a running appliance and times what follows: the light, the decision, the order on the speaker. Part of ``scripts/bench``.

The whole appliance runs in this process on the sample and the simulated speaker; the button and the light are gpiozero's mock pins,
so that everything between the pins is what a Pi runs. Prints one JSON object: milliseconds, one number for each press.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench_progress import bar
from gpiozero.pins.mock import MockFactory, MockPWMPin

from moodify.config import load
from moodify.daemon.app import run
from moodify.daemon.options import Options, Running

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.config import Config
    from moodify.web.port import House

#: How long a finger is down, and how long the house has to answer, in seconds.
FINGER_S, ANSWER_S = 0.08, 10.0
#: How often the light's pins are looked at, in seconds.
LOOK_S = 0.0005
#: What all three pins are above when the light is white: it shines at 0.6 at most, and what is grey at half of that.
WHITE = 0.5


@dataclass
class Events:
    """Stands in for the file of ``--events``: keeps each event with the moment of its writing."""

    seen: list[tuple[float, dict[str, object]]] = field(default_factory=list)

    def write(self, line: str) -> int:
        """Take a line."""
        if line.strip():
            self.seen.append((time.monotonic(), json.loads(line)))
        return len(line)

    def flush(self) -> None:
        """Nothing is held back."""

    def after(self, began_s: float, kind: str) -> float | None:
        """Return when the first event of a kind was written after a moment."""
        return next((at_s for at_s, event in list(self.seen) if at_s >= began_s and event["kind"] == kind), None)


class Finger:
    """Presses, watches and counts; runs beside the appliance."""

    def __init__(self, config: Config, pins: MockFactory, events: Events, presses: int) -> None:
        """Take what is pressed, heard and how often."""
        self._pins = pins
        self._panel, self._events, self._presses = config.panel, events, presses
        self.figures: dict[str, list[float]] = {"press_to_light": [], "press_to_decision": [], "press_to_order": []}

    def begin(self, running: Running) -> None:
        """Start; called by the appliance once it is built."""
        threading.Thread(target=self._work, args=(running,), daemon=True).start()

    def _work(self, running: Running) -> None:
        with bar("presses answered", self._presses) as step:
            self._press_all(running.house, step)
        os.kill(os.getpid(), signal.SIGINT)

    def _press_all(self, house: House, step: Callable[[], None]) -> None:
        deadline_s = time.monotonic() + 30 + 30 * self._presses
        while len(self.figures["press_to_order"]) < self._presses and time.monotonic() < deadline_s:
            now = house.now()
            if now["mood"] is None or now["mood"]["mood"] in {"absent", "unsure"}:
                time.sleep(0.1)
                continue
            if now["music"]["playing"]:
                # A pause first: a press while fitting music plays would rightly change nothing.
                began_s = time.monotonic()
                house.press_pause()
                self._wait(began_s, "order")
                time.sleep(2.5)  # what the speaker does is believed again after two seconds
            if self._press():
                step()

    def _press(self) -> bool:
        pin = self._pins.pin(self._panel.button_pin)
        light = [self._pins.pin(number) for number in (self._panel.led_red_pin, self._panel.led_green_pin, self._panel.led_blue_pin)]
        before = [led.state for led in light]
        began_s = time.monotonic()
        pin.drive_low()
        lit_s = None
        while lit_s is None and time.monotonic() < began_s + ANSWER_S:
            now = [led.state for led in light]
            # White is what answers a finger; a light that breathes changes by itself.
            if now != before and min(now) > WHITE:
                lit_s = time.monotonic()
            time.sleep(LOOK_S)
        time.sleep(max(0.0, began_s + FINGER_S - time.monotonic()))
        pin.drive_high()
        ordered_s = self._wait(began_s, "order")
        decided_s = self._events.after(began_s, "decision")
        if lit_s is None or ordered_s is None or decided_s is None:
            return False
        for name, at_s in (("press_to_light", lit_s), ("press_to_decision", decided_s), ("press_to_order", ordered_s)):
            self.figures[name].append((at_s - began_s) * 1e3)
        return True

    def _wait(self, began_s: float, kind: str) -> float | None:
        while (at_s := self._events.after(began_s, kind)) is None and time.monotonic() < began_s + ANSWER_S:
            time.sleep(0.002)
        return at_s


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="scripts/bench_press.py", description=__doc__)
    parser.add_argument("--presses", type=int, default=10)
    arguments = parser.parse_args()
    logging.disable(logging.ERROR)
    pins = MockFactory(pin_class=MockPWMPin)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "moodify.toml"
        file.write_text(f'[camera]\nsource = "sample"\n[store]\nfolder = "{folder}/data"\n[web]\nenabled = false\n[link]\nenabled = false\n[music]\nspeaker = "simulated"\n')
        config = load(file)
        events = Events()
        finger = Finger(config, pins, events, arguments.presses)
        run(config, Options(events=events, attach=finger.begin, pins=pins))  # type: ignore[arg-type] # what the recorder needs of a file
    sys.stdout.write(json.dumps(finger.figures) + "\n")


if __name__ == "__main__":
    main()
