"""Asks whether a weakness is known of any package that requirements/ pins (pip-audit); run by scripts/check in the environment of the audits.

A weakness fails the check unless scripts/accepted.toml lists it with a reason and a date that is not over. Where the public records can't be asked (no network, or a
mirror without them) it says how many packages were not looked up, and passes: a check must run without a network.
"""
# ruff: noqa: T201 - it prints what it found

import json
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: Seconds that the records may take to answer for all packages.
PATIENCE_S = 45.0


@dataclass(frozen=True)
class Verdict:
    """What an audit came to."""

    looked_up: int
    not_looked_up: int
    failures: tuple[str, ...]
    notes: tuple[str, ...]


def judge(dependencies: Sequence[Mapping[str, Any]], accepted: Sequence[Mapping[str, Any]], today: date) -> Verdict:
    """Hold pip-audit's ``dependencies`` to the ``[[vulnerability]]`` of scripts/accepted.toml.

    A weakness that is accepted is a note; one that is not, or no longer, is a failure. That nothing needs an entry any more is a note, too.
    """
    failures, notes, used = [], [], set()
    audited = [each for each in dependencies if "vulns" in each]
    for dependency in audited:
        for weakness in dependency["vulns"]:
            ids = {weakness["id"], *weakness.get("aliases", ())}
            entry = next((each for each in accepted if each["package"] == dependency["name"] and each["id"] in ids), None)
            line = f"{dependency['name']} {dependency['version']}: {weakness['id']}; fixed in {', '.join(weakness['fix_versions']) or 'no version yet'}"
            if entry is None:
                failures.append(line)
                continue
            used.add((entry["package"], entry["id"]))
            if entry["until"] < today:
                failures.append(f"{line}; it was accepted until {entry['until']} ({entry['why']})")
            else:
                notes.append(f"{line}; accepted until {entry['until']}: {entry['why']}")
    names = {each["name"] for each in audited}
    stale = [each for each in accepted if each["package"] in names and (each["package"], each["id"]) not in used]
    notes += [f"{each['package']}: {each['id']} stands in scripts/accepted.toml and is found no longer" for each in stale]
    return Verdict(len(audited), len(dependencies) - len(audited), tuple(failures), tuple(notes))


def told(verdict: Verdict) -> str:
    """Return an audit in one line."""
    if not verdict.looked_up:
        return "pip-audit: NOT AUDITED: the public records of weaknesses know none of the packages here, or could not be asked; run it where there is a network"
    rest = f"; NOT LOOKED UP: {verdict.not_looked_up}" if verdict.not_looked_up else ""
    return f"pip-audit: {verdict.looked_up} packages looked up, {len(verdict.failures)} weaknesses to act upon{rest}"


def asked_of(command: Sequence[str]) -> list[dict[str, Any]] | str:
    """Return the ``dependencies`` that a command (pip-audit's) prints, or why there are none."""
    try:
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        return f"no answer within {PATIENCE_S:.0f} s"
    try:
        dependencies: list[dict[str, Any]] = json.loads(ran.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = ran.stderr.strip().splitlines()[-1:] or [f"it ended with {ran.returncode}"]
        return last[0][:300]
    return dependencies


def asked(lists: Sequence[Path]) -> list[dict[str, Any]] | str:
    """Return pip-audit's ``dependencies`` for lists of pinned packages, or why the records could not be asked."""
    options = ["--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off", "--timeout", "10", "--cache-dir", str(ROOT / ".cache/pip-audit")]
    return asked_of([sys.executable, "-m", "pip_audit", *options, *(word for file in lists for word in ("--requirement", str(file)))])


def main() -> int:
    """Audit every list in requirements/; print the verdict; return the exit status."""
    dependencies = asked(sorted((ROOT / "requirements").glob("*.txt")))
    if isinstance(dependencies, str):
        print(f"pip-audit: NOT AUDITED: the public records of weaknesses could not be asked ({dependencies})", file=sys.stderr)
        return 0
    accepted = tomllib.loads((ROOT / "scripts/accepted.toml").read_text("utf-8")).get("vulnerability", [])
    verdict = judge(dependencies, accepted, datetime.now(UTC).date())
    for line in [*verdict.failures, *verdict.notes, told(verdict)]:
        print(line, file=sys.stderr)
    return 1 if verdict.failures else 0


if __name__ == "__main__":
    sys.exit(main())
