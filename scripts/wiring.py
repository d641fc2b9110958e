"""Draws the wiring of button and light as SVG, for the pins of a configuration.

.venv/bin/python scripts/wiring.py                                    writes docs/wiring.svg, for the defaults
.venv/bin/python scripts/wiring.py --config mine.toml --out mine.svg  for your own pins
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gpiozero.pins.mock import MockFactory

from moodify.config import load
from moodify.config.model import Config
from moodify.errors import MoodifyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from moodify.config.model import PanelConfig

OUT = Path("docs/wiring.svg")

#: Where things stand, in the drawing's units.
_WIDTH = 900
_TOP, _ROW = 96, 22
_ODD_X, _EVEN_X = 118, 146
_LANE_X, _LANE = 262, 18
_PART_X = 560

#: Ohms in front of each LED: (3.3 V - 2 V) / 330 = 4 mA, within what a pin may give (16 mA) and bright enough.
RESISTOR = 330

#: Of wires and their pins, in a light and in a dark page; both stand out from the paper by 4.5 to 1 and more.
_COLOURS = {
    "red": ("#cf2626", "#ff7b72"),
    "green": ("#12803a", "#56d364"),
    "blue": ("#2158d4", "#79b0ff"),
    "button": ("#8a4b00", "#f0a95b"),
    "ground": ("#4b5263", "#b4bccd"),
    "power": ("#a1128a", "#f29be5"),
}
_PAGE = {"ink": ("#1d2230", "#e9ecf4"), "paper": ("#ffffff", "#14171f"), "soft": ("#626b7f", "#8f98ac"), "board": ("#e8ebf1", "#262b38")}


def _style() -> str:
    light, dark = ("; ".join(f"--{name}: {pair[which]}" for name, pair in (_PAGE | _COLOURS).items()) for which in (0, 1))
    rules = [
        f"svg {{ {light} }}",
        f"@media (prefers-color-scheme: dark) {{ svg {{ {dark} }} }}",
        ".paper { fill: var(--paper) } .board { fill: var(--board); stroke: var(--soft) }",
        "text { font: 13px system-ui, sans-serif; fill: var(--ink) } text.title { font-size: 18px; font-weight: 600 }",
        "text.small { font-size: 11px; fill: var(--soft) } text.used { font-size: 11px; font-weight: 600 } text.ohms { font-size: 11px }",
        ".pin { fill: var(--paper); stroke: var(--soft) } .part { fill: var(--paper) } .part, .line { stroke: var(--ink); stroke-width: 1.5 } .line { fill: none }",
        ".wire { fill: none; stroke-width: 2.5; stroke-linejoin: round }",
        *(f".wire.{name} {{ stroke: var(--{name}) }} .pin.{name} {{ fill: var(--{name}); stroke: var(--{name}) }} .led.{name} {{ fill: var(--{name}) }}" for name in _COLOURS),
    ]
    return "\n".join(["", *rules, ""])


@dataclass(frozen=True, slots=True)
class Pin:
    """A pin of the 40-pin header."""

    number: int
    name: str

    @property
    def place(self) -> tuple[float, float]:
        """Where it stands in the drawing."""
        return (_ODD_X if self.number % 2 else _EVEN_X), _TOP + (self.number - 1) // 2 * _ROW


@dataclass(frozen=True, slots=True)
class Wire:
    """From a pin to a part's terminal."""

    pin: Pin
    kind: str
    says: str
    y: float
    """Where the terminal stands."""


def header() -> dict[int, Pin]:
    """Return the pins of the header by their numbers, as gpiozero knows them."""
    factory = MockFactory()
    try:
        return {info.number: Pin(info.number, info.name) for info in factory.board_info.headers["J8"].pins.values()}
    finally:
        factory.close()


def wires(panel: PanelConfig) -> list[Wire]:
    """Return the wires that a configuration needs, from the button down; no pin of the header is taken twice."""
    pins = header()
    by_name = {pin.name: pin for pin in pins.values()}
    free = list(pins.values())

    def nearest(name: str, to: int) -> Pin:
        pin = min((pin for pin in free if pin.name == name), key=lambda pin: abs(pin.number - to))
        free.remove(pin)
        return pin

    button = by_name[f"GPIO{panel.button_pin}"]
    found = [Wire(button, "button", f"button_pin = {panel.button_pin}", 150), Wire(nearest("GND", button.number), "ground", "ground", 190)]
    lights = panel.light_pins
    for row, (key, number) in enumerate(lights.items()):
        kind = next((name for name in ("red", "green", "blue") if name in key), "red")
        found.append(Wire(by_name[f"GPIO{number}"], kind, f"{key} = {number}", 300 + 56 * row))
    if lights:
        common, kind, says = ("GND", "ground", "ground") if panel.led_active_high else ("3V3", "power", "3.3 V")
        found.append(Wire(nearest(common, found[-1].pin.number), kind, says, 300 + 56 * len(lights)))
    return found


def draw(panel: PanelConfig) -> str:
    """Return the drawing, as SVG."""
    led = {"rgb": "an RGB light", "plain": "a plain LED", "none": "no light"}[panel.led]
    height = _TOP + 20 * _ROW + 70
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img" aria-labelledby="title about">',
            f'<title id="title">Wiring of Moodify\'s button and {led}</title>',
            f'<desc id="about">{"; ".join(f"{wire.says}: pin {wire.pin.number} ({wire.pin.name})" for wire in wires(panel))}.</desc>',
            f"<style>{_style()}</style>",
            f'<rect class="paper" width="{_WIDTH}" height="{height}"/>',
            f'<text class="title" x="24" y="36">Button and {led} on the 40-pin header</text>',
            '<text class="small" x="24" y="56">Pin 1 is at the end of the SD card. Switch the power off first. Numbers are those of [panel].</text>',
            *_board(panel),
            *_wires(panel),
            *_button(),
            *_light(panel),
            f'<text class="small" x="24" y="{height - 18}">Made by scripts/wiring.py from the configuration</text>',
            "</svg>",
            "",
        ]
    )


def _board(panel: PanelConfig) -> Iterator[str]:
    used = {wire.pin.number: wire.kind for wire in wires(panel)}
    yield f'<rect class="board" x="{_ODD_X - 18}" y="{_TOP - 18}" width="{_EVEN_X - _ODD_X + 36}" height="{20 * _ROW + 12}" rx="8"/>'
    for pin in header().values():
        x, y = pin.place
        kind = used.get(pin.number, "")
        odd = pin.number % 2
        yield f'<circle class="pin {kind}" cx="{x}" cy="{y}" r="7"/>'
        where = f'x="{_ODD_X - 26}" text-anchor="end"' if odd else f'x="{_EVEN_X + 26}"'
        yield f'<text class="{"used" if kind else "small"}" {where} y="{y + 4}">{pin.name} · {pin.number}</text>'


def _wires(panel: PanelConfig) -> Iterator[str]:
    for lane, wire in enumerate(wires(panel)):
        x, y = wire.pin.place
        lane_x = _LANE_X + lane * _LANE
        # Between two rows, where no name stands.
        gap = y + _ROW / 2
        yield f'<path class="wire {wire.kind}" d="M{x} {y} V{gap} H{lane_x} V{wire.y} H{_PART_X}"/>'
        yield f'<text x="{_PART_X - 158}" y="{wire.y - 7}">{wire.says}</text>'
        yield f'<text class="small" x="{_PART_X - 158}" y="{wire.y + 16}">pin {wire.pin.number}</text>'


def _button() -> Iterator[str]:
    yield f'<rect class="part" x="{_PART_X + 30}" y="134" width="96" height="72" rx="6"/>'
    yield f'<path class="line" d="M{_PART_X} 150 H{_PART_X + 78} V158 M{_PART_X} 190 H{_PART_X + 78} V182 M{_PART_X + 78} 182 L{_PART_X + 92} 160"/>'
    yield f'<circle class="part" cx="{_PART_X + 78}" cy="158" r="3"/><circle class="part" cx="{_PART_X + 78}" cy="182" r="3"/>'
    yield f'<text x="{_PART_X + 140}" y="166">push button</text>'
    yield f'<text class="small" x="{_PART_X + 140}" y="184">normally open, no resistor</text>'


def _light(panel: PanelConfig) -> Iterator[str]:
    found = [wire for wire in wires(panel) if wire.y >= 300]  # noqa: PLR2004 - the button's terminals stand above
    if not found:
        return
    *lights, common = found
    rail = _PART_X + 190
    for wire in lights:
        y = wire.y
        yield f'<path class="line" d="M{_PART_X} {y} H{_PART_X + 20} M{_PART_X + 80} {y} H{_PART_X + 120} M{_PART_X + 146} {y} H{rail}"/>'
        yield f'<rect class="part" x="{_PART_X + 20}" y="{y - 9}" width="60" height="18"/>'
        yield f'<text class="ohms" x="{_PART_X + 50}" y="{y + 4}" text-anchor="middle">{RESISTOR} Ω</text>'
        # The current flows where the triangle points: to the common leg, or from it.
        tip, back = (146, 122) if panel.led_active_high else (120, 144)
        yield f'<path class="led {wire.kind} line" d="M{_PART_X + back} {y - 12} V{y + 12} L{_PART_X + tip} {y} Z M{_PART_X + tip} {y - 12} V{y + 12}"/>'
    yield f'<path class="line" d="M{rail} {lights[0].y} V{common.y} H{_PART_X}"/>'
    kind = "cathode" if panel.led_active_high else "anode"
    what = f"RGB light, common {kind}" if panel.led == "rgb" else f"LED, its {kind} here"
    yield f'<text x="{_PART_X + 24}" y="{common.y + 24}">{what} (the {"longest" if panel.led == "rgb" else "shorter" if panel.led_active_high else "longer"} leg)</text>'


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(prog="scripts/wiring.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    try:
        config = load(arguments.config) if arguments.config is not None else Config()
    except MoodifyError as error:
        sys.exit(f"wiring: {error}")
    arguments.out.write_text(draw(config.panel), "utf-8")


if __name__ == "__main__":
    main()
