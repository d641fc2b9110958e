"""``moodify music``: what plays and why, playlists, where music comes from, learning."""

import io
import json
import sys
import uuid
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from appliance import configure, data_folder
from moodify.cli import music as music_cli
from moodify.cli import music_playlist, music_simulate
from moodify.cli.main import main
from moodify.cli.music_now import Playing
from moodify.config.model import Config, MusicConfig
from moodify.errors import SpeakerUnavailable
from moodify.music import taste_keeping
from moodify.music.catalogue.catalogue import Catalogue
from moodify.music.catalogue.file import FILE
from moodify.music.playlist import Preferences, make_playlist
from moodify.music.simulation.trial import Band
from moodify.music.song import Candidate, Outcome
from moodify.music.spotify import factory
from moodify.music.spotify.factory import open_player
from moodify.music.spotify.simulated.speaker import SimulatedSpeaker
from moodify.music.spotify.tokens import TokenFile
from moodify.music.taste import ThompsonTaste
from moodify.store.lock import FolderLock
from moodify.store.prepare import prepare
from moodify.store.settings import Settings
from moodify.store.store import Store
from moodify.types import Act, Event, EventKind, Mood, Track

NOW = datetime.now(UTC)
LEMON = {"uri": "spotify:track:1", "title": "Lemon Bicycle", "artist": "Lantern Parade", "duration_ms": 200_000}
GREY = {"uri": "spotify:track:2", "title": "Grey Umbrella", "artist": "Silver Orchard", "duration_ms": 200_000}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    configure(tmp_path)
    return tmp_path


@pytest.fixture
def music(home, monkeypatch, capsys):
    """Run ``moodify music …`` and return its exit code and what it printed."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["moodify", "music", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return run


def database(home):
    path = data_folder(home) / "moodify.db"
    prepare(path)
    return path


def happened(home, *events):
    """Write down what happened, each as (seconds ago, kind, data)."""
    with Store(database(home)) as store:
        store.record([Event(str(uuid.uuid4()), EventKind(kind), datetime.now(UTC) - timedelta(seconds=ago_s), data) for ago_s, kind, data in events])


def mood(name, ago_s):
    return ago_s, "mood", {"mood": name, "since": (datetime.now(UTC) - timedelta(seconds=ago_s)).isoformat(timespec="milliseconds")}


def order(ago_s, act, track=None, status="done", number="1", message=None):
    return ago_s, "order", {"order": number, "act": act, "status": status, "track": track, "took_ms": 5, "message": message}


def decision(ago_s, act, reason, number=None):
    return ago_s, "decision", {"act": act, "mood": "happy", "reason": reason, "track": None, "order": number}


# -- now and why


@pytest.fixture
def running(home):
    """An appliance has the data folder."""
    with FolderLock(data_folder(home)):
        yield


@pytest.mark.usefixtures("running")
def test_now_tells_mood_song_next_and_reason(home, music):
    happened(
        home,
        (130, "presence", {"present": True, "people": 2}),
        mood("happy", 125),
        decision(61, "play", "Happy for 2 min", "1"),
        order(60, "play", LEMON),
        order(5, "queue", GREY, number="2"),
    )
    code, out, err = music("now")
    assert (code, err) == (0, "")
    mood_line, plays, following, why, age = out.splitlines()
    assert "happy, for 2 min, 2 people" in mood_line
    assert "'Lemon Bicycle' by Lantern Parade, for " in plays
    assert "'Grey Umbrella' by Silver Orchard" in following
    assert "Happy for 2 min" in why
    assert age.startswith("The newest news is ")
    assert age.endswith(" old.")


@pytest.mark.usefixtures("running")
def test_now_as_json(home, music):
    happened(home, mood("sad", 50), order(40, "play", LEMON), decision(30, "keep", "Sad, and the music fits"))
    code, out, _ = music("now", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["playing"] == told["last"] == LEMON
    assert (told["mood"], told["next"], told["paused"], told["running"], told["reason"]) == ("sad", None, False, True, "Sad, and the music fits")
    assert 29 <= told["age_s"] < 60


def told_of_speaker(ago_s, state, message):
    return ago_s, "speaker", {"state": state, "message": message}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("degraded", "Spotify's quota is spent; trying again in 14 h"),
        ("broken", "not signed in to Spotify; sign in with: moodify spotify login"),
        ("ok", "Spotify on Kitchen. the Spotify sign-in ends on 2027-05-21, in 12 days; sign in again with: moodify spotify login"),
    ],
)
def test_now_tells_what_a_person_should_know_of_the_speaker_and_since_when(home, music, state, message):
    happened(home, told_of_speaker(900, "starting", "Spotify on Kitchen"), told_of_speaker(600, state, message), mood("happy", 90))
    assert f"Speaker {state}, told 10 min ago: {message}" in music("now")[1].splitlines()
    told = json.loads(music("now", "--json")[1])["speaker"]
    assert (told["state"], told["message"]) == (state, message)
    assert 590 < (datetime.now(UTC) - datetime.fromisoformat(told["at"])).total_seconds() < 660


@pytest.mark.parametrize("message", ["Spotify on Kitchen", "Spotify", "the simulated speaker"])
def test_now_says_nothing_of_a_speaker_that_is_well(home, music, message):
    happened(home, told_of_speaker(600, "broken", "not signed in"), told_of_speaker(500, "ok", message), mood("happy", 90))
    assert "Speaker" not in music("now")[1]
    assert json.loads(music("now", "--json")[1])["speaker"]["message"] == message


def test_now_tells_of_a_speaker_that_has_long_been_broken(home, music):
    happened(home, told_of_speaker(90_000, "broken", "not signed in"), *((80_000 - number, "health", {}) for number in range(2100)))
    assert "Speaker broken, told 25 h ago: not signed in" in music("now")[1]


def test_now_knows_no_speaker_before_there_is_news_of_one(home, music):
    happened(home, mood("happy", 90))
    assert json.loads(music("now", "--json")[1])["speaker"] is None


@pytest.mark.usefixtures("running")
def test_now_says_where_an_appliance_runs_and_writes_nothing(home, music):
    happened(home, mood("happy", 7300), order(7260, "play", LEMON), decision(7200, "keep", "Happy"))
    _, out, _ = music("now")
    assert "nothing that Moodify has put on" in out
    assert "The newest news is 2 h old: Moodify runs, but writes nothing down; look at its log." in out


@pytest.mark.parametrize(("ago_s", "said"), [(30, "30 s"), (7200, "2 h")])
def test_after_the_end_now_says_at_once_that_nothing_runs_and_what_played_last(home, music, ago_s, said):
    happened(home, mood("happy", ago_s + 90), order(ago_s + 60, "play", LEMON), decision(ago_s, "keep", "Happy"))
    _, out, _ = music("now")
    first, felt, *_, age = out.splitlines()
    assert first == "Moodify does not run; last it played 'Lemon Bicycle' by Lantern Parade. Start it with: moodify run"
    assert felt.startswith("Mood    happy, for 90 s")
    assert "Plays" not in out
    assert age == f"The newest news is {said} old."
    told = json.loads(music("now", "--json")[1])
    assert (told["running"], told["playing"], told["next"], told["last"]) == (False, None, None, LEMON)


def test_after_the_end_the_song_that_followed_by_itself_is_the_last(home, music):
    happened(home, order(900, "play", LEMON), order(800, "queue", GREY), decision(500, "keep", "Happy"))
    assert "last it played 'Grey Umbrella'" in music("now")[1]


def test_what_never_played_anything_says_so(home, music):
    happened(home, mood("happy", 50))
    assert "Moodify does not run; last it played nothing." in music("now")[1]


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([("presence", {"present": None, "people": None})], "not known: the camera sees nobody's mood"),
        ([("mood", "absent"), ("presence", {"present": False, "people": 0})], "nobody is there, for "),
        ([("mood", "absent"), ("presence", {"present": True, "people": 1})], "somebody is back"),
        ([("mood", "unsure"), ("presence", {"present": True, "people": 1})], "can't tell, for "),
    ],
)
def test_now_says_where_the_mood_is_not_known(home, music, events, said):
    happened(home, mood("happy", 90), *(mood(data, 60 - place) if kind == "mood" else (60 - place, kind, data) for place, (kind, data) in enumerate(events)))
    _, out, _ = music("now")
    assert said in out.splitlines()[0]


@pytest.mark.parametrize("command", ["now", "why"])
def test_before_the_first_run_it_says_to_start_it(music, command):
    code, out, err = music(command)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "start the appliance with: moodify run" in err


def track(data):
    return Track(data["uri"], data["title"], data["artist"], data["duration_ms"])


def played(*orders):
    """What plays after (seconds, act, song)."""
    playing = Playing()
    for at_s, act, song in orders:
        playing = playing.after(act, None if song is None else track(song), NOW + timedelta(seconds=at_s))
    return playing


@pytest.mark.parametrize(
    ("orders", "at_s", "plays", "following"),
    [
        ([], 0, None, None),
        ([(0, Act.PLAY, LEMON)], 199, "Lemon Bicycle", None),
        ([(0, Act.PLAY, LEMON)], 201, None, None),
        ([(0, Act.PLAY, LEMON), (180, Act.QUEUE, GREY)], 199, "Lemon Bicycle", "Grey Umbrella"),
        ([(0, Act.PLAY, LEMON), (180, Act.QUEUE, GREY)], 201, "Grey Umbrella", None),
        ([(0, Act.PLAY, LEMON), (180, Act.QUEUE, GREY)], 401, None, None),
        ([(0, Act.PLAY, LEMON), (100, Act.QUEUE, GREY), (110, Act.SKIP, None)], 120, "Grey Umbrella", None),
        ([(0, Act.PLAY, LEMON), (100, Act.SKIP, None)], 120, None, None),
        ([(0, Act.PLAY, LEMON), (100, Act.PAUSE, None)], 900, "Lemon Bicycle", None),
        ([(0, Act.PLAY, LEMON), (100, Act.PAUSE, None), (700, Act.RESUME, None)], 799, "Lemon Bicycle", None),
        ([(0, Act.PLAY, LEMON), (100, Act.PAUSE, None), (700, Act.RESUME, None)], 801, None, None),
        ([(0, Act.QUEUE, GREY)], 10, "Grey Umbrella", None),
        ([(0, Act.PLAY, LEMON), (10, Act.VOLUME, None)], 20, "Lemon Bicycle", None),
    ],
)
def test_what_plays_follows_from_the_orders(orders, at_s, plays, following):
    playing = played(*orders).at(NOW + timedelta(seconds=at_s))
    assert (playing.track and playing.track.title, playing.upcoming and playing.upcoming.title) == (plays, following)


@pytest.mark.usefixtures("running")
def test_an_order_that_failed_plays_nothing(home, music):
    happened(home, order(10, "play", LEMON, status="failed", message="the speaker is asleep"))
    assert "nothing that Moodify has put on" in music("now")[1]


def test_why_lists_the_last_decisions_the_newest_last(home, music):
    happened(
        home,
        (40, "health", {}),
        *(decision(39 - number, "keep", f"Reason {number}") for number in range(12)),
        decision(5, "play", "Happy for 2 min", "9"),
        order(4, "play", LEMON, status="failed", number="9", message="the speaker is asleep"),
    )
    code, out, _ = music("why", "--last", 3)
    assert code == 0
    lines = out.splitlines()
    assert [line.split("Reason ")[-1] for line in lines[:2]] == ["10", "11"]
    assert lines[2].endswith("play   Happy for 2 min (failed: the speaker is asleep)")


def test_why_as_json_says_how_each_ended(home, music):
    happened(home, decision(5, "play", "Happy", "9"), order(4, "play", LEMON, number="9"), decision(3, "keep", "It fits"))
    decisions = json.loads(music("why", "--json")[1])["decisions"]
    assert [(each["reason"], each["ended"] and each["ended"]["status"]) for each in decisions] == [("Happy", "done"), ("It fits", None)]


def test_older_decisions_are_dated(home, music):
    happened(home, decision(3 * 86_400, "keep", "Long ago"))
    assert (NOW - timedelta(days=3)).astimezone().strftime("%d %b") in music("why")[1]


# -- moods


def test_moods_without_songs_say_what_to_do(music):
    code, out, err = music("moods")
    assert (code, err) == (0, "")
    for each in ("happy", "surprised", "calm", "sad", "angry", "tense"):
        assert f"{each}: the search stands in; import songs, or set music.moods.{each}.uri" in out.splitlines()
    assert "The catalogue holds 0 songs" in out


class Screen(io.StringIO):
    """A terminal of 80 columns, as it ends a line by itself."""

    def isatty(self):
        return True


def test_moods_on_a_narrow_terminal_break_no_key_and_no_uri(home, monkeypatch):
    uri = "spotify:playlist:37i9dQZF1DXdPec7aLTmlC"
    configure(home, f'[music.moods.happy]\nuri = "{uri}"')
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "stdout", screen := Screen())
    assert music_cli.moods(None, as_json=False) == 0
    table = [line for line in screen.getvalue().splitlines() if line.startswith("│")]
    assert max(map(len, table)) <= 80
    assert any(uri in line for line in table)
    assert "surprised: the search stands in; import songs, or set music.moods.surprised.uri" in screen.getvalue().splitlines()


def test_moods_say_what_their_columns_mean_and_that_nobody_is_signed_in(music):
    out = music("moods")[1]
    assert all(f"{word}: songs" in out for word in ("fit", "near"))
    assert "Nobody is signed in to Spotify" in out
    assert "moodify spotify login" in out
    assert "liked, top, recent, imported (0)" in out


def test_moods_count_the_library_of_somebody_who_is_signed_in(home, music):
    configure(home, '[music.spotify]\nclient_id = "0123456789abcdef0123456789abcdef"')
    tokens = TokenFile(data_folder(home))
    tokens.save_token_to_cache({"access_token": "made here", "refresh_token": "made here", "scope": "", "expires_at": 0})
    out = music("moods")[1]
    assert "Nobody is signed in" not in out
    assert "liked (0), top (0), recent (0), imported (0)" in out


def test_moods_name_the_owners_choice(home, music):
    configure(home, '[music.moods.happy]\nuri = "spotify:playlist:37i9dQZF1DXdPec7aLTmlC"\n[music.moods.sad]\nsources = ["imported"]')
    lines = {line.split("│")[1].strip(): line for line in music("moods")[1].splitlines() if line.startswith("│")}
    assert "spotify:playlist:37i9dQZF1DXdPec7aLTmlC" in lines["happy"]
    assert "the search" not in lines["sad"]


def test_moods_as_json_writes_nothing(home, music):
    code, out, _ = music("moods", "--json")
    assert code == 0
    assert set(json.loads(out)["moods"]) == {"happy", "surprised", "calm", "sad", "angry", "tense"}
    assert not data_folder(home).exists()


def problem_with(home, **problems):
    """Write down in the catalogue what somebody must do about sources."""
    with Catalogue(data_folder(home) / FILE) as catalogue:
        for origin, message in problems.items():
            catalogue.note_problem(origin, message)


def test_moods_print_what_somebody_must_do_about_a_source(home, music):
    must = "no permission to see what you like; sign in again with: moodify spotify login"
    problem_with(home, liked=must, top=must)
    code, out, err = music("moods")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == must
    assert out.count(must) == 1
    assert json.loads(music("moods", "--json")[1])["problems"] == [must]


def test_moods_are_silent_about_a_source_that_is_not_wanted(home, music):
    configure(home, '[music]\nsources = ["imported"]')
    problem_with(home, liked="sign in again")
    assert "sign in again" not in music("moods")[1]


# -- playlist

ANOTHER = (
    "This is another list than without --play: the simulated speaker has its own songs and none of your imported ones. To hear yours, sign in first with: moodify spotify login"
)
CSV = "Track URI,Track Name,Album Name,Artist Name(s),Release Date,Duration (ms),Popularity,Explicit,Added By,Added At,Genres,Record Label,Danceability,Energy,Key,Loudness,Mode,Speechiness,Acousticness,Instrumentalness,Liveness,Valence,Tempo,Time Signature"  # noqa: E501 - as Exportify writes it


def imported(home, music, songs=60):
    """Import songs all over valence and energy; every third is explicit."""
    rng = Random(1)
    rows = [
        f"spotify:track:{number:022},Song {number},Album,Artist {number % 12},2020,200000,50,{'true' if number % 3 == 0 else 'false'},me,,,,"
        f"0.5,{rng.random():.3f},1,-5,1,0.1,0.1,0,0.1,{rng.random():.3f},120,4"
        for number in range(songs)
    ]
    file = home / "songs.csv"
    file.write_text("\n".join([CSV, *rows]), "utf-8")
    assert music("import", file)[0] == 0


def test_a_playlist_has_a_reason_for_each_song_and_names_the_speaker(music):
    code, out, err = music("playlist", "happy", "--length", 4)
    assert (code, err) == (0, "")
    assert "Moodify happy: 4 songs, goal match" in out
    assert out.count("found by the search for 'happy'") == 4
    assert "Speaker: the simulated speaker" in out


def test_a_playlist_can_be_played_on_the_simulated_speaker(music):
    code, out, _ = music("playlist", "Sad", "--length", 3, "--play", "--json")
    made = json.loads(out)
    assert code == 0
    assert (len(made["tracks"]), made["played"], made["simulated"], made["saved"]) == (3, True, True, None)
    assert all(each["reasons"] for each in made["tracks"])


def test_a_playlist_is_made_from_what_was_imported_and_remembers_nothing_simulated(home, music):
    imported(home, music)
    made = json.loads(music("playlist", "happy", "--json")[1])
    assert len(made["tracks"]) >= 5
    assert all(each["energy"] is not None and each["title"].startswith("Song") for each in made["tracks"])
    assert set(json.loads(music("moods", "--json")[1])["origins"]) == {"imported"}


def test_a_playlist_for_somebody_follows_their_section(home, music):
    imported(home, music)
    everybodys = json.loads(music("playlist", "happy", "--length", 100, "--json")[1])["tracks"]
    avoided = next(each["artist"] for each in everybodys if not each["explicit"])
    configure(home, f'[people.ada]\ngoal = "lift"\navoids = ["{avoided}"]\nexplicit = false\nlength = 100')
    made = json.loads(music("playlist", "happy", "--for", "Ada", "--json")[1])
    assert (made["for"], made["goal"]) == ("ada", "lift")
    allowed = {each["uri"] for each in everybodys if each["artist"] != avoided and not each["explicit"]}
    assert {each["uri"] for each in made["tracks"]} == allowed
    assert sum(made["left_out"].values()) == len(everybodys) - len(allowed) > 0


@pytest.mark.parametrize(
    ("toml", "arguments", "key"),
    [
        ('[people.ada]\nmoods = { happy = "spotify:playlist:doesNotExist" }', ("--for", "ada"), "people.ada.moods.happy"),
        ('[music.moods.happy]\nuri = "spotify:playlist:doesNotExist"', (), "music.moods.happy.uri"),
    ],
)
def test_a_playlist_that_is_not_there_is_said_with_its_key(home, music, toml, arguments, key):
    configure(home, toml)
    code, out, err = music("playlist", "happy", *arguments)
    assert (code, out) == (1, "")
    assert err == f'moodify: {key} = "spotify:playlist:doesNotExist": the simulated speaker knows no playlists of yours; sign in first with: moodify spotify login\n'


@pytest.mark.usefixtures("speaker")
def test_a_playlist_that_the_service_does_not_know_is_said_with_its_key(home, music):
    configure(home, '[people.ada]\nmoods = { happy = "spotify:playlist:doesNotExist" }')
    code, _, err = music("playlist", "happy", "--for", "ada")
    assert code == 2
    assert 'people.ada.moods.happy = "spotify:playlist:doesNotExist": ' in err
    assert "simulated" not in err


def test_whoever_chose_the_simulated_speaker_is_told_to_choose_another(home, music):
    configure(home, '[music]\nspeaker = "simulated"\n[music.spotify]\nsave_playlists = true')
    assert 'set music.speaker = "auto", and sign in first' in music("playlist", "happy", "--save")[2]


@pytest.mark.parametrize(("goal", "moods"), [("match", ["angry"]), ("calm", ["calm"]), ("lift", ["angry", "tense", "calm", "happy"])])
def test_the_goal_says_whose_music_comes(home, music, goal, moods):
    imported(home, music, songs=120)
    configure(home, f'[music]\ngoal = "{goal}"')
    tracks = json.loads(music("playlist", "angry", "--length", 10, "--json")[1])["tracks"]
    assert list(dict.fromkeys(each["mood"] for each in tracks)) == moods
    alone = {each["uri"] for mood in moods for each in json.loads(music("playlist", mood, "--length", 100, "--json")[1])["tracks"]}
    assert {each["uri"] for each in tracks} <= alone


def test_a_song_one_step_brighter_says_so(home, music):
    configure(home, '[music]\ngoal = "lift"')
    assert "one step brighter: calm music" in music("playlist", "sad", "--length", 5)[1]


def test_a_playlist_that_is_played_keeps_to_the_volume_cap(home, music, speaker):
    configure(home, "[music]\nvolume_cap = 35\n[music.spotify]\nspeaker = '" + speaker.name + "'")
    assert music("playlist", "happy", "--length", 2, "--play")[0] == 0
    with factory.open_player(MusicConfig(), home) as opened:
        playback = opened.player.playback()
    assert playback.playing
    assert playback.speaker.volume_percent == 35


def test_it_says_where_another_list_is_played_than_the_one_looked_at(home, music):
    imported(home, music)
    assert json.loads(music("playlist", "happy", "--json")[1])["notes"][:1] != [ANOTHER]
    played = json.loads(music("playlist", "happy", "--play", "--json")[1])
    assert played["notes"][0] == ANOTHER
    assert ANOTHER in music("playlist", "happy", "--play")[1].splitlines()


def test_a_list_that_is_shorter_than_asked_says_so_and_what_to_do(home, music):
    imported(home, music)
    made = json.loads(music("playlist", "happy", "--length", 100, "--json")[1])
    (note,) = made["notes"]
    assert note.startswith(f"{len(made['tracks'])} of 100: no more songs fit happy. For more, import songs with moodify music import FILE.csv, or sign in first with: ")
    assert note in music("playlist", "happy", "--length", 100)[1].splitlines()
    assert json.loads(music("playlist", "happy", "--length", 3, "--json")[1])["notes"] == []


@pytest.mark.usefixtures("speaker")
@pytest.mark.parametrize(("sources", "more"), [('["imported", "search"]', True), ('["imported"]', False)])
def test_the_search_fills_a_list_up_where_it_is_a_source(home, music, sources, more):
    imported(home, music, songs=120)
    configure(home, f"[music]\nsources = {sources}")
    tracks = json.loads(music("playlist", "happy", "--length", 100, "--json")[1])["tracks"]
    found = [each for each in tracks if any("found by the search" in reason for reason in each["reasons"])]
    assert len(tracks) - len(found) > 12
    assert bool(found) == more


def test_a_search_for_more_that_fails_leaves_the_list_as_it_is_and_says_so(home, music, speaker):
    imported(home, music, songs=120)
    configure(home, '[music]\nsources = ["imported", "search"]')
    speaker.fail(times=50, where="/v1/search")
    made = json.loads(music("playlist", "happy", "--length", 100, "--json")[1])
    assert len(made["tracks"]) > 12
    failed, shorter = made["notes"]
    assert failed.startswith("The search for more songs failed: ")
    assert "or set music.moods.happy.uri to a playlist that you own" in shorter


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("joyful",), "there is no mood 'joyful' with music; the moods are happy, surprised, calm, sad, angry, tense"),
        (("absent",), "the moods are happy,"),
        (("happy", "--for", "bob"), "there is no 'bob'; the people in the configuration are ada"),
    ],
)
def test_an_unknown_mood_or_person_is_said_with_the_known_ones(home, music, arguments, said):
    configure(home, "[people.ada]\nlength = 3")
    code, out, err = music("playlist", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_saving_wants_the_owners_word(music):
    code, out, err = music("playlist", "happy", "--save")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "set music.spotify.save_playlists = true" in err
    assert "moodify spotify login" in err


def test_the_help_names_the_section_of_a_person(music):
    assert "[people.PERSON]" in music("playlist", "--help")[1]


@pytest.fixture
def speaker(monkeypatch):
    """A speaker of somebody who is signed in: for the commands it is not the simulated one that it is."""
    open_simulated = factory.open_player
    with SimulatedSpeaker() as simulated:
        monkeypatch.setattr(factory, "open_player", lambda config, folder: factory.OpenPlayer(open_simulated(config, folder, simulated=simulated).player, None))
        yield simulated


def test_the_simulated_speaker_saves_no_playlist_and_says_so(home, music):
    configure(home, "[music.spotify]\nsave_playlists = true")
    code, out, err = music("playlist", "happy", "--save")
    assert (code, out) == (1, "")
    assert err == "moodify: the simulated speaker keeps no playlists; sign in first with: moodify spotify login\n"


def test_saving_names_the_playlist(home, music, speaker):
    configure(home, "[music.spotify]\nsave_playlists = true\n[people.ada]\nlength = 3")
    made = json.loads(music("playlist", "happy", "--for", "ada", "--save", "--play", "--json")[1])
    assert made["saved"].startswith("spotify:playlist:")
    assert "Saved as Moodify happy for ada: spotify:playlist:" in music("playlist", "happy", "--for", "ada", "--save")[1]


def test_where_nothing_is_left_it_says_why(home, music):
    configure(home, '[music]\nsources = ["imported"]\n[people.ada]\navoids = ["Artist 0"]')
    file = home / "songs.csv"
    file.write_text(f"{CSV}\nspotify:track:{1:022},Song,Album,Artist 0,2020,200000,50,false,me,,,,0.5,0.8,1,-5,1,0.1,0.1,0,0.1,0.8,120,4", "utf-8")
    assert music("import", file)[0] == 0
    code, _, err = music("playlist", "happy", "--for", "ada")
    assert code == 1
    assert "no happy song is left: 1 by artists to avoid" in err
    code, _, err = music("playlist", "sad")
    assert code == 1
    assert "no sad songs are known" in err


def test_a_speaker_that_takes_no_more_is_said(tmp_path, capsys):
    speaker = SimulatedSpeaker()
    with open_player(MusicConfig(), tmp_path, simulated=speaker) as opened:
        made = make_playlist(Mood.HAPPY, {Mood.HAPPY: [Candidate(song) for song in opened.player.search("happy")]}, Preferences(length=3))
        speaker.fail(times=50, where="/v1/me/player/queue")
        with pytest.raises(SpeakerUnavailable):
            music_playlist._play(opened, made, None, Config())
    assert capsys.readouterr().err == "moodify: 1 of 3 songs were taken by the speaker\n"


# -- learning


def learned(home):
    taste = ThompsonTaste(Random(1))
    taste.learn(Mood.HAPPY, Track("spotify:track:1", "Song 1", "Artist 1", 1), Outcome.LIKED, datetime.now(UTC))
    with Settings(database(home)) as settings:
        settings.put(taste_keeping.TASTE_KEY, taste_keeping.as_json(taste))


def kept(home):
    with Settings(database(home)) as settings:
        return settings.get(taste_keeping.TASTE_KEY)


def test_what_was_learned_is_said_in_a_playlist_unless_learning_is_off(home, music):
    imported(home, music)
    uri = next(each["uri"] for each in json.loads(music("playlist", "happy", "--json")[1])["tracks"])
    taste = ThompsonTaste(Random(1))
    taste.learn(Mood.HAPPY, Track(uri, "", "Somebody", 1), Outcome.LIKED, datetime.now(UTC))
    with Settings(database(home)) as settings:
        settings.put(taste_keeping.TASTE_KEY, taste_keeping.as_json(taste))
    assert "you liked it before" in music("playlist", "happy", "--json")[1]
    configure(home, "[music]\nlearning = false")
    assert "you liked it before" not in music("playlist", "happy", "--json")[1]


def test_forgetting_wants_a_word(home, music):
    learned(home)
    code, _, err = music("forget")
    assert code == 1
    assert "add --yes" in err
    assert kept(home) is not None


def test_without_a_standard_input_nothing_is_forgotten(home, music, monkeypatch):
    learned(home)
    monkeypatch.setattr(sys, "stdin", None)
    code, _, err = music("forget")
    assert (code, "add --yes" in err) == (1, True)
    assert kept(home) is not None


class Terminal(io.StringIO):
    """What somebody types."""

    def isatty(self):
        return True


@pytest.mark.parametrize(("typed", "code", "forgotten"), [("forget\n", 0, True), ("y\n", 1, False), ("\n", 1, False)])
def test_at_a_terminal_it_asks_first(home, music, monkeypatch, typed, code, forgotten):
    learned(home)
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    ended, out, _ = music("forget")
    assert ended == code
    assert "This forgets what was learned about 1 song." in out
    assert (kept(home) is None) == forgotten


def test_forgetting_leaves_nothing(home, music):
    learned(home)
    code, out, _ = music("forget", "--yes")
    assert code == 0
    assert out.startswith("Forgotten.")
    assert kept(home) is None


def test_there_may_be_nothing_to_forget(music):
    assert music("forget") == (0, "Nothing was learned yet.\n", "")


@pytest.mark.parametrize("arguments", [(), ("--yes",)])
def test_an_appliance_that_ran_and_learned_nothing_has_nothing_to_forget(home, music, arguments):
    with Settings(database(home)) as settings:
        settings.put(taste_keeping.TASTE_KEY, taste_keeping.as_json(ThompsonTaste(Random(1))))
    assert music("forget", *arguments) == (0, "Nothing was learned yet.\n", "")


def test_what_was_forgotten_is_not_asked_about_again(home, music):
    learned(home)
    music("forget", "--yes")
    assert music("forget") == (0, "Nothing was learned yet.\n", "")


# -- simulate


def test_simulate_prints_a_table_and_says_that_these_are_no_people(music):
    code, out, err = music("simulate", "--runs", 2, "--plays", 20)
    assert (code, err) == (0, "")
    assert all(name in out for name in ("easy-going", "picky", "changing", "couple", "skip-happy"))
    assert "no people" in out
    assert all(f"{word}: " in out for word in ("regret", "95 % band", "kept", "learning saves"))


@pytest.mark.parametrize("plays", [20, 240])
def test_simulate_fits_a_narrow_terminal_and_cuts_nothing(music, plays):
    out = music("simulate", "--runs", 2, "--plays", plays)[1]
    table = [line for line in out.splitlines() if line[:1] in "│┃┏┡├└"]
    assert max(map(len, table)) <= 80
    assert "…" not in out
    assert sum("by chance" in line for line in table) == 5


@pytest.mark.parametrize(
    ("band", "said"),
    [(Band(-0.04, -0.049, 0.04), "0.0 (0.0 to 0.0)"), (Band(-0.1, -1.4, 1.0), "-0.1 (-1.4 to 1.0)"), (Band(11.2, -0.3, 20.6), "11 (0 to 21)")],
)
def test_nought_has_no_sign(band, said):
    assert music_simulate._with_band(band) == said


def test_simulate_as_json_draws_too(home, music):
    pytest.importorskip("matplotlib", reason="data: matplotlib is not installed")
    code, out, _ = music("simulate", "--runs", 2, "--plays", 20, "--out", home / "curves.png", "--json")
    told = json.loads(out)
    assert code == 0
    assert set(told["archetypes"]["picky"]["regret"]) == {"learned", "chance", "playlist"}
    assert (home / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_simulate_says_first_where_it_can_not_draw(home, music):
    code, out, err = music("simulate", "--out", home / "curves.txt")
    assert (code, out) == (2, "")
    assert "ends in .png" in err or "-m pip install 'matplotlib>=3.9,<4'" in err


def test_without_matplotlib_drawing_says_what_to_install(home, music, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = music("simulate", "--out", home / "curves.png")
    assert (code, out) == (1, "")
    assert "-m pip install 'matplotlib>=3.9,<4'" in err
