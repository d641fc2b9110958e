"""The parts list of what scripts/install installs, as CycloneDX 1.6; scripts/sbom runs it with Debian's packages.

A package's hashes are those of the files that pip may take for it, one of which is installed: they are properties, for a component's own hashes would say that it has them all.
"""

import json
import os
import re
import sys
import tomllib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: The lists that scripts/install installs from; the first is of what every installation needs.
LISTS = ("base", "hub")
ITSELF = "moodify"

Json = dict[str, Any]


@dataclass
class Pin:
    """A package at a version, as the lists pin it; ``asked_by`` holds the names of those that need it."""

    name: str
    version: str
    marker: str
    hashes: set[str] = field(default_factory=set)
    asked_by: set[str] = field(default_factory=set)

    @property
    def ref(self) -> str:
        """What it is called in the list: its package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


def pins_of(text: str) -> list[Pin]:
    """Read a list of pinned packages as uv writes it: the pin with its marker, hashes, and behind ``# via`` who needs it."""
    pins: list[Pin] = []
    for line in text.splitlines():
        if match := re.match(r"([a-z0-9._-]+)(?:\[[a-z,]+\])?==([^ ;]+)(?: ; (.*?))? ?\\?$", line):
            pins.append(Pin(match[1], match[2], match[3] or ""))
        elif match := re.match(r"\s+--hash=sha256:([0-9a-f]{64})", line):
            pins[-1].hashes.add(match[1])
        # "-c file" says where a version is settled, not who needs it; what the project itself asks for stands in pyproject.toml.
        elif match := re.match(r"\s+#(?:  | via) ([a-z0-9][a-z0-9._-]*)$", line):
            pins[-1].asked_by.add(match[1])
    return pins


def name_of(requirement: str) -> str:
    """Return the package's name of a line of pyproject.toml, in the form that the lists use."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^A-Za-z0-9._-]", requirement)[0]).lower()


def together(lists: Iterable[Sequence[Pin]]) -> list[Pin]:
    """Return the packages of several lists, each version once."""
    found: dict[str, Pin] = {}
    for pin in (pin for pins in lists for pin in pins):
        known = found.setdefault(pin.ref, pin)
        known.hashes |= pin.hashes
        known.asked_by |= pin.asked_by
        # Needed everywhere by one of them.
        known.marker = known.marker and pin.marker
    return [found[ref] for ref in sorted(found)]


def package(pin: Pin) -> Json:
    """Return a package's component."""
    properties = [{"name": "moodify:sha256 of a file that may be installed", "value": each} for each in sorted(pin.hashes)]
    if pin.marker:
        properties.insert(0, {"name": "moodify:where", "value": pin.marker})
    scope = "optional" if pin.marker else "required"
    return {"type": "library", "bom-ref": pin.ref, "name": pin.name, "version": pin.version, "scope": scope, "purl": pin.ref, "properties": properties}


def model(manifest: Path) -> Json:
    """Return the component of a model that ships, from its manifest."""
    told = json.loads(manifest.read_text("utf-8"))
    return {
        "type": "machine-learning-model",
        "bom-ref": f"moodify:models/{told['name']}",
        "name": told["name"],
        "version": told["version"],
        "scope": "required",
        "hashes": [{"alg": "SHA-256", "content": told["sha256"]}],
        "licenses": [{"license": {"name": "See models/LICENSE.md"}}],
    }


def parts(debian: Sequence[str], now: datetime, root: Path = ROOT) -> Json:
    """Return the parts list of the project in a folder, with these packages of Debian's."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    pins = together([pins_of((root / f"requirements/{name}.txt").read_text("utf-8")) for name in LISTS])
    models = [model(manifest) for manifest in sorted((root / "models").glob("*.json"))]
    # Debian chooses the version, and its security updates change it.
    of_debian = [{"type": "application", "bom-ref": f"pkg:deb/debian/{name}", "name": name, "scope": "required", "purl": f"pkg:deb/debian/{name}"} for name in debian]
    itself = f"{ITSELF}@{project['version']}"
    needs: dict[str, set[str]] = {itself: {each["bom-ref"] for each in [*models, *of_debian]}} | {pin.ref: set() for pin in pins}
    wanted = {name_of(line) for line in [*project["dependencies"], *(line for name in LISTS[1:] for line in project["optional-dependencies"][name])]}
    for pin in pins:
        for ref in [*([itself] if pin.name in wanted else []), *(other.ref for other in pins if other.name in pin.asked_by)]:
            needs[ref].add(pin.ref)
    component = {"type": "application", "bom-ref": itself, "name": ITSELF, "version": project["version"], "description": project["description"]}
    author = {"name": project["authors"][0]["name"]}
    content = {
        "metadata": {
            "timestamp": now.isoformat(timespec="seconds"),
            "authors": [author],
            "component": component | {"supplier": author, "licenses": [{"license": {"id": project["license"]}}]},
        },
        "components": [*(package(pin) for pin in pins), *models, *of_debian],
        "dependencies": [{"ref": ref, "dependsOn": sorted(needed)} for ref, needed in sorted(needs.items())],
    }
    # The same list has the same number.
    number = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(content, sort_keys=True))
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{number}", "version": 1, **content}


def main(file: str, *debian: str) -> int:
    """Write the list into a file, or to standard output where it is ``-``; return the exit status."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    text = json.dumps(parts(debian, now), indent=1) + "\n"
    if file == "-":
        sys.stdout.write(text)
    else:
        Path(file).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
