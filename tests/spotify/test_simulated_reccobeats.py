"""The simulated ReccoBeats as any client sees it, over plain HTTP."""

import math
import threading

import pytest
import requests

from moodify.music.spotify.simulated.catalogue import Catalogue
from moodify.music.spotify.simulated.reccobeats import MOST_IDS, SimulatedReccoBeats
from waiting import wait_until

FIELDS = {"id", "href", "acousticness", "danceability", "energy", "instrumentalness", "key", "liveness", "loudness", "mode", "speechiness", "tempo", "valence"}


@pytest.fixture
def reccobeats(clock):
    with SimulatedReccoBeats(clock=clock) as reccobeats:
        yield reccobeats


@pytest.fixture
def ask(reccobeats):
    with requests.Session() as session:
        session.trust_env = False

        def ask(ids, **args):
            return session.get(f"{reccobeats.url}audio-features", params={"ids": ids}, timeout=args.get("timeout", 10))

        yield ask


@pytest.fixture
def songs():
    return Catalogue.shipped().songs


def test_songs_are_known_by_their_spotify_ids_and_led_back_to_by_their_address_alone(ask, songs):
    wanted = list(songs)[:MOST_IDS]
    rows = ask(",".join(wanted)).json()["content"]
    assert all(set(row) == FIELDS for row in rows)
    assert {row["href"].removeprefix("https://open.spotify.com/track/") for row in rows} == set(wanted)
    assert not {row["id"] for row in rows} & set(songs)
    for row in rows:
        song = songs[row["href"].rsplit("/", 1)[1]]
        assert (row["energy"], row["valence"]) == (song.energy, song.valence)
        assert all(0 <= row[name] <= 1 for name in ("acousticness", "danceability", "instrumentalness", "liveness", "speechiness"))
        assert 60 < row["tempo"] < 180
        assert row["key"] in range(12)
        assert row["mode"] in {0, 1}
        assert -60 < row["loudness"] < 0


def test_a_song_always_sounds_the_same_and_ids_may_be_repeated_arguments(ask, songs):
    first, second = list(songs)[:2]
    assert ask([first, second, first]).json() == ask(f"{second},{first}").json()


def test_what_is_not_known_is_left_out(ask, reccobeats, songs):
    first, second = list(songs)[:2]
    reccobeats.forget(first)
    assert [row["href"][-22:] for row in ask(f"{first},{'0' * 22},{second}").json()["content"]] == [second]
    assert ask("0" * 22).json() == {"content": []}


@pytest.mark.parametrize("ids", ["", ",".join(["x"] * (MOST_IDS + 1))])
def test_more_than_forty_or_no_ids_are_refused(ask, ids):
    answer = ask(ids)
    assert answer.status_code == 400
    assert answer.json() == {"status": 4004, "errors": [{"message": "size must be between 1 and 40"}]}


def test_a_limit_ends_by_the_clock(ask, reccobeats, clock, songs):
    reccobeats.rate_limit(20)
    answer = ask(next(iter(songs)))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "20")
    clock.advance(20)
    assert ask(next(iter(songs))).ok
    reccobeats.rate_limit_once(None)
    assert "Retry-After" not in ask(next(iter(songs))).headers


def test_it_fails_answers_pages_is_slow_and_cuts_as_it_is_told(ask, reccobeats, songs):
    song = next(iter(songs))
    reccobeats.fail(502)
    assert ask(song).status_code == 502
    reccobeats.html()
    assert ask(song).text.startswith("<html>")
    reccobeats.cut_connection()
    with pytest.raises(requests.ConnectionError):
        ask(song)
    reccobeats.slow(30)
    with pytest.raises(requests.Timeout):
        ask(song, timeout=0.2)
    reccobeats.slow(0)
    assert ask(song).ok


def test_its_nonsense_is_of_every_kind(ask, reccobeats, songs):
    reccobeats.talk_nonsense()
    rows = ask(",".join(list(songs)[:14])).json()["content"]
    energies, hrefs = [row["energy"] for row in rows], [row["href"] for row in rows]
    assert 7.5 in energies
    assert "loud" in energies
    assert any(isinstance(energy, float) and math.isnan(energy) for energy in energies)
    assert {row["valence"] for row in rows} > {None, -0.2}
    assert None in hrefs


def test_a_closed_one_leaves_no_thread(clock):
    before = set(threading.enumerate())
    reccobeats = SimulatedReccoBeats(clock=clock)
    reccobeats.close()
    reccobeats.close()
    wait_until(lambda: set(threading.enumerate()) <= before, what="the end of its threads")
