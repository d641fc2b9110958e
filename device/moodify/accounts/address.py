"""E-mail addresses, in the one form in which they are compared and kept."""

from __future__ import annotations

import re
from typing import Final

from moodify.errors import AccountError

_LOCAL: Final = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
"""The dot-atom of RFC 5322, 3.2.3; quoted local parts are left out, as nobody has one."""
_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
"""RFC 1123, 2.1."""
_LOCAL_MAX: Final = 64
"""RFC 5321, 4.5.3.1.1."""
_ADDRESS_MAX: Final = 254
"""What fits into a path of RFC 5321, 4.5.3.1.3, without its angle brackets."""


def normalise(text: str) -> str:
    """Return an address in lower case, its domain in ASCII (IDNA), without spaces around it.

    The part before the @ is lowered as well: a mail server may tell ``Ada`` from ``ada``, but none in use does,
    and two accounts that differ only so would be one person's mistake.

    Raises:
        AccountError: it is no address that mail can be sent to; the message says what is wrong with it.
    """
    local, at, domain = text.strip().lower().rpartition("@")
    if not at or not local:
        raise AccountError("an e-mail address has a name, an @ and a domain; write it like ada@example.org")
    if len(local) > _LOCAL_MAX or not _LOCAL.fullmatch(local):
        raise AccountError(f"the part before the @ may be up to {_LOCAL_MAX} letters from a to z, digits and .!#$%&'*+/=?^_`{{|}}~- with no dot at its ends; correct it")
    try:
        domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        raise AccountError("the part after the @ is no domain; write it like example.org") from None
    labels = domain.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or not all(_LABEL.fullmatch(label) for label in labels):  # noqa: PLR2004 - a name and what it ends in
        raise AccountError("the part after the @ is no domain; write it like example.org")
    address = f"{local}@{domain}"
    if len(address) > _ADDRESS_MAX:
        raise AccountError(f"an e-mail address has at most {_ADDRESS_MAX} characters; give a shorter one")
    return address
