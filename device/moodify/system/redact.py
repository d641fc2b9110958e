"""The second line of defence against secrets in a log: what looks like one is masked."""

from __future__ import annotations

import logging
import re

MASK = "********"

_SECRETS = (
    # A private key, however it is wrapped.
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), MASK),
    # A JSON Web Token (RFC 7519): three base64url parts, the first beginning with {" in base64.
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*"), MASK),
    # Authorization headers (RFC 6750, RFC 7617).
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {MASK}"),
    # User and password in a URL.
    (re.compile(r"(?<=://)([^\s:/@]+):[^\s/@]+(?=@)"), rf"\1:{MASK}"),
    # name=value, name: value, "name": "value", 'name': SecretValue.
    (
        re.compile(
            r"""(?ix) ((?<![\w-]) ["']? [\w-]*? (?:password|passwd|passphrase|secret|token|api[_-]?key|code_verifier|private[_-]?key) ["']? \s* [:=] \s*)
            (?: "[^"]*" | '[^']*' | (?!(?:bearer|basic)\b) [^\s,;&}"')]+ )"""
        ),
        rf"\1{MASK}",
    ),
    # The code of an OAuth redirect.
    (re.compile(r"(?i)([?&]code=)[^&\s\"']+"), rf"\1{MASK}"),
)


def redact(text: str) -> str:
    """Return the text with everything that looks like a token, key or password masked."""
    for pattern, mask in _SECRETS:
        text = pattern.sub(mask, text)
    return text


class RedactingFilter(logging.Filter):
    """Masks secrets in a record: its message, and its traceback.

    It stands on the handler, not on a logger, so that what third parties log passes it too.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; always let it pass."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            # The handler reports a format that does not fit its arguments, better than this could.
            return True
        record.msg = redact(message)
        record.args = None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = redact(record.exc_text or logging.Formatter().formatException(record.exc_info))
            # Handlers of their own kind (rich, the journal) would format it anew, unmasked.
            record.exc_info = None
            record.msg = f"{record.msg}\n{record.exc_text}"
            record.exc_text = None
        return True
