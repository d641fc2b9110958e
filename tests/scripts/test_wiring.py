"""The drawing of the wiring: it is the configuration's, and every pin in use is named."""

import runpy
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from moodify.config.model import PanelConfig

SVG = "{http://www.w3.org/2000/svg}"
#: Physical numbers of BCM pins, as the firmware's own pinout shows them.
NUMBERS = {17: 11, 22: 15, 27: 13, 24: 18, 5: 29, 26: 37}


@pytest.fixture(scope="module")
def wiring(project_root):
    return runpy.run_path(str(project_root / "scripts" / "wiring.py"))


def texts(svg):
    return [element.text for element in ET.fromstring(svg).iter(f"{SVG}text")]


def paths(svg, kind):
    return [element for element in ET.fromstring(svg).iter(f"{SVG}path") if element.get("class") == f"wire {kind}"]


def test_the_drawing_that_ships_is_of_the_defaults(wiring, project_root):
    shipped = (project_root / "docs" / "wiring.svg").read_text("utf-8")
    assert shipped == wiring["draw"](PanelConfig()), "draw it again: .venv/bin/python scripts/wiring.py"


@pytest.mark.parametrize(
    ("panel", "in_use"),
    [
        (PanelConfig(), {"button_pin": 17, "led_red_pin": 22, "led_green_pin": 27, "led_blue_pin": 24}),
        (PanelConfig(led="plain", led_pin=5), {"button_pin": 17, "led_pin": 5}),
        (PanelConfig(led="none", button_pin=26), {"button_pin": 26}),
        (PanelConfig(led_active_high=False), {"button_pin": 17, "led_red_pin": 22, "led_green_pin": 27, "led_blue_pin": 24}),
    ],
    ids=["rgb", "plain", "none", "common anode"],
)
def test_each_pin_in_use_is_named_with_its_place_and_has_a_wire(wiring, panel, in_use):
    svg = wiring["draw"](panel)
    shown = texts(svg)
    for key, bcm in in_use.items():
        assert f"{key} = {bcm}" in shown
        assert f"GPIO{bcm} · {NUMBERS[bcm]}" in shown
        assert f"{key} = {bcm}: pin {NUMBERS[bcm]} (GPIO{bcm})" in svg
    assert [text for text in shown if text.startswith(("button_pin", "led_"))] == [f"{key} = {bcm}" for key, bcm in in_use.items()]
    wires = wiring["wires"](panel)
    assert len({wire.pin.number for wire in wires}) == len(wires)
    assert sum(len(paths(svg, kind)) for kind in ("red", "green", "blue", "button", "ground", "power")) == len(wires)
    # A common anode is at 3.3 V, never at 5 V, which would harm the pins.
    assert [wire.pin.name for wire in wires if wire.kind == "power"] == (["3V3"] if not panel.led_active_high else [])
    assert [wire.pin.name for wire in wires if wire.kind == "ground"] == ["GND"] * (1 + (panel.led != "none" and panel.led_active_high))


def luminance(colour):
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("which", [0, 1], ids=["light", "dark"])
def test_what_is_drawn_stands_out_from_the_paper_by_day_and_by_night(wiring, which):
    page = wiring["_PAGE"]
    paper = luminance(page["paper"][which])
    for name, pair in (wiring["_COLOURS"] | {name: page[name] for name in ("ink", "soft")}).items():
        bright, dark = sorted((paper, luminance(pair[which])), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, name
    assert "prefers-color-scheme: dark" in wiring["draw"](PanelConfig())


def test_it_draws_the_pins_of_a_file_and_says_what_is_wrong_with_one(project_root, tmp_path):
    (tmp_path / "mine.toml").write_text('[panel]\nled = "plain"\nled_pin = 5\n')
    (tmp_path / "wrong.toml").write_text("[panel]\nbutton_pin = 22\n")

    def draw(name):
        command = [sys.executable, "scripts/wiring.py", "--config", tmp_path / name, "--out", tmp_path / "mine.svg"]
        return subprocess.run(command, cwd=project_root, capture_output=True, text=True, check=False, timeout=60)

    assert draw("mine.toml").returncode == 0
    assert "led_pin = 5" in texts((tmp_path / "mine.svg").read_text("utf-8"))
    wrong = draw("wrong.toml")
    assert wrong.returncode == 1
    assert "different pins" in wrong.stderr
