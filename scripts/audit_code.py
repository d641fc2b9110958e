"""Looks Moodify's code over with bandit; run by scripts/check in the environment of the audits.

A finding may stay where a reason is given in the words that ruff asks for (ruff's S and bandit's B have the same numbers): in its line (``# noqa: S608 - names of
ours``), for its file, or in pyproject.toml. Where ruff finds nothing to give a reason for, scripts/accepted.toml lists it.
"""
# ruff: noqa: T201 - it prints what it found

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("device", "scripts", "models")
REASON = re.compile(r"#\s*(ruff: )?noqa:\s*([A-Z0-9, ]+?)\s+-\s+\S")


def fingerprint(line: str) -> str:
    """Return what scripts/accepted.toml knows a line of code by."""
    return hashlib.sha1(line.strip().encode(), usedforsecurity=False).hexdigest()


def given(text: Sequence[str], numbers: set[int]) -> set[str]:
    """Return the rules (``S608``) that a file gives a reason for, in these of its lines (counted from 1) or for all of it."""
    rules = set()
    for number, line in enumerate(text, 1):
        for whole_file, named in REASON.findall(line):
            if whole_file or number in numbers:
                rules |= set(re.split(r"[, ]+", named))
    return rules


def unexplained(results: Sequence[Mapping[str, Any]], ruff: Mapping[str, Any], accepted: Sequence[Mapping[str, str]], root: Path = ROOT) -> tuple[list[str], list[str]]:
    """Return bandit's findings that nobody has given a reason for, and what is accepted and found no longer, each as a line to print.

    Args:
        results: bandit's ``results``.
        ruff: ``tool.ruff.lint`` of pyproject.toml.
        accepted: The ``[[code]]`` of scripts/accepted.toml.
        root: Where the files' names begin.

    """
    listed = {(each["rule"], each["sha1"]) for each in accepted}
    used, found = set(), []
    for result in results:
        file, rule, number = str(result["filename"]).removeprefix("./"), str(result["test_id"]), int(result["line_number"])
        text = (root / file).read_text("utf-8").splitlines()
        known = (rule, fingerprint(text[number - 1]))
        ignored = {*ruff["ignore"], *(each for pattern, rules in ruff["per-file-ignores"].items() if fnmatch(file, pattern) for each in rules)}
        if known in listed:
            used.add(known)
        elif f"S{rule[1:]}" not in ignored | given(text, {number, *result["line_range"]}):
            found.append(f"{file}:{number}: {rule} {result['issue_text']} (sha1 {known[1]})")
    return found, [f"{rule} of {sha1} stands in scripts/accepted.toml and is found no longer" for rule, sha1 in sorted(listed - used)]


def main() -> int:
    """Run bandit; print what nobody has explained; return the exit status."""
    command = [sys.executable, "-m", "bandit", "--quiet", "--recursive", "--format", "json", "--exclude", "models/.work", *FOLDERS]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        report = json.loads(ran.stdout)
    except ValueError:
        print(f"bandit did not run:\n{ran.stderr}", file=sys.stderr)
        return 1
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]
    accepted = tomllib.loads((ROOT / "scripts/accepted.toml").read_text("utf-8")).get("code", [])
    found, gone = unexplained(report["results"], ruff, accepted)
    found += [f"{each['filename']}: bandit could not read it: {each['reason']}" for each in report["errors"]]
    for line in [*found, *gone]:
        print(line, file=sys.stderr)
    print(f"bandit: {report['metrics']['_totals']['loc']} lines, {len(report['results'])} findings, {len(found)} without a reason")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
