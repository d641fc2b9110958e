"""A speaker for each test; everything it is asked and answers is held to Spotify's description where that is at hand."""

import pytest
from spotify_description import DESCRIPTION, Conformance, described
from spotify_room import HandClock, Room

from moodify.music.spotify.simulated.speaker import SimulatedSpeaker


@pytest.fixture(scope="session")
def description():
    return described() if DESCRIPTION.is_file() else None


@pytest.fixture
def conformance(description):
    return Conformance(description) if description is not None else None


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def speaker(clock, conformance):
    with SimulatedSpeaker(clock=clock, tap=conformance) as speaker:
        yield speaker
    assert conformance is None or conformance.problems == []


@pytest.fixture
def off_the_record(conformance):
    """For levers that answer what Spotify's description does not know: pages, gateways, nonsense. What is sent is judged all the same."""
    if conformance is not None:
        conformance.judges_answers = False


@pytest.fixture
def wrong_on_purpose(conformance):
    """For a test that sends what Spotify refuses. What is answered is judged all the same."""
    if conformance is not None:
        conformance.judges_requests = False


@pytest.fixture
def room(speaker, clock):
    room = Room(speaker, clock)
    yield room
    room.close()


@pytest.fixture
def player(room):
    return room.player
