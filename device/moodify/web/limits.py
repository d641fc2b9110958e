"""How many requests one address may send: buckets that fill up again, kept in memory."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from moodify.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

#: Addresses that are remembered; the one that asked least recently goes for a new one.
ADDRESSES_AT_MOST: Final = 1024
#: What a far machine can have as many addresses in as it likes (RFC 4291, 2.5.4), so that they count as one.
_IPV6_PREFIX: Final = 64
#: Addresses at home (RFC 4291, 2.5.6 and RFC 4193): all that a household has share one such network, and who guesses in it must not use up what the others may ask.
_AT_HOME: Final = tuple(ipaddress.IPv6Network(network) for network in ("fe80::/10", "fc00::/7"))


class Allowance:
    """A bucket for each address: ``burst`` requests at once, ``per_s`` more each second. Belongs to one thread."""

    def __init__(self, burst: int, per_s: float, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Fill the buckets."""
        self._burst = burst
        self._per_s = per_s
        self._clock_s = clock_s
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> None:
        """Count one request.

        Raises:
            Problem: 429, the bucket is empty; Retry-After says when it is not.
        """
        who, now_s = counted_as(address), self._clock_s()
        left, at_s = self._left.pop(who, (float(self._burst), now_s))
        left = min(float(self._burst), left + (now_s - at_s) * self._per_s)
        self._left[who] = (left - 1 if left >= 1 else left, now_s)
        if len(self._left) > ADDRESSES_AT_MOST:
            self._left.popitem(last=False)
        if left < 1:
            wait_s = math.ceil((1 - left) / self._per_s)
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, f"Too much was asked at once from this address. Wait {wait_s} s and try again.", {"Retry-After": str(wait_s)})


@dataclass(frozen=True, slots=True)
class Limits:
    """What one address may ask of the page."""

    requests: Allowance = field(default_factory=lambda: Allowance(300, 30))
    """Of any kind: a page loads a dozen files, and a person presses once a second."""
    tries: Allowance = field(default_factory=lambda: Allowance(10, 10 / 60))
    """With a password or a code; each costs some hundred milliseconds of hashing on a Pi. What an account bears in wrong ones is counted beside this."""


def counted_as(address: str) -> str:
    """Return what requests of an address are counted by, where somebody may have many: the network of one that is IPv6 and not of a home, of an IPv4 address in IPv6 that one."""
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if any(parsed in network for network in _AT_HOME):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.IPv6Network((parsed, _IPV6_PREFIX), strict=False).network_address)
