"""Features from ReccoBeats: ids out, numbers back, and every trouble on the way in the project's errors."""

import time as wall
from datetime import datetime, timedelta

import pytest
from songs_room import key

from moodify.errors import CannotWork, MoodifyError, RetryLater
from moodify.music.catalogue.reccobeats import FAILURES, MOST_IDS, PAUSE_S, ReccoBeats
from moodify.music.guards.retry_after import LONGEST_RETRY_S
from moodify.music.song import Features
from moodify.music.spotify.simulated.reccobeats import SimulatedReccoBeats


@pytest.fixture
def service(time):
    with SimulatedReccoBeats(clock=time.seconds) as service:
        yield service


@pytest.fixture
def opened(service, time):
    """Return what opens a client with its own settings."""
    clients = []

    def open_client(**settings):
        clients.append(ReccoBeats(**({"url": service.url, "now_s": time.seconds} | settings)))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def client(opened):
    return opened()


@pytest.fixture
def songs(speaker):
    return speaker.catalogue.songs


def test_features_come_back_under_the_ids_that_were_asked_for(client, service, songs):
    ids = list(songs)[:MOST_IDS]
    found = client.ask(ids)
    assert list(found) == ids
    assert all((found[one].energy, found[one].valence) == (songs[one].energy, songs[one].valence) for one in ids)
    assert all(found[one].tempo_bpm > 50 for one in ids)
    assert service.requests == (("GET", "/v1/audio-features"),)


def test_what_is_not_known_there_is_said_so(client, service, songs):
    known, forgotten = list(songs)[:2]
    service.forget(forgotten)
    found = client.ask([forgotten, known, key(0)])
    assert found[forgotten] is None
    assert found[key(0)] is None
    assert isinstance(found[known], Features)


def test_nonsense_is_not_believed(client, service, songs):
    service.talk_nonsense()
    found = client.ask(list(songs)[:14])
    assert set(found.values()) == {None}


@pytest.mark.parametrize("ids", [[], [key(number) for number in range(MOST_IDS + 1)], ["spotify:track:x"], ["../../etc"], [f"{key(1)}&x=1"]])
def test_only_ids_are_sent_and_no_more_than_it_takes(client, service, ids):
    with pytest.raises(CannotWork):
        client.ask(ids)
    assert service.requests == ()


def test_nothing_but_the_ids_is_sent(service, time, opened, monkeypatch):
    seen = []
    answer = service._answer
    monkeypatch.setattr(service, "_answer", lambda request: (seen.append(request), answer(request))[1])
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    opened().ask([key(1), key(2)])
    (request,) = seen
    assert request.target.endswith(f"?ids={key(1)},{key(2)}")
    assert set(request.headers) <= {"host", "user-agent", "accept", "accept-encoding", "connection"}
    assert request.headers["user-agent"] == "Moodify"
    assert request.body == b""


def test_too_many_requests_shut_it_for_as_long_as_it_asks(client, service, songs, time):
    one = [next(iter(songs))]
    service.rate_limit(120)
    with pytest.raises(RetryLater) as first:
        client.ask(one)
    assert first.value.retry_after_s == 120
    time.advance(seconds=50)
    with pytest.raises(RetryLater) as second:
        client.ask(one)
    assert second.value.retry_after_s == 70
    assert len(service.requests) == 1
    time.advance(seconds=71)
    assert client.ask(one)[one[0]] is not None


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        (None, 300, 300),
        ("soon", 300, 300),
        ("nan", 300, 300),
        ("-5", 1, 1),
        ("9999999", LONGEST_RETRY_S, LONGEST_RETRY_S),
        ("Sat, 01 Jan 2000 00:00:00 GMT", 1, 1),
        ("Sat, 01 Jan 2000 00:00:00 +9999999999999", 300, 300),
    ],
)
def test_any_retry_after_is_understood(client, service, said, least, most):
    service.rate_limit_once(said)
    with pytest.raises(RetryLater) as caught:
        client.ask([key(1)])
    assert least <= caught.value.retry_after_s <= most


@pytest.mark.parametrize(
    ("pull", "kind"),
    [
        (lambda service: service.fail(503), RetryLater),
        (lambda service: service.fail(500), RetryLater),
        (lambda service: service.fail(302), RetryLater),
        (lambda service: service.fail(403), CannotWork),
        (lambda service: service.fail(404), CannotWork),
        (lambda service: service.html(), RetryLater),
        (lambda service: service.cut_connection(), RetryLater),
        (lambda service: service.answer_with(b""), RetryLater),
        (lambda service: service.answer_with(b"[]"), RetryLater),
        (lambda service: service.answer_with(b'{"content": 3}'), RetryLater),
        (lambda service: service.answer_with(b'{"content"'), RetryLater),
        (lambda service: service.answer_with(b"[" * 100_000), RetryLater),
        (lambda service: service.answer_with(b"\xff\xfe{}"), RetryLater),
        (lambda service: service.answer_with(b" " * 600_000), RetryLater),
        (lambda service: service.close(), RetryLater),
    ],
)
def test_no_foreign_error_escapes(client, service, pull, kind):
    pull(service)
    with pytest.raises(MoodifyError) as caught:
        client.ask([key(1)])
    assert type(caught.value) is kind
    assert ";" in str(caught.value)


@pytest.mark.parametrize("content", [b'{"content": [null, 3, "x", [], {"href": 3}, {"energy": 0.5, "valence": 0.5}]}', b'{"content": []}'])
def test_rows_that_are_none_are_passed_over(client, service, content):
    service.answer_with(content)
    assert client.ask([key(1)]) == {key(1): None}


def test_numbers_that_are_none_are_not_known(client, service):
    row = b'{"href": "https://open.spotify.com/track/%s", "energy": %s, "valence": 0.5, "tempo": true, "danceability": "x"}'
    for energy in (b"true", b"1e999", b"NaN", b"-1", b"1" + b"0" * 400):
        service.answer_with(b'{"content": [' + row % (key(1).encode(), energy) + b"]}")
        assert client.ask([key(1)]) == {key(1): None}
    service.answer_with(b'{"content": [' + row % (key(1).encode(), b"1") + b"]}")
    assert client.ask([key(1)]) == {key(1): Features(1.0, 0.5)}


def test_a_slow_answer_is_not_waited_for(service, opened):
    service.slow(5.0)
    with pytest.raises(RetryLater, match="ReadTimeout"):
        opened(timeout_s=0.1).ask([key(1)])


def fail_in_a_row(client, service):
    service.fail(503, times=FAILURES)
    for _ in range(FAILURES):
        with pytest.raises(RetryLater, match="503"):
            client.ask([key(1)])


def test_after_failures_in_a_row_it_is_left_alone_and_says_how_long(client, service, time):
    fail_in_a_row(client, service)
    time.advance(seconds=100)
    with pytest.raises(RetryLater, match=f"ReccoBeats has failed {FAILURES} times in a row; trying again in") as caught:
        client.ask([key(1)])
    assert type(caught.value) is RetryLater
    assert caught.value.retry_after_s == PAUSE_S - 100
    assert len(service.requests) == FAILURES


def test_after_a_while_it_is_tried_again(client, service, time):
    fail_in_a_row(client, service)
    time.advance(seconds=PAUSE_S)
    assert client.ask([key(1)]) == {key(1): None}


def leap(monkeypatch, years):
    """Set the wall clock, wherever a breaker or a window could read it."""

    class Leapt(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=365 * years)

    now = wall.time
    monkeypatch.setattr(wall, "time", lambda: now() + 365 * 86_400 * years)
    for reader in ("pybreaker", "moodify.music.guards.breaker"):
        monkeypatch.setattr(f"{reader}.datetime", Leapt)


@pytest.mark.parametrize("years", [-5, 5])
def test_a_leap_of_the_wall_clock_neither_ends_nor_lengthens_its_rest(client, service, time, monkeypatch, years):
    fail_in_a_row(client, service)
    leap(monkeypatch, years)
    with pytest.raises(RetryLater, match="in a row"):
        client.ask([key(1)])
    time.advance(seconds=PAUSE_S)
    assert client.ask([key(1)]) == {key(1): None}


@pytest.mark.parametrize("years", [-5, 5])
def test_a_leap_of_the_wall_clock_neither_ends_nor_lengthens_its_budgets_window(service, opened, time, monkeypatch, years):
    client = opened(budget="2/hour")
    client.ask([key(1)])
    time.advance(minutes=20)
    client.ask([key(1)])
    leap(monkeypatch, years)
    with pytest.raises(RetryLater, match="spent for now") as caught:
        client.ask([key(1)])
    assert caught.value.retry_after_s == 2400
    time.advance(minutes=40)
    assert client.ask([key(1)]) == {key(1): None}


def test_an_answer_that_does_not_end_counts_as_none(client, service):
    service.answer_with(b" " * 600_000, times=FAILURES)
    for _ in range(FAILURES):
        with pytest.raises(RetryLater, match="does not end"):
            client.ask([key(1)])
    with pytest.raises(RetryLater, match="in a row"):
        client.ask([key(1)])


def test_a_refused_request_opens_no_breaker(client, service):
    service.fail(400, times=FAILURES + 2)
    for _ in range(FAILURES + 2):
        with pytest.raises(CannotWork):
            client.ask([key(1)])


def test_the_budget_bounds_the_requests(service, opened):
    client = opened(budget="2/hour")
    client.ask([key(1)])
    client.ask([key(2)])
    with pytest.raises(RetryLater, match="spent for now") as caught:
        client.ask([key(3)])
    assert caught.value.retry_after_s == 3600
    assert len(service.requests) == 2


def test_closed_twice_it_asks_no_more_of_the_connection(client):
    client.close()
    client.close()
