"""The day on which the sign-in ends, the warning before it, and the scopes that the configuration needs."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodify.config.model import MusicConfig
from moodify.music.spotify.ending import AUTHORISED_AT, REFUSED_AT, WARNING_DAYS, days_until, end_of, notice_of, notice_of_ending, when
from moodify.music.spotify.scopes import EVERYTHING, PLAYBACK, missing, wanted
from moodify.music.spotify.signin import simulated_sign_in
from moodify.music.spotify.status import Standing, status_of
from moodify.music.spotify.tokens import TokenFile
from moodify.types import FELT_MOODS

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PLAY = [permission.scope for permission in PLAYBACK]


def token(**more):
    kept = {"access_token": "a", "refresh_token": "r", "scope": " ".join(PLAY), "expires_at": 1, AUTHORISED_AT: NOON.isoformat()} | more
    return {key: value for key, value in kept.items() if value is not None}


@pytest.mark.parametrize(
    ("begun", "end"),
    [
        ("2026-11-21T12:00:00+00:00", "2027-05-21T12:00:00+00:00"),
        ("2026-08-31T12:00:00+00:00", "2027-02-28T12:00:00+00:00"),
        ("2027-08-31T12:00:00+00:00", "2028-02-29T12:00:00+00:00"),
        ("2026-06-30T12:00:00+00:00", "2026-12-30T12:00:00+00:00"),
        ("2026-07-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        ("2026-07-01T00:00:00", "2027-01-01T00:00:00+00:00"),
    ],
)
def test_a_sign_in_ends_six_months_later(begun, end):
    assert end_of(token(authorised_at=begun)) == datetime.fromisoformat(end)


@given(st.integers(0, 30_000))
def test_no_term_is_shorter_than_181_days_or_longer_than_184(days):
    begun = NOON + timedelta(days=days)
    end = end_of({AUTHORISED_AT: begun.isoformat()})
    assert timedelta(days=181) <= end - begun <= timedelta(days=184)


@pytest.mark.parametrize("nothing", [None, "", "soon", 5, [], {}])
def test_a_day_that_is_not_kept_is_not_known_and_said_so(nothing):
    assert end_of(token(authorised_at=nothing)) is None
    assert "to know it, sign in again" in notice_of(token(authorised_at=nothing), NOON)


def before_the_end(**time):
    return end_of(token()) - timedelta(**time)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (NOON, None),
        (before_the_end(days=WARNING_DAYS + 1), None),
        (before_the_end(days=WARNING_DAYS), "ends on 2027-05-21, in 21 days; sign in again"),
        (before_the_end(days=2), "in 2 days"),
        (before_the_end(days=1), "tomorrow"),
        (before_the_end(seconds=1), "ends on 2027-05-21, today"),
        (before_the_end(), "was to end on 2027-05-21, today"),
        (before_the_end(days=-1), "was to end on 2027-05-21, yesterday"),
        (before_the_end(days=-30), "30 days ago"),
    ],
)
def test_the_warning_comes_three_weeks_ahead_and_stays(now, said):
    notice = notice_of(token(), now)
    assert notice is None if said is None else said in notice


def test_a_refusal_counts_for_more_than_the_calendar():
    assert notice_of(token(refused_at="2026-11-20T12:00:00+00:00"), NOON) == "Spotify has not taken the sign-in since 2026-11-20; sign in again with: moodify spotify login"


@given(st.integers(-400, 400))
def test_days_are_counted_as_a_calendar_counts_them(days):
    assert days_until(NOON + timedelta(days=days), NOON) == days
    assert when(NOON + timedelta(days=days), NOON).startswith(f"on {(NOON + timedelta(days=days)).astimezone().date()}, ")


def test_the_notice_for_the_player_reads_what_is_kept_now(speaker, tmp_path):
    tokens = TokenFile(tmp_path)
    assert "moodify spotify login" in notice_of_ending(tokens, NOON)
    tokens.save_token_to_cache(token())
    assert notice_of_ending(tokens, NOON) is None
    assert notice_of_ending(tokens, before_the_end(days=3)) == "the Spotify sign-in ends on 2027-05-21, in 3 days; sign in again with: moodify spotify login"
    before = len(speaker.requests)
    simulated = simulated_sign_in(speaker.accounts_url, utc=lambda: NOON)
    asked = len(speaker.requests)
    assert asked > before
    assert notice_of_ending(simulated.tokens, NOON) is None
    assert "in 3 days" in notice_of_ending(simulated.tokens, before_the_end(days=3))
    assert len(speaker.requests) == asked
    simulated.close()


@pytest.mark.parametrize(
    ("kept", "now", "standing"),
    [
        (token(), NOON, Standing.SIGNED_IN),
        (token(), before_the_end(days=5), Standing.ENDS_SOON),
        (token(authorised_at=None), NOON, Standing.ENDS_SOON),
        (token(), before_the_end(), Standing.ENDED),
        (token(refused_at=NOON.isoformat()), NOON, Standing.ENDED),
        (token(scope=PLAY[0]), NOON, Standing.INCOMPLETE),
        (token(scope=PLAY[0]), before_the_end(days=5), Standing.INCOMPLETE),
        (token(scope=PLAY[0]), before_the_end(days=-5), Standing.ENDED),
        (token(client_id="another"), before_the_end(days=-5), Standing.OTHER_APP),
    ],
)
def test_what_is_worst_is_said(tmp_path, kept, now, standing):
    TokenFile(tmp_path).save_token_to_cache(kept)
    found = status_of(MusicConfig(sources=("search",), spotify={"client_id": "mine"}), tmp_path, now)
    assert found.standing is standing
    assert found.usable is (standing in {Standing.SIGNED_IN, Standing.ENDS_SOON})
    assert (found.message is None) is (standing is Standing.SIGNED_IN)


def scopes(**music):
    return [permission.scope for permission in wanted(MusicConfig(**music))]


ALL_MOODS = {mood.value: {"uri": "spotify:album:1"} for mood in FELT_MOODS}


@pytest.mark.parametrize(
    ("music", "beyond_playing"),
    [
        ({}, ["user-library-read", "user-top-read", "user-read-recently-played"]),
        ({"sources": ()}, []),
        ({"sources": ("imported", "search")}, []),
        ({"sources": ("recent",)}, ["user-read-recently-played"]),
        ({"sources": ("search",), "moods": {"sad": {"sources": ("top",)}}}, ["user-top-read"]),
        ({"sources": ("search",), "moods": {"sad": {"sources": ("top",), "uri": "spotify:album:1"}}}, []),
        ({"sources": ("liked",), "moods": {"sad": {"sources": ()}}}, ["user-library-read"]),
        ({"moods": ALL_MOODS}, []),
        ({"moods": ALL_MOODS | {"calm": {"uri": "spotify:playlist:1"}}}, ["playlist-read-private"]),
        ({"moods": ALL_MOODS, "spotify": {"save_playlists": True}}, ["playlist-modify-private"]),
    ],
)
def test_only_what_the_configuration_needs_is_asked_for(music, beyond_playing):
    assert scopes(**music) == [*PLAY, *beyond_playing]


def test_every_permission_says_what_it_is_for():
    assert len({permission.scope for permission in EVERYTHING}) == len(EVERYTHING) == 7
    assert all(permission.why.startswith("to ") for permission in EVERYTHING)


def test_what_is_missing_is_told_in_order():
    assert missing(EVERYTHING, " ".join(PLAY)) == EVERYTHING[2:]
    assert missing(PLAYBACK, " ".join(permission.scope for permission in EVERYTHING)) == ()


def test_a_refused_day_that_makes_no_sense_is_none():
    assert notice_of(token(**{REFUSED_AT: "never"}), NOON) is None
