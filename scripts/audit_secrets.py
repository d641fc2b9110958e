"""Looks for secrets in the files of this checkout (detect-secrets); run by scripts/check in the environment of the audits.

What has the form of a secret is looked for in every file: private keys, tokens, passwords in addresses. What only may be one (a random-looking text, a value after a word
like "password") is looked for where neither made-up people have passwords nor files their hashes. A finding may stay where scripts/accepted.toml lists it
with a reason.
"""
# ruff: noqa: T201 - it prints what it found

import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from detect_secrets import SecretsCollection  # type: ignore[import-not-found, unused-ignore]
from detect_secrets.settings import transient_settings  # type: ignore[import-not-found, unused-ignore]

ROOT = Path(__file__).resolve().parents[1]
FORMS = (
    "ArtifactoryDetector",
    "AWSKeyDetector",
    "AzureStorageKeyDetector",
    "BasicAuthDetector",
    "CloudantDetector",
    "DiscordBotTokenDetector",
    "GitHubTokenDetector",
    "GitLabTokenDetector",
    "JwtTokenDetector",
    "NpmDetector",
    "OpenAIDetector",
    "PrivateKeyDetector",
    "PypiTokenDetector",
    "SendGridDetector",
    "SlackDetector",
    "StripeDetector",
    "TelegramBotTokenDetector",
    "TwilioKeyDetector",
)
GUESSES: tuple[dict[str, Any], ...] = ({"name": "Base64HighEntropyString", "limit": 4.5}, {"name": "HexHighEntropyString", "limit": 3.0}, {"name": "KeywordDetector"})
FILTERS = (
    "heuristic.is_sequential_string",
    "heuristic.is_templated_secret",
    "heuristic.is_indirect_reference",
    "heuristic.is_potential_uuid",
    "heuristic.is_prefixed_with_dollar_sign",
)
#: Lists of hashes, and what is no text.
PASSED_OVER = ("requirements/", "models/requirements-train.txt", ".png", ".tflite", ".svg")

#: Where people, their passwords and hashes are made up or known.
MADE_UP = ("tests/", "models/", "scripts/accepted.toml", "scripts/bench", "scripts/faults_week/")

Found = tuple[str, str, str]


def files() -> list[str]:
    """Return the files of the checkout, also those that git does not know yet and would take, relative to its root."""
    # A checkout may be another user's.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    # What somebody has deleted and not yet committed is still listed.
    return [name for name in names if name and not name.startswith(PASSED_OVER) and not name.endswith(PASSED_OVER) and (ROOT / name).is_file()]


def found_in(names: Iterable[str], plugins: Sequence[Mapping[str, Any]], root: Path = ROOT) -> set[Found]:
    """Return what looks like a secret in files below a root: the file, the kind, and the sha1 of the secret."""
    settings = {"plugins_used": list(plugins), "filters_used": [{"path": f"detect_secrets.filters.{name}"} for name in FILTERS]}
    with transient_settings(settings):
        secrets = SecretsCollection(root=str(root))
        secrets.scan_files(*names, num_processors=2)
        return {(str(name), secret.type, secret.secret_hash) for name, secret in secrets}


def looked_over(names: Sequence[str], root: Path = ROOT) -> set[Found]:
    """Return what looks like a secret in files below a root, each looked for as its place asks."""
    forms = [{"name": name} for name in FORMS]
    made_up = [name for name in names if name.startswith(MADE_UP)]
    return found_in(made_up, forms, root) | found_in(set(names) - set(made_up), [*forms, *GUESSES], root)


def unexplained(found: Sequence[Found], accepted: Sequence[Mapping[str, str]]) -> tuple[list[Found], list[Mapping[str, str]]]:
    """Return the findings that the ``[[secret]]`` of scripts/accepted.toml do not list, and the entries that nothing is found for."""

    def fits(each: Found, entry: Mapping[str, str]) -> bool:
        return each[1:] == (entry["kind"], entry["sha1"]) and fnmatch(each[0], entry["files"])

    new = [each for each in found if not any(fits(each, entry) for entry in accepted)]
    return new, [entry for entry in accepted if not any(fits(each, entry) for each in found)]


def a_planted_secret_is_found() -> bool:
    """Return whether the scan finds what it must: one that finds nothing would pass for ever."""
    with tempfile.TemporaryDirectory() as folder:
        # In two pieces, or this file would be a finding.
        (Path(folder) / "planted.py").write_text("# -----BEGIN EC PRIVATE" + " KEY-----\n", "utf-8")
        return bool(looked_over(["planted.py"], Path(folder)))


def main() -> int:
    """Scan; print what nobody has explained, never the secret itself; return the exit status."""
    if not a_planted_secret_is_found():
        print("detect-secrets does not find a key that was planted for it: its options have changed", file=sys.stderr)
        return 1
    accepted = tomllib.loads((ROOT / "scripts/accepted.toml").read_text("utf-8")).get("secret", [])
    names = files()
    found = sorted(looked_over(names))
    new, stale = unexplained(found, accepted)
    for file, kind, sha1 in new:
        print(f"{file}: {kind} (sha1 {sha1}); take it out, or list it in scripts/accepted.toml with the reason why it is none", file=sys.stderr)
    for entry in stale:
        print(f"{entry['kind']} of {entry['sha1']} stands in scripts/accepted.toml and is found no longer", file=sys.stderr)
    print(f"detect-secrets: {len(names)} files, {len(found)} findings, {len(new)} without a reason")
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())
