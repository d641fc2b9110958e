"""An owner who signs in: types, opens links, and sees what the terminal shows."""

import io
import os
import threading
from urllib.parse import parse_qs, urlsplit

import requests

from moodify.music.spotify.login import login
from moodify.music.spotify.scopes import PLAYBACK
from moodify.music.spotify.terminal import Terminal
from ports import free_port
from waiting import wait_until

CLIENT = "0123456789abcdef0123456789abcdef"


def browse(link):
    """Do what a browser elsewhere does: open the link and say where it was sent, for it can't go there."""
    return requests.get(link, allow_redirects=False, timeout=30).headers["Location"]


class Keyboard:
    """What is typed, as a descriptor to read."""

    def __init__(self):
        self.descriptor, self._typing = os.pipe()
        self._open = True

    def type(self, line):
        os.write(self._typing, f"{line}\n".encode())

    def hang_up(self):
        if self._open:
            self._open = False
            os.close(self._typing)

    def close(self):
        self.hang_up()
        os.close(self.descriptor)


class Owner:
    """Runs :func:`login` on a thread, at a terminal of pipes."""

    def __init__(self, speaker, folder, *, port=None, size=None, permissions=PLAYBACK, client_id=CLIENT, keyboard=True, **options):
        self.port = free_port() if port is None else port
        self.keyboard = Keyboard()
        self.screen = io.StringIO()
        self.error = None
        terminal = Terminal(self.keyboard.descriptor if keyboard else None, self.screen, size=size)
        given = {"permissions": permissions, "redirect_port": self.port, "terminal": terminal, "accounts_url": speaker.accounts_url}
        self._thread = threading.Thread(target=self._run, args=(client_id, folder, given | options))
        self._thread.start()

    def _run(self, client_id, folder, given):
        try:
            login(client_id, folder, **given)
        except Exception as error:  # noqa: BLE001 - raised again by end
            self.error = error

    @property
    def shown(self):
        return self.screen.getvalue()

    @property
    def link(self):
        """The link, once everything is ready for its answer."""
        self.sees("copy that page's address")
        return next(line for line in self.shown.splitlines() if "/authorize?" in line)

    @property
    def asked(self):
        """What the link asks for."""
        return {key: values[0] for key, values in parse_qs(urlsplit(self.link).query).items()}

    def sees(self, text, times=1):
        wait_until(lambda: self.shown.count(text) >= times or not self._thread.is_alive(), what=lambda: f"{text!r} in {self.shown!r}")
        assert self.shown.count(text) >= times, (self.shown, self.error)

    def pastes(self, address):
        self.keyboard.type(address)

    def end(self):
        """Wait for its end; raise what it raised."""
        self._thread.join(20)
        assert not self._thread.is_alive(), self.shown
        self.keyboard.close()
        if self.error is not None:
            raise self.error
        return self.shown

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.keyboard.hang_up()
        self._thread.join(20)
