"""What a hub does by itself, and what ends it."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from moodify.cloud.keys import device_of, pem_of
from moodify.errors import RetryLater
from moodify.hub.database import open_database
from moodify.hub.minding import BrokerKeeper
from moodify.hub.mosquitto import Mosquitto
from moodify.hub.port import Summary
from moodify.hub.serve import _mind
from moodify.hub.upkeep import Retention
from moodify.system.notify import Notifier
from waiting import wait_until


@pytest.fixture
def database(tmp_path):
    with open_database(tmp_path / "hub.db") as database:
        yield database


def store(database, *days_ago):
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    device = database.registry.enrol(device_of(key), pem_of(key), datetime.now(UTC)).id
    for number, days in enumerate(days_ago, 1):
        then = datetime.now(UTC) - timedelta(days=days)
        database.intake.commit([Summary(device, "e", number, ({"id": f"{days}-days", "kind": "mood", "at": then.isoformat(), "data": {}},))], then)


def test_what_is_older_than_it_should_be_is_deleted_and_the_rest_stays(database, caplog):
    caplog.set_level("INFO")
    store(database, 9, 8, 6, 0)
    retention = Retention(database, 7, first_s=0)
    retention.start()
    wait_until(lambda: len(database.events.events()) == 2, what="the deletion")
    retention.close()
    retention.close()
    assert [event.id for event in database.events.events()] == ["0-days", "6-days"]
    assert "2 events older than 7 days were deleted" in caplog.text


@pytest.fixture
def looked(database):
    """A look of the retention of 365 days at a clock that is so many days ahead; returns how many events are left."""

    def look(ahead_days, *, synchronised=False):
        retention = Retention(database, 365, clock=lambda: datetime.now(UTC) + timedelta(days=ahead_days), synchronised=lambda: synchronised)
        retention._look(retention._clock())
        return len(database.events.events())

    return look


@pytest.mark.parametrize("synchronised", [True, False])
def test_by_a_clock_that_is_far_ahead_nothing_is_deleted(database, looked, caplog, synchronised):
    store(database, 3, 2, 1)
    assert looked(400, synchronised=synchronised) == 3
    assert "is not deleted: the clock says" in caplog.text
    assert database.last_seen() is None


def test_what_comes_by_a_clock_that_is_far_ahead_does_not_make_it_believed(database, looked):
    store(database, 3)
    assert looked(0) == 1
    store(database, -400)
    assert looked(400) == 2
    # Set right again, it deletes as before.
    assert looked(0) == 2
    assert database.last_seen() < datetime.now(UTC) + timedelta(days=1)


def test_by_a_clock_that_is_behind_what_was_noted_nothing_is_deleted(database, looked):
    store(database, 1)
    database.note_seen(datetime.now(UTC) + timedelta(days=20))
    before = database.last_seen()
    looked(0)
    assert database.last_seen() == before
    looked(0, synchronised=True)
    assert database.last_seen() < before


def test_a_hub_that_was_off_for_months_goes_on_once_the_network_has_set_its_clock_and_a_device_is_heard(database, looked):
    store(database, 400, 0)
    database.note_seen(datetime.now(UTC) - timedelta(days=300))
    assert looked(0) == 2
    assert looked(0, synchronised=True) == 1


def test_a_database_that_is_away_is_a_warning_and_no_end(tmp_path, caplog):
    database = open_database(tmp_path / "hub.db")
    database.close()
    (tmp_path / "hub.db").unlink()
    (tmp_path / "hub.db").mkdir()
    retention = Retention(database, 7, first_s=0)
    retention.start()
    wait_until(lambda: "was not deleted" in caplog.text, what="the warning")
    assert retention._thread.is_alive()
    retention.close()


def test_a_part_that_has_ended_by_itself_ends_the_hub(tmp_path):
    told = []
    parts = {"gate": lambda: True, "collector-1": lambda: len(told) < 2}
    notifier = Notifier(send=told.append, environ={"WATCHDOG_USEC": "200000"})
    with pytest.raises(RetryLater, match="the hub's collector-1 has ended by itself"):
        _mind(parts, BrokerKeeper(Mosquitto(tmp_path)), lambda: None, threading.Event(), notifier)
    assert told == ["WATCHDOG=1"] * 2


def test_where_it_listens_is_said_anew_when_mosquitto_was_started_again(tmp_path):
    keeper = BrokerKeeper(Mosquitto(tmp_path))
    stop, said = threading.Event(), []

    def publish():
        said.append(keeper.restarts)
        stop.set()

    def lives():
        keeper.restarts = 1
        return True

    _mind({"gate": lives}, keeper, publish, stop, Notifier(send=lambda _: None, environ={"WATCHDOG_USEC": "100000"}))
    assert said == [1]
