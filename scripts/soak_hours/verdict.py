"""Whether anything grows, or slows down: from readings, by bounds that are stated."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from soak_hours.reading import Process, Reading

#: Readings lie close together and go alike; means of so many stretches of time are nearly independent of one another.
BLOCKS: Final = 12
#: What has grown stands where so many of them at the end have a tenth of it together at most; of what grows evenly they have a quarter.
STILL: Final = 3
#: Student's t at 97.5 % for 1 to 10 degrees of freedom.
_T: Final = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23)
_HOUR_S: Final = 3600.0
#: What everything that happened is written down in; each of its rows is an event, or the message that brought it.
HISTORY: Final = frozenset({"moodify.events", "hub.events", "hub.messages"})


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may grow, and how much."""

    mb_per_hour: float = 2.0
    """Anonymous memory of a process: its slope is wrong where even the lower end of its interval lies above this …"""
    mb: float = 2.0
    """… and it has grown by more than this, in MB, between the first and the last third; infinite where memory is not judged."""
    fds: int = 4
    """File descriptors: between the medians of the first and the last third."""
    threads: int = 2
    """Threads: likewise."""
    rows: int = 20
    """Rows of a table that is no history."""
    bytes_per_event: int = 2500
    """Of a database, beside what SQLite's log may take."""
    log_bytes: int = 6_000_000
    """SQLite writes its log back at 4 MB."""
    latency: float = 1.5
    """The median frame may take so many times as long in the last third as in the first, the machine's own mood taken out, …"""
    latency_ms: float = 20.0
    """… and where it takes more, by more than this."""
    silence_s: float = 45.0
    """The page's stream is never silent for longer: it gives a sign of life every ten seconds, and the machine may be busy."""


@dataclass(frozen=True, slots=True)
class Slope:
    """A straight line through values over time."""

    per_hour: float
    spread: float
    """Half of its 95 % interval."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the verdict."""

    what: str
    first: str
    """In the first third after the warm-up."""
    last: str
    """In the last third."""
    slope: str
    bound: str
    wrong: bool
    when: str = ""
    """Of what grows: when most of it came."""
    stands: bool = False
    """It grew, and stands since then."""

    @property
    def word(self) -> str:
        """Whether it grows, in a word."""
        return ("GREW" if self.stands else "GROWS") if self.wrong else "kept" if self.bound else ""


@dataclass(frozen=True, slots=True)
class Growth:
    """When most of what something grew by came."""

    begins_s: float
    ends_s: float
    """Since the first value."""
    stands: bool
    """From then on it stands."""

    @property
    def words(self) -> str:
        """Return it as part of a sentence."""
        return f"most of it from minute {self.begins_s / 60:.0f} to {self.ends_s / 60:.0f} after the warm-up; {'it stands since' if self.stands else 'it goes on'}"


def slope(at_s: Sequence[float], values: Sequence[float]) -> Slope:
    """Fit a line to the means of :data:`BLOCKS` stretches of time by least squares; at least three readings."""
    x, y = (list(each) for each in zip(*_blocks(at_s, values), strict=True))
    free = len(x) - 2
    if free < 1:
        return Slope(0.0, math.inf)
    mean_x, mean_y = statistics.fmean(x), statistics.fmean(y)
    width = sum((each - mean_x) ** 2 for each in x)
    per_s = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / width
    left = sum((b - mean_y - per_s * (a - mean_x)) ** 2 for a, b in zip(x, y, strict=True))
    return Slope(per_s * _HOUR_S, _T[min(free, len(_T)) - 1] * math.sqrt(left / free / width) * _HOUR_S)


def growth(at_s: Sequence[float], values: Sequence[float], share: float = 0.9) -> Growth | None:
    """Return the shortest stretch of time in which so much of the whole growth came, by the same means; None where nothing grew.

    What fills up and is full stands from then on, for :data:`STILL` stretches at least. What leaks goes on.
    """
    means = _blocks(at_s, values)
    if len(means) <= STILL:
        return None
    whole = means[-1][1] - means[0][1]
    if whole <= 0:
        return None
    enough = [(b[0] - a[0], a[0], b[0]) for number, a in enumerate(means) for b in means[number + 1 :] if b[1] - a[1] >= share * whole]
    _, begins_s, ends_s = min(enough)
    return Growth(begins_s - at_s[0], ends_s - at_s[0], stands=ends_s <= means[-STILL - 1][0])


def _blocks(at_s: Sequence[float], values: Sequence[float]) -> list[tuple[float, float]]:
    """Return the means of time and value of each of :data:`BLOCKS` stretches of time that has any."""
    begins_s, length_s = at_s[0], (at_s[-1] - at_s[0]) or 1.0
    blocks: dict[int, list[tuple[float, float]]] = {}
    for each_s, value in zip(at_s, values, strict=True):
        blocks.setdefault(min(int((each_s - begins_s) / length_s * BLOCKS), BLOCKS - 1), []).append((each_s, value))
    return [(statistics.fmean(each_s for each_s, _ in block), statistics.fmean(value for _, value in block)) for block in blocks.values()]


def thirds(readings: Sequence[Reading]) -> tuple[Sequence[Reading], Sequence[Reading]]:
    """Return the first and the last third of readings by time."""
    begins_s, ends_s = readings[0].at_s, readings[-1].at_s
    third_s = (ends_s - begins_s) / 3
    return [each for each in readings if each.at_s <= begins_s + third_s], [each for each in readings if each.at_s >= ends_s - third_s]


def judge(readings: Sequence[Reading], frames: Sequence[tuple[float, float]], events: int, bounds: Bounds) -> list[Finding]:
    """Return the verdict on readings after the warm-up.

    Args:
        readings: in the order of time, at least six.
        frames: when each was taken, and when it was decided what follows, in monotonic seconds.
        events: how many were recorded while the readings were made.
        bounds: what may grow.
    """
    found = [finding for role in readings[-1].processes for finding in _process(role, readings, bounds)]
    found += _tables(readings, events, bounds)
    found += _databases(readings, events, bounds)
    found += _latency(readings, frames, bounds)
    return found


def _process(role: str, readings: Sequence[Reading], bounds: Bounds) -> Iterable[Finding]:
    there = [each for each in readings if role in each.processes]
    if len(there) < BLOCKS // 2:
        return
    first, last = thirds(there)

    def median(part: Sequence[Reading], of: Callable[[Process], float]) -> float:
        return statistics.median(of(each.processes[role]) for each in part)

    for name, of in _MEMORY:
        at_s, values = [each.at_s for each in there], [of(each.processes[role]) for each in there]
        line, before, after = slope(at_s, values), median(first, of), median(last, of)
        # Pages of files come and go as the kernel likes; what is a process's own is what counts.
        own = name == "RssAnon"
        wrong = own and line.per_hour - line.spread > bounds.mb_per_hour and after - before > bounds.mb
        bound = f"≤ {bounds.mb_per_hour:g} MB/h, or +{bounds.mb:g} MB" if own and bounds.mb < math.inf else ""
        finding = Finding(f"{role}: {name}", f"{before:.1f} MB", f"{after:.1f} MB", f"{line.per_hour:+.1f} ± {line.spread:.1f} MB/h", bound, wrong)
        when = growth(at_s, values) if wrong else None
        yield finding if when is None else replace(finding, when=when.words, stands=when.stands)
    threads, more_threads = median(first, _threads), median(last, _threads)
    yield Finding(f"{role}: threads", f"{threads:g}", f"{more_threads:g}", "", f"≤ +{bounds.threads}", more_threads - threads > bounds.threads)
    if all(each.processes[role].fds is not None for each in there):
        fds, more_fds = median(first, _fds), median(last, _fds)
        yield Finding(f"{role}: file descriptors", f"{fds:g}", f"{more_fds:g}", "", f"≤ +{bounds.fds}", more_fds - fds > bounds.fds)
    spent_s = there[-1].processes[role].cpu_s - there[0].processes[role].cpu_s
    share = [_share(part, role) for part in (first, last)]
    yield Finding(f"{role}: CPU, share of one core", f"{share[0]:.1%}", f"{share[1]:.1%}", f"{spent_s:.1f} s in all", "", wrong=False)


def _threads(process: Process) -> float:
    return float(process.threads)


def _fds(process: Process) -> float:
    return float(process.fds or 0)


def _anonymous(process: Process) -> float:
    return process.rss_anon_mb


def _resident(process: Process) -> float:
    return process.rss_mb


_MEMORY: Final = (("RssAnon", _anonymous), ("RSS", _resident))


def _share(part: Sequence[Reading], role: str) -> float:
    took_s = part[-1].at_s - part[0].at_s
    return (part[-1].processes[role].cpu_s - part[0].processes[role].cpu_s) / took_s if took_s else 0.0


def _tables(readings: Sequence[Reading], events: int, bounds: Bounds) -> Iterable[Finding]:
    first, last = thirds([each for each in readings if each.rows] or readings)
    still: list[tuple[float, float]] = []
    for table in sorted(set(last[-1].rows)):
        before, after = (statistics.median(each.rows.get(table, 0) for each in part) for part in (first, last))
        if table in HISTORY:
            grown = last[-1].rows[table] - first[0].rows.get(table, 0)
            # Those that were under way when the first reading was made.
            bound, wrong = f"≤ +{events}, the events", grown > events + bounds.rows
        else:
            bound, wrong = f"≤ +{bounds.rows}", after - before > bounds.rows
        if table in HISTORY or wrong:
            yield Finding(f"rows of {table}", f"{before:g}", f"{after:g}", "", bound, wrong)
        else:
            still.append((before, after))
    if still:
        before, after = map(sum, zip(*still, strict=True))
        yield Finding(f"rows of the {len(still)} other tables", f"{before:g}", f"{after:g}", "", f"≤ +{bounds.rows} each", wrong=False)


def _databases(readings: Sequence[Reading], events: int, bounds: Bounds) -> Iterable[Finding]:
    for name in readings[-1].bytes:
        before, after = readings[0].bytes.get(name, 0), readings[-1].bytes[name]
        allowed = events * bounds.bytes_per_event + bounds.log_bytes
        words = f"≤ +{allowed / 1e6:.1f} MB"
        yield Finding(f"bytes of {name}.db with its log", f"{before / 1e6:.2f} MB", f"{after / 1e6:.2f} MB", "", words, after - before > allowed)


def _latency(readings: Sequence[Reading], frames: Sequence[tuple[float, float]], bounds: Bounds) -> Iterable[Finding]:
    first, last = thirds(readings)
    parts = [[(done_s - taken_s) * 1e3 for taken_s, done_s in frames if part[0].at_s <= taken_s <= part[-1].at_s] for part in (first, last)]
    few = 10
    if min(map(len, parts)) < few:
        yield Finding("frames that were seen through", str(len(parts[0])), str(len(parts[1])), "", f"≥ {few}", wrong=True)
        return
    moods = [statistics.median(each.probe_ms for each in part) for part in (first, last)]
    median = [statistics.median(part) for part in parts]
    slower = median[1] / median[0] / max(1.0, moods[1] / moods[0])
    drifts = slower > bounds.latency and median[1] - median[0] > bounds.latency_ms
    yield Finding("frame, taken to decided: p50", f"{median[0]:.1f} ms", f"{median[1]:.1f} ms", f"× {slower:.2f}", f"≤ × {bounds.latency:g}", drifts)
    late = [quantile(part, 0.99) for part in parts]
    yield Finding("frame, taken to decided: p99", f"{late[0]:.1f} ms", f"{late[1]:.1f} ms", "", "", wrong=False)
    rates = [len(each) / max(part[-1].at_s - part[0].at_s, 1e-9) for each, part in zip(parts, (first, last), strict=True)]
    yield Finding("frames a second", f"{rates[0]:.2f}", f"{rates[1]:.2f}", "", "", wrong=False)
    yield Finding("the machine: a little work", f"{moods[0]:.1f} ms", f"{moods[1]:.1f} ms", "", "", wrong=False)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of them lies."""
    ordered = sorted(values)
    return ordered[min(math.ceil(share * len(ordered)), len(ordered)) - 1]
