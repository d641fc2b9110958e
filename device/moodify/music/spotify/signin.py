"""Sign-in to Spotify with PKCE: no client secret, no browser on the device, nothing interactive in the daemon."""

from __future__ import annotations

import logging
import secrets
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from spotipy.cache_handler import CacheHandler, MemoryCacheHandler
from spotipy.oauth2 import SpotifyPKCE

from moodify.errors import CannotWork, MoodifyError, NotAllowed, SignInNeeded

from .mapping import FOREIGN, SIGN_IN, foreign_error
from .tokens import NEXT_STEP, TokenFile
from .transport import TokenTransport

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ACCOUNTS_URL = "https://accounts.spotify.com"
#: Only what is used: reading and giving orders to the player, and the contents of the owner's playlists.
SCOPES = ("user-read-playback-state", "user-modify-playback-state", "playlist-read-private")
#: How often an address that does not fit may be pasted.
TRIES = 3

# At DEBUG spotipy logs codes and tokens.
for _name in ("spotipy", "spotipy.client", "spotipy.oauth2"):
    logging.getLogger(_name).setLevel(logging.INFO)


class SignIn(SpotifyPKCE):  # type: ignore[misc] # spotipy has no types
    """Tokens for one Spotify app and one owner, refreshed when they run out. Thread-safe."""

    def __init__(self, client_id: str, tokens: CacheHandler, *, redirect_port: int, accounts_url: str = ACCOUNTS_URL, timeout_s: float = 10.0) -> None:
        """Take the app's client id, where tokens are kept, and the port of the redirect that is registered with the app."""
        self.OAUTH_AUTHORIZE_URL = f"{accounts_url}/authorize"
        self.OAUTH_TOKEN_URL = f"{accounts_url}/api/token"
        self._transport = TokenTransport()
        self._guard = threading.RLock()
        self._dead: str | None = None
        super().__init__(
            client_id=client_id,
            redirect_uri=f"http://127.0.0.1:{redirect_port}/callback",
            state=secrets.token_urlsafe(24),
            scope=" ".join(SCOPES),
            cache_handler=tokens,
            requests_timeout=timeout_s,
            requests_session=self._transport,
            open_browser=False,
        )

    def access_token(self) -> str:
        """Return a token that has not run out by the device's clock, refreshing it where needed.

        Raises:
            SignInNeeded: there is none, it lacks a permission, or it can't be refreshed any more.
            SpeakerUnavailable: the accounts service can't be reached.
        """
        with self._guard:
            token = self._kept()
            if self.is_token_expired(token):
                token = self._refreshed(token)
            return str(token["access_token"])

    def renew(self, refused: str) -> str:
        """Return another token in place of one that Spotify refused although it looked good; raises as :meth:`access_token`."""
        with self._guard:
            token = self._kept()
            if token["access_token"] == refused:
                token = self._refreshed(token)
            return str(token["access_token"])

    def finish(self, address: str) -> None:
        """Take the address to which the owner's browser was sent back, and fetch and keep the tokens.

        Raises:
            CannotWork: it is not that address, or it belongs to another attempt.
            NotAllowed: the owner said no.
            SignInNeeded, SpeakerUnavailable: as :meth:`access_token`.
        """
        back = {key: values[0] for key, values in parse_qs(urlsplit(address.strip()).query).items()}
        if "error" in back and back.get("state") == self.state:
            raise NotAllowed(f"Spotify was not allowed to sign this device in ({back['error'][:60]}); start again and agree")
        if "code" not in back:
            raise CannotWork(f"this is not the address of the page; it begins with {self.redirect_uri}?code=")
        if not secrets.compare_digest(back.get("state", "").encode(), str(self.state).encode()):
            raise CannotWork("this address belongs to another attempt; open the newest link and paste the address that follows it")
        with self._guard:
            self._mapped(lambda: self.get_access_token(back["code"], check_cache=False))

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()

    def agree_at_once(self) -> None:
        """Sign in at an accounts service that agrees by itself, as the simulated one does, following its redirect."""
        response = self._transport.request("GET", self.get_authorize_url(), timeout=self.requests_timeout)
        self.finish(response.headers.get("Location", ""))

    def _get_auth_response(self, open_browser: bool | None = None) -> str:  # noqa: ARG002, FBT001 - spotipy's signature
        # spotipy would open a browser or read the terminal here.
        raise SignInNeeded(f"not signed in to Spotify; {NEXT_STEP}")

    def _kept(self) -> dict[str, Any]:
        token: dict[str, Any] | None = self.cache_handler.get_cached_token()
        if token is None:
            raise SignInNeeded(f"not signed in to Spotify; {NEXT_STEP}")
        missing = set(SCOPES) - set(token["scope"].split())
        if missing:
            raise SignInNeeded(f"the Spotify sign-in lacks {', '.join(sorted(missing))}; {NEXT_STEP}")
        return token

    def _refreshed(self, token: dict[str, Any]) -> dict[str, Any]:
        refresh: str = token["refresh_token"]
        if refresh == self._dead:
            # Refused once is refused for ever: only a new sign-in brings another one.
            raise SignInNeeded(f"the Spotify sign-in has ended; {SIGN_IN}")
        try:
            new: dict[str, Any] = self._mapped(lambda: self.refresh_access_token(refresh))
        except SignInNeeded:
            # Another process on this device may have used the token up and kept its successor.
            new = self._kept()
            if new["refresh_token"] == refresh:
                self._dead = refresh
                raise
        return new

    @staticmethod
    def _mapped(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except MoodifyError:
            raise
        except FOREIGN as error:
            raise foreign_error(error) from error


def signed_in(folder: Path) -> bool:
    """Return whether a whole sign-in is kept in the folder; whether Spotify still takes it shows with the first request."""
    try:
        TokenFile(folder).get_cached_token()
    except SignInNeeded:
        return False
    return True


def simulated_sign_in(accounts_url: str, *, timeout_s: float = 10.0) -> SignIn:
    """Return a sign-in at a simulated accounts service, kept in memory only."""
    sign_in = SignIn("simulated", MemoryCacheHandler(), redirect_port=8888, accounts_url=accounts_url, timeout_s=timeout_s)
    sign_in.agree_at_once()
    return sign_in


def login(
    client_id: str,
    folder: Path,
    *,
    redirect_port: int,
    ask: Callable[[str], str],
    tell: Callable[[str], None],
    accounts_url: str = ACCOUNTS_URL,
    timeout_s: float = 10.0,
) -> None:
    """Sign in on a device without a browser: the owner opens a link elsewhere and pastes back the address that follows it.

    Args:
        client_id: of the owner's own app.
        folder: where the tokens are kept.
        redirect_port: of the redirect that is registered with the app.
        ask: shows a prompt and returns what was typed.
        tell: shows a line.
        accounts_url: where to sign in.
        timeout_s: longest time of one request.

    Raises:
        CannotWork: nothing that was pasted fits, after :data:`TRIES` tries.
        NotAllowed, SignInNeeded, SpeakerUnavailable: as :meth:`SignIn.finish`; SignInNeeded too where the tokens can't be kept.
    """
    sign_in = SignIn(client_id, TokenFile(folder), redirect_port=redirect_port, accounts_url=accounts_url, timeout_s=timeout_s)
    try:
        tell(f"1. Your app at developer.spotify.com must list the redirect URI {sign_in.redirect_uri}")
        tell(f"2. Open this link on any phone or computer and agree: {sign_in.get_authorize_url()}")
        tell("3. The page that follows can't be shown, and need not. Copy its address.")
        for left in reversed(range(TRIES)):
            try:
                sign_in.finish(ask("Paste the address here: "))
            except CannotWork as error:
                if not left:
                    raise
                tell(str(error))
            else:
                if not signed_in(folder):
                    raise SignInNeeded(f"the sign-in can't be kept in {folder}; free some space or fix the folder's owner, then {NEXT_STEP}")
                tell("Signed in to Spotify.")
                return
    finally:
        sign_in.close()
