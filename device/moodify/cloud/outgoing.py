"""What waits to be said beside the outbox: the newest states, and answers until the broker has them."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moodify.cloud.commands import CommandDesk

#: Answers that wait for a connection; beyond it the oldest is dropped: whoever asked has given up.
ANSWERS_AT_MOST = 100


class Outgoing:
    """Outlives the connections. Belongs to the link's thread."""

    def __init__(self, desk: CommandDesk) -> None:
        """Take who remembers answers."""
        self._desk = desk
        self._states: dict[str, bytes] = {}
        self._dirty: dict[str, None] = {}
        self._said: deque[tuple[str, Mapping[str, Any]]] = deque()
        self.answers: deque[tuple[str, bytes]] = deque(maxlen=ANSWERS_AT_MOST)
        """Command ids and what to say, oldest first."""

    def put_state(self, name: str, payload: bytes) -> None:
        """Keep a state. The broker may write each to its disk: what has not changed is not sent again."""
        if self._states.get(name) != payload:
            self._states[name] = payload
            self._dirty[name] = None

    def put_answer(self, command_id: str, body: Mapping[str, Any]) -> None:
        """Keep the answer to a command that was carried out, until :meth:`settle`."""
        self._said.append((command_id, body))

    def settle(self) -> None:
        """Remember the answers, whether there is a connection or not; from then on they may be sent.

        Raises:
            StoreBusy, StoreError: from the memory; the rest is settled the next time.
        """
        while self._said:
            command_id, body = self._said[0]
            self._desk.answered(command_id, body)
            self._said.popleft()
            self.answers.append((command_id, as_json(body)))

    def all_states(self) -> None:
        """Send all states again: the connection is new."""
        self._dirty = dict.fromkeys(self._states)

    def next_state(self) -> tuple[str, bytes] | None:
        """Return name and value of a state that is to be sent, each once; None where there is none."""
        if not self._dirty:
            return None
        name = next(iter(self._dirty))
        del self._dirty[name]
        return name, self._states[name]


def as_json(value: Mapping[str, Any]) -> bytes:
    """Return a value as it is sent.

    Raises:
        ValueError, TypeError: it holds what JSON has no word for.
    """
    # Half a surrogate pair, which an answer may repeat from a command, has no UTF-8; its escape is good JSON.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "backslashreplace")
