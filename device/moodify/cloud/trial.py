"""Whether a broker lets this device in: a sign-in as the link's, for a moment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from moodify.cloud.mqtt import Connected, Connection, Lost, Refused
from moodify.errors import LinkDown, LinkRefused

if TYPE_CHECKING:
    from datetime import datetime

    from moodify.cloud.port import Target


def sign_in(target: Target, device: str, now: datetime, *, timeout_s: float = 10.0) -> None:
    """Sign in as a device and leave again; whoever is connected as it is cut, so ask only while its link does not run.

    What waits for the device at the broker goes on waiting.

    Args:
        target: the broker.
        device: the device's id.
        now: UTC.
        timeout_s: longest wait for an answer.

    Raises:
        LinkDown: the broker can't be reached, is busy, or does not answer in time.
        LinkRefused: it does not let this device in, or its certificate is another.
        PersonMustAct: the password can't be had.
    """
    # Acknowledged by hand, which is to say never.
    connection = Connection(target.endpoint, target.passwords.credentials(now), client_id=device, manual_ack=True)
    until_s = time.monotonic() + timeout_s
    try:
        while (left_s := until_s - time.monotonic()) > 0:
            for signal in connection.step(left_s):
                match signal:
                    case Connected():
                        return
                    case Refused(reason=reason) if signal.needs_person:
                        raise LinkRefused(target.shut_out or f"the broker refuses this device: {reason.lower()}")
                    case Refused(reason=reason):
                        raise LinkDown(f"the broker takes nobody in now: {reason.lower()}")
                    case Lost(reason):
                        raise LinkDown(f"the broker ended the connection: {reason}")
        raise LinkDown(f"the broker gave no answer to a sign-in in {timeout_s:g} s")
    finally:
        connection.close()
