"""What a device has to prove: that it has the second key that it offers, and that the key that it has now agrees; that it is itself which wants to be forgotten."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import jwt

from moodify.cloud.erasure import PROOF_LIFETIME, SCOPE
from moodify.cloud.identity import TOKEN_LIFETIME
from moodify.cloud.keys import kid_of, pem_of, read_public
from moodify.cloud.rotation import CONSENT_LIFETIME
from moodify.errors import EnrolmentRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    from moodify.hub.port import Device
    from moodify.hub.reading import Erasure, KeyOffer

_CLAIMS: Final = ["exp", "iat", "sub", "aud"]
_ROTATE: Final = "run moodify device rotate again on the device"
_ERASE: Final = "erase the device on the hub"


def proven_key(device: Device, offer: KeyOffer, *, audience: str, leeway_s: float) -> str:
    """Return the offered public key as PEM.

    Its proof is a fresh token of this device, signed with that very key. Its consent is one that a key which the hub knows has signed, and which names
    the new one (``cnf``, RFC 7800): a token alone, which may have been stolen, makes nobody the device for good.

    Raises:
        EnrolmentRefused: it is not; the text says why, and holds nothing of the tokens.
    """
    key = read_public(offer.public_key)
    kid = kid_of(key)
    if kid != offer.kid:
        raise EnrolmentRefused("the key's thumbprint is another than its kid; run moodify device rotate again on the device")
    if _kid(offer.proof) != kid:
        raise EnrolmentRefused("the proof names another key; run moodify device rotate again on the device")
    _check("proof", offer.proof, key, device.id, audience, leeway_s, TOKEN_LIFETIME)
    signer = _signer(offer.consent, device)
    if signer is None:
        raise EnrolmentRefused("no key that is known of the device agrees; update Moodify on the device, and run moodify device rotate again on it")
    claims = _check("consent", offer.consent, signer, device.id, audience, leeway_s, CONSENT_LIFETIME)
    match claims.get("cnf"):
        case {"jkt": str(named)} if named == kid:
            return pem_of(key)
    raise EnrolmentRefused("the consent is to another key; run moodify device rotate again on the device")


def check_erasure(device: Device, erasure: Erasure, *, audience: str, leeway_s: float) -> None:
    """Return where a device's own key has asked, now and for this alone, that the device be forgotten: a token to sign in with, which may have been stolen, does not.

    Raises:
        EnrolmentRefused: it has not; the text says why, and holds nothing of the proof.
    """
    signer = _signer(erasure.proof, device)
    if signer is None:
        raise EnrolmentRefused(f"no key that is known of the device has signed the proof; {_ERASE}")
    claims = _check("proof", erasure.proof, signer, device.id, audience, leeway_s, PROOF_LIFETIME, then=_ERASE)
    if claims.get("scope") != SCOPE:
        raise EnrolmentRefused(f"the proof is one of something else; {_ERASE}")


def _signer(token: str, device: Device) -> EllipticCurvePublicKey | None:
    kid = _kid(token)
    return next((read_public(one.public_key) for one in device.keys if one.kid == kid), None)


def _kid(token: str) -> str | None:
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except (jwt.InvalidTokenError, RecursionError):
        return None
    return kid if isinstance(kid, str) else None


def _check(what: str, token: str, key: EllipticCurvePublicKey, device: str, audience: str, leeway_s: float, lifetime: timedelta, then: str = _ROTATE) -> Mapping[str, Any]:
    try:
        claims: Mapping[str, Any] = jwt.decode(token, key, algorithms=["ES256"], audience=audience, leeway=leeway_s, options={"require": _CLAIMS})
    # PyJWT lets the last two pass: numbers without end, and brackets without end.
    except (jwt.InvalidTokenError, OverflowError, RecursionError) as error:
        raise EnrolmentRefused(f"the {what} does not hold ({_why(error)}); check the device's clock, and {then}") from error
    if claims["sub"] != device:
        raise EnrolmentRefused(f"the {what} is another device's; {then}")
    if int(claims["exp"]) - int(claims["iat"]) > lifetime.total_seconds():
        raise EnrolmentRefused(f"the {what} is good for too long; update Moodify on the device")
    return claims


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
