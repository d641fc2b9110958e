"""What Spotify's answers mean: the one place that turns them, and a vendor's exceptions, into the project's errors."""

from __future__ import annotations

import json
import re
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Self

import requests
from spotipy.exceptions import SpotifyBaseException
from urllib3.exceptions import HTTPError

from moodify.errors import CannotWork, MoodifyError, NotAllowed, SignInNeeded, SpeakerUnavailable
from moodify.music.guards.retry_after import retry_after_s

from .ending import SIGN_IN

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What spotipy, requests and reading an unexpected answer may raise.
FOREIGN: tuple[type[Exception], ...] = (
    SpotifyBaseException,
    requests.RequestException,
    HTTPError,
    LookupError,
    TypeError,
    AttributeError,
    ValueError,
    ArithmeticError,
    RecursionError,
)
#: Where a 429 says nothing (or nonsense) about how long to wait: Spotify counts over rolling 30 seconds.
DEFAULT_RETRY_S = 30.0
#: The same where a quota is spent, which lasts for hours: each try counts.
DEFAULT_QUOTA_RETRY_S = 900.0
QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
#: What OpenSSL's verify codes (openssl/x509_vfy.h) say of a date.
_WRONG_TIME = {9: "is not good yet", 10: "has expired"}
SECRET = re.compile(r"Bearer\s+\S+|(?:access_token|refresh_token|code|code_verifier)=[^&\s]+", re.IGNORECASE)


class DeviceAsleep(SpeakerUnavailable):
    """The named device is not known now: asleep, gone, or back under another id."""


class NothingActive(SpeakerUnavailable):
    """No device is active."""


class Restriction(CannotWork):
    """The player refuses: it is so already, or the track can't be played."""


class ContentsHidden(NotAllowed):
    """Something may be played but not read."""


class ScopeMissing(NotAllowed):
    """The owner has not agreed to this."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of 400 or above, whatever its shape."""

    status: int
    message: str
    reason: str | None
    retry_after_s: float | None

    @property
    def wait_s(self) -> float:
        """Seconds to leave a service alone that has had too many requests."""
        if self.retry_after_s is not None:
            return self.retry_after_s
        return DEFAULT_QUOTA_RETRY_S if self.reason == QUOTA_EXCEEDED else DEFAULT_RETRY_S

    @property
    def too_many(self) -> bool:
        """Whether it asks for fewer requests, and is no answer to this one."""
        return self.status == HTTPStatus.TOO_MANY_REQUESTS or self.reason == "RATE_LIMITED"

    @classmethod
    def read(cls, status: int, headers: Mapping[str, str], body: bytes) -> Self:
        """Read Spotify's error object, a bare text in its place, an OAuth error, or none of these."""
        try:
            error = json.loads(body)
        except ValueError:
            error = None
        inner = error.get("error") if isinstance(error, dict) else None
        if isinstance(inner, dict):
            message, reason = inner.get("message"), inner.get("reason")
        else:
            message = error.get("error_description") if isinstance(error, dict) else None
            message, reason = message or inner, inner
        return cls(status, one_line(message) or f"HTTP {status}", reason if isinstance(reason, str) else None, retry_after_s(headers.get("Retry-After")))


def one_line(text: object) -> str:
    """Return a short text fit for a log: one line, no secret."""
    return " ".join(SECRET.sub("…", text).split())[:200] if isinstance(text, str) else ""


def too_many(refusal: Refusal) -> str:
    """Return what a 429 says, for a person, as the beginning of a sentence."""
    return "Spotify's quota is spent" if refusal.reason == QUOTA_EXCEEDED else "Spotify asks for fewer requests"


def api_error(refusal: Refusal, path: str, *, reads: bool = True) -> MoodifyError:
    """Return the error that a Web API refusal is, but for :attr:`Refusal.too_many`; ``path`` is what was asked for, ``reads`` whether by a GET."""
    status, reason, said = refusal.status, refusal.reason or "", refusal.message
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return SpeakerUnavailable(f"Spotify answers {status}; trying again later", retry_after_s=refusal.retry_after_s)
    if status == HTTPStatus.UNAUTHORIZED:
        return SignInNeeded(f"Spotify does not take the sign-in ({said}); {SIGN_IN}")
    if status == HTTPStatus.NOT_FOUND:
        return _not_found(reason, said, path)
    if status == HTTPStatus.FORBIDDEN:
        return _forbidden(reason, said, path, reads=reads)
    return CannotWork(f"Spotify refuses {path} ({status}: {said}); check the uri or the search text")


def _not_found(reason: str, said: str, path: str) -> MoodifyError:
    if reason == "NO_ACTIVE_DEVICE":
        return NothingActive("nothing is active on this Spotify account; start music on the speaker first")
    if "/me/player" in path and ("device" in said.casefold() or said == "HTTP 404"):
        return DeviceAsleep(f"the speaker is asleep or gone ({said}); switch it on, or play something on it from the Spotify app")
    return CannotWork(f"Spotify knows nothing at {path}; check the uri")


def _forbidden(reason: str, said: str, path: str, *, reads: bool) -> MoodifyError:
    known = {
        "PREMIUM_REQUIRED": 'orders to a speaker need Spotify Premium; upgrade the account, or set music.speaker = "simulated"',
        "VOLUME_CONTROL_DISALLOW": "this speaker has a fixed volume; set it on the speaker itself",
        "DEVICE_NOT_CONTROLLABLE": "this speaker takes no orders from apps; name another one as music.spotify.speaker",
        "REMOTE_CONTROL_DISALLOW": "this speaker takes no orders from apps; name another one as music.spotify.speaker",
    }
    if reason in known:
        return NotAllowed(known[reason])
    if "scope" in said.casefold():
        return ScopeMissing(f"the sign-in lacks a permission ({said}); {SIGN_IN}")
    told = {
        "premium": known["PREMIUM_REQUIRED"],
        "not registered": f"Spotify does not let this account use your app ({said}); add the account to the app's users at developer.spotify.com",
    }
    if (of_the_account := next((what for words, what in told.items() if words in said.casefold()), None)) is not None:
        return NotAllowed(of_the_account)
    if "/me/player" in path:
        return Restriction(f"the speaker refuses ({said}, {reason or 'no reason given'}); choose another track")
    if "/playlists/" in path and reads:
        return ContentsHidden("Spotify shows a playlist's tracks to its owner only; use one of your own, or play it as a whole")
    return NotAllowed(f"Spotify does not allow {path} ({said}); see that the account is listed in your app at developer.spotify.com")


def token_error(refusal: Refusal) -> MoodifyError:
    """Return the error that a refusal of the accounts service is, but for :attr:`Refusal.too_many`."""
    if refusal.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return SpeakerUnavailable(f"Spotify's sign-in service answers {refusal.status}; trying again later", retry_after_s=refusal.retry_after_s)
    if refusal.reason == "invalid_client":
        return SignInNeeded(f"Spotify does not know this client id ({refusal.message}); check music.spotify.client_id, then {SIGN_IN}")
    return SignInNeeded(f"the Spotify sign-in has ended ({refusal.message}); {SIGN_IN}")


def foreign_error(error: Exception) -> MoodifyError:
    """Return the error that a vendor's exception, or an answer of an unexpected shape, is."""
    if isinstance(error, requests.Timeout):
        return SpeakerUnavailable("Spotify does not answer in time; trying again later")
    if (certificate := _certificate_error(error)) is not None:
        return SpeakerUnavailable(_of_certificate(certificate))
    if isinstance(error, requests.RequestException | HTTPError):
        return SpeakerUnavailable(f"Spotify can't be reached ({type(error).__name__}); check the network")
    if isinstance(error, SpotifyBaseException):
        return CannotWork(f"this can't be asked of Spotify: {one_line(str(error)) or type(error).__name__}")
    return SpeakerUnavailable(f"Spotify answered something unexpected ({type(error).__name__}); trying again later")


def _certificate_error(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """Return what OpenSSL said of a certificate, from below the HTTP libraries' errors; None where it was not that."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error


def _of_certificate(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in _WRONG_TIME:
        clock = f"this device's clock, which says {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        return f"Spotify's certificate {_WRONG_TIME[error.verify_code]} by {clock}; connect the network so that it is set"
    return f"something on the way answers in Spotify's place ({error.verify_message}); check the network"
