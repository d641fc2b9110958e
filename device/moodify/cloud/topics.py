"""The topics of one device (``moodify/v1/<id>/…``)."""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "moodify/v1"


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
    def commands(self) -> str:
        """What the device subscribes to."""
        return f"{PREFIX}/{self.device}/down/cmd/#"

    def state(self, name: str) -> str:
        """Retained: ``now``, ``state``, ``health``."""
        return f"{PREFIX}/{self.device}/up/{name}"

    def answer(self, command_id: str) -> str:
        """Not retained: how a command ended."""
        return f"{PREFIX}/{self.device}/up/res/{command_id}"

    @staticmethod
    def device_of(topic: str) -> str:
        """Return whose topic it is."""
        return topic.removeprefix(f"{PREFIX}/").split("/", 1)[0]

    def command_name(self, topic: str) -> str:
        """Return the last part of a topic under :attr:`commands`."""
        return topic.removeprefix(self.commands.removesuffix("#"))
