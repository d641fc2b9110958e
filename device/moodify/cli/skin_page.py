"""A look at one's skin by the appliance that runs, over its page on this machine."""

from __future__ import annotations

import http.client
import ipaddress
import json
import ssl
import urllib.error
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from moodify.daemon.front import certificate_shown
from moodify.errors import MoodifyError, NotPermitted, PersonMustAct, RetryLater, TooManyTries, WrongSignIn
from moodify.skin.capture import Guidance, Step
from moodify.skin.record import FaceRecord
from moodify.web.skin_port import LookNow

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from moodify.config import Config
    from moodify.config.model import WebConfig

#: Longest wait for an answer, in seconds. Guidance is waited for by the page, a second at most; a Pi hashes a password within three.
_ANSWER_S: Final = 20.0
_LOOK: Final = "/api/me/skin/look"


class PageMirror:
    """Implements :class:`moodify.cli.skin_scan.Mirror`; signed in within a ``with``."""

    def __init__(self, config: Config, folder: Path, email: str, password: str, *, keep: bool) -> None:
        """Take where the page is, and who it is.

        Args:
            config: the appliance's.
            folder: its data.
            email: of whose skin it is.
            password: theirs.
            keep: whether the result is kept.

        Raises:
            PersonMustAct: the page is off, or can't be found.
        """
        self._url, certificate = _place(config.web, folder)
        self._credentials = {"email": email, "password": password}
        self._keep = keep
        # Proxies of the environment are for what is elsewhere.
        handlers: list[Any] = [urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor()]
        if certificate is not None:
            handlers.append(urllib.request.HTTPSHandler(context=_trusting(certificate)))
        self._opener = urllib.request.build_opener(*handlers)

    def allowed(self) -> bool:
        """Return whether they allow looks."""
        return self._ask("/api/me/skin")["opted_in_at"] is not None

    def allow(self) -> None:
        """Allow looks."""
        self._ask("/api/me/skin", "PUT", {"opted_in": True})

    def begin(self) -> LookNow:
        """Begin to look."""
        return self._told(self._ask(_LOOK, "POST", {"keep": self._keep}))

    def now(self, after: int) -> LookNow | None:
        """Return how the look stands."""
        try:
            return self._told(self._ask(f"{_LOOK}?after={after}"))
        except _NotThere:
            return None

    def end(self) -> None:
        """End it without a result."""
        self._ask(_LOOK, "DELETE")

    def __enter__(self) -> Self:
        """Sign in."""
        self._ask("/api/session", "POST", self._credentials)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Sign out."""
        # What is under way already is the reason to be told.
        with suppress(*([MoodifyError] if kind is not None else [])):
            self._ask("/api/session", "DELETE")

    def _told(self, said: dict[str, Any]) -> LookNow:
        guidance, record, kept = said["guidance"], said["record"], said["kept"]
        return LookNow(
            said["version"],
            None if guidance is None else Guidance(Step(guidance["step"]), guidance["taken"], hold_exposure=False),
            None if record is None else FaceRecord.model_validate_json(json.dumps(record)),
            None if kept is None else UUID(kept),
            said["failed"],
            said["portrait"],
        )

    def _ask(self, path: str, method: str = "GET", body: dict[str, Any] | None = None) -> Any:
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = urllib.request.Request(f"{self._url}{path}", data, {"Content-Type": "application/json", "X-Moodify": "1"}, method=method)  # noqa: S310 - http or https by _place
        try:
            with self._opener.open(request, timeout=_ANSWER_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise RetryLater(f"Moodify runs, and its page at {self._url} does not answer as it should ({reason}); look into its log, or end Moodify and begin again") from error


class _NotThere(PersonMustAct):
    """There is nothing at a path, or not any more."""


def _refusal(error: urllib.error.HTTPError) -> MoodifyError:
    """Return the house's error for a refusal of the page."""
    try:
        told = str(json.load(error)["detail"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        told = f"the page answered {error.code}; look into Moodify's log"
    match error.code:
        case http.client.UNAUTHORIZED:
            return WrongSignIn(told)
        case http.client.FORBIDDEN:
            return NotPermitted(told)
        case http.client.NOT_FOUND:
            return _NotThere(told)
        case http.client.TOO_MANY_REQUESTS:
            return TooManyTries(told)
        case http.client.SERVICE_UNAVAILABLE | http.client.INTERNAL_SERVER_ERROR:
            return RetryLater(told)
        case _:
            return PersonMustAct(told)


def _place(web: WebConfig, folder: Path) -> tuple[str, Path | None]:
    """Return where this machine reaches the page, and the certificate that it shows there; None for plain HTTP."""
    instead = "or end Moodify and begin again, which opens the camera here"
    if not web.enabled:
        raise PersonMustAct(f"Moodify runs without its page, over which it is asked to look; set enabled = true under [web] and start it again, {instead}")
    if not web.port:
        raise PersonMustAct(f"the port of the page is left to the system, so that it can't be found here; set port under [web] and start Moodify again, {instead}")
    address = ipaddress.ip_address(web.host)
    if address.is_unspecified:
        address = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")  # noqa: PLR2004 - IPv4
    certificate = certificate_shown(web, folder)
    host = f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004 - IPv6
    return f"{'http' if certificate is None else 'https'}://{host}:{web.port}", certificate


def _trusting(certificate: Path) -> ssl.SSLContext:
    """Return a context that talks to who shows this certificate, and to nobody else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # It is known by itself, whatever name it is for and whoever signed it.
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(certificate)
    except (OSError, ssl.SSLError) as error:
        raise PersonMustAct(f"{certificate}: the page's certificate can't be read ({error.strerror}); run this as the user that runs Moodify") from error
    return context
