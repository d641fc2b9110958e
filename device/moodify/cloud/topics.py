"""The topics of one device (``moodify/v1/<id>/…``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PREFIX = "moodify/v1"
#: What a device publishes as retained, each below ``up/``, and how large it may be, in bytes: a hub's broker keeps it in memory for each device.
STATES: Final = ("status", "now", "state", "health", "skin")
STATE_BYTES: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Topics:
    """Names where a device speaks (``up``) and where it is spoken to (``down``)."""

    device: str

    @property
    def status(self) -> str:
        """Retained: birth, last will and farewell."""
        return f"{PREFIX}/{self.device}/up/status"

    @property
    def events(self) -> str:
        """QoS 1, not retained: outbox messages."""
        return f"{PREFIX}/{self.device}/up/ev"

    @property
    def key(self) -> str:
        """QoS 1, not retained: the key that the device changes to."""
        return f"{PREFIX}/{self.device}/up/key"

    @property
    def acks(self) -> str:
        """Which outbox messages a hub has committed."""
        return f"{PREFIX}/{self.device}/down/ack"

    @property
    def key_answers(self) -> str:
        """What a hub says to :attr:`key`."""
        return f"{PREFIX}/{self.device}/down/key"

    @property
    def erase(self) -> str:
        """QoS 1, not retained: the request to forget this device."""
        return f"{PREFIX}/{self.device}/up/erase"

    @property
    def erase_answers(self) -> str:
        """What a hub says to :attr:`erase`."""
        return f"{PREFIX}/{self.device}/down/erase"

    @property
    def commands(self) -> str:
        """All commands."""
        return f"{PREFIX}/{self.device}/down/cmd/#"

    def state(self, name: str) -> str:
        """Retained: one of :data:`STATES`."""
        return f"{PREFIX}/{self.device}/up/{name}"

    def answer(self, command_id: str) -> str:
        """Not retained: how a command ended."""
        return f"{PREFIX}/{self.device}/up/res/{command_id}"

    def command(self, name: str) -> str:
        """QoS 1, never retained: one command."""
        return f"{PREFIX}/{self.device}/down/cmd/{name}"

    @staticmethod
    def device_of(topic: str) -> str:
        """Return whose topic it is."""
        return topic.removeprefix(f"{PREFIX}/").split("/", 1)[0]

    def command_name(self, topic: str) -> str | None:
        """Return the last part of a topic under :attr:`commands`; None for another topic."""
        start = self.commands.removesuffix("#")
        return topic.removeprefix(start) if topic.startswith(start) else None
