"""What ``scripts/pictures`` makes: the terminal as SVG and the page as PNG, of a run on the sample."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from moodify.cli.live import render
from moodify.daemon.demo import NOTICE

if TYPE_CHECKING:
    from moodify.web.port import Now

DOCS = Path("docs")
#: The run must have come so far within so many seconds.
DEADLINE_S = 40.0


def wait_for_music(url: str) -> Now:
    """Return the first snapshot in which somebody is seen and music plays.

    Raises:
        SystemExit: it did not come within :data:`DEADLINE_S`.
    """
    until_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < until_s:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/api/now", timeout=2) as answer:  # noqa: S310 - http on loopback
            now: Now = json.load(answer)
            if now["music"]["playing"] and now["seen"]["faces"]:
                return now
        time.sleep(0.2)
    raise SystemExit("pictures: no music within 40 s. Try: scripts/run --camera sample --for 30")


class Browser:
    """A headless Chromium, driven over its DevTools pipe."""

    def __init__(self, profile: str) -> None:
        """Start it."""
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        names = ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync")
        options = " ".join(f"--{name}" for name in names)
        # It takes commands on file descriptor 3 and answers on 4.
        line = f'exec chromium --remote-debugging-pipe --hide-scrollbars --user-data-dir="{profile}" {options} about:blank 3<&{to_browser} 4>&{from_browser}'
        self._process = subprocess.Popen(["bash", "-c", line], pass_fds=(to_browser, from_browser), stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self._rest = b""
        self._count = 0
        target = self._ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self._ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]

    def picture(self, url: str, file: Path, width: int, height: int) -> None:
        """Draw a page, some seconds after it was opened, so that its event stream has filled it."""
        self._ask("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}, self._session)
        self._ask("Page.navigate", {"url": url}, self._session)
        time.sleep(3)
        data = self._ask("Page.captureScreenshot", {"format": "png"}, self._session)["data"]
        file.write_bytes(base64.b64decode(data))

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)
        os.close(self._write)
        os.close(self._read)

    def _ask(self, method: str, params: dict[str, Any], session: str | None = None) -> dict[str, Any]:
        self._count += 1
        message = {"id": self._count, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            line, found, self._rest = self._rest.partition(b"\0")
            if not found:
                self._rest = line + os.read(self._read, 1 << 20)
                continue
            answer = json.loads(line)
            if answer.get("id") == self._count:
                return dict(answer["result"])


def main() -> None:
    """Run the appliance on the sample and draw it."""
    port = 8123
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "moodify.toml"
        config.write_text(f'[store]\nfolder = "{folder}/data"\n[web]\nport = {port}\n')
        command = [sys.executable, "-m", "moodify", "run", "--config", str(config), "--camera", "sample", "--speaker", "simulated", "--for", "90"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as process:
            try:
                url = f"http://127.0.0.1:{port}"
                now = wait_for_music(url)
                console = Console(record=True, width=100, file=Path("/dev/null").open("w"))  # noqa: SIM115 - ends with the program
                console.print(render(now, keys=True, notice=f"page: http://127.0.0.1:8080   {NOTICE}"))
                # Without the fonts that rich would load from afar.
                style = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
                console.save_svg(str(DOCS / "terminal.svg"), title="scripts/run", code_format=style)
                browser = Browser(f"{folder}/browser")
                try:
                    browser.picture(url, DOCS / "page.png", 1180, 1120)
                    browser.picture(url, DOCS / "page-phone.png", 390, 1000)
                finally:
                    browser.close()
            finally:
                process.terminate()


if __name__ == "__main__":
    main()
