"""The simulated service as any client sees it, over plain HTTP."""

import base64
import hashlib
import threading
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from spotify_room import ACCOUNTS_PATHS

from moodify.music.spotify.simulated.catalogue import Catalogue, spotify_id
from moodify.music.spotify.simulated.http import Answer, Request
from moodify.music.spotify.simulated.playhead import Playhead
from moodify.music.spotify.simulated.speaker import Exchange, SimulatedSpeaker
from moodify.types import FELT_MOODS
from waiting import wait_until

VERIFIER = "a" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
BACK = "http://127.0.0.1:8888/callback"


class Client:
    """A signed-in client that knows nothing of the adapter."""

    def __init__(self, speaker):
        self.speaker = speaker
        self.session = requests.Session()
        self.session.trust_env = False
        self.sign_in()
        self.device = self.get("me/player/devices").json()["devices"][0]["id"]

    def sign_in(self):
        self.session.headers["Authorization"] = f"Bearer {self.tokens(self.code())['access_token']}"

    def code(self):
        query = {
            "client_id": "c",
            "response_type": "code",
            "redirect_uri": BACK,
            "code_challenge_method": "S256",
            "code_challenge": CHALLENGE,
            "state": "s",
            "scope": "x",
        }
        response = self.session.get(f"{self.speaker.accounts_url}/authorize", params=query, allow_redirects=False)
        return parse_qs(urlsplit(response.headers["Location"]).query)["code"][0]

    def ask_token(self, **form):
        return self.session.post(f"{self.speaker.accounts_url}/api/token", data=form)

    def tokens(self, code, verifier=VERIFIER):
        return self.ask_token(grant_type="authorization_code", code=code, client_id="c", redirect_uri=BACK, code_verifier=verifier).json()

    def get(self, path, **query):
        return self.session.get(self.speaker.api_url + path, params=query)

    def put(self, path, body=None, **query):
        return self.session.put(self.speaker.api_url + path, params=query, json=body)

    def post(self, path, **query):
        return self.session.post(self.speaker.api_url + path, params=query, headers={"Content-Type": "application/json"})

    def play(self, **body):
        return self.put("me/player/play", body, device_id=self.device)

    def title(self):
        return self.get("me/player").json()["item"]["name"]


@pytest.fixture
def client(speaker):
    client = Client(speaker)
    yield client
    client.session.close()


@pytest.fixture
def songs(speaker):
    return speaker.catalogue.playlist_of("calm").songs


def test_every_mood_has_a_playlist_of_a_dozen_songs_that_feel_like_it():
    catalogue = Catalogue.shipped()
    means = {}
    for mood in FELT_MOODS:
        songs = catalogue.playlist_of(mood).songs
        assert len(songs) == 12
        means[mood.value] = (sum(song.energy for song in songs) / 12, sum(song.valence for song in songs) / 12)
    assert means["calm"][0] < means["tense"][0] < means["happy"][0] < means["angry"][0]
    assert means["sad"][1] < means["angry"][1] < means["calm"][1] < means["surprised"][1] < means["happy"][1]


def test_ids_are_unique_and_look_like_spotifys():
    catalogue = Catalogue.shipped()
    ids = [*catalogue.songs, *catalogue.albums, *catalogue.artists, *catalogue.playlists]
    assert len(set(ids)) == len(ids) == 72 + 18 + 18 + 7
    assert all(len(one) == 22 and one.isalnum() for one in ids)
    assert spotify_id("track", "x") != spotify_id("album", "x")


def test_a_request_without_a_good_token_is_refused(speaker, off_the_record):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eA=="}):
        response = requests.get(f"{speaker.api_url}me/player", headers=headers, timeout=10)
        assert response.status_code == 401
        assert response.json()["error"]["status"] == 401


def test_an_access_token_runs_out_after_an_hour(client, clock):
    clock.advance(3599)
    assert client.get("me").status_code == 200
    clock.advance(1)
    assert client.get("me").json()["error"]["message"] == "The access token expired"


def test_a_refresh_token_works_once_and_is_replaced(client):
    first = client.tokens(client.code())["refresh_token"]
    second = client.ask_token(grant_type="refresh_token", refresh_token=first, client_id="c").json()["refresh_token"]
    assert second != first
    again = client.ask_token(grant_type="refresh_token", refresh_token=first, client_id="c")
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert client.ask_token(grant_type="refresh_token", refresh_token=second, client_id="c").ok


def test_a_code_works_once_and_only_with_its_verifier(client):
    assert client.tokens(client.code(), verifier="b" * 64)["error"] == "invalid_grant"
    code = client.code()
    assert "access_token" in client.tokens(code)
    assert client.tokens(code)["error"] == "invalid_grant"


def test_nothing_active_is_204_without_a_body(client):
    for path in ("me/player", "me/player/currently-playing"):
        response = client.get(path)
        assert (response.status_code, response.content) == (204, b"")


def test_an_order_to_nobody_while_nothing_is_active_is_a_404_with_a_reason(client):
    response = client.put("me/player/pause")
    assert response.status_code == 404
    assert response.json()["error"]["reason"] == "NO_ACTIVE_DEVICE"


def test_the_position_moves_with_the_clock_and_stands_while_paused(client, clock, songs):
    client.play(uris=[songs[0].uri], position_ms=5000)
    clock.advance(10)
    assert client.get("me/player").json()["progress_ms"] == 15_000
    client.put("me/player/pause")
    clock.advance(100)
    assert client.get("me/player/currently-playing").json()["progress_ms"] == 15_000
    client.put("me/player/seek", position_ms=60_000)
    client.play()
    clock.advance(1)
    assert client.get("me/player").json()["progress_ms"] == 61_000


def test_songs_end_and_the_queue_goes_before_the_rest_of_the_list(client, clock, speaker, songs):
    extra = speaker.catalogue.playlist_of("angry").songs[0]
    client.play(context_uri=speaker.catalogue.playlist_of("calm").uri)
    client.post("me/player/queue", uri=extra.uri)
    coming = [track["name"] for track in client.get("me/player/queue").json()["queue"]]
    assert coming[:2] == [extra.title, songs[1].title]
    clock.advance(songs[0].duration_ms / 1000 + 1)
    assert client.title() == extra.title
    clock.advance(extra.duration_ms / 1000)
    assert client.title() == songs[1].title
    assert client.get("me/player").json()["progress_ms"] == 1000
    history = client.get("me/player/recently-played", limit=2).json()["items"]
    assert [item["track"]["name"] for item in history] == [extra.title, songs[0].title]
    ended = [datetime.fromisoformat(item["played_at"]) for item in history]
    assert (ended[0] - ended[1]).total_seconds() == pytest.approx(extra.duration_ms / 1000, abs=0.01)


def test_a_list_ends_in_silence_unless_it_repeats(client, clock, speaker, songs):
    total_s = sum(song.duration_ms for song in songs) / 1000
    client.play(context_uri=speaker.catalogue.playlist_of("calm").uri)
    clock.advance(total_s + 5)
    assert client.get("me/player").json()["is_playing"] is False
    client.put("me/player/repeat", state="context")
    client.play()
    clock.advance(3 * total_s + 5)
    client.sign_in()
    state = client.get("me/player").json()
    assert (state["is_playing"], state["item"]["name"], state["progress_ms"]) == (True, songs[0].title, 5000)
    client.put("me/player/repeat", state="track")
    clock.advance(10 * songs[0].duration_ms / 1000)
    assert client.title() == songs[0].title


def test_next_previous_offset_and_shuffle_move_in_the_list(client, speaker, songs):
    playlist = speaker.catalogue.playlist_of("calm").uri
    client.play(context_uri=playlist, offset={"position": 2})
    assert client.title() == songs[2].title
    client.post("me/player/next")
    assert client.title() == songs[3].title
    client.post("me/player/previous")
    assert client.title() == songs[2].title
    client.play(context_uri=playlist, offset={"uri": songs[5].uri})
    assert client.title() == songs[5].title
    client.put("me/player/shuffle", state="true")
    client.play(context_uri=playlist)
    order = [song["name"] for song in client.get("me/player/queue").json()["queue"]]
    assert client.title() == songs[0].title
    assert sorted(order) == sorted(song.title for song in songs[1:])
    assert order != [song.title for song in songs[1:]]


def test_transferring_makes_the_speaker_active_and_plays_when_asked(client, songs):
    assert client.put("me/player", {"device_ids": [client.device]}).status_code == 204
    assert client.get("me/player").json()["is_playing"] is False
    client.play(uris=[songs[0].uri])
    client.put("me/player/pause")
    client.put("me/player", {"device_ids": [client.device], "play": True})
    assert client.get("me/player").json()["is_playing"] is True


def test_lists_are_paged(client):
    first = client.get("me/playlists", limit=4).json()
    assert (len(first["items"]), first["total"], first["previous"]) == (4, 6, None)
    rest = client.session.get(first["next"]).json()
    assert (len(rest["items"]), rest["next"]) == (2, None)
    playlist = first["items"][0]
    rows = client.get(f"playlists/{playlist['id']}/items", limit=5, offset=10).json()
    assert [row["item"]["type"] for row in rows["items"]] == ["track", "track"]
    assert len(client.get(f"playlists/{playlist['id']}").json()["items"]["items"]) == playlist["items"]["total"]


def test_a_strangers_playlist_is_known_but_its_contents_are_not_shown(client, speaker):
    key = speaker.catalogue.stranger_playlist().id
    assert "items" not in client.get(f"playlists/{key}").json()
    assert client.get(f"playlists/{key}/items").status_code == 403


def test_a_search_finds_by_mood_genre_title_and_artist(client):
    for query, wanted in (
        ("tense music", "Corridor Light"),
        ("punk", "Point of Order"),
        ("lemon bicycle", "Lemon Bicycle"),
        ('artist:"Wren Ashdown"', "Two Coats, One Hook"),
        ('sad artist:"Silver Orchard"', "Grey Umbrella"),
    ):
        assert client.get("search", q=query, type="track", limit=10).json()["tracks"]["items"][0]["name"] == wanted
    assert client.get("search", q="xyzzy", type="track").json()["tracks"]["items"] == []
    page = client.get("search", q="happy", type="track").json()["tracks"]
    assert (page["limit"], len(page["items"]), page["total"]) == (5, 5, 12)
    assert len(client.session.get(page["next"]).json()["tracks"]["items"]) == 5


def test_wrong_requests_are_refused_as_spotify_refuses_them(client, songs, off_the_record):
    client.play(uris=[songs[0].uri])
    refusals = [
        (400, client.get("search", q="happy", type="track", limit=50)),
        (400, client.get("search", q="", type="track")),
        (400, client.get("search", q="x", type="show")),
        (400, client.put("me/player/volume", volume_percent=140)),
        (400, client.put("me/player/volume", volume_percent="loud")),
        (400, client.put("me/player/volume")),
        (400, client.put("me/player", {"play": True})),
        (400, client.put("me/player/repeat", state="always")),
        (400, client.put("me/player/shuffle", state="1")),
        (400, client.play(uris="spotify:track:x")),
        (400, client.play(context_uri=songs[0].uri)),
        (400, client.play(uris=[songs[0].uri], offset={"position": 7})),
        (400, client.play(uris=[songs[0].uri], position_ms=-1)),
        (400, client.session.put(f"{client.speaker.api_url}me/player/play", data=b"{", params={"device_id": client.device})),
        (400, client.post("me/player/queue", uri="spotify:album:x")),
        (404, client.play(context_uri="spotify:playlist:none")),
        (404, client.post("me/player/queue", uri="spotify:track:none")),
        (404, client.get("tracks/none")),
        (404, client.get("audio-features/none")),
        (404, client.put("me/player/pause", device_id="none")),
        (403, client.play()),
    ]
    for expected, response in refusals:
        error = response.json()["error"]
        assert (response.status_code, error["status"]) == (expected, expected), response.url
        assert error["message"]
    assert client.title() == songs[0].title


def test_what_it_did_is_logged_in_order_with_its_time(client, speaker, clock, songs):
    client.play(uris=[songs[0].uri])
    clock.advance(3)
    client.post("me/player/queue", uri=songs[1].uri)
    client.put("me/player/volume", volume_percent=20)
    assert [(order.at_s, order.verb, order.uri) for order in speaker.orders] == [(1000, "play", songs[0].uri), (1003, "queue", songs[1].uri), (1003, "volume", None)]


def test_a_closed_speaker_leaves_no_thread_and_no_port(clock):
    before = set(threading.enumerate())
    speaker = SimulatedSpeaker(clock=clock)
    client = Client(speaker)
    speaker.close()
    speaker.close()
    wait_until(lambda: set(threading.enumerate()) <= before, what="the end of its threads")
    with pytest.raises(requests.ConnectionError):
        client.get("me")
    client.session.close()


def test_a_position_beyond_the_end_goes_to_the_next_song(clock):
    songs = Catalogue.shipped().playlist_of("happy").songs
    head = Playhead(clock)
    head.start(songs, context_uri=None)
    head.seek(songs[0].duration_ms)
    assert (head.song, head.position_ms) == (songs[1], 0)


def test_a_day_of_music_is_a_history_of_fifty(clock):
    head = Playhead(clock, repeat="context")
    head.start(Catalogue.shipped().playlist_of("happy").songs, context_uri=None)
    for _ in range(24):
        clock.advance(3600)
        head.advance()
    assert len(head.history) == 50
    assert head.playing


@pytest.mark.parametrize(
    ("request_", "answer", "problem"),
    [
        (Request("GET", "/v1/search?q=x&type=track&limit=50", {"authorization": "Bearer x"}), Answer.of({}), "50 is greater"),
        (Request("PUT", "/v1/me/player", {"authorization": "Bearer x", "content-type": "application/json"}, b'{"play": true}'), Answer(204), "device_ids"),
        (Request("GET", "/v1/me/player/devices", {"authorization": "Bearer x"}), Answer.of({"devices": [{"id": 7}]}), "is not of type 'string'"),
        (Request("GET", "/v1/me/player", {}), Answer(204), "Security"),
        (Request("GET", "/v1/me/nothing", {"authorization": "Bearer x"}), Answer(204), "nothing"),
    ],
)
def test_the_judge_sees_what_is_wrong(conformance, request_, answer, problem):
    if conformance is None:
        pytest.skip("data: Spotify's description (../shared/data) is not on this machine")
    conformance(Exchange(request_, answer))
    assert any(problem in found for found in conformance.problems), conformance.problems


def test_every_route_of_the_service_is_judged(client, conformance, songs, speaker):
    if conformance is None:
        pytest.skip("data: Spotify's description (../shared/data) is not on this machine")
    song = songs[0]
    client.play(uris=[song.uri])
    for path in ("me", f"tracks/{song.id}", f"albums/{song.album.id}", f"artists/{song.album.artist.id}", "me/playlists", "me/player/queue", "me/player/recently-played"):
        assert client.get(path).ok
    told = [path for _, path in speaker.requests if path not in ACCOUNTS_PATHS]
    assert conformance.seen == len(told) >= 9
    assert conformance.problems == []
