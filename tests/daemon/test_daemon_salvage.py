"""What a start makes of a damaged database: privacy that was on stays on, whoever set the database aside and whenever the power went."""

import json
import sqlite3
from contextlib import closing

import pytest

from moodify.daemon.kept import PRIVACY_ASKED_KEY, PRIVACY_KEY, privacy_kept
from moodify.daemon.privacy import ByHand
from moodify.daemon.salvage import THOROUGH_S, make_ready, open_settings
from moodify.sqlite import set_aside
from moodify.store.database import noted_damage
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.system.notify import Notifier

CLOSED = ByHand(closed=True, origin="page").as_json()


@pytest.fixture
def path(tmp_path):
    prepare(tmp_path / "moodify.db")
    return tmp_path / "moodify.db"


def set_aside_with(path, **settings):
    """Set a database aside that has these settings, as a start does with a damaged one, and begin a fresh one."""
    with Settings(path) as kept:
        for key, value in settings.items():
            kept.put(key, value)
    aside = set_aside(path)
    assert prepare(path) is None
    return aside


def opened(path, aside=None):
    with open_settings(path, aside) as settings:
        return privacy_kept(settings), settings.all()


def test_privacy_is_as_the_damaged_database_says(path):
    assert opened(path, set_aside_with(path, privacy=CLOSED)) == (True, {PRIVACY_KEY: CLOSED})


def test_privacy_stays_on_where_a_command_has_set_the_database_aside_or_a_start_was_cut_off(path):
    set_aside_with(path, privacy=CLOSED)
    assert opened(path) == (True, {PRIVACY_KEY: CLOSED})


def test_of_several_the_newest_counts(path):
    set_aside_with(path, privacy=CLOSED)
    set_aside_with(path, privacy=ByHand(closed=False, origin="page").as_json())
    assert opened(path)[0] is False


def test_what_was_asked_last_is_kept_too(path):
    asked = {"on": True, "id": "x"}
    set_aside_with(path, privacy_asked=asked)
    assert opened(path)[1] == {PRIVACY_ASKED_KEY: asked}


def test_privacy_is_on_where_nobody_can_read_what_it_was(path):
    aside = set_aside_with(path, privacy=CLOSED)
    aside.write_bytes(b"nothing of it is left" * 500)
    private, kept = opened(path)
    assert private
    assert kept[PRIVACY_KEY]["origin"] == "damage"


def test_a_database_that_has_settings_asks_none_that_was_set_aside(path):
    set_aside_with(path, privacy=CLOSED)
    with Settings(path) as settings:
        settings.put("sample", False)
    assert opened(path) == (False, {"sample": False})


def test_without_a_damaged_one_nothing_is_set(path):
    assert opened(path) == (False, {})


def test_a_start_that_looks_thoroughly_asks_for_the_time(path):
    said = []
    assert make_ready(path, Notifier(send=said.append)) is None
    assert said == []
    noted_damage(path).touch()
    assert make_ready(path, Notifier(send=said.append)) is None
    assert said == [f"EXTEND_TIMEOUT_USEC={round(THOROUGH_S * 1e6)}"]
    assert not noted_damage(path).exists()


def test_a_bit_that_tips_in_the_setting_alone_is_read_as_damaged(path):
    with Settings(path) as settings:
        settings.put(PRIVACY_KEY, CLOSED)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE settings SET value = ?", [json.dumps(CLOSED)[:-1]])
    aside = set_aside(path)
    prepare(path)
    assert opened(path, aside)[0] is True
