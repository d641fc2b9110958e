"""Why somebody is not let in, or not any longer, and what is answered."""

from __future__ import annotations

from enum import Enum

from moodify.hub.gate.answers import Reason


class Refusal(Enum):
    """A reason: what stands in the log, and the code of the answer.

    A device takes :attr:`Reason.NOT_AUTHORIZED`, :attr:`Reason.BAD_PASSWORD` and their like for something that a person must mend,
    and tries again by itself after any other.
    """

    EXPIRED = "its token has expired; if it is new, the device's clock or this hub's is wrong", Reason.NOT_AUTHORIZED
    NOT_YET = "its token is from the future; the device's clock or this hub's is wrong", Reason.NOT_AUTHORIZED
    AUDIENCE = "its token is for another audience; link.audience on the device must be the hub's audience", Reason.NOT_AUTHORIZED
    SIGNATURE = "its token is not signed with the key that it names", Reason.NOT_AUTHORIZED
    ALGORITHM = "its token is signed in another way than ES256", Reason.NOT_AUTHORIZED
    UNSIGNED = "its token is not signed at all", Reason.NOT_AUTHORIZED
    NO_EXPIRY = "its token has no end", Reason.NOT_AUTHORIZED
    INCOMPLETE = "its token lacks a claim", Reason.NOT_AUTHORIZED
    TOO_LONG = "its token is good for longer than the hub allows", Reason.NOT_AUTHORIZED
    UNREADABLE = "its password is no token", Reason.BAD_PASSWORD
    NO_TOKEN = "it came without a token", Reason.BAD_PASSWORD
    METHOD = "it asked for another method of signing in", Reason.BAD_METHOD
    UNKNOWN_DEVICE = "it is not enrolled here; run: moodify hub enroll, with the line that moodify device enroll prints on it", Reason.NOT_AUTHORIZED
    UNKNOWN_KEY = "its token names a key that was not enrolled", Reason.NOT_AUTHORIZED
    REVOKED = "it was revoked; to take it in again run: moodify hub enroll", Reason.NOT_AUTHORIZED
    FOREIGN_WILL = "its last will is for a topic that is none of its states", Reason.NOT_AUTHORIZED
    FOREIGN_TOPIC = "it asked to read a topic that is not its own", Reason.NOT_AUTHORIZED
    RETAINED = "it asked to have something retained that is none of its states", Reason.NOT_AUTHORIZED
    TOO_MANY_ATTEMPTS = "it was refused too often to be told why again; a good token comes in all the same", Reason.CONNECTION_RATE
    UNAVAILABLE = "the hub's database or broker is away", Reason.UNAVAILABLE
    BY_BROKER = "mosquitto does not take it; run/mosquitto.log in the hub's folder may say why", Reason.UNAVAILABLE
    FULL = "the hub holds as many connections as it may", Reason.BUSY
    MALFORMED = "it sent something else than MQTT 5", Reason.MALFORMED
    PROTOCOL = "it sent a packet that has no place there", Reason.PROTOCOL_ERROR
    TOO_LARGE = "it sent a packet that is too large", Reason.TOO_LARGE
    VERSION = "it speaks another version of MQTT than 5", Reason.UNSUPPORTED_VERSION
    LATE = "it did not sign in within the time for it", Reason.MALFORMED

    def __init__(self, words: str, code: Reason) -> None:
        """Take what stands in the log and the code of the answer."""
        self.words = words
        self.code = code

    @property
    def counter(self) -> str:
        """What it is counted as."""
        return f"refused_{self.name.lower()}"


class Refused(Exception):
    """Somebody is not let in. It never leaves the gate."""

    def __init__(self, refusal: Refusal, device: str | None = None) -> None:
        """Take the reason and who it claims to be, if that is a device's id."""
        self.refusal = refusal
        self.device = device
        super().__init__(refusal.words)
