"""Whether a device's token is good: the signature by its own key, and what the token claims."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt

from moodify.cloud.keys import is_device_id
from moodify.hub.gate.refusals import Refusal, Refused

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

#: Longest token that is looked at, in bytes; a device's own has about 300.
TOKEN_AT_MOST = 2048
_ALGORITHM = "ES256"
# The year 5138.
_LATEST_S = 1e11
#: What a token must claim.
_REQUIRED = ["exp", "iat", "sub", "aud", "jti"]


@dataclass(frozen=True, slots=True)
class Claim:
    """Who somebody says to be; nothing of it is proved yet."""

    device: str
    kid: str
    token: str = field(repr=False)


def claim(password: bytes | None) -> Claim:
    """Return what a password claims, if it is a token that could be good.

    Raises:
        Refused: it is none.
    """
    if not password:
        raise Refused(Refusal.NO_TOKEN)
    if len(password) > TOKEN_AT_MOST:
        raise Refused(Refusal.UNREADABLE)
    try:
        token = password.decode("ascii")
        unverified = jwt.decode_complete(token, options={"verify_signature": False})
    # RecursionError: JSON may be nested deeper than Python's reader goes.
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise Refused(Refusal.UNREADABLE) from error
    header, device = unverified["header"], unverified["payload"].get("sub")
    known = device if isinstance(device, str) and is_device_id(device) else None
    # It goes by what the token says, so it only serves to say it well: the one algorithm is pinned where the signature is looked at.
    if header.get("alg") != _ALGORITHM:
        raise Refused(Refusal.UNSIGNED if str(header.get("alg")).lower() == "none" else Refusal.ALGORITHM, known)
    if known is None:
        raise Refused(Refusal.INCOMPLETE if device is None else Refusal.UNKNOWN_DEVICE)
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise Refused(Refusal.UNKNOWN_KEY, known)
    return Claim(known, kid, token)


def verify(claimed: Claim, key: EllipticCurvePublicKey, *, audience: str, leeway_s: float, token_max_s: float, now_s: float) -> float:
    """Check a token against one of its device's keys and return its end, in seconds since 1970, like ``now_s``.

    Times are compared with ``now_s``, so PyJWT, which would ask the system's clock, leaves them alone.

    Raises:
        Refused: it is not good.
    """
    options: Any = {"require": _REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
    try:
        claims = jwt.decode(claimed.token, key, algorithms=[_ALGORITHM], audience=audience, options=options)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise Refused(_why(error), claimed.device) from error
    # Both were read from the same bytes; that they agree is what everything rests on.
    if claims["sub"] != claimed.device:
        raise Refused(Refusal.INCOMPLETE, claimed.device)
    issued_s, ends_s = _seconds(claims["iat"]), _seconds(claims["exp"])
    starts_s = issued_s if "nbf" not in claims else _seconds(claims["nbf"])
    if issued_s is None or ends_s is None or starts_s is None:
        raise Refused(Refusal.INCOMPLETE, claimed.device)
    if max(issued_s, starts_s) > now_s + leeway_s:
        raise Refused(Refusal.NOT_YET, claimed.device)
    if ends_s - issued_s > token_max_s:
        raise Refused(Refusal.TOO_LONG, claimed.device)
    if ends_s <= now_s - leeway_s:
        raise Refused(Refusal.EXPIRED, claimed.device)
    return ends_s


def _seconds(value: object) -> float | None:
    # A NumericDate (RFC 7519, 2); JSON's true is no number, and Python's reader takes NaN, Infinity and integers of any size.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST_S:
        return None
    return float(value)


def _why(error: Exception) -> Refusal:
    match error:
        case jwt.InvalidSignatureError():
            return Refusal.SIGNATURE
        case jwt.InvalidAudienceError():
            return Refusal.AUDIENCE
        case jwt.MissingRequiredClaimError(claim="exp"):
            return Refusal.NO_EXPIRY
        case jwt.MissingRequiredClaimError():
            return Refusal.INCOMPLETE
        case jwt.InvalidAlgorithmError():
            return Refusal.ALGORITHM
        case _:
            return Refusal.UNREADABLE
