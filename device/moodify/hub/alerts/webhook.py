"""Alerts by webhook: one signed POST, by requests, to the one address that was looked at."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

import requests
from requests.adapters import HTTPAdapter

from moodify.errors import PersonMustAct, RetryLater
from moodify.hub.alerts import destination
from moodify.hub.alerts.words import document

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from moodify.hub.alerts.destination import Destination, Network
    from moodify.hub.alerts.port import Delivery

#: Longest wait for the connection, and for the answer's beginning, in seconds.
TIMEOUT_S: Final = (5.0, 10.0)
#: Statuses of the client's faults by which a receiver asks to come again (RFC 9110 and 6585); by the others it is never going to take this, and whoever set it up must look.
_LATER: Final = frozenset({408, 425, 429})


def new_secret() -> str:
    """Return what the messages of a new webhook are signed with: 256 bits, base64url."""
    return secrets.token_urlsafe(32)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the hex HMAC-SHA256 (RFC 2104) over ``timestamp.body``, by which a receiver knows who wrote, and when."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class Webhook:
    """Sends messages to webhooks, each over a connection of its own."""

    def __init__(
        self,
        allowed: Sequence[Network] = (),
        *,
        ca_file: Path | None = None,
        timeout_s: tuple[float, float] = TIMEOUT_S,
        look_up: Callable[[str, int], Sequence[str]] | None = None,
    ) -> None:
        """Take the networks that are allowed beside public ones, whom certificates must be signed by (None for the usual), how long is waited, and who knows names."""
        self._allowed = tuple(allowed)
        self._verify: bool | str = True if ca_file is None else str(ca_file)
        self._timeout_s = timeout_s
        self._look_up = look_up

    def check(self, url: str) -> None:
        """Look whether messages may go to a URL, as each is looked at again when it goes. A name that can't be looked up now may be known later.

        Raises:
            CannotWork: it is no URL that a webhook can have.
            PersonMustAct: it may not go there.
        """
        with contextlib.suppress(RetryLater):
            destination.resolve(destination.read(url), self._allowed, look_up=self._look_up)

    def carry(self, delivery: Delivery) -> None:
        """Post one message to the channel's URL. Redirects are not followed, and of the answer only the status is looked at.

        Raises:
            PersonMustAct: it may not go there, or the receiver refuses it for good.
            RetryLater: the receiver is away, or asks to come again.
        """
        where = destination.read(delivery.channel.target)
        address = destination.resolve(where, self._allowed, look_up=self._look_up)
        body = json.dumps(document(delivery), ensure_ascii=False).encode(errors="replace")
        timestamp = str(int(time.time()))
        headers = {
            "Host": where.host_header,
            "Content-Type": "application/json",
            "User-Agent": "Moodify-Hub",
            "X-Moodify-Delivery": delivery.id,
            "X-Moodify-Timestamp": timestamp,
        }
        if delivery.channel.secret is not None:
            headers["X-Moodify-Signature"] = f"sha256={signature(delivery.channel.secret, timestamp, body)}"
        self._check(where, self._post(where, str(address), body, headers))

    def _post(self, where: Destination, address: str, body: bytes, headers: dict[str, str]) -> int:
        url = f"{where.scheme}://{f'[{address}]' if ':' in address else address}:{where.port}{where.path}"
        with requests.Session() as session:
            # A proxy of the environment would look names up by itself, and .netrc hold another's password.
            session.trust_env = False
            session.mount("https://", _Named(where.host))
            try:
                with session.post(url, data=body, headers=headers, timeout=self._timeout_s, allow_redirects=False, stream=True, verify=self._verify) as answer:
                    return answer.status_code
            except requests.exceptions.SSLError:
                raise PersonMustAct(f"the certificate of {where.host} does not hold, or it does not speak TLS; correct the URL, or the receiver's certificate") from None
            except (requests.RequestException, OSError, ValueError) as error:
                # Its text would hold the URL.
                raise RetryLater(f"{where.shown} can't be reached ({type(error).__name__}); look whether it runs, it is tried again") from None

    @staticmethod
    def _check(where: Destination, status: int) -> None:
        if status // 100 == 2:  # noqa: PLR2004 - the class of success
            return
        if status // 100 in {3, 4} and status not in _LATER:
            raise PersonMustAct(f"{where.shown} answers with {status}, which takes no message; correct the URL, or what receives it")
        raise RetryLater(f"{where.shown} answers with {status}; it is tried again")


class _Named(HTTPAdapter):
    """Asks the server at an address for the certificate of a name."""

    def __init__(self, name: str) -> None:
        self._name = name
        super().__init__(max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, server_hostname=self._name, assert_hostname=self._name, **options)
