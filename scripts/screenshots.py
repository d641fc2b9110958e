"""What ``scripts/screenshots`` makes: the page's views, the hub's dashboard and the terminal, each as a picture for the documentation.

The week, its songs and the devices are made up and the same each time; what the clock shows and what the sample's face does at that moment is not.
"""

from __future__ import annotations

import argparse
import io
import re
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from demo_home import browser, claim, home
from demo_hub import hub
from PIL import Image
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from moodify.cli.live import render
from moodify.daemon.demo import NOTICE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, StorageState, ViewportSize

    from moodify.web.port import Now

DESKTOP: Final[ViewportSize] = {"width": 1180, "height": 900}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
MAX_BYTES: Final = 150_000
#: Until what happens by itself has happened, and until moving things rest, in milliseconds.
MUSIC_MS, REST_MS = 60_000, 1_500


def save(page: Page, file: Path) -> None:
    """Write what a page shows, in as many shades as the documentation has room for.

    Raises:
        SystemExit: it has become too large for the documentation.
    """
    page.wait_for_timeout(REST_MS)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    # Of a palette the discs and dots would be speckled; the last bits of a gradient are not seen.
    for step in (1, 2, 4):
        picture.point([min(255, round(shade / step) * step) for shade in range(256)] * 3).save(file, optimize=True)
        if file.stat().st_size <= MAX_BYTES:
            return
    raise SystemExit(f"{file}: {file.stat().st_size} bytes are more than {MAX_BYTES}; make the window smaller")


def context_of(chromium: Browser, viewport: ViewportSize, state: StorageState | None, scheme: str = "light") -> BrowserContext:
    """Return a browser of somebody's at home, in which nothing moves."""
    dark = scheme == "dark"
    return chromium.new_context(viewport=viewport, storage_state=state, color_scheme="dark" if dark else "light", locale="en-GB", reduced_motion="reduce")


def go(page: Page, url: str, view: str) -> Page:
    """Open a view and wait until it is drawn."""
    page.goto(f"{url}/#/{view}")
    page.locator("body:not(.signed-out) main:not([aria-busy]) h1").first.wait_for(state="attached")
    return page


def until_music(page: Page) -> None:
    """Wait until somebody is seen, felt and played for."""
    page.locator("body.playing #face-list b").first.wait_for(timeout=MUSIC_MS)
    page.locator("#health li:not(.ok)").wait_for(state="detached", timeout=MUSIC_MS)
    page.locator("html:is([data-mood=happy], [data-mood=calm]) #next-track, html:is([data-mood=happy], [data-mood=calm]) #reason:not(:empty)").first.wait_for(timeout=MUSIC_MS)


def of_page(chromium: Browser, folder: Path, docs: Path) -> None:
    """Draw the page and the terminal of a home."""
    yesterday = (datetime.now().astimezone() - timedelta(days=1)).date()
    with home(folder, history=True) as running:
        with context_of(chromium, DESKTOP, None) as context:
            page = context.new_page()
            claim(page, running.claim_url)
            go(page, running.url, "now")
            until_music(page)
            state = context.storage_state()
            now: Now = context.request.get(f"{running.url}/api/now").json()
            of_terminal(now, docs / "terminal.svg")
            page.set_viewport_size({"width": 1100, "height": 900})
            save(page, docs / "page.png")
            page.set_viewport_size(DESKTOP)
            save(go(page, running.url, f"history/day/{yesterday}"), docs / "page-history.png")
            save(go(page, running.url, "history/week"), docs / "page-week.png")
            save(go(page, running.url, "setup/spotify"), docs / "page-setup.png")
            save(go(page, running.url, "health"), docs / "page-health.png")
        with context_of(chromium, PHONE, state, "dark") as context:
            page = go(context.new_page(), running.url, "now")
            until_music(page)
            save(page, docs / "page-phone.png")
            save(go(page, running.url, f"history/day/{yesterday}"), docs / "page-phone-history.png")
        with context_of(chromium, PHONE, state) as context:
            save(go(context.new_page(), running.url, "setup"), docs / "page-phone-setup.png")


def of_hub(chromium: Browser, folder: Path, docs: Path) -> None:
    """Draw the dashboard."""
    with hub(folder) as (url, code), context_of(chromium, {"width": 1180, "height": 760}, None) as context:
        page = context.new_page()
        claim(page, f"{url}/#/claim/{code}")
        page.locator("article .band").last.wait_for()
        save(page, docs / "hub.png")


def of_terminal(now: Now, file: Path) -> None:
    """Draw what the terminal shows, without the fonts that rich would load from afar."""
    with Path("/dev/null").open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=100, file=nowhere)
        console.print(render(now, keys=True, notice=f"page: http://127.0.0.1:8080   {NOTICE}"))
        style = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
        console.save_svg(str(file), title="scripts/run", code_format=style)


def main() -> None:
    """Make all of them."""
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description=__doc__)
    parser.add_argument("--to", type=Path, default=Path("docs"), help="folder to write to (default: docs)")
    docs: Path = parser.parse_args().to
    docs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        (Path(folder) / "hub").mkdir()
        of_hub(chromium, Path(folder) / "hub", docs)
        of_page(chromium, Path(folder) / "home", docs)


if __name__ == "__main__":
    main()
