"""A quota that Spotify calls spent is left in peace, over a restart too, and told."""

import json
import stat
import time
from datetime import UTC, datetime, timedelta

import pytest

from moodify.config.model import MusicConfig
from moodify.errors import SpeakerUnavailable
from moodify.music.spotify.factory import open_player, plays_for_real
from moodify.music.spotify.mapping import DEFAULT_QUOTA_RETRY_S
from moodify.music.spotify.quota import FILE
from moodify.music.spotify.scopes import EVERYTHING
from moodify.music.spotify.tokens import TokenFile

STATE = ("GET", "me/player")
HOURS = 14 * 3600
#: Of today, for a sign-in is made in real time.
NOON = datetime.now(UTC).replace(hour=12, minute=4, second=30, microsecond=0)


def quota_of(room, folder, **changes):
    """Open a player that keeps what it learns of the quota in a folder, as a daemon does after a start."""
    return room.open(folder=folder, **changes)


def spent_quota(room, speaker, folder, **changes):
    player = quota_of(room, folder, **changes)
    speaker.rate_limit(HOURS, "QUOTA_EXCEEDED")
    with pytest.raises(SpeakerUnavailable, match="quota is spent"):
        player.playback()
    return player


def test_a_spent_quota_is_told_without_a_request_and_by_the_time_of_the_place(room, speaker, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        player = spent_quota(room, speaker, tmp_path, now=lambda: NOON)
        told = []
        assert room.sent_by(lambda: told.extend(player.notices())) == []
        assert told[0].startswith("Spotify's quota is spent until 07:35 tomorrow (in 14 h): what plays goes on")
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_short_wait_is_no_notice(room, speaker):
    speaker.rate_limit_once("20")
    with pytest.raises(SpeakerUnavailable, match="for 20 s"):
        room.player.playback()
    assert room.player.notices() == ()


def test_the_next_look_waits_for_the_quota(room, speaker, clock, tmp_path):
    player = spent_quota(room, speaker, tmp_path)
    assert player.next_poll_s(30) == pytest.approx(HOURS, abs=5)
    clock.advance(HOURS)
    assert player.next_poll_s(30) == 30
    assert player.notices() == ()


def test_a_spent_quota_does_not_keep_the_sign_in_from_being_refreshed(room, speaker, tmp_path):
    player = spent_quota(room, speaker, tmp_path)
    token = player._sign_in.access_token()
    assert player._sign_in.renew(token) != token


def test_a_restart_spends_no_quota(room, speaker, clock, tmp_path):
    spent_quota(room, speaker, tmp_path, now=lambda: NOON)
    later = NOON + timedelta(hours=13)
    again = quota_of(room, tmp_path, now=lambda: later)
    with pytest.raises(SpeakerUnavailable, match="quota is spent until") as caught:
        room.sent_by(again.playback)
    assert room.sent == []
    assert caught.value.retry_after_s == 3600
    with again.asked(), pytest.raises(SpeakerUnavailable):
        room.sent_by(again.skip)
    assert room.sent == []
    assert "in 60 min" in again.notices()[0]
    clock.advance(HOURS)
    assert STATE in room.sent_by(again.playback)


def test_after_a_start_with_a_clock_that_was_behind_the_right_time_counts(room, speaker, clock, tmp_path):
    spent_quota(room, speaker, tmp_path, now=lambda: NOON)
    wall = [NOON - timedelta(hours=3)]
    again = quota_of(room, tmp_path, now=lambda: wall[0])
    assert again.next_poll_s(30) == 17 * 3600
    clock.advance(60)
    wall[0] = NOON + timedelta(hours=14)
    assert again.next_poll_s(30) == 30


def test_what_is_kept_is_the_owners_alone_and_small(room, speaker, tmp_path):
    spent_quota(room, speaker, tmp_path)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert (tmp_path / FILE).stat().st_size < 200


def test_a_short_wait_is_not_written_to_the_card(room, speaker, tmp_path):
    player = quota_of(room, tmp_path)
    speaker.rate_limit_once("20")
    with pytest.raises(SpeakerUnavailable):
        player.playback()
    assert list(tmp_path.iterdir()) == []


def kept(**changes):
    return json.dumps({"app": "simulated", "open_at": (NOON + timedelta(hours=5)).timestamp(), "because": "Spotify's quota is spent"} | changes)


def test_what_these_tests_keep_is_taken(room, tmp_path):
    (tmp_path / FILE).write_text(kept())
    assert quota_of(room, tmp_path, now=lambda: NOON).next_poll_s(30) == 5 * 3600


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 2000,
        "x" * 100_000,
        '{"app": "simulated"}',
        kept(app="another"),
        kept(open_at=None),
        kept(open_at="NaN"),
        kept(open_at="Infinity"),
        kept(open_at=1e300),
        kept(open_at=(NOON + timedelta(days=2)).timestamp()),
        kept(open_at=(NOON - timedelta(seconds=1)).timestamp()),
        kept(because=None),
        kept(because=""),
    ],
)
def test_odd_or_foreign_contents_are_forgotten(room, tmp_path, content):
    (tmp_path / FILE).write_text(content)
    player = quota_of(room, tmp_path, now=lambda: NOON)
    assert player.notices() == ()
    assert room.sent_by(player.playback) == [STATE]


def test_a_folder_that_can_not_be_written_is_said_and_does_no_harm(room, speaker, tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    player = spent_quota(room, speaker, blocked)
    assert "can't be written" in caplog.text
    with pytest.raises(SpeakerUnavailable):
        room.sent_by(player.playback)
    assert room.sent == []


def test_a_spent_quota_that_does_not_say_for_how_long_is_not_tried_every_half_minute(room, speaker):
    speaker.refuse(429, "API rate limit exceeded", "QUOTA_EXCEEDED")
    with pytest.raises(SpeakerUnavailable) as caught:
        room.player.playback()
    assert caught.value.retry_after_s == DEFAULT_QUOTA_RETRY_S


@pytest.mark.parametrize("spotify", [{}, {"client_id": "app"}])
def test_the_configured_player_has_the_configured_budget_and_keeps_the_quota_beside_the_sign_in(tmp_path, spotify):
    agreed = {"access_token": "access", "refresh_token": "refresh", "expires_at": 2**40, "client_id": "app", "authorised_at": datetime.now(UTC).isoformat()}
    TokenFile(tmp_path).save_token_to_cache(agreed | {"scope": " ".join(permission.scope for permission in EVERYTHING)})
    (tmp_path / FILE).write_text(json.dumps({"app": "app", "open_at": time.time() + 3600, "because": "Spotify's quota is spent"}))
    config = MusicConfig(spotify=spotify | {"requests_per_hour": 77})
    assert plays_for_real(config, tmp_path)
    with open_player(config, tmp_path) as opened:
        assert opened.simulated is None
        assert opened.player.budget.per_hour == 77
        assert "quota is spent until" in opened.player.notices()[0]
