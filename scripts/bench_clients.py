"""Screens that ask the page, each from an address of its own, as a household's do. Part of ``scripts/bench``."""

from __future__ import annotations

import http.client
import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from signed_in import EMAIL, PASSWORD

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self


class Screen:
    """A browser that is signed in and keeps its connection; the first is at 127.0.0.2."""

    def __init__(self, url: str, number: int = 0) -> None:
        """Sign in."""
        at = urlsplit(url)
        self._connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=60, source_address=(f"127.0.0.{number + 2}", 0))
        self._cookies = ""
        answer, _ = self._ask("POST", "/api/session", json.dumps({"email": EMAIL, "password": PASSWORD}))
        said = [value.partition(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"]
        if answer.status != http.client.OK or not said:
            raise SystemExit(f"bench: a screen was not let in ({answer.status})")
        self._cookies = "; ".join(said)

    def ask_ms(self, path: str) -> float:
        """Ask for something; return the milliseconds until all of it was there."""
        began_s = time.perf_counter()
        answer, _ = self._ask("GET", path)
        took_ms = (time.perf_counter() - began_s) * 1e3
        if answer.status != http.client.OK:
            raise SystemExit(f"bench: {path} was answered with {answer.status}")
        return took_ms

    def size(self, path: str) -> int:
        """Return how many bytes an answer has."""
        return len(self._ask("GET", path)[1])

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[http.client.HTTPResponse, bytes]:
        self._connection.request(method, path, body, {"Content-Type": "application/json", "X-Moodify": "1", "Cookie": self._cookies})
        answer = self._connection.getresponse()
        return answer, answer.read()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def __enter__(self) -> Self:
        """Return self."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up."""
        self.close()


@dataclass(slots=True)
class Load:
    """What several screens measured that asked at once, each as soon as it had its last answer."""

    took_ms: dict[str, list[float]] = field(default_factory=dict)
    """By path."""
    failed: list[str] = field(default_factory=list)


def under_load(url: str, paths: Sequence[str], *, screens: int, seconds: float) -> Load:
    """Let screens ask for all paths in turn, side by side."""
    load = Load({path: [] for path in paths})
    signed_in = [Screen(url, number) for number in range(screens)]
    until_s = time.monotonic() + seconds

    def ask(screen: Screen, number: int) -> None:
        turn = number
        while time.monotonic() < until_s:
            path = paths[turn % len(paths)]
            turn += 1
            try:
                load.took_ms[path].append(screen.ask_ms(path))
            except (OSError, http.client.HTTPException, SystemExit) as error:
                load.failed.append(f"{path}: {error}")
                return
            # 30 requests a second is what one address may ask for long.
            time.sleep(0.04)

    threads = [threading.Thread(target=ask, args=(screen, number)) for number, screen in enumerate(signed_in)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for screen in signed_in:
        screen.close()
    return load
