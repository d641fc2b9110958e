"""Holds payloads to Home Assistant's own discovery schema and renders their templates with its own engine; runs where ``homeassistant`` is installed."""

# ruff: noqa: T201, SLF001
# mypy: ignore-errors
from __future__ import annotations

import asyncio
import importlib
import json
import re
import sys
import tempfile
from pathlib import Path

from homeassistant.components.mqtt import discovery
from homeassistant.const import __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers.template import Template

ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


async def check(given: dict) -> int:
    """Return how many entries were checked; raise what the schema finds wrong."""
    hass = HomeAssistant(tempfile.mkdtemp())
    count = 0
    for payload in given["payloads"]:
        # The integration's own steps: it answers an invalid payload with an empty one.
        device = discovery._parse_device_payload(hass, json.dumps(payload), "moodify", None)
        if not device:
            raise SystemExit("Home Assistant refuses the payload; see above")
        for name, component in device["components"].items():
            config = {key: value for key, value in component.items() if key != "platform"} | {key: device[key] for key in ("device", "origin")}
            discovery._merge_common_device_options(config, device)
            module = importlib.import_module(f"homeassistant.components.mqtt.{component['platform']}")
            _render(hass, name, module.DISCOVERY_SCHEMA(config), given)
            count += 1
    await hass.async_stop(force=True)
    return count


def _render(hass: HomeAssistant, name: str, checked: dict, given: dict) -> None:
    state = given["states"].get(checked.get("state_topic"))
    if state is not None:
        template = checked["value_template"]
        template = template if isinstance(template, Template) else Template(template)
        template.hass = hass
        said = str(template.async_render_with_possible_json_value(json.dumps(state)))
        if said != given["expected"][name]:
            raise SystemExit(f"{name}: the template says {said!r}, not {given['expected'][name]!r}")
    if "command_template" in checked:
        template = checked["command_template"]
        template = template if isinstance(template, Template) else Template(template)
        template.hass = hass
        bodies = [json.loads(template.async_render({"value": "calm"}, parse_result=False)) for _ in range(2)]
        if not all(ID.fullmatch(body["id"]) for body in bodies) or bodies[0]["id"] == bodies[1]["id"]:
            raise SystemExit(f"{name}: the ids are {bodies}")
    print(f"ok  {name}")


if __name__ == "__main__":
    number = asyncio.run(check(json.loads(Path(sys.argv[1]).read_text())))
    print(f"Home Assistant {__version__}: {number} entries are as its schema wants them, and its templates say what they should")
