"""Whether a CONNECT is let in, and as whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from moodify.cloud.topics import PREFIX, STATES
from moodify.hub.gate.keyring import Keyring
from moodify.hub.gate.refusals import Refusal, Refused
from moodify.hub.gate.tokens import claim, verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from moodify.hub.gate.asking import Asking
    from moodify.hub.gate.attempts import Attempts
    from moodify.hub.gate.keyring import Keys
    from moodify.hub.gate.packets import Connect
    from moodify.hub.gate.tokens import Claim
    from moodify.hub.port import Registry


@dataclass(frozen=True, slots=True)
class Admission:
    """Somebody whose token is good."""

    device: str
    kid: str
    ends_in_s: float
    """How long it may stay."""
    moved_on: bool
    """Whether the device has keys that are older than this one."""


class SignIn:
    """Checks tokens against the registry's keys. Belongs to the gate's thread."""

    def __init__(self, registry: Registry, asking: Asking, attempts: Attempts, *, audience: str, leeway_s: float, token_max_s: float, now: Callable[[], datetime]) -> None:
        """Take where keys are and how they are asked for, who was refused before, and what a token must be."""
        self.keyring = Keyring(registry)
        self._attempts = attempts
        self._asking = asking
        self._audience = audience
        self._leeway_s = leeway_s
        self._token_max_s = token_max_s
        self._now = now

    async def check(self, connect: Connect, address: str) -> Admission:
        """Return who is let in. A good token always is, whatever was refused from its address before.

        Between the last look at the keys and the return nothing is waited for: who takes the answer down at once misses no revocation.

        Raises:
            Refused: nobody is.
            Away: the registry can't say.
        """
        try:
            return await self._look_at(connect, address)
        except Refused as refused:
            if not self._attempts.left(address, refused.device):
                raise Refused(Refusal.TOO_MANY_ATTEMPTS, refused.device) from refused
            raise

    async def _look_at(self, connect: Connect, address: str) -> Admission:
        if connect.authentication_method is not None:
            raise Refused(Refusal.METHOD)
        claimed = claim(connect.password)
        if not self._attempts.worth_a_look(address):
            raise Refused(Refusal.TOO_MANY_ATTEMPTS, claimed.device)
        try:
            return await self._verified(connect, claimed)
        except Refused:
            self._attempts.looked_at_in_vain(address)
            raise

    async def _verified(self, connect: Connect, claimed: Claim) -> Admission:
        if connect.will is not None and connect.will.topic not in {f"{PREFIX}/{claimed.device}/up/{state}" for state in STATES}:
            raise Refused(Refusal.FOREIGN_WILL, claimed.device)
        keys = await self._keys(claimed)
        if keys.revoked:
            raise Refused(Refusal.REVOKED, claimed.device)
        key = keys.keys.get(claimed.kid)
        if key is None:
            raise Refused(Refusal.UNKNOWN_KEY, claimed.device)
        now_s = self._now().timestamp()
        ends_s = verify(claimed, key, audience=self._audience, leeway_s=self._leeway_s, token_max_s=self._token_max_s, now_s=now_s)
        # One that has ended by this clock, and not by the device's, was let in for the difference between them.
        ends_in_s = ends_s - now_s if ends_s > now_s else ends_s + self._leeway_s - now_s
        return Admission(claimed.device, claimed.kid, ends_in_s, keys.older_than(claimed.kid))

    async def _keys(self, claimed: Claim) -> Keys:
        kept = self.keyring.kept(claimed.device)
        # A refusal is never given from what was kept: the device may have been enrolled, or have a new key, since.
        if kept is not None and not kept.revoked and claimed.kid in kept.keys:
            return kept
        while True:
            generation = self.keyring.generation
            keys = await self._asking.ask(lambda: self.keyring.fetch(claimed.device))
            if generation == self.keyring.generation:
                break
        if keys is None:
            raise Refused(Refusal.UNKNOWN_DEVICE, claimed.device)
        self.keyring.keep(claimed.device, keys)
        return keys
