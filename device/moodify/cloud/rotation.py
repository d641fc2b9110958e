"""Changing the device's key: a new one waits beside the old until the hub says that it knows it, and then takes its place.

At every moment the device holds a key that the hub takes: the hub keeps both until the device has signed in with the new one, and the
new one takes the old one's place in a single rename. An answer that was lost is asked for again at the next connect.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import jwt

from moodify.cloud.identity import Identity, load, load_or_make, make_key, read_key
from moodify.cloud.keys import kid_of
from moodify.errors import PersonMustAct
from moodify.files import sync_folder, write_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

logger = logging.getLogger(__name__)

#: How long the key in use agrees to the next one, at a time: it is asked for anew with each offer.
CONSENT_LIFETIME: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Setback:
    """A new key that came to nothing."""

    kid: str
    at: datetime
    """UTC."""
    reason: str


def begin(path: Path) -> tuple[Identity, bool]:
    """Make the next key of the device whose key is at ``path``; return it, and whether it is new rather than one that waits already.

    Raises:
        PersonMustAct: a key can't be used, or the folder can't be written.
    """
    load_or_make(path)
    new = pending(path) is None
    try:
        if new:
            make_key(_next(path))
            _note(path).unlink(missing_ok=True)
    except OSError as error:
        raise PersonMustAct(f"{_next(path)}: {error.strerror}; give the folder to the user that runs Moodify") from error
    found = pending(path)
    if found is None:
        raise PersonMustAct(f"{_next(path)} went away while it was made; run moodify device rotate again")
    return found, new


def pending(path: Path) -> Identity | None:
    """Return the device with the key that waits, None where none does.

    Raises:
        PersonMustAct: that key, or the device's own, can't be used.
    """
    waiting = _next(path)
    try:
        key = read_key(waiting)
    except FileNotFoundError:
        return None
    except (OSError, PersonMustAct) as error:
        raise PersonMustAct(f"the new key {waiting} can't be used: it is damaged, or others may read it; delete it, and run moodify device rotate again") from error
    return Identity(load(path).device, kid_of(key.public_key()), key)


def setback(path: Path) -> Setback | None:
    """Return why the last new key came to nothing; None where it did not, or another was made since."""
    try:
        value = json.loads(_note(path).read_bytes())
        return Setback(str(value["kid"]), datetime.fromisoformat(value["at"]), str(value["reason"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        logger.warning("%s can't be read: %s", _note(path), error)
        return None


class KeyRotation:
    """The port :class:`~moodify.cloud.port.Rotation` over the files beside the device's key."""

    def __init__(self, path: Path, audience: str) -> None:
        """Take where the device's key is, and whom tokens are for."""
        self._path = path
        self._audience = audience
        self._told: str | None = None

    def offer(self, now: datetime) -> Mapping[str, str] | None:
        """Return the new key, a token that it signed for a proof that this device has it, and the consent of the key in use; None where none waits."""
        try:
            waiting = pending(self._path)
            current = load(self._path)
        except PersonMustAct as error:
            # It is asked each minute.
            if self._told != str(error):
                logger.warning("the device keeps its key: %s", error)
            self._told = str(error)
            return None
        if waiting is None:
            return None
        return {"kid": waiting.kid, "public_key": waiting.public_pem, "proof": waiting.token(self._audience, now), "consent": self._consent(current, waiting.kid, now)}

    def accepted(self, kid: str) -> None:
        """Put the new key in the old one's place: what is signed from now on is signed with it."""
        try:
            # The id is on the disk before the key that it came from goes.
            load_or_make(self._path)
            if self._waits(kid):
                _next(self._path).replace(self._path)
                sync_folder(self._path.parent)
                logger.info("the hub knows the new key %s: it is this device's from now on", kid)
        except (OSError, PersonMustAct) as error:
            logger.warning("the new key %s can't take its place, and is offered again at the next connect: %s", kid, error)

    def refused(self, kid: str, reason: str) -> None:
        """Drop the new key and note why; the old one stays."""
        try:
            if self._waits(kid):
                self._give_up(kid, reason)
        except PersonMustAct as error:
            logger.warning("the hub refuses the new key %s (%s), which can't be removed: %s", kid, reason, error)

    def _consent(self, current: Identity, kid: str, now: datetime) -> str:
        # Without jti, which a token for signing in must have: this is good for nothing else.
        claims = {"sub": current.device, "aud": self._audience, "iat": now, "exp": now + CONSENT_LIFETIME, "cnf": {"jkt": kid}}
        return jwt.encode(claims, current.key, algorithm="ES256", headers={"kid": current.kid})

    def _waits(self, kid: str) -> bool:
        waiting = pending(self._path)
        return waiting is not None and waiting.kid == kid

    def _give_up(self, kid: str, reason: str) -> None:
        logger.warning("the device keeps its key: the new one %s came to nothing: %s", kid, reason)
        note = {"kid": kid, "at": datetime.now(UTC).isoformat(timespec="seconds"), "reason": reason}
        try:
            write_private(_note(self._path), json.dumps(note, ensure_ascii=False).encode() + b"\n")
            _next(self._path).unlink(missing_ok=True)
        except OSError as error:
            logger.warning("the new key can't be removed: %s", error)


def _next(path: Path) -> Path:
    return path.with_name(f"{path.name}.next")


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.refused")
