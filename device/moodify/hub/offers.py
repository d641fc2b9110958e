"""Whether a device that offers a second key has it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import jwt

from moodify.cloud.identity import TOKEN_LIFETIME
from moodify.cloud.keys import kid_of, pem_of, read_public
from moodify.errors import EnrolmentRefused

if TYPE_CHECKING:
    from moodify.hub.collector import KeyOffer

_CLAIMS: Final = ["exp", "iat", "sub", "aud"]


def proven_key(device: str, offer: KeyOffer, *, audience: str, leeway_s: float) -> str:
    """Return the offered public key as PEM: its proof is a fresh token of this device, signed with that very key.

    Raises:
        EnrolmentRefused: it is not; the text says why, and holds nothing of the proof.
    """
    key = read_public(offer.public_key)
    kid = kid_of(key)
    if kid != offer.kid:
        raise EnrolmentRefused("the key's thumbprint is another than its kid; run moodify device rotate again on the device")
    try:
        if jwt.get_unverified_header(offer.proof).get("kid") != kid:
            raise EnrolmentRefused("the proof names another key; run moodify device rotate again on the device")
        claims = jwt.decode(offer.proof, key, algorithms=["ES256"], audience=audience, leeway=leeway_s, options={"require": _CLAIMS})
    # PyJWT lets the last two pass: numbers without end, and brackets without end.
    except (jwt.InvalidTokenError, OverflowError, RecursionError) as error:
        raise EnrolmentRefused(f"the proof does not hold ({_why(error)}); check the device's clock, and run moodify device rotate again on it") from error
    if claims["sub"] != device:
        raise EnrolmentRefused("the proof is another device's; run moodify device rotate again on the device")
    if int(claims["exp"]) - int(claims["iat"]) > TOKEN_LIFETIME.total_seconds():
        raise EnrolmentRefused("the proof is good for too long; update Moodify on the device")
    return pem_of(key)


def _why(error: Exception) -> str:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    match error:
        case jwt.ExpiredSignatureError():
            return f"it has expired; here it is {now}"
        case jwt.ImmatureSignatureError():
            return f"it is from the future; here it is {now}"
        case jwt.InvalidAudienceError():
            return "it is for another audience"
        case jwt.InvalidSignatureError() | jwt.InvalidAlgorithmError():
            return "it is not signed with that key"
    return "it is no token with exp, iat, sub and aud"
