"""The simulated service as any client sees it, over plain HTTP."""

import base64
import hashlib
import threading
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from spotify_description import PAGES

from moodify.music.spotify.simulated.catalogue import Catalogue, spotify_id
from moodify.music.spotify.simulated.connect import Order
from moodify.music.spotify.simulated.http import Answer, Request
from moodify.music.spotify.simulated.playhead import Playhead
from moodify.music.spotify.simulated.serving import Exchange
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker
from moodify.types import FELT_MOODS
from waiting import wait_until

VERIFIER = "a" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
SCOPES = (
    "user-read-playback-state user-modify-playback-state playlist-read-private playlist-modify-private playlist-modify-public "
    "user-library-read user-top-read user-read-recently-played"
)
BACK = "http://127.0.0.1:8888/callback"
FORM = {"content-type": "application/x-www-form-urlencoded"}
REFRESH = b"grant_type=refresh_token&refresh_token=r&client_id=c"
REDEEM = b"grant_type=authorization_code&code=x&client_id=c&redirect_uri=http%3A%2F%2F127.0.0.1%3A8888%2Fcallback&code_verifier="


class Client:
    """A signed-in client that knows nothing of the adapter."""

    def __init__(self, speaker):
        self.speaker = speaker
        self.session = requests.Session()
        self.session.trust_env = False
        self.sign_in()
        self.device = self.get("me/player/devices").json()["devices"][0]["id"]

    def sign_in(self, scope=None):
        self.session.headers["Authorization"] = f"Bearer {self.tokens(self.code(scope))['access_token']}"

    def code(self, scope=None):
        query = {
            "client_id": "c",
            "response_type": "code",
            "redirect_uri": BACK,
            "code_challenge_method": "S256",
            "code_challenge": CHALLENGE,
            "state": "s",
            "scope": SCOPES if scope is None else scope,
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

    def post_body(self, path, body):
        return self.session.post(self.speaker.api_url + path, json=body)

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


def test_a_request_without_a_good_token_is_refused(speaker, wrong_on_purpose):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eA=="}):
        response = requests.get(f"{speaker.api_url}me/player", headers=headers, timeout=30)
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
    response = client.get("me/player")
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
    assert client.get("me/player").json()["progress_ms"] == 15_000
    client.play()
    clock.advance(1)
    assert client.get("me/player").json()["progress_ms"] == 16_000


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
    speaker.set_modes(repeat="context")
    client.play()
    clock.advance(3 * total_s + 5)
    client.sign_in()
    state = client.get("me/player").json()
    assert (state["is_playing"], state["item"]["name"], state["progress_ms"]) == (True, songs[0].title, 5000)
    speaker.set_modes(repeat="track")
    clock.advance(10 * songs[0].duration_ms / 1000)
    assert client.title() == songs[0].title


def test_next_offset_and_shuffle_move_in_the_list(client, speaker, songs):
    playlist = speaker.catalogue.playlist_of("calm").uri
    client.play(context_uri=playlist, offset={"position": 2})
    assert client.title() == songs[2].title
    client.post("me/player/next")
    assert client.title() == songs[3].title
    client.play(context_uri=playlist, offset={"uri": songs[5].uri})
    assert client.title() == songs[5].title
    speaker.set_modes(shuffle=True)
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


def pages(client, path, **query):
    """Follow a list's pages and return them."""
    found = [client.get(path, **query).json()]
    while found[-1]["next"] is not None:
        found.append(client.session.get(found[-1]["next"]).json())
    return found


def test_lists_are_paged(client, speaker):
    first, rest = pages(client, "me/playlists", limit=4)
    assert (len(first["items"]), first["total"], first["previous"]) == (4, 6, None)
    assert len(rest["items"]) == 2
    playlist = first["items"][0]
    rows = client.get(f"playlists/{playlist['id']}/items", limit=5, offset=10).json()
    assert [row["item"]["type"] for row in rows["items"]] == ["track", "track"]
    assert rows["total"] == playlist["items"]["total"] == 12
    assert client.session.get(rows["previous"]).json()["offset"] == 5


def test_liked_songs_come_newest_first_in_pages_of_fifty_at_most(client):
    found = pages(client, "me/tracks", limit=50)
    assert [len(page["items"]) for page in found] == [50, 10]
    rows = [row for page in found for row in page["items"]]
    assert len({row["track"]["id"] for row in rows}) == 60
    assert [row["added_at"] for row in rows] == sorted((row["added_at"] for row in rows), reverse=True)
    assert len(client.get("me/tracks").json()["items"]) == 20


def test_what_is_heard_most_is_paged_and_mixes_the_moods(client, speaker):
    tracks = [track for page in pages(client, "me/top/tracks", limit=20, time_range="long_term") for track in page["items"]]
    assert len({track["id"] for track in tracks}) == len(tracks) == 30
    assert {speaker.catalogue.songs[track["id"]].mood for track in tracks} == {mood.value for mood in FELT_MOODS}


def test_recent_plays_are_paged_by_cursors(client, clock, speaker, songs):
    client.play(context_uri=speaker.catalogue.playlist_of("calm").uri)
    clock.advance(sum(song.duration_ms for song in songs[:5]) / 1000 + 1)
    found = pages(client, "me/player/recently-played", limit=2)
    assert [len(page["items"]) for page in found] == [2, 2, 1]
    rows = [row for page in found for row in page["items"]]
    assert [row["track"]["name"] for row in rows] == [song.title for song in songs[:5]][::-1]
    later = client.get("me/player/recently-played", after=found[1]["cursors"]["after"]).json()
    assert [row["track"]["name"] for row in later["items"]] == [songs[4].title, songs[3].title]
    assert client.get("me/player/recently-played", after=1, before=2).status_code == 400


def test_what_is_skipped_within_half_a_minute_was_not_played(client, clock, songs):
    client.play(uris=[song.uri for song in songs[:3]])
    clock.advance(31)
    client.post("me/player/next")
    clock.advance(29)
    client.post("me/player/next")
    assert [row["track"]["name"] for row in client.get("me/player/recently-played").json()["items"]] == [songs[0].title]


def test_its_dates_go_by_the_clock_from_the_date_that_it_is_given(clock, conformance, songs):
    with SimulatedSpeaker(clock=clock, tap=conformance, starts=datetime(2026, 3, 1, 6, tzinfo=UTC)) as speaker:
        client = Client(speaker)
        client.play(uris=[song.uri for song in songs[:2]])
        clock.advance(3000)
        ended = client.get("me/player/recently-played").json()["items"][-1]["played_at"]
        assert datetime.fromisoformat(ended) == datetime(2026, 3, 1, 6, tzinfo=UTC) + timedelta(milliseconds=songs[0].duration_ms)
        assert client.get("me/player").json()["timestamp"] == datetime(2026, 3, 1, 6, 50, tzinfo=UTC).timestamp() * 1000
        client.session.close()
    assert conformance is None or conformance.problems == []


def test_a_playlist_can_be_made_filled_read_and_played(client, songs):
    made = client.post_body("me/playlists", {"name": "For today", "description": "Calm", "public": False})
    assert made.status_code == 201
    playlist = made.json()
    assert (playlist["public"], playlist["description"], playlist["items"]["total"]) == (False, "Calm", 0)
    path = f"playlists/{playlist['id']}/items"
    first = client.post_body(path, {"uris": [songs[0].uri, songs[1].uri]})
    second = client.post_body(path, {"uris": [songs[2].uri], "position": 1})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["snapshot_id"] != second.json()["snapshot_id"]
    assert [row["item"]["name"] for row in client.get(path).json()["items"]] == [songs[0].title, songs[2].title, songs[1].title]
    assert client.get("me/playlists").json()["items"][-1]["id"] == playlist["id"]
    client.play(context_uri=playlist["uri"], offset={"position": 1}, position_ms=2000)
    assert client.title() == songs[2].title
    assert client.post_body("me/playlists", {"name": "For today", "public": False}).json()["id"] != playlist["id"]


@pytest.mark.usefixtures("wrong_on_purpose")
def test_a_playlist_takes_a_hundred_tracks_at_once_and_nothing_but_tracks(client, songs):
    key = client.post_body("me/playlists", {"name": "Long", "public": False}).json()["id"]
    for body in ({"uris": [songs[0].uri] * 101}, {"uris": []}, {"uris": ["spotify:album:x"]}, {"uris": [songs[0].uri], "position": 3}, [songs[0].uri], {}):
        assert client.post_body(f"playlists/{key}/items", body).status_code == 400
    for body in ({}, {"name": ""}, {"name": 7}, {"name": "x", "public": "no"}):
        assert client.post_body("me/playlists", body).status_code == 400
    assert client.post_body(f"playlists/{key}/items", {"uris": [songs[0].uri] * 100}).status_code == 201
    assert client.get(f"playlists/{key}/items").json()["total"] == 100


def test_a_strangers_playlist_can_be_played_but_neither_read_nor_changed(client, speaker, songs):
    playlist = speaker.catalogue.stranger_playlist()
    assert client.get(f"playlists/{playlist.id}/items").status_code == 403
    assert client.post_body(f"playlists/{playlist.id}/items", {"uris": [songs[0].uri]}).status_code == 403
    assert client.play(context_uri=playlist.uri).status_code == 204


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ("user-library-read", "me/tracks"),
        ("user-top-read", "me/top/tracks"),
        ("user-read-recently-played", "me/player/recently-played"),
        ("playlist-read-private", "me/playlists"),
        ("user-read-playback-state", "me/player/devices"),
        ("user-read-playback-state", "me/player/queue"),
    ],
)
def test_a_token_opens_what_it_was_granted_and_nothing_else(client, scope, path):
    client.sign_in(scope)
    assert client.get(path).status_code == 200
    client.sign_in("user-modify-playback-state")
    refusal = client.get(path)
    assert (refusal.status_code, refusal.json()["error"]["message"]) == (403, "Insufficient client scope")
    assert client.get("me").status_code == 200


def test_a_private_playlist_wants_another_permission_than_a_public_one(client, songs):
    for granted, public in (("playlist-modify-private", False), ("playlist-modify-public", True)):
        client.sign_in(granted)
        made = client.post_body("me/playlists", {"name": "Mine", "public": public})
        assert made.status_code == 201
        assert client.post_body("me/playlists", {"name": "Mine", "public": not public}).status_code == 403
        path = f"playlists/{made.json()['id']}/items"
        assert client.post_body(path, {"uris": [songs[0].uri]}).status_code == 201
        client.sign_in("user-read-playback-state")
        assert client.post_body(path, {"uris": [songs[0].uri]}).status_code == 403


def test_a_permission_that_was_withdrawn_opens_nothing_whatever_else_was_granted(client, speaker):
    speaker.withdraw("playlist-modify-private")
    assert client.post_body("me/playlists", {"name": "Mine", "public": False}).status_code == 403
    assert client.post_body("me/playlists", {"name": "Mine", "public": True}).status_code == 201


def test_gaps_and_local_files_stand_in_lists_when_they_should(client, speaker, songs):
    client.play(uris=[songs[0].uri])
    path = f"playlists/{speaker.catalogue.playlist_of('calm').id}/items"
    speaker.leave_gaps()
    assert client.get("me/tracks").json()["items"][1]["track"] is None
    assert client.get("me/top/tracks").json()["items"][1] is None
    assert client.get("me/playlists").json()["items"][1] is None
    rows = client.get(path).json()["items"]
    assert rows[1]["item"] is None
    assert (rows[2]["is_local"], rows[2]["item"]["id"]) == (True, None)
    assert client.get("search", q="happy", type="track").json()["tracks"]["items"][1] is None


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


def test_wrong_requests_are_refused_as_spotify_refuses_them(client, songs, wrong_on_purpose):
    client.play(uris=[songs[0].uri])
    refusals = [
        (400, client.get("search", q="happy", type="track", limit=50)),
        (400, client.get("search", q="", type="track")),
        (400, client.get("search", q="x", type="show")),
        (400, client.put("me/player/volume", volume_percent=140)),
        (400, client.put("me/player/volume", volume_percent="loud")),
        (400, client.put("me/player/volume")),
        (400, client.put("me/player", {"play": True})),
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


def test_an_order_that_is_carried_out_late_counts_from_then(client, speaker, clock, songs):
    client.play(uris=[song.uri for song in songs])
    clock.advance(10)
    speaker.accept_late(5)
    assert client.put("me/player/pause").status_code == 202
    clock.advance(60)
    state = client.get("me/player").json()
    assert (state["is_playing"], state["progress_ms"]) == (False, 15_000)
    assert speaker.orders[-1] == Order(1015, "pause")


def test_what_it_did_is_logged_in_order_with_its_time(client, speaker, clock, songs):
    client.play(uris=[songs[0].uri])
    clock.advance(3)
    client.post("me/player/queue", uri=songs[1].uri)
    client.put("me/player/volume", volume_percent=20)
    assert speaker.orders == (Order(1000, "play", songs[0].uri), Order(1003, "queue", songs[1].uri), Order(1003, "volume", percent=20))


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


def test_a_position_beyond_the_end_goes_to_the_next_song(client, songs):
    client.play(uris=[song.uri for song in songs[:3]], position_ms=songs[0].duration_ms + 500)
    assert client.title() == songs[1].title


def test_a_day_of_music_is_a_history_of_fifty(clock):
    head = Playhead(repeat="context")
    head.advance(clock())
    head.start(Catalogue.shipped().playlist_of("happy").songs, context_uri=None)
    for _ in range(24):
        clock.advance(3600)
        head.advance(clock())
    assert len(head.history) == 50
    assert head.playing


@pytest.mark.parametrize(
    ("request_", "answer", "problem"),
    [
        (Request("GET", "/v1/search?q=x&type=track&limit=50", {"authorization": "Bearer x"}), Answer.of({}), "50 is greater"),
        (Request("PUT", "/v1/me/player", {"authorization": "Bearer x", "content-type": "application/json"}, b'{"play": true}'), Answer(204), "device_ids"),
        (Request("GET", "/v1/me/player/devices", {"authorization": "Bearer x"}), Answer.of({"devices": [{"id": 7}]}), "is not of type 'string'"),
        (Request("GET", "/v1/me/player", {}), Answer(204), "Security"),
        (Request("POST", "/v1/me/playlists", {"authorization": "Bearer x", "content-type": "application/json"}, b'{"public": false}'), Answer.of({}, 201), "name"),
        (Request("GET", "/v1/me/tracks", {"authorization": "Bearer x"}), Answer.of({"items": [{"track": 7}]}), "7 is not"),
        (Request("GET", "/v1/me/playlists", {"authorization": "Bearer x"}), Answer.of({"items": [], "total": 0}), "required property"),
        (Request("GET", "/v1/me/player/recently-played", {"authorization": "Bearer x"}), Answer.of({"items": [{"song": {}}]}), "song"),
        (Request("POST", "/api/token", FORM, b"grant_type=refresh_token&client_id=c"), Answer.of({"error": "invalid_request"}, 400), "request POST /api/token"),
        (Request("POST", "/api/token", FORM, REFRESH + b"&client_secret=s"), Answer.of({"error": "invalid_request"}, 400), "request POST /api/token"),
        (Request("POST", "/api/token", FORM, REDEEM + b"short"), Answer.of({"error": "invalid_grant"}, 400), "request POST /api/token"),
        (Request("POST", "/api/token", {"content-type": "application/json"}, b"{}"), Answer.of({"error": "invalid_request"}, 400), "request POST /api/token"),
        (Request("POST", "/api/token", FORM, REFRESH), Answer.of({"error": {"status": 400, "message": "no"}}, 400), "answer POST /api/token 400"),
        (Request("POST", "/api/token", FORM, REFRESH), Answer.of({"error": "no idea"}, 400), "no idea"),
        (Request("POST", "/api/token", FORM, REFRESH), Answer.of({"access_token": "a", "token_type": "Bearer", "scope": ""}), "expires_in"),
        (Request("POST", "/api/token", FORM, REFRESH), Answer(503, b"upstream connect error", "text/plain"), "503"),
        (Request("GET", "/v1/me/nothing", {"authorization": "Bearer x"}), Answer(204), "nothing"),
    ],
)
def test_the_judge_sees_what_is_wrong(conformance, request_, answer, problem):
    if conformance is None:
        pytest.skip("data: Spotify's description (../shared/data) is not on this machine")
    conformance(Exchange(request_, answer))
    assert any(problem in found for found in conformance.problems), conformance.problems


@pytest.mark.parametrize("body", [REFRESH, REDEEM + VERIFIER.encode()])
def test_the_judge_lets_pass_how_tokens_are_asked_for(conformance, body):
    if conformance is None:
        pytest.skip("data: Spotify's description (../shared/data) is not on this machine")
    conformance(Exchange(Request("POST", "/api/token", FORM, body), Answer.of({"error": "invalid_grant"}, 400)))
    assert conformance.problems == []


@pytest.mark.parametrize(("fixture", "left"), [("off_the_record", "request"), ("wrong_on_purpose", "answer")])
def test_a_judge_that_lets_one_side_pass_judges_the_other(conformance, request, fixture, left):
    if conformance is None:
        pytest.skip("data: Spotify's description (../shared/data) is not on this machine")
    request.getfixturevalue(fixture)
    conformance(Exchange(Request("POST", "/api/token", FORM, b"grant_type=x"), Answer(418, b"<html>", "text/html")))
    assert {found.split()[0] for found in conformance.problems} == {left}


def test_every_exchange_is_judged(client, conformance, songs, speaker):
    if conformance is None:
        pytest.skip("data: Spotify's description (../shared/data) is not on this machine")
    song = songs[0]
    client.play(uris=[song.uri])
    for path in ("me", f"tracks/{song.id}", f"albums/{song.album.id}", f"artists/{song.album.artist.id}", "me/player/queue"):
        assert client.get(path).ok
    told = [path for _, path in speaker.requests if path not in PAGES]
    assert conformance.seen == len(told) == 8
    assert conformance.problems == []
