"""A device asks its hub to forget it: all that it was told, and the device itself (docs/mqtt.md)."""

from __future__ import annotations

import json
import logging
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import jwt

from moodify.cloud import mqtt
from moodify.cloud.backoff import Backoff
from moodify.errors import LinkDown, LinkRefused

if TYPE_CHECKING:
    from moodify.cloud.identity import Identity
    from moodify.cloud.port import Target
    from moodify.cloud.topics import Topics

logger = logging.getLogger(__name__)

#: What the proof is good for (the claim ``scope`` of RFC 8693, 4.2).
SCOPE: Final = "erase"
#: And how long.
PROOF_LIFETIME: Final = timedelta(minutes=5)
#: Longest wait for CONNACK and SUBACK, in seconds.
_SIGN_IN_S: Final = 10.0
#: Longest wait for the answer, in seconds: a hub on a small machine may have years to delete.
ANSWER_S: Final = 180.0
#: How often it is asked again on one connection, in seconds: nobody may have heard it.
_AGAIN_S: Final = 10.0
_BACKOFF: Final = Backoff(base_s=0.5, cap_s=5.0)


def proof(identity: Identity, audience: str, now: datetime) -> str:
    """Return what shows a hub that it is this device, with its key in hand, that wants to be forgotten; it is no token to sign in with (it has no ``jti``)."""
    claims = {"sub": identity.device, "aud": audience, "iat": now, "exp": now + PROOF_LIFETIME, "scope": SCOPE}
    return jwt.encode(claims, identity.key, algorithm="ES256", headers={"kid": identity.kid})


def ask_to_erase(target: Target, topics: Topics, identity: Identity, audience: str, *, answer_s: float = ANSWER_S) -> int | None:
    """Have a hub delete everything of this device; return how many events that were.

    None where its answer was lost, and it does not know this device any more. Whoever is connected as the device is cut, so ask only while its link does not run.

    Args:
        target: the hub.
        topics: this device's.
        identity: who it is, with the key that the hub knows.
        audience: whom its tokens are for.
        answer_s: longest wait for an answer, from the first time that it was asked.

    Raises:
        LinkDown: it can't be reached, or gave no answer: whether it has erased is not known then.
        LinkRefused: it does not let this device in, its certificate is another, or it does not erase.
        PersonMustAct: the device can't sign in.
    """
    asked_s: float | None = None
    attempts = 0
    while True:
        request = _Request(target, topics, identity, audience)
        try:
            return request.answered(_SIGN_IN_S, answer_s if asked_s is None else asked_s + answer_s - time.monotonic())
        except _Unknown as unknown:
            if asked_s is None and request.asked_s is None:
                raise LinkRefused("it does not let this device in: it was shut out there, or is erased already") from unknown
            return None
        except LinkDown as error:
            asked_s = asked_s if asked_s is not None else request.asked_s
            if asked_s is None:
                raise
            attempts += 1
            wait_s = _BACKOFF.delay_s(attempts)
            if time.monotonic() + wait_s > asked_s + answer_s:
                raise LinkDown(f"it was asked, and whether it has erased is not known: {error}") from error
            time.sleep(wait_s)


class _Unknown(Exception):
    """The hub does not know this device, or knows it no more. It never leaves this module."""


class _Request:
    """One connection, over which it is asked."""

    def __init__(self, target: Target, topics: Topics, identity: Identity, audience: str) -> None:
        """Take whom to ask, and who asks."""
        self.asked_s: float | None = None
        """When it was asked first, on ``time.monotonic()``."""
        self._target = target
        self._topics = topics
        self._identity = identity
        self._audience = audience
        self._id = str(uuid.uuid4())
        self._mids: set[int] = set()

    def answered(self, sign_in_s: float, answer_s: float) -> int:
        """Connect, ask, and return what the hub answers.

        Raises:
            _Unknown: it does not let this device in, or not any longer.
            LinkDown, LinkRefused, PersonMustAct: as :func:`ask_to_erase` says.
        """
        credentials = self._target.passwords.credentials(datetime.now(UTC))
        # By the device's own name, so that its session ends with this one, and what waits in it.
        connection = mqtt.Connection(self._target.endpoint, credentials, client_id=self._topics.device, session_s=0, clean_start=True)
        opened_s = time.monotonic()
        again_s = 0.0
        try:
            while (now_s := time.monotonic()) < (opened_s + sign_in_s if self.asked_s is None else opened_s + max(answer_s, sign_in_s)):
                if self.asked_s is not None and now_s >= again_s:
                    body = {"id": self._id, "proof": proof(self._identity, self._audience, datetime.now(UTC))}
                    self._mids.add(connection.publish(self._topics.erase, json.dumps(body, separators=(",", ":")).encode()))
                    again_s = now_s + _AGAIN_S
                for signal in connection.step(0.2):
                    match signal:
                        case mqtt.Connected():
                            connection.subscribe(self._topics.erase_answers)
                        case mqtt.Subscribed():
                            self.asked_s = now_s
                    if (events := self._hear(signal)) is not None:
                        return events
            raise LinkDown("it gave no answer in time")
        finally:
            connection.close()

    def _hear(self, signal: mqtt.Signal) -> int | None:
        match signal:
            case mqtt.Refused(topic=None) if signal.needs_person:
                raise _Unknown
            case mqtt.Refused(topic=None, reason=reason):
                raise LinkDown(f"it takes nobody in now: {reason.lower()}")
            case mqtt.Refused(reason=reason):
                raise LinkRefused(f"it does not let this device hear an answer ({reason.lower()}); update Moodify there")
            case mqtt.Lost(code=mqtt.NOT_AUTHORIZED):
                raise _Unknown
            case mqtt.Lost(reason=reason):
                raise LinkDown(f"it ended the connection: {reason}")
            case mqtt.Acked(mid=mid, code=code, reason=reason) if mid in self._mids and code >= mqtt.FAILURE:
                raise LinkRefused(f"it takes no such request ({reason.lower()}); update Moodify there")
            case mqtt.Received(topic=self._topics.erase_answers, payload=payload):
                return self._read(payload)
        return None

    def _read(self, payload: bytes) -> int | None:
        try:
            answer = json.loads(payload)
        except (ValueError, RecursionError):
            answer = None
        match answer:
            case {"id": self._id, "status": "ok", "events": int(events)}:
                return events
            case {"id": self._id, "status": "error", "error": str(reason)}:
                raise LinkRefused(f"it does not erase: {reason}")
        logger.info("an answer to something else is passed over")
        return None
