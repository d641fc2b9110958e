"""A mood's songs, from where the owner says, with few requests and whatever fails."""

from collections import Counter
from datetime import timedelta

import pytest
from songs_room import row_with as row
from songs_room import sound, tracks, wanted_of, write

from moodify.config.model import MoodMusic, MusicConfig
from moodify.errors import BudgetSpent, MoodifyError, NotAllowed, RetryLater, SignInNeeded
from moodify.music.catalogue.catalogue import Catalogue
from moodify.music.catalogue.counting import count
from moodify.music.catalogue.importing import import_file
from moodify.music.catalogue.librarian import FOUND_BY_WORDS, CatalogueLibrarian, open_librarian
from moodify.music.catalogue.lookups import LEFT_ALONE
from moodify.music.catalogue.matching import ENOUGH, FLOOR, GOOD, MOST
from moodify.music.catalogue.reccobeats import ReccoBeats
from moodify.music.spotify.simulated.reccobeats import SimulatedReccoBeats
from moodify.types import FELT_MOODS, Mood

LIKED, TOP, RECENT, SEARCH = "/v1/me/tracks", "/v1/me/top/tracks", "/v1/me/player/recently-played", "/v1/search"


def config_of(**music):
    return MusicConfig(**music)


def find(librarian, player, mood, **music):
    return librarian.find(player, wanted_of(config_of(**music), mood))


def know(catalogue, speaker):
    """Let the catalogue know how all the songs of the service sound."""
    catalogue.keep_features({song.uri: sound(song.energy, song.valence) for song in speaker.catalogue.songs.values()}, "csv")


def moods_of(found, speaker):
    by_uri = {song.uri: song.mood for song in speaker.catalogue.songs.values()}
    return Counter(by_uri[song.track.uri] for song in found)


def asked(speaker):
    return Counter(path for method, path in speaker.requests if path.startswith("/v1/"))


def lack_scope(speaker, where, times=1):
    speaker.faults.add(lambda: speaker.faults.refusal(403, "Insufficient client scope"), times, where)


# -- what the owner chose


def test_the_owners_playlist_comes_first_and_all_of_it(librarian, player, speaker):
    uri = speaker.catalogue.playlist_of("calm").uri
    found = find(librarian, player, Mood.HAPPY, moods={Mood.HAPPY: MoodMusic(uri=uri)})
    assert [song.track.uri for song in found] == [song.uri for song in speaker.catalogue.playlist_of("calm").songs]
    assert {(song.fit, song.why) for song in found} == {(1.0, "from your own choice")}


def test_its_songs_carry_the_features_that_are_known(librarian, catalogue, player, speaker):
    know(catalogue, speaker)
    found = find(librarian, player, Mood.CALM, moods={Mood.CALM: MoodMusic(uri=speaker.catalogue.playlist_of("calm").uri)})
    assert all(song.features is not None for song in found)


def test_a_playlist_that_is_not_there_leaves_its_mood_other_songs_that_say_what_to_mend(librarian, player):
    found = find(librarian, player, Mood.HAPPY, moods={Mood.HAPPY: MoodMusic(uri="spotify:playlist:0000000000000000000000")})
    assert found
    assert {song.why for song in found} == {"your music for happy can't be read, set it anew under Set-up"}


def test_a_playlist_that_cannot_be_read_is_played_whole(librarian, player, speaker, time):
    wanted = {"moods": {Mood.HAPPY: MoodMusic(uri=speaker.catalogue.stranger_playlist().uri)}}
    assert find(librarian, player, Mood.HAPPY, **wanted) == ()
    asked_once = len(speaker.requests)
    assert find(librarian, player, Mood.HAPPY, **wanted) == ()
    assert len(speaker.requests) == asked_once
    time.advance(hours=2)
    assert find(librarian, player, Mood.HAPPY, **wanted) == ()
    assert len(speaker.requests) > asked_once


def test_a_playlist_that_fails_is_an_error_and_what_was_known_is_better(librarian, player, speaker, time):
    wanted = {"moods": {Mood.HAPPY: MoodMusic(uri=speaker.catalogue.playlist_of("happy").uri)}}
    speaker.fail(503)
    with pytest.raises(RetryLater):
        find(librarian, player, Mood.HAPPY, **wanted)
    before = find(librarian, player, Mood.HAPPY, **wanted)
    time.advance(days=2)
    speaker.fail(503)
    assert find(librarian, player, Mood.HAPPY, **wanted) == before


# -- songs with features


def test_each_mood_gets_songs_that_sound_like_it_from_the_owners_library(librarian, catalogue, player, speaker):
    know(catalogue, speaker)
    for mood in FELT_MOODS:
        found = find(librarian, player, mood)
        assert len(found) >= ENOUGH
        assert [song.fit for song in found] == sorted((song.fit for song in found), reverse=True)
        assert moods_of(found[:5], speaker)[mood.value] >= 3, mood
        assert {song.why.split(",")[0] for song in found} <= {"from your liked songs", "from what you hear most", "from what you heard lately"}
        assert all(song.features is not None and song.fit >= FLOOR for song in found)
    assert SEARCH not in asked(speaker)


def test_the_reason_names_the_first_source_in_the_owners_order(librarian, catalogue, player, speaker):
    know(catalogue, speaker)
    both = {song.song.uri for song in speaker.library.liked} & {song.uri for song in speaker.library.top}
    first_liked = {song.track.uri: song.why for song in find(librarian, player, Mood.HAPPY, sources=("liked", "top"))}
    first_top = {song.track.uri: song.why for song in find(librarian, player, Mood.HAPPY, sources=("top", "liked"))}
    shared = both & first_liked.keys() & first_top.keys()
    assert shared
    assert all(first_liked[uri].startswith("from your liked songs, energy and valence") for uri in shared)
    assert all(first_top[uri].startswith("from what you hear most, energy and valence") for uri in shared)


def test_imported_songs_need_no_service(librarian, catalogue, player, speaker, tmp_path):
    import_file(catalogue, write(tmp_path, [row(number, Energy=f"{number / 400:.4f}", Valence=f"{(number * 7 % 400) / 400:.4f}") for number in range(400)]))
    found = find(librarian, player, Mood.CALM, sources=("imported",))
    assert ENOUGH <= len(found) <= MOST
    assert all(song.fit >= GOOD for song in found)
    assert found[0].why == "from your import, energy and valence fit"
    assert asked(speaker) == {}


def test_of_very_many_the_best_are_taken(librarian, catalogue, player, tmp_path):
    import_file(catalogue, write(tmp_path, [row(number, Energy=f"{number / 3000:.4f}", Valence=f"{(number * 7 % 3000) / 3000:.4f}") for number in range(3000)]))
    found = find(librarian, player, Mood.SAD, sources=("imported",))
    assert len(found) == MOST
    assert found[-1].fit > 0.85


def test_only_the_sources_that_are_wanted_are_asked(librarian, catalogue, player, speaker):
    know(catalogue, speaker)
    find(librarian, player, Mood.HAPPY, sources=("top",))
    assert set(asked(speaker)) == {TOP}
    found = find(librarian, player, Mood.SAD, sources=("liked", "top"), moods={Mood.SAD: MoodMusic(sources=("top",))})
    assert {song.why.split(",")[0] for song in found} == {"from what you hear most"}


# -- search


def test_without_features_the_search_is_the_fallback(librarian, player, speaker):
    found = find(librarian, player, Mood.CALM)
    assert {(song.fit, song.why, song.features) for song in found} == {(FOUND_BY_WORDS, "found by the search for 'calm'", None)}
    assert moods_of(found, speaker) == {"calm": 10}


def test_where_few_fit_the_search_adds_to_them(librarian, catalogue, player, speaker):
    few = [song for song in speaker.library.liked if song.song.mood == "happy"][:2]
    catalogue.keep_features({song.song.uri: sound(song.song.energy, song.song.valence) for song in few}, "csv")
    found = find(librarian, player, Mood.HAPPY)
    assert len({song.track.uri for song in found}) == len(found) > 10
    assert {song.track.uri for song in found[:2]} == {song.song.uri for song in few}


@pytest.mark.parametrize(("text", "said"), [("happy", "energy and valence fit"), ("sad", "energy and valence are another mood's")])
def test_what_the_search_finds_is_judged_where_its_sound_is_known(librarian, catalogue, player, speaker, text, said):
    know(catalogue, speaker)
    found = find(librarian, player, Mood.HAPPY, sources=("search",), moods={Mood.HAPPY: MoodMusic(search=text)})
    assert [song.fit for song in found] == sorted((song.fit for song in found), reverse=True)
    assert Counter(song.why for song in found).most_common(1)[0][0] == f"found by the search for {text!r}, {said}"


def test_another_moods_songs_are_left_out_where_the_search_found_others(librarian, catalogue, player, speaker):
    sad = speaker.catalogue.playlist_of("sad").songs[:3]
    catalogue.keep_features({song.uri: sound(song.energy, song.valence) for song in sad}, "csv")
    found = find(librarian, player, Mood.HAPPY, sources=("search",), moods={Mood.HAPPY: MoodMusic(search="sad")})
    assert len(found) == 10 - len({song.uri for song in speaker.catalogue.search("sad")[:10]} & {song.uri for song in sad})
    assert {song.features for song in found} == {None}


def test_a_search_that_the_owner_puts_first_is_asked_in_any_case(librarian, catalogue, player, speaker):
    know(catalogue, speaker)
    found = find(librarian, player, Mood.HAPPY, sources=("search", "liked", "top"))
    assert any(song.why.startswith("found by the search") for song in found)
    assert any(song.why.startswith("from your liked songs") for song in found)


def test_a_library_without_features_and_without_search_gives_nothing(librarian, player):
    assert find(librarian, player, Mood.HAPPY, sources=("liked", "top", "recent", "imported")) == ()


# -- few requests


def asked_after(speaker, librarian, player, moods=FELT_MOODS):
    """Return the kinds of requests that a round of look-ups sends."""
    before = len(speaker.requests)
    for mood in moods:
        find(librarian, player, mood)
    return {path for _, path in speaker.requests[before:] if path.startswith("/v1/")}


def test_what_was_answered_lately_is_not_asked_again(librarian, player, speaker, time):
    assert asked_after(speaker, librarian, player) == {LIKED, TOP, RECENT, SEARCH}
    assert asked(speaker) == {LIKED: 2, TOP: 1, RECENT: 1, SEARCH: 6}
    assert asked_after(speaker, librarian, player) == set()
    time.advance(hours=20)
    # The owner has heard nothing yet: that may change soon.
    assert asked_after(speaker, librarian, player) == {RECENT}
    time.advance(hours=10)
    assert asked_after(speaker, librarian, player) == {LIKED, TOP, RECENT}
    time.advance(days=7)
    assert SEARCH in asked_after(speaker, librarian, player, [Mood.CALM])


def test_a_restart_asks_nothing_again(path, player, speaker, time):
    for _ in range(3):
        with CatalogueLibrarian(Catalogue(path, now=time), now=time) as librarian:
            find(librarian, player, Mood.CALM)
    assert asked(speaker)[LIKED] == 2
    assert asked(speaker)[SEARCH] == 1


def test_a_clock_that_was_set_back_asks_again_once(librarian, player, speaker, time):
    find(librarian, player, Mood.CALM)
    time.start -= timedelta(days=300)
    find(librarian, player, Mood.CALM)
    find(librarian, player, Mood.CALM)
    assert asked(speaker)[SEARCH] == 2


# -- what fails


def test_a_source_that_fails_does_not_spoil_the_others(librarian, catalogue, player, speaker):
    know(catalogue, speaker)
    speaker.fail(503, times=2, where=LIKED)
    lack_scope(speaker, RECENT)
    found = find(librarian, player, Mood.HAPPY)
    assert found
    assert all(song.why.startswith(("from what you hear most", "found by the search")) for song in found)


def test_a_missing_permission_is_remembered_until_it_is_there(librarian, catalogue, player, speaker, time):
    lack_scope(speaker, TOP)
    find(librarian, player, Mood.CALM)
    (problem,) = count(catalogue, MusicConfig()).problems
    assert "permission" in problem
    time.advance(hours=1)
    find(librarian, player, Mood.CALM)
    assert count(catalogue, MusicConfig()).problems == ()


def test_a_source_that_is_not_allowed_is_left_alone_for_a_while(librarian, player, speaker, time):
    lack_scope(speaker, TOP)
    for mood in FELT_MOODS:
        find(librarian, player, mood)
    assert asked(speaker)[TOP] == 1
    time.advance(seconds=LEFT_ALONE.total_seconds() + 1)
    find(librarian, player, Mood.CALM)
    assert asked(speaker)[TOP] == 2


def test_what_is_known_is_used_while_the_service_is_away(librarian, catalogue, player, speaker, time):
    know(catalogue, speaker)
    before = find(librarian, player, Mood.HAPPY)
    time.advance(days=2)
    speaker.rate_limit(50_000, "QUOTA_EXCEEDED")
    assert find(librarian, player, Mood.HAPPY) == before
    assert catalogue.problems() == {}


def test_an_error_is_raised_only_where_nobody_had_a_song(librarian, player, speaker):
    speaker.rate_limit(600)
    with pytest.raises(RetryLater) as caught:
        find(librarian, player, Mood.HAPPY)
    assert 0 < caught.value.retry_after_s <= 600
    spent = len(speaker.requests)
    with pytest.raises(RetryLater) as again:
        find(librarian, player, Mood.HAPPY)
    assert 0 < again.value.retry_after_s <= 600
    assert len(speaker.requests) == spent


@pytest.mark.parametrize("own", [False, True])
def test_a_press_looks_up_although_what_may_be_looked_up_unasked_is_spent(librarian, player, speaker, own):
    music = {"moods": {Mood.HAPPY: MoodMusic(uri=speaker.catalogue.playlist_of("happy").uri)}} if own else {}
    while player.budget.left:
        player.budget.note()
    with pytest.raises(BudgetSpent):
        find(librarian, player, Mood.HAPPY, **music)
    with player.asked():
        assert find(librarian, player, Mood.HAPPY, **music)


def test_what_somebody_must_do_is_said_before_what_heals(librarian, player, speaker):
    lack_scope(speaker, LIKED)
    speaker.fail(503, times=3, where=SEARCH)
    with pytest.raises(NotAllowed):
        find(librarian, player, Mood.HAPPY, sources=("liked", "search"))


def test_a_sign_in_that_ended_is_an_error_and_the_speakers_to_say(librarian, catalogue, player, speaker):
    speaker.end_sign_in()
    with pytest.raises(SignInNeeded):
        find(librarian, player, Mood.HAPPY)
    assert catalogue.problems() == {}


def test_a_catalogue_that_cannot_be_used_does_not_stop_the_music(path, player, speaker, time, caplog):
    path.mkdir(parents=True)
    with CatalogueLibrarian(Catalogue(path, now=time), now=time) as librarian:
        for _ in range(2):
            found = find(librarian, player, Mood.CALM)
            assert moods_of(found, speaker) == {"calm": 10}
        own = find(librarian, player, Mood.HAPPY, moods={Mood.HAPPY: MoodMusic(uri=speaker.catalogue.playlist_of("happy").uri)})
        assert moods_of(own, speaker) == {"happy": 12}
        assert find(librarian, player, Mood.CALM, sources=("liked",)) == ()
    (said,) = [record.message for record in caplog.records if "Going on without the catalogue" in record.message]
    assert "is no file" in said


def test_a_full_disk_does_not_stop_the_music_either(librarian, catalogue, player, speaker):
    with catalogue.connection() as db:
        db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    assert find(librarian, player, Mood.CALM)


def test_damage_in_mid_run_heals_by_itself(librarian, catalogue, player, path, caplog):
    catalogue.keep("liked", tracks(*range(500)))
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    assert find(librarian, player, Mood.CALM)
    assert "Going on without" not in caplog.text
    assert "liked" in catalogue.count_by_origin()


class Shrinking(Catalogue):
    """A catalogue from which a command takes songs away between two questions."""

    def songs(self, numbers):
        with self.connection() as db:
            db.execute("DELETE FROM songs WHERE id = ?", [numbers[0]])
            db.execute("DELETE FROM origins WHERE song = ?", [numbers[1]])
        return super().songs(numbers)


def test_songs_that_a_command_takes_away_meanwhile_are_no_candidates(path, player, speaker, time):
    with Shrinking(path, now=time) as catalogue, CatalogueLibrarian(catalogue, now=time) as librarian:
        know(catalogue, speaker)
        assert len(find(librarian, player, Mood.HAPPY, sources=("liked",))) >= 5


# -- features from afar


@pytest.fixture
def reccobeats(speaker, time):
    with SimulatedReccoBeats(catalogue=speaker.catalogue, clock=time.seconds) as service:
        yield service


@pytest.fixture
def enriching(catalogue, reccobeats, time):
    with CatalogueLibrarian(catalogue, ReccoBeats(url=reccobeats.url, now_s=time.seconds), now=time) as librarian:
        yield librarian


def test_features_are_asked_for_a_few_at_a_time_and_once(enriching, player, reccobeats, speaker):
    found = find(enriching, player, Mood.HAPPY)
    assert moods_of(found[:5], speaker)["happy"] >= 3
    assert len(reccobeats.requests) == 2
    for mood in FELT_MOODS:
        find(enriching, player, mood)
    spent = len(reccobeats.requests)
    assert spent <= 4
    find(enriching, player, Mood.HAPPY)
    assert len(reccobeats.requests) == spent


def test_one_look_up_costs_two_requests_at_most(enriching, catalogue, player, reccobeats, speaker, tmp_path):
    reccobeats.forget(*speaker.catalogue.songs)
    import_file(catalogue, write(tmp_path, [row(number, Energy="") for number in range(500)]))
    for number in range(1, 4):
        find(enriching, player, Mood.HAPPY)
        assert len(reccobeats.requests) == 2 * number


def test_imported_songs_without_features_get_theirs_too(enriching, catalogue, player, reccobeats, speaker, tmp_path):
    rows = [row(0, **{"Spotify ID": song.id, "Energy": ""}) for song in speaker.catalogue.songs.values()]
    import_file(catalogue, write(tmp_path, rows))
    found = find(enriching, player, Mood.SAD, sources=("imported",))
    assert moods_of(found[:5], speaker)["sad"] >= 3
    assert asked(speaker) == {}


def test_what_is_unknown_there_is_asked_again_after_a_month(enriching, player, reccobeats, speaker, time):
    reccobeats.forget(*speaker.catalogue.songs)
    for _ in range(2):
        find(enriching, player, Mood.HAPPY)
    time.advance(days=2)
    spent = len(reccobeats.requests)
    find(enriching, player, Mood.HAPPY)
    assert len(reccobeats.requests) == spent
    time.advance(days=31)
    find(enriching, player, Mood.HAPPY)
    assert len(reccobeats.requests) > spent


def test_without_its_answer_what_is_known_is_used(enriching, catalogue, player, reccobeats, speaker):
    reccobeats.close()
    found = find(enriching, player, Mood.HAPPY)
    assert moods_of(found, speaker)["happy"] == 10
    assert catalogue.problems() == {}


def test_nobody_is_asked_unless_the_owner_wants_it(tmp_path):
    with open_librarian(config_of(), tmp_path) as off, open_librarian(config_of(features_online=True), tmp_path) as on:
        assert off._enrichment._service is None
        assert isinstance(on._enrichment._service, ReccoBeats)


def test_what_a_simulated_speaker_plays_is_kept_nowhere(tmp_path, player, time, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_librarian(config_of(), None, now=time) as librarian:
        assert find(librarian, player, Mood.CALM)
        assert librarian._catalogue.count()[0]
    assert list(tmp_path.iterdir()) == []


# -- counts


def test_the_counts_say_what_each_mood_has(librarian, catalogue, player, speaker, tmp_path):
    know(catalogue, speaker)
    for mood in FELT_MOODS:
        find(librarian, player, mood)
    import_file(catalogue, write(tmp_path, [row(1, Energy="")]))
    counts = count(catalogue, MusicConfig())
    assert counts.songs == catalogue.count()[0]
    assert counts.without_features == 1
    assert counts.own_quantiles
    assert set(counts.moods) == set(FELT_MOODS)
    for mood in FELT_MOODS:
        one = counts.moods[mood]
        assert one.fit + one.near >= ENOUGH
        assert list(one.by_source) == ["liked", "top", "recent", "imported"]
        assert one.by_source["imported"] == 0
        assert max(one.by_source.values()) <= one.fit + one.near <= sum(one.by_source.values())


def test_the_counts_of_an_empty_catalogue_ask_nobody(path):
    config = config_of(moods={Mood.HAPPY: MoodMusic(uri="spotify:playlist:0")})
    with Catalogue(path, read_only=True) as catalogue:
        counts = count(catalogue, config)
    assert (counts.songs, counts.without_features, counts.own_quantiles) == (0, 0, False)
    assert counts.as_json()["moods"]["happy"] == {"uri": "spotify:playlist:0", "fit": 0, "near": 0, "by_source": {}, "found": 0}
    assert not path.exists()


def test_the_counts_know_the_owners_playlist_and_what_a_search_found(librarian, player, speaker, catalogue):
    config = config_of(moods={Mood.HAPPY: MoodMusic(uri=speaker.catalogue.playlist_of("happy").uri)})
    for mood in (Mood.HAPPY, Mood.CALM):
        librarian.find(player, wanted_of(config, mood))
    counts = count(catalogue, config)
    assert counts.moods[Mood.HAPPY].fit == 12
    assert counts.moods[Mood.CALM].found == 10


def test_every_error_is_the_projects(librarian, player, speaker):
    for pull in (lambda: speaker.html(20), lambda: speaker.fail(500, 20), lambda: speaker.cut_connection(40)):
        pull()
        with pytest.raises(MoodifyError):
            find(librarian, player, Mood.HAPPY)
