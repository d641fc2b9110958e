"""Signing in, with a person at a terminal: a browser on this machine or on any other, whichever comes first."""

from __future__ import annotations

import time
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING

from moodify.errors import CannotWork, PersonMustAct, SignInNeeded

from . import qr
from .client import checked
from .ending import end_of, utc_now, when
from .loopback import Loopback
from .scopes import missing
from .services import ACCOUNTS_URL
from .signin import SignIn
from .tokens import NEXT_STEP, TokenFile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from .scopes import Permission
    from .terminal import Terminal

#: How often an address, or a client id, that does not fit may be pasted.
TRIES = 3
#: How long the owner may take to agree, in seconds.
WAIT_S = 900.0
PROMPT = "Paste it here: "
_NO_CLIENT_ID = "Paste the Client ID, 32 characters from your app's page at developer.spotify.com; Ctrl-C ends this."
#: Lines below the QR code that a screen must have room for as well: what to do, and the prompt.
_BELOW = 5


def ask_client_id(terminal: Terminal, redirect_port: int) -> str:
    """Explain how to make an app of one's own at Spotify, and return its client id.

    Raises:
        CannotWork: nothing that was typed fits, after :data:`TRIES` tries.
        EOFError: the person ended the input.
        PersonMustAct: there is nobody to ask.
    """
    for line in (
        "Moodify talks to Spotify as an app of your own: free of charge, for an account with Spotify Premium.",
        "1. Open https://developer.spotify.com/dashboard in any browser, log in, and choose Create app.",
        "2. Its name and description are up to you. As Redirect URI enter exactly this:",
        f"     http://127.0.0.1:{redirect_port}/callback",
        "3. Under APIs choose Web API, and save.",
        "4. Copy the Client ID from the app's page. The client secret stays there; Moodify never needs it.",
    ):
        terminal.tell(line)
    tries = TRIES
    while True:
        try:
            return checked(terminal.ask("Client ID: ", hint=_NO_CLIENT_ID) or "")
        except EOFError:
            raise _unasked(terminal, "there is no client id, and nobody to ask for it: run this in a terminal, or set music.spotify.client_id first") from None
        except CannotWork as error:
            tries -= 1
            if not tries:
                raise
            terminal.tell(f"{error}.")


def login(
    client_id: str,
    folder: Path,
    *,
    permissions: Sequence[Permission],
    redirect_port: int,
    terminal: Terminal,
    accounts_url: str = ACCOUNTS_URL,
    timeout_s: float = 10.0,
    wait_s: float = WAIT_S,
    utc: Callable[[], datetime] = utc_now,
) -> None:
    """Have the owner agree at Spotify, and keep the tokens.

    The owner opens a link. A browser on this machine is sent back to a page that waits for it here; one elsewhere can't show
    that page, and the owner pastes its address. A port that is taken leaves the second way.

    Args:
        client_id: of the owner's own app.
        folder: where the tokens are kept.
        permissions: what to ask permission for.
        redirect_port: of the redirect that is registered with the app.
        terminal: the person.
        accounts_url: where to sign in.
        timeout_s: longest time of one request.
        wait_s: longest time that the owner may take.
        utc: the time.

    Raises:
        CannotWork: nothing that was pasted fits, after :data:`TRIES` tries.
        EOFError: the person ended the input, and there is no other way left.
        PersonMustAct: nobody agreed in time, or there is no way left to say so.
        NotAllowed, SignInNeeded, SpeakerUnavailable: as :meth:`SignIn.finish`; SignInNeeded too where the tokens can't be kept.
    """
    tokens = TokenFile(folder)
    with closing(SignIn(client_id, tokens, redirect_port=redirect_port, permissions=permissions, accounts_url=accounts_url, timeout_s=timeout_s, utc=utc)) as sign_in:

        def take(address: str) -> None:
            sign_in.finish(address)
            if not tokens.written:
                raise SignInNeeded(f"the sign-in can't be kept in {folder}; free some space or fix the folder's owner, then {NEXT_STEP}")

        listener = _listener(redirect_port, take)
        _explain(sign_in, permissions, terminal, listening=listener is not None)
        with nullcontext() if listener is None else listener:
            _wait(take, terminal, listener, time.monotonic() + wait_s)
    kept = tokens.get_cached_token()
    end = end_of(kept)
    terminal.tell("Signed in to Spotify." if end is None else f"Signed in to Spotify. The sign-in ends {when(end, utc())}; Moodify warns in time.")
    for permission in missing(permissions, kept["scope"]):
        terminal.tell(f"Spotify gave no permission {permission.why} ({permission.scope}); to ask again: moodify spotify login")


def _listener(port: int, take: Callable[[str], None]) -> Loopback | None:
    try:
        return Loopback(port, take)
    except OSError:
        # Taken, or not allowed. The other way is left, and it is said.
        return None


def _explain(sign_in: SignIn, permissions: Sequence[Permission], terminal: Terminal, *, listening: bool) -> None:
    terminal.tell("Moodify asks for permission")
    for permission in permissions:
        terminal.tell(f"  {permission.why} ({permission.scope})")
    terminal.tell("Open this link in any browser and agree:")
    link = sign_in.link
    terminal.tell(link)
    if terminal.size is not None:
        columns, lines = qr.size(link)
        if columns <= terminal.size[0] and lines + _BELOW <= terminal.size[1]:
            for line in qr.lines(link):
                terminal.tell(line)
        else:
            terminal.tell(f"(In a window of {columns} columns and {lines + _BELOW} lines it is shown as a QR code, too.)")
    if listening:
        terminal.tell("A browser on this machine does the rest by itself. Any other one then fails to show a page:")
    else:
        terminal.tell(f"(This machine can't listen at {sign_in.redirect_uri}, so paste the address in any case.)")
    terminal.tell(f"copy that page's address, which begins with {sign_in.redirect_uri}?code=")


def _wait(take: Callable[[str], None], terminal: Terminal, listener: Loopback | None, until_s: float) -> None:
    wrong, prompt = 0, PROMPT
    while True:
        try:
            pasted = terminal.ask(prompt, beside=listener, within_s=max(until_s - time.monotonic(), 0.0))
        except TimeoutError:
            raise PersonMustAct(f"nobody agreed in time; when you are ready, {NEXT_STEP}") from None
        except EOFError:
            if listener is None:
                raise _unasked(terminal, "the input ended before an address was pasted; run this in a terminal, with a keyboard: moodify spotify login") from None
            terminal.tell("No more input: waiting for a browser on this machine.")
            continue
        if pasted is None:
            if _caught(listener):
                terminal.tell()
                return
            # Something else was asked for; the prompt still stands.
            prompt = ""
            continue
        try:
            take(pasted)
        except CannotWork as error:
            wrong += 1
            if wrong == TRIES:
                raise
            terminal.tell(f"{error}.")
            prompt = PROMPT
        else:
            return


def _unasked(terminal: Terminal, message: str) -> Exception:
    """Return what the end of the input comes to: a person at a terminal has ended it, a pipe has nobody behind it."""
    return EOFError() if terminal.typed else PersonMustAct(message)


def _caught(listener: Loopback | None) -> bool:
    if listener is None:
        return False
    listener.serve_one()
    if listener.error is not None:
        raise listener.error
    return listener.ended
