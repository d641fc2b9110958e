"""The page's figures: what it and accounts add to the daemon's anonymous memory, and what the first load of "now" takes in a real browser.

Memory is measured side by side: a daemon whose page is claimed, signed in to, read and followed by one open stream, against one without a page.
``--loads N`` adds the first load: signed in, on loopback, in a browser that has kept nothing. Prints one JSON object. Run by ``scripts/bench`` and ``scripts/bench page``.
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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from http.client import HTTPResponse

    from playwright.sync_api import Browser, CDPSession, StorageState

#: After so long a run has settled: models are loaded, the sample has been seen, music plays. Seconds.
SETTLED_S = 12.0
START_S = 60.0
ADA = {"email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace", "password": "lantern over the slow river"}
CONFIG = '[camera]\nsource = "sample"\n[store]\nfolder = "{folder}/data"\n[link]\nenabled = false\n[music]\nspeaker = "simulated"\n[web]\nenabled = {page}\nport = 0\n'
#: Notes when the mood is first written, which is when "now" is drawn, in milliseconds since the navigation began.
DRAWN = """new MutationObserver((_, watching) => {
  const mood = document.getElementById("mood");
  if (!mood || mood.textContent === "…") return;
  window.drawnMs = performance.now();
  watching.disconnect();
}).observe(document, { subtree: true, childList: true, characterData: true });"""


def measured(*, page: bool) -> float:
    """Run an appliance and return its RssAnon once it has settled and, with ``page``, while it is used."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "moodify.toml").write_text(CONFIG.format(folder=folder, page=str(page).lower()))
        log = folder / "log"
        with log.open("wb") as out, subprocess.Popen([sys.executable, "-m", "moodify", "run", "--config", str(folder / "moodify.toml")], stdout=out, stderr=out) as process:
            try:
                began_s = time.monotonic()
                stream = use(log, process) if page else None
                time.sleep(max(0.0, began_s + SETTLED_S - time.monotonic()))
                status = Path(f"/proc/{process.pid}/status").read_text()
                if stream is not None:
                    stream.close()
            finally:
                process.terminate()
    return int(re.search(r"^RssAnon:\s+(\d+)", status, re.MULTILINE)[1]) / 1024  # type: ignore[index]  # Linux has it since 4.5


def use(log: Path, process: subprocess.Popen[bytes]) -> HTTPResponse:
    """Claim the page, sign in twice more, read all that it has; return its stream, open."""
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
    stream: HTTPResponse = opener.open(f"{url}/api/stream", timeout=30)
    for _ in range(3):
        stream.readline()
    return stream


def first_loads(count: int) -> dict[str, float]:
    """Return bytes on the wire, headers included, and medians and 95th percentiles of the milliseconds until the page has loaded, and until "now" is drawn."""
    from demo_home import browser, claim, home

    with tempfile.TemporaryDirectory() as folder, browser() as chromium, home(Path(folder) / "home", link=False) as running:
        with chromium.new_context() as context:
            claim(context.new_page(), running.claim_url)
            state = context.storage_state()
        loads = [first_load(chromium, running.url, state) for _ in range(count + 1)]
    figures: dict[str, float] = {"first_load_bytes": max(received for received, _, _ in loads)}
    # The very first one warms the machine up.
    for name, took_ms in (("loaded", sorted(ms for _, ms, _ in loads[1:])), ("drawn", sorted(ms for _, _, ms in loads[1:]))):
        figures |= {f"first_load_{name}_median_ms": statistics.median(took_ms), f"first_load_{name}_p95_ms": took_ms[round(0.95 * (count - 1))]}
    return figures


def first_load(chromium: Browser, url: str, state: StorageState) -> tuple[int, float, float]:
    """Return bytes, and milliseconds until the end of the load event and until "now" is drawn, of one."""
    with chromium.new_context(storage_state=state) as context:
        context.add_init_script(DRAWN)
        page = context.new_page()
        received = count_bytes(context.new_cdp_session(page))
        page.goto(url)
        page.locator("#events time").first.wait_for()
        page.wait_for_load_state("load")
        loaded_ms, drawn_ms = page.evaluate("[performance.getEntriesByType('navigation')[0].loadEventEnd, window.drawnMs]")
        return sum(received.values()), float(loaded_ms), float(drawn_ms)


def count_bytes(session: CDPSession) -> dict[str, int]:
    """Return what grows by each request's bytes on the wire."""
    received: dict[str, int] = {}

    def set_to(event: dict[str, Any]) -> None:
        received[event["requestId"]] = int(event.get("response", event)["encodedDataLength"])

    def add(event: dict[str, Any]) -> None:
        # Of a stream, which does not finish.
        received[event["requestId"]] = received.get(event["requestId"], 0) + int(event["encodedDataLength"])

    session.on("Network.responseReceived", set_to)
    session.on("Network.dataReceived", add)
    session.on("Network.loadingFinished", set_to)
    session.send("Network.enable")
    return received


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="scripts/bench page", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="runs with a page and without, of which the median counts (default: 3)")
    parser.add_argument("--loads", type=int, default=0, help="first loads in a real browser (default: 0, none)")
    arguments = parser.parse_args()
    figures: dict[str, float] = {}
    if arguments.runs:
        without = statistics.median(measured(page=False) for _ in range(arguments.runs))
        with_page = statistics.median(measured(page=True) for _ in range(arguments.runs))
        figures |= {"without_page_mb": without, "with_page_mb": with_page, "page_and_accounts_mb": with_page - without}
    if arguments.loads:
        figures |= first_loads(arguments.loads)
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
