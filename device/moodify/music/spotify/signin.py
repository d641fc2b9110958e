"""Sign-in to Spotify with PKCE: no client secret, no browser on the device, nothing interactive in the daemon."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from spotipy.oauth2 import SpotifyPKCE

from moodify.errors import CannotWork, MoodifyError, NotAllowed, SignInNeeded, SpeakerUnavailable

from .client import CLIENT_ID, client_id_of, shortened
from .ending import AUTHORISED_AT, REFUSED_AT, SIGN_IN, utc_now
from .mapping import FOREIGN, foreign_error
from .scopes import EVERYTHING, PLAYBACK, Permission, missing
from .services import ACCOUNTS_URL
from .tokens import NEXT_STEP, MemoryTokens, TokenFile, whole
from .transport import TokenTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from moodify.config.model import MusicConfig

#: What outlasts a refreshing where the answer says nothing else: ``scope`` and ``refresh_token`` may be left out (RFC 6749, 5.1 and 6).
_LASTING = ("refresh_token", "scope", CLIENT_ID, AUTHORISED_AT)
#: Where an answer does not say for how many seconds an access token is good: as long as Spotify's always are.
_LIFETIME_S = 3600
#: What an owner's no is called (RFC 6749, 4.1.2.1).
_DECLINED = "access_denied"

# At DEBUG spotipy logs codes and tokens.
for _name in ("spotipy", "spotipy.client", "spotipy.oauth2"):
    logging.getLogger(_name).setLevel(logging.INFO)


class SignIn(SpotifyPKCE):  # type: ignore[misc] # spotipy has no types
    """Tokens for one Spotify app and one owner, refreshed when they run out. Thread-safe."""

    def __init__(
        self,
        client_id: str,
        tokens: TokenFile | MemoryTokens,
        *,
        redirect_port: int = 8888,
        redirect_uri: str | None = None,
        permissions: Iterable[Permission] = PLAYBACK,
        accounts_url: str = ACCOUNTS_URL,
        timeout_s: float = 10.0,
        utc: Callable[[], datetime] = utc_now,
    ) -> None:
        """Take the app's client id, where tokens are kept, the redirect that is registered with the app (its port on loopback, or all of it), and what :attr:`link` asks for."""
        self.OAUTH_AUTHORIZE_URL = f"{accounts_url}/authorize"
        self.OAUTH_TOKEN_URL = f"{accounts_url}/api/token"
        self.tokens = tokens
        """Where the sign-in is kept."""
        self._transport = TokenTransport()
        self._guard = threading.RLock()
        self._utc = utc
        self._dead: str | None = None
        self._lasting: dict[str, Any] = {}
        super().__init__(
            client_id=client_id,
            redirect_uri=redirect_uri or f"http://127.0.0.1:{redirect_port}/callback",
            # 128 bits; a longer one makes a larger QR code.
            state=secrets.token_urlsafe(16),
            scope=" ".join(permission.scope for permission in permissions),
            cache_handler=tokens,
            requests_timeout=timeout_s,
            requests_session=self._transport,
            open_browser=False,
        )

    @property
    def link(self) -> str:
        """Where the owner agrees. Spotify always asks there, so that a new term of the sign-in begins even for an app that it knows."""
        return f"{self.get_authorize_url()}&show_dialog=true"

    def access_token(self) -> str:
        """Return a token that has not run out by the device's clock, refreshing it where needed.

        Raises:
            SignInNeeded: there is none, it can't play, it belongs to another app, or it can't be refreshed any more.
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
            CannotWork: it is not that address, only a part of it, or of another attempt.
            NotAllowed: the owner said no.
            SignInNeeded, SpeakerUnavailable: as :meth:`access_token`.
        """
        try:
            back = {key: values[0] for key, values in parse_qs(urlsplit(address.strip()).query).items()}
        except ValueError:
            back = {}
        if "code" not in back and "error" not in back:
            raise CannotWork(f"this is not the address of the page; it begins with {self.redirect_uri}?code=")
        self._require_own(back.get("state", ""))
        if "error" in back:
            why = "you did not agree" if back["error"] == _DECLINED else "Spotify signs nobody in"
            raise NotAllowed(f"{why} ({back['error'][:60]}), so nothing was changed; to try again: moodify spotify login")
        # In one go, or a daemon that refreshes the old sign-in meanwhile would put it in the new one's place.
        with self._guard, self.tokens.exclusive(self.requests_timeout):
            self._lasting = {"scope": self.scope, CLIENT_ID: self.client_id, AUTHORISED_AT: self._utc().isoformat(timespec="seconds")}
            self._mapped(lambda: self.get_access_token(back["code"], check_cache=False))

    def _require_own(self, state: str) -> None:
        if not state:
            raise CannotWork("the address is incomplete: copy all of it, up to its end, and paste it again")
        if not secrets.compare_digest(state.encode(), str(self.state).encode()):
            # By the length alone: whether its beginning was guessed is nobody's business.
            part = " or is incomplete: copy all of it, or" if len(state) < len(str(self.state)) else ";"
            raise CannotWork(f"this address belongs to another attempt{part} open the newest link and paste the address that follows it")

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()

    def agree_at_once(self) -> None:
        """Sign in at an accounts service that agrees by itself, as the simulated one does, following its redirect."""
        response = self._transport.request("GET", self.link, timeout=self.requests_timeout)
        self.finish(response.headers.get("Location", ""))

    def _get_auth_response(self, open_browser: bool | None = None) -> str:  # noqa: ARG002, FBT001 - spotipy's signature
        # spotipy would open a browser or read the terminal here.
        raise SignInNeeded(f"not signed in to Spotify; {NEXT_STEP}")

    def _add_custom_values_to_token_info(self, token_info: dict[str, Any]) -> dict[str, Any]:
        # spotipy calls this between the service's answer and keeping it; the answer holds the only refresh token that still works.
        lifetime_s = token_info.get("expires_in")
        token = {**self._lasting, **token_info, "expires_at": int(time.time()) + (lifetime_s if isinstance(lifetime_s, int) else _LIFETIME_S)}
        if not whole(token):
            raise SpeakerUnavailable("Spotify's sign-in service answered something unexpected; trying again later")
        return token

    def _kept(self) -> dict[str, Any]:
        token = self.tokens.get_cached_token()
        if token.get(CLIENT_ID, self.client_id) != self.client_id:
            raise SignInNeeded(f"the Spotify sign-in belongs to another app ({shortened(token[CLIENT_ID])}, not {shortened(self.client_id)}); {SIGN_IN}")
        lacking = missing(PLAYBACK, token["scope"])
        if lacking:
            raise SignInNeeded(f"the Spotify sign-in lacks {', '.join(permission.scope for permission in lacking)}; {SIGN_IN}")
        return token

    def _refreshed(self, stale: dict[str, Any]) -> dict[str, Any]:
        if stale["refresh_token"] == self._dead:
            # Refused once is refused for ever: only a new sign-in brings another one.
            raise SignInNeeded(f"the Spotify sign-in has ended; {SIGN_IN}")
        with self.tokens.exclusive(self.requests_timeout):
            token = self._kept()
            if token["refresh_token"] != stale["refresh_token"]:
                # Another process on this device was quicker.
                return token
            self._lasting = {key: token[key] for key in _LASTING if key in token}
            try:
                new: dict[str, Any] = self._mapped(lambda: self.refresh_access_token(token["refresh_token"]))
            except SignInNeeded:
                self._dead = token["refresh_token"]
                self.tokens.save_token_to_cache(token | {REFUSED_AT: self._utc().isoformat(timespec="seconds")})
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


def open_sign_in(music: MusicConfig, folder: Path, *, accounts_url: str = ACCOUNTS_URL) -> SignIn:
    """Return the sign-in that is kept in the folder, for the configured app or the one that it was made with. Sends nothing.

    Raises:
        SignInNeeded: there is none, or it is not known for which app it is.
    """
    tokens = TokenFile(folder)
    tokens.get_cached_token()
    client_id = client_id_of(music, tokens)
    if client_id is None:
        raise SignInNeeded(f"the Spotify sign-in does not say to which app it belongs; {SIGN_IN}")
    return SignIn(client_id, tokens, redirect_port=music.spotify.redirect_port, accounts_url=accounts_url, timeout_s=music.spotify.timeout_s)


def simulated_sign_in(accounts_url: str, *, timeout_s: float = 10.0, utc: Callable[[], datetime] = utc_now) -> SignIn:
    """Return a sign-in at a simulated accounts service, with every permission, kept in memory only; ``utc`` dates it."""
    sign_in = SignIn("simulated", MemoryTokens(), redirect_port=8888, permissions=EVERYTHING, accounts_url=accounts_url, timeout_s=timeout_s, utc=utc)
    sign_in.agree_at_once()
    return sign_in
