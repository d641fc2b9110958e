"""What is kept of alerts, on SQLite and on PostgreSQL; and that several hubs tell each once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import pytest

from moodify.errors import CannotWork
from moodify.hub.alerts.port import ChannelKind, What
from moodify.hub.alerts.rules import USUAL, Rule, RuleKind
from moodify.hub.database import open_database
from moodify.hub.database.alerts import CHANNELS_AT_MOST
from summaries import DAY, NOW, enrolled

LEASE = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
OFFLINE = RuleKind.OFFLINE


@pytest.fixture
def hubs(database_target):
    """Two hubs on one database."""
    with ExitStack() as stack:
        yield [stack.enter_context(open_database(database_target)) for _ in range(2)]


@pytest.fixture
def desk(database):
    return database.alerts


@pytest.fixture
def device(database):
    return enrolled(database, name="Kitchen")


@pytest.fixture
def ada(desk):
    return desk.add_channel(ChannelKind.EMAIL, "ada@example.org", None, NOW)


def claims(desk, now=NOW):
    """Claim everything that is due; return (what, id, tries)."""
    found = []
    while (one := desk.claim(now, LEASE)) is not None:
        found.append(one)
    return found


def test_the_usual_rules_hold_until_an_owner_sets_others(desk):
    assert desk.rules() == USUAL
    rule = Rule(RuleKind.DISK, enabled=False, limit=900)
    desk.set_rule(rule, NOW)
    desk.set_rule(rule, NOW)
    assert desk.rules() == USUAL | {RuleKind.DISK: rule}


def test_an_alert_is_told_once_and_its_end_once(desk, device, ada):
    assert desk.raise_alert(device, OFFLINE, "Kitchen is offline.", NOW)
    assert not desk.raise_alert(device, OFFLINE, "Kitchen is offline.", NOW + MINUTE)
    (alert,) = desk.open()
    assert (alert.device, alert.name, alert.words, alert.raised) == (device, "Kitchen", "Kitchen is offline.", NOW)
    (raised,) = claims(desk)
    assert (raised.what, raised.channel.target, raised.alert) == (What.RAISED, "ada@example.org", alert)
    desk.sent(raised.id, NOW)
    assert desk.clear(device, OFFLINE, "It is back.", NOW + MINUTE)
    assert not desk.clear(device, OFFLINE, "It is back.", NOW + MINUTE)
    (cleared,) = claims(desk, NOW + MINUTE)
    assert (cleared.what, cleared.alert.cleared_words) == (What.CLEARED, "It is back.")
    assert not desk.open()
    assert [one.n for one in desk.recent(10)] == [alert.n]


def test_the_same_can_go_wrong_again(desk, device, ada):
    for day in range(3):
        assert desk.raise_alert(device, OFFLINE, "off", NOW + day * DAY)
        assert desk.clear(device, OFFLINE, "on", NOW + day * DAY + MINUTE)
    assert [message.what for message in claims(desk, NOW + 3 * DAY)] == [What.RAISED] * 3
    assert len(desk.recent(10)) == 3


def test_several_hubs_raise_and_clear_and_send_each_once(hubs):
    devices = [enrolled(hubs[0]) for _ in range(5)]
    for name in ("ada", "grace"):
        hubs[0].alerts.add_channel(ChannelKind.EMAIL, f"{name}@example.org", None, NOW)

    def judge(number):
        desk = hubs[number % 2].alerts
        raised = sum(desk.raise_alert(device, OFFLINE, "off", NOW) for device in devices)
        claimed = claims(desk)
        for message in claimed:
            desk.sent(message.id, NOW)
        return raised, [message.id for message in claimed]

    with ThreadPoolExecutor(6) as threads:
        done = list(threads.map(judge, range(6)))
    sent = [one for _, ids in done for one in ids] + [one.id for one in claims(hubs[0].alerts)]
    assert sum(raised for raised, _ in done) == 5
    assert len(sent) == len(set(sent)) == 10
    with ThreadPoolExecutor(6) as threads:
        cleared = list(threads.map(lambda number: sum(hubs[number % 2].alerts.clear(device, OFFLINE, "on", NOW) for device in devices), range(6)))
    assert sum(cleared) == 5


def test_a_message_belongs_to_who_claimed_it_until_the_lease_is_over(hubs):
    hubs[0].alerts.add_channel(ChannelKind.EMAIL, "ada@example.org", None, NOW)
    hubs[0].alerts.raise_alert(enrolled(hubs[0]), OFFLINE, "off", NOW)
    first = hubs[0].alerts.claim(NOW, LEASE)
    assert hubs[1].alerts.claim(NOW + LEASE - MINUTE, LEASE) is None
    # The first hub died: the message has the same id when it is sent by another.
    assert hubs[1].alerts.claim(NOW + LEASE, LEASE).id == first.id


def test_what_was_put_off_comes_when_it_is_due_and_what_was_given_up_does_not(desk, device, ada):
    desk.raise_alert(device, OFFLINE, "off", NOW)
    (message,) = claims(desk)
    desk.put_off(message.id, "away", NOW + MINUTE, NOW)
    assert not claims(desk)
    (again,) = claims(desk, NOW + MINUTE)
    assert (again.id, again.tries) == (message.id, 1)
    assert desk.outcome(message.id) == (False, "away")
    desk.put_off(again.id, "still away", None, NOW + MINUTE)
    assert not claims(desk, NOW + DAY)
    assert desk.outcome(message.id) == (True, "still away")
    assert [one.last_error for one in desk.channels()] == ["still away"]


def test_an_all_clear_comes_after_its_alert_and_not_to_who_was_never_told(desk, device, ada):
    desk.raise_alert(device, OFFLINE, "off", NOW)
    late = desk.add_channel(ChannelKind.EMAIL, "late@example.org", None, NOW)
    (raised,) = claims(desk)
    desk.clear(device, OFFLINE, "on", NOW)
    assert not claims(desk)
    desk.sent(raised.id, NOW)
    assert [(one.what, one.channel.id) for one in claims(desk)] == [(What.CLEARED, ada.id)]
    assert late.id != ada.id


def test_no_all_clear_follows_an_alert_that_was_given_up(desk, device, ada):
    desk.raise_alert(device, OFFLINE, "off", NOW)
    desk.put_off(claims(desk)[0].id, "no such address", None, NOW)
    assert desk.clear(device, OFFLINE, "on", NOW)
    assert not claims(desk)


def test_a_rule_that_is_switched_off_ends_its_alerts_without_a_word(desk, device, ada):
    desk.raise_alert(device, OFFLINE, "off", NOW)
    desk.raise_alert(device, RuleKind.DISK, "full", NOW)
    desk.set_rule(Rule(OFFLINE, enabled=False, limit=10), NOW)
    assert [alert.rule for alert in desk.open()] == [RuleKind.DISK]
    assert [message.alert.rule for message in claims(desk)] == [RuleKind.DISK]


def test_withdrawing_a_device_ends_its_alerts_without_a_word(desk, device, ada):
    desk.raise_alert(device, OFFLINE, "off", NOW)
    desk.withdraw(device, NOW)
    assert not desk.open()
    assert not claims(desk)
    assert [alert.cleared_words for alert in desk.recent(10)] == [None]


def test_nothing_is_raised_of_a_device_that_was_revoked(database, desk, device):
    database.registry.revoke(device, NOW)
    assert not desk.raise_alert(device, OFFLINE, "off", NOW)


def test_an_erased_device_takes_its_alerts_with_it(database, desk, device, ada):
    desk.raise_alert(device, OFFLINE, "off", NOW)
    database.registry.erase(device)
    assert not desk.open()
    assert not desk.recent(10)
    assert not claims(desk)


def test_the_same_address_again_is_the_one_that_is_there(desk, ada):
    assert desk.add_channel(ChannelKind.EMAIL, "ada@example.org", None, NOW + DAY) == ada
    hook = desk.add_channel(ChannelKind.WEBHOOK, "https://hooks.example/", "first", NOW)
    assert desk.add_channel(ChannelKind.WEBHOOK, "https://hooks.example/", "second", NOW).secret == "first"
    assert desk.channels() == [ada, hook]


def test_there_is_an_end_to_addresses(desk):
    for number in range(CHANNELS_AT_MOST):
        desk.add_channel(ChannelKind.EMAIL, f"{number}@example.org", None, NOW)
    with pytest.raises(CannotWork, match="remove one"):
        desk.add_channel(ChannelKind.EMAIL, "more@example.org", None, NOW)


def test_a_channel_that_is_removed_takes_along_what_was_to_go_there(desk, device, ada):
    desk.raise_alert(device, OFFLINE, "off", NOW)
    assert desk.remove_channel(ada.id)
    assert not desk.remove_channel(ada.id)
    assert not claims(desk)
    assert desk.open()


def test_a_test_is_for_one_channel(desk, ada):
    desk.add_channel(ChannelKind.EMAIL, "grace@example.org", None, NOW)
    message = desk.test(ada.id, NOW)
    assert desk.outcome(message) == (False, None)
    (claimed,) = claims(desk)
    assert (claimed.id, claimed.what, claimed.channel.id, claimed.alert) == (message, What.TEST, ada.id, None)
    desk.sent(message, NOW)
    assert desk.outcome(message) == (True, None)
    assert [one.last_sent for one in desk.channels()] == [NOW, None]
    assert desk.test("0b9f7a54-6f0e-4b6e-9a67-0f4f3f6f6f02", NOW) is None


def test_what_is_over_for_long_is_deleted_with_its_messages(database, desk, device, ada):
    desk.raise_alert(device, OFFLINE, "off", NOW)
    desk.clear(device, OFFLINE, "on", NOW)
    desk.raise_alert(device, RuleKind.DISK, "full", NOW)
    desk.test(ada.id, NOW)
    database.retain(30, NOW + 31 * DAY)
    assert not desk.recent(10)
    assert [alert.rule for alert in desk.open()] == [RuleKind.DISK]
    assert [message.alert.rule for message in claims(desk)] == [RuleKind.DISK]


def test_it_is_in_the_backup(database, desk, device, ada, tmp_path):
    desk.raise_alert(device, OFFLINE, "off", NOW)
    desk.set_rule(Rule(RuleKind.DISK, enabled=False, limit=900), NOW)
    database.dump(tmp_path / "backup.zip")
    with open_database(tmp_path / "other.db") as other:
        other.load(tmp_path / "backup.zip")
        assert other.alerts.open() == desk.open()
        assert other.alerts.rules() == desk.rules()
        assert other.alerts.channels() == [ada]
        assert not other.alerts.raise_alert(device, OFFLINE, "off", NOW)
