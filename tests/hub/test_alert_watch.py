"""When somebody is told: rules over what is known of a device, and the threads that judge and send."""

import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hub_parts import Unwell

from moodify.errors import PersonMustAct, RetryLater, StoreBusy
from moodify.hub.alerts.port import ChannelKind, What
from moodify.hub.alerts.rules import USUAL, Look, Rule, RuleKind, judge
from moodify.hub.alerts.sending import AGAIN, STALE, AlertSender
from moodify.hub.alerts.watch import AlertWatch
from moodify.hub.board import looks
from moodify.hub.cache import open_states
from moodify.hub.database import open_database
from summaries import NOW, enrolled, summary
from waiting import wait_until

MINUTE = timedelta(minutes=1)
HEALTHY = {"ok": True, "reasons": [], "disk_free_mb": 9000}


def look(*, online=True, last_seen=NOW, **states):
    return Look("Kitchen", online, last_seen, states)


def found(kind, one, *, limit=None, alerted=False, now=NOW):
    rule = USUAL[kind] if limit is None else Rule(kind, enabled=True, limit=limit)
    return judge(rule, one, now, alerted=alerted)


@pytest.mark.parametrize(
    ("kind", "one", "wrong"),
    [
        (RuleKind.OFFLINE, look(), False),
        (RuleKind.OFFLINE, look(online=False), True),
        (RuleKind.OFFLINE, look(online=None), None),
        (RuleKind.DEGRADED, look(), None),
        (RuleKind.DEGRADED, look(health=HEALTHY), False),
        (RuleKind.DEGRADED, look(health=HEALTHY | {"reasons": ["The processor is at 85 °C."]}), True),
        (RuleKind.DEGRADED, look(state={"camera": {"state": "degraded", "message": "unplugged"}}), True),
        (RuleKind.DEGRADED, look(state={"speaker": {"state": "broken", "message": "sign in"}}), True),
        (RuleKind.DEGRADED, look(state={"camera": {"state": "off", "message": "privacy"}}), False),
        (RuleKind.DEGRADED, look(online=False, state={"camera": {"state": "broken"}}), None),
        (RuleKind.DEGRADED, look(state={"camera": "broken", "speaker": None}), False),
        (RuleKind.SIGN_IN, look(health={}), None),
        (RuleKind.SIGN_IN, look(health={"spotify": {"ends": None, "ended": False}}), None),
        (RuleKind.SIGN_IN, look(health={"spotify": {"ends": "2026-04-30", "ended": False}}), False),
        (RuleKind.SIGN_IN, look(health={"spotify": {"ends": "2026-03-10", "ended": False}}), True),
        (RuleKind.SIGN_IN, look(health={"spotify": {"ends": "2026-02-10", "ended": False}}), True),
        (RuleKind.SIGN_IN, look(health={"spotify": {"ends": "2026-04-30", "ended": True}}), True),
        (RuleKind.SIGN_IN, look(health={"spotify": {"ends": "soon"}}), None),
        (RuleKind.DISK, look(health={}), None),
        (RuleKind.DISK, look(health=HEALTHY), False),
        (RuleKind.DISK, look(health={"disk_free_mb": 400}), True),
        (RuleKind.DISK, look(health={"disk_free_mb": "400"}), None),
    ],
)
def test_a_rule_says_whether_something_is_wrong_or_that_it_can_not_tell(kind, one, wrong):
    assert found(kind, one).wrong is wrong


def test_a_disk_is_well_again_only_with_some_room_to_spare():
    at_the_limit = look(health={"disk_free_mb": 520})
    assert found(RuleKind.DISK, at_the_limit).wrong is False
    assert found(RuleKind.DISK, at_the_limit, alerted=True).wrong is True


def test_the_words_say_what_is_wrong_and_what_to_do():
    words = found(RuleKind.DEGRADED, look(state={"camera": {"state": "degraded", "message": "The camera is unplugged.\r\nPlug it in."}})).words
    assert words == "Kitchen says: camera: The camera is unplugged. Plug it in."
    assert "tomorrow" in found(RuleKind.SIGN_IN, look(health={"spotify": {"ends": "2026-03-02"}})).words
    assert "Look whether it has power and network." in found(RuleKind.OFFLINE, look(online=False)).words


class Home:
    """A database, states and a clock, with a watch over them that is asked by hand."""

    def __init__(self, folder):
        self.database = open_database(folder / "hub.db")
        self.cache = open_states(None, 3600)
        self.states = Unwell(self.cache)
        self.connected = set()
        self.now = NOW
        self.told = 0
        self.device = enrolled(self.database, name="Kitchen")
        self.desk = self.database.alerts
        self.watch = self.new_watch()

    def new_watch(self, **options):
        def told():
            self.told += 1

        return AlertWatch(
            self.desk,
            lambda: looks(self.database.registry, self.database.back, self.states, lambda: frozenset(self.connected), lambda: self.now),
            told=told,
            clock=lambda: self.now,
            **options,
        )

    def say(self, name, **value):
        self.cache.put(self.device, name, value, self.now)

    def come(self):
        self.connected.add(self.device)
        self.say("status", state="online")

    def go(self):
        self.connected.discard(self.device)
        self.say("status", state="offline")

    def after(self, minutes, watch=None):
        """Let time pass, and look each minute; return the rules of which there is an alert."""
        for _ in range(minutes):
            self.now += MINUTE
            (watch or self.watch).look()
        return [alert.rule for alert in self.desk.open()]

    def close(self):
        self.watch.close()
        self.cache.close()
        self.database.close()


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path)
    yield home
    home.close()


def test_a_device_that_is_away_for_long_enough_is_told_of_once_and_its_return_once(home):
    home.come()
    assert home.after(5) == []
    home.go()
    assert home.after(10) == []
    assert home.after(1) == [RuleKind.OFFLINE]
    assert home.after(30) == [RuleKind.OFFLINE]
    assert home.told == 1
    home.come()
    assert home.after(1) == [RuleKind.OFFLINE]
    assert home.after(1) == []
    assert home.told == 2


def test_a_device_that_comes_and_goes_is_told_of_once(home):
    home.go()
    home.after(15)
    for _ in range(5):
        home.come()
        home.now += timedelta(seconds=30)
        home.watch.look()
        home.go()
        home.after(2)
    assert home.told == 1


def test_a_device_that_never_came_has_not_gone_away(home):
    assert home.after(60) == []


def test_a_hub_that_has_forgotten_the_states_knows_a_device_by_what_it_once_sent(home):
    home.database.intake.commit([summary(home.device, 1)], NOW)
    assert home.after(11) == [RuleKind.OFFLINE]


def test_a_restart_neither_repeats_an_alert_nor_forgets_it(home):
    home.go()
    assert home.after(11) == [RuleKind.OFFLINE]
    assert home.after(30, home.new_watch()) == [RuleKind.OFFLINE]
    assert home.told == 1
    home.come()
    assert home.after(2, home.new_watch()) == []
    assert home.told == 2


def test_while_the_cache_is_away_nothing_is_judged(home):
    home.go()
    assert home.after(11) == [RuleKind.OFFLINE]
    home.states.failure = RetryLater("the cache is away")
    with pytest.raises(RetryLater):
        home.after(1)
    assert len(home.desk.open()) == 1


def test_alerts_of_a_device_that_is_revoked_end_without_a_word(home):
    home.go()
    home.after(11)
    home.database.registry.revoke(home.device, home.now)
    assert home.after(1) == []
    assert home.told == 1


def test_each_rule_counts_for_itself(home):
    home.come()
    home.say("health", ok=False, reasons=["Only 90 MB are free."], disk_free_mb=90)
    assert home.after(1) == [RuleKind.DISK]
    assert home.after(10) == [RuleKind.DISK, RuleKind.DEGRADED]
    home.desk.set_rule(Rule(RuleKind.DISK, enabled=False, limit=500), home.now)
    assert home.after(1) == [RuleKind.DEGRADED]


def test_a_watch_that_runs_says_what_keeps_it_from_judging_and_goes_on(home):
    watch = home.new_watch(look_s=0.01, first_s=0.01)
    home.states.failure = RetryLater("the cache is away")
    watch.start()
    wait_until(lambda: watch.trouble == "the cache is away")
    home.states.failure = None
    wait_until(lambda: watch.trouble is None)
    watch.close()
    assert watch.trouble == "it does not run"


class Hands:
    """Carries, or fails with what it is told to fail with."""

    def __init__(self):
        self.carried = []
        self.failure = None

    def carry(self, delivery):
        if self.failure is not None:
            raise self.failure
        self.carried.append(delivery)


@pytest.fixture
def hands():
    return Hands()


@pytest.fixture
def sender(home, hands):
    home.desk.add_channel(ChannelKind.EMAIL, "ada@example.org", None, NOW)
    return AlertSender(home.desk, {ChannelKind.EMAIL: hands}, clock=lambda: home.now)


def test_what_can_not_be_sent_is_tried_again_a_few_times_and_then_given_up(home, hands, sender):
    home.desk.raise_alert(home.device, RuleKind.OFFLINE, "off", home.now)
    hands.failure = RetryLater("away")
    tries = 0
    for _ in range(24 * 12):
        tries += sender.send_one()
        home.now += 5 * MINUTE
    assert tries == len(AGAIN) + 1
    assert [channel.last_error for channel in home.desk.channels()] == ["away"]


def test_what_gets_there_at_last_is_sent_once(home, hands, sender):
    home.desk.raise_alert(home.device, RuleKind.OFFLINE, "off", home.now)
    hands.failure = PersonMustAct("the password is wrong")
    assert sender.send_one()
    hands.failure = None
    assert not sender.send_one()
    home.now += AGAIN[0]
    assert sender.send_one()
    assert not sender.send_one()
    assert [one.what for one in hands.carried] == [What.RAISED]
    assert [channel.last_error for channel in home.desk.channels()] == [None]


def test_a_receiver_that_never_comes_to_an_end_keeps_nobody_elses_alert(home, hands):
    ended = threading.Event()

    class Endless:
        def carry(self, _delivery):
            ended.wait()

    home.desk.add_channel(ChannelKind.WEBHOOK, "https://hooks.example/", "secret", NOW)
    home.desk.add_channel(ChannelKind.EMAIL, "ada@example.org", None, NOW)
    home.desk.raise_alert(home.device, RuleKind.OFFLINE, "off", home.now)
    sender = AlertSender(home.desk, {ChannelKind.EMAIL: hands, ChannelKind.WEBHOOK: Endless()}, clock=lambda: home.now, try_s=1.0)
    assert [sender.send_one() for _ in range(3)] == [True, True, False]
    ended.set()
    assert len(hands.carried) == 1
    home.now += AGAIN[0]
    assert home.desk.claim(home.now, MINUTE).tries == 1


def test_what_nobody_expected_is_put_off_like_any_failure(home, hands, sender):
    home.desk.raise_alert(home.device, RuleKind.OFFLINE, "off", home.now)
    hands.failure = ZeroDivisionError()
    assert sender.send_one()
    assert not sender.send_one()
    home.now += AGAIN[0]
    hands.failure = None
    assert sender.send_one()
    assert len(hands.carried) == 1


def test_a_test_is_tried_once(home, hands, sender):
    (channel,) = home.desk.channels()
    hands.failure = RetryLater("away")
    test = home.desk.test(channel.id, home.now)
    assert sender.send_one()
    assert home.desk.outcome(test) == (True, "away")


def test_what_is_no_news_any_more_is_not_sent(home, hands, sender):
    home.desk.raise_alert(home.device, RuleKind.OFFLINE, "off", home.now)
    home.now += STALE + MINUTE
    assert sender.send_one()
    assert not sender.send_one()
    assert not hands.carried


def test_a_sender_that_runs_sends_when_it_is_woken_and_outlives_a_database_that_is_away(home, hands):
    desk = Unwell(home.desk)
    sender = AlertSender(desk, {ChannelKind.EMAIL: hands}, look_s=0.01)
    sender.start()
    desk.failure = StoreBusy("locked")
    wait_until(lambda: sender.trouble == "locked")
    desk.failure = None
    channel = home.desk.add_channel(ChannelKind.EMAIL, f"{uuid.uuid4()}@example.org", None, NOW)
    test = home.desk.test(channel.id, datetime.now(UTC))
    sender.wake()
    wait_until(lambda: home.desk.outcome(test) == (True, None))
    # It says so once it has looked whether there is more to send.
    wait_until(lambda: sender.trouble is None)
    sender.close()
    assert not sender.alive
