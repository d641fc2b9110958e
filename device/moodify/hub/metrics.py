"""What a hub counts, for Prometheus.

Each hub has a registry of its own, so that two in one process count apart. No label names a device: a fleet would make as many series.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from prometheus_client.core import Metric

#: Of the text that :meth:`Metrics.exposition` returns.
CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
#: Upper bounds in seconds: an fsync of an SSD takes one millisecond, of an SD card a hundred.
_COMMIT_S: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
#: How :attr:`moodify.hub.gate.server.Gate.counters` names refusals, and what is no counter but a level.
_REFUSED: Final = "refused_"
_OPEN: Final = "open"


class Metrics:
    """The hub's counters. Each may be moved by any thread."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.messages = Counter("moodify_hub_messages", "Messages of devices, by topic and by what became of them.", ["topic", "outcome"], registry=registry)
        self.events = Counter("moodify_hub_events_committed", "Events that were stored.", registry=registry)
        self.repeats = Counter("moodify_hub_repeats_absorbed", "Summaries that came again and had been stored before.", registry=registry)
        self.commit_s = Histogram("moodify_hub_commit_seconds", "How long the transaction of a batch took.", buckets=_COMMIT_S, registry=registry)
        self.commits_failed = Counter("moodify_hub_commits_failed", "Transactions that stored nothing and were tried again.", registry=registry)
        self.backlog = Gauge("moodify_hub_backlog_messages", "Messages that a collector holds and has not yet acknowledged.", registry=registry)
        self.commands = Counter("moodify_hub_commands", "Commands, by the states that they came into here.", ["state"], registry=registry)
        self.waiting = Gauge("moodify_hub_commands_waiting", "Commands that were waiting for an answer when they were last looked at.", registry=registry)
        self.offers = Counter("moodify_hub_command_offers", "Times that a command was offered to a device.", registry=registry)
        self.requests = Counter("moodify_hub_api_requests", "Requests to the API.", ["method", "route", "status"], registry=registry)

    def watch_gate(self, connected: Callable[[], Collection[str]], counters: Callable[[], Mapping[str, int]]) -> None:
        """Tell of the gate too, asked at each scrape: who is connected, whom it refused and why, and what else it counted."""
        self._registry.register(_Gate(connected, counters))

    def stored(self) -> tuple[int, int]:
        """Return how many events were stored, and how many repeats absorbed."""
        events, repeats = (self._registry.get_sample_value(f"moodify_hub_{name}_total") for name in ("events_committed", "repeats_absorbed"))
        return int(events or 0), int(repeats or 0)

    def exposition(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)


class _Gate:
    def __init__(self, connected: Callable[[], Collection[str]], counters: Callable[[], Mapping[str, int]]) -> None:
        self._connected = connected
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("moodify_hub_connections", "Devices that are connected to the gate.", value=len(self._connected()))
        refused = CounterMetricFamily("moodify_hub_sign_ins_refused", "Sign-ins that the gate refused, by reason.", labels=["reason"])
        did = CounterMetricFamily("moodify_hub_gate", "What else the gate counted.", labels=["what"])
        for what, count in sorted(self._counters().items()):
            if what.startswith(_REFUSED):
                refused.add_metric([what.removeprefix(_REFUSED)], count)
            elif what != _OPEN:
                did.add_metric([what], count)
        yield refused
        yield did
