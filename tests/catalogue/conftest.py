"""A catalogue for each test, and an owner's account that it is found from."""

from datetime import UTC, datetime, timedelta

import pytest

from moodify.music.catalogue.catalogue import Catalogue
from moodify.music.catalogue.librarian import CatalogueLibrarian
from moodify.music.spotify.adapter import SpotifyPlayer
from moodify.music.spotify.signin import simulated_sign_in
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker


class Time:
    """The date and the seconds of one clock, which go on when a test says so."""

    def __init__(self):
        self.start = datetime(2026, 11, 1, 12, tzinfo=UTC)
        self.now_s = 1000.0

    def __call__(self):
        return self.start + timedelta(seconds=self.now_s)

    def seconds(self):
        return self.now_s

    def advance(self, **span):
        self.now_s += timedelta(**span).total_seconds()


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "music.db"


@pytest.fixture
def catalogue(path, time):
    with Catalogue(path, now=time) as catalogue:
        yield catalogue


@pytest.fixture
def speaker(time):
    with SimulatedSpeaker(clock=time.seconds) as speaker:
        yield speaker


@pytest.fixture
def player(speaker, time):
    player = SpotifyPlayer(simulated_sign_in(speaker.accounts_url), speaker=speaker.name, api_url=speaker.api_url, now_s=time.seconds)
    yield player
    player.close()


@pytest.fixture
def librarian(catalogue, time):
    with CatalogueLibrarian(catalogue, now=time) as librarian:
        yield librarian
