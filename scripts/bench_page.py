"""What page and accounts add to the daemon's anonymous memory: with a page that is claimed, signed in to, read and followed, against none.

Prints one JSON object, in MB. scripts/bench runs it.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

#: After so long a run has settled: models are loaded, the sample has been seen, music plays. Seconds.
SETTLED_S = 12.0
START_S = 60.0
ADA = {"email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace", "password": "lantern over the slow river"}
CONFIG = '[camera]\nsource = "sample"\n[store]\nfolder = "{folder}/data"\n[link]\nenabled = false\n[music]\nspeaker = "simulated"\n[web]\nenabled = {page}\nport = 0\n'


def measured(*, page: bool) -> float:
    """Run an appliance and return its RssAnon once it has settled and, with ``page``, has been used."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "moodify.toml").write_text(CONFIG.format(folder=folder, page=str(page).lower()))
        log = folder / "log"
        with log.open("wb") as out, subprocess.Popen([sys.executable, "-m", "moodify", "run", "--config", str(folder / "moodify.toml")], stdout=out, stderr=out) as process:
            try:
                began_s = time.monotonic()
                if page:
                    use(log, process)
                time.sleep(max(0.0, began_s + SETTLED_S - time.monotonic()))
                status = Path(f"/proc/{process.pid}/status").read_text()
            finally:
                process.terminate()
    return int(re.search(r"^RssAnon:\s+(\d+)", status, re.MULTILINE)[1]) / 1024  # type: ignore[index] - Linux has it since 4.5


def use(log: Path, process: subprocess.Popen[bytes]) -> None:
    """Claim the page, sign in twice more, read all that it has, follow it for a moment."""
    until_s = time.monotonic() + START_S
    while (found := re.search(r"(http://\S+)/#/claim/(\S+)", log.read_text(errors="replace"))) is None:
        if process.poll() is not None or time.monotonic() > until_s:
            raise SystemExit(f"bench: the appliance showed no page; it said: {log.read_text(errors='replace')}")
        time.sleep(0.1)
    url, code = found.groups()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor())

    def ask(path: str, body: object = None) -> bytes:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{url}{path}", data, {"Content-Type": "application/json", "X-Moodify": "1"})  # noqa: S310 - its address is the appliance's
        with opener.open(request, timeout=30) as answer:
            return bytes(answer.read())

    ask("/api/claim", ADA | {"code": code})
    for _ in range(2):
        ask("/api/session", {"email": ADA["email"], "password": ADA["password"]})
    files = ("page.css", "page.js", "parts.js", "shell.js", "now.js", "people.js", "icon.svg")
    for path in ("/", *(f"/static/{name}" for name in files), "/api/now", "/api/events?limit=200", "/api/sessions", "/api/users"):
        ask(path)
    with opener.open(f"{url}/api/stream", timeout=30) as stream:
        for _ in range(3):
            stream.readline()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="scripts/bench_page.py", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs of each kind, of which the median counts (default: 3)")
    arguments = parser.parse_args()
    without = statistics.median(measured(page=False) for _ in range(arguments.runs))
    with_page = statistics.median(measured(page=True) for _ in range(arguments.runs))
    sys.stdout.write(json.dumps({"without_page_mb": without, "with_page_mb": with_page, "page_and_accounts_mb": with_page - without}) + "\n")


if __name__ == "__main__":
    main()
