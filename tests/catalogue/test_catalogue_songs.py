"""What the catalogue keeps of songs, for how long, and which go first."""

from itertools import islice

from songs_room import row_with as row
from songs_room import sound, sounds, track, tracks, uri, write

from moodify.music.catalogue.catalogue import Catalogue
from moodify.music.catalogue.importing import import_file
from moodify.types import Track


def uris_of(catalogue):
    with catalogue.connection() as db:
        return {one for (one,) in db.execute("SELECT uri FROM songs")}


def test_an_answer_takes_the_place_of_the_one_before_in_its_order(catalogue, time):
    catalogue.keep("liked", tracks(1, 2, 3))
    time.advance(hours=1)
    catalogue.keep("liked", tracks(3, 4, 1))
    assert catalogue.lookup("liked").tracks == tracks(3, 4, 1)
    assert catalogue.lookup("liked").at == time()
    assert uris_of(catalogue) == {uri(1), uri(3), uri(4)}


def test_a_song_that_another_source_has_stays(catalogue):
    catalogue.keep("liked", tracks(1, 2))
    catalogue.keep("top", tracks(2))
    catalogue.keep("liked", ())
    assert uris_of(catalogue) == {uri(2)}
    assert catalogue.lookup("liked").tracks == ()


def test_a_song_keeps_all_its_origins_and_what_is_known_of_it(catalogue):
    catalogue.keep("liked", [track(0, explicit=True)])
    catalogue.keep("search:calm", [track(0)])
    catalogue.keep_features(sounds((0.2, 0.7)), "reccobeats")
    ((number, energy, valence),) = catalogue.judged(["liked", "top"])
    assert (energy, valence) == (0.2, 0.7)
    known = catalogue.songs([number])[number]
    assert known.origins == {"liked", "search:calm"}
    assert known.song.track == track(0)
    assert known.song.track.explicit is True
    assert known.song.features == sound(0.2, 0.7)


def test_a_song_that_was_renamed_is_renamed(catalogue):
    catalogue.keep("liked", tracks(1))
    catalogue.keep("top", [track(1, title="Song 1 (Remastered)")])
    assert catalogue.lookup("liked").tracks[0].title == "Song 1 (Remastered)"


def test_the_same_song_twice_in_an_answer_is_kept_once(catalogue):
    catalogue.keep("recent", tracks(1, 2, 1))
    assert catalogue.lookup("recent").tracks == tracks(1, 2)


def test_the_longest_unused_go_first_and_imported_ones_last(path, time, tmp_path):
    with Catalogue(path, most=6, now=time) as catalogue:
        import_file(catalogue, write(tmp_path, [row(100), row(101)]))
        time.advance(days=2)
        catalogue.keep("liked", tracks(1, 2, 3))
        time.advance(days=2)
        catalogue.keep("top", tracks(4))
        catalogue.chosen([uri(1)])
        time.advance(days=2)
        catalogue.keep("recent", tracks(5, 6))
        assert uris_of(catalogue) == {uri(number) for number in (100, 101, 1, 4, 5, 6)}


def test_beyond_the_bound_imports_go_too_and_the_last_of_a_file_first(path, time, tmp_path):
    with Catalogue(path, most=3, now=time) as catalogue:
        report = import_file(catalogue, write(tmp_path, [row(number) for number in range(5)]))
        assert uris_of(catalogue) == {uri(0), uri(1), uri(2)}
        assert (report.taken, report.beyond) == (5, 2)


def test_an_answer_larger_than_the_bound_keeps_its_beginning(path, time):
    with Catalogue(path, most=3, now=time) as catalogue:
        catalogue.keep("liked", tracks(*range(10)))
        assert catalogue.lookup("liked").tracks == tracks(0, 1, 2)


def test_what_was_not_asked_for_in_a_month_is_forgotten_but_not_imports(catalogue, time, tmp_path):
    import_file(catalogue, write(tmp_path, [row(100)]))
    catalogue.keep("liked", tracks(1, 2))
    catalogue.keep_features(sounds((0.1, 0.1), (0.2, 0.2)), "reccobeats")
    time.advance(days=20)
    catalogue.keep("top", tracks(2))
    time.advance(days=15)
    catalogue.forget_old()
    assert catalogue.lookup("liked") is None
    assert uris_of(catalogue) == {uri(2), uri(100)}
    assert set(catalogue.features_of(uri(number) for number in range(101))) == {uri(100)}


def test_another_account_finds_nothing_of_the_one_before_but_imports(catalogue, tmp_path):
    import_file(catalogue, write(tmp_path, [row(100), row(1)]))
    catalogue.keep("liked", tracks(1, 2))
    catalogue.keep("search:calm", tracks(3))
    catalogue.note_problem("top", "sign in again")
    catalogue.forget_account()
    assert uris_of(catalogue) == {uri(100), uri(1)}
    assert catalogue.count_by_origin() == {"imported": (2, 2)}
    assert catalogue.lookup("liked") is None
    assert catalogue.problems() == {}


def test_features_outlast_a_songs_leaving_for_a_while(catalogue):
    catalogue.keep("recent", tracks(0))
    catalogue.keep_features(sounds((0.4, 0.6)), "reccobeats")
    catalogue.keep("recent", tracks(1))
    catalogue.forget_old()
    assert catalogue.unasked(["recent"], 10) == [uri(1)]
    assert catalogue.features_of([uri(0)]) == {uri(0): sound(0.4, 0.6)}


def test_features_are_asked_for_once_and_what_is_unknown_again_after_a_month(catalogue, time):
    catalogue.keep("liked", tracks(0, 1, 2))
    catalogue.keep("top", tracks(3, 1))
    assert catalogue.unasked(["top", "liked"], 3) == [uri(3), uri(1), uri(0)]
    catalogue.keep_features({uri(0): sound(0.3, 0.3), uri(1): None}, "reccobeats")
    assert catalogue.unasked(["liked"], 10) == [uri(2)]
    time.advance(days=31)
    assert catalogue.unasked(["liked"], 10) == [uri(1), uri(2)]


def test_what_is_known_stays_known(catalogue):
    catalogue.keep("liked", tracks(0))
    catalogue.keep_features({uri(0): None}, "reccobeats")
    catalogue.keep_features({uri(0): sound(0.3, 0.3)}, "reccobeats")
    catalogue.keep_features({uri(0): None}, "reccobeats")
    catalogue.keep_features({uri(0): sound(0.9, 0.9)}, "reccobeats")
    assert catalogue.features_of([uri(0)]) == {uri(0): sound(0.3, 0.3)}


def test_what_a_search_found_is_not_the_households_own_sound(catalogue):
    catalogue.keep("search:calm", tracks(0, 1))
    catalogue.keep("playlist:spotify:playlist:x", tracks(1, 2))
    catalogue.keep_features(sounds((0.1, 0.1), (0.2, 0.2), (0.3, 0.3)), "reccobeats")
    assert sorted(catalogue.sounds()) == [(0.2, 0.2), (0.3, 0.3)]


def test_long_lists_come_in_pieces(catalogue):
    many = tracks(*range(1300))
    catalogue.keep("liked", many)
    catalogue.keep_features({one.uri: sound(0.5, 0.5) for one in many}, "csv")
    assert len(catalogue.features_of(one.uri for one in many)) == 1300
    numbers = [number for number, _, _ in catalogue.judged(["liked"])]
    assert {known.song.track for known in catalogue.songs(numbers).values()} == set(many)
    catalogue.chosen(one.uri for one in many)
    catalogue.keep("liked", ())
    assert catalogue.count() == (0, 0)


def test_a_use_is_noted_to_the_day(catalogue, time):
    catalogue.keep("liked", tracks(1))
    with catalogue.connection() as db:
        written = db.conn.total_changes
        time.advance(hours=20)
        catalogue.chosen([uri(1)])
        assert db.conn.total_changes == written
        time.advance(hours=10)
        catalogue.chosen([uri(1)])
        assert db.conn.total_changes == written + 1


def test_nothing_old_writes_nothing(catalogue):
    catalogue.keep("liked", tracks(1))
    with catalogue.connection() as db:
        written = db.conn.total_changes
        catalogue.forget_old()
        assert db.conn.total_changes == written


def test_problems_are_kept_until_the_source_answers(catalogue):
    catalogue.note_problem("liked", "sign in again")
    catalogue.note_problem("liked", "sign in again with: moodify spotify login")
    assert catalogue.problems() == {"liked": "sign in again with: moodify spotify login"}
    catalogue.keep("liked", tracks(1))
    assert catalogue.problems() == {}


def test_songs_of_any_script_come_back_as_they_were(catalogue):
    song = Track(uri(1), "Für Elise – 月の光 'x' \"y\"", "Björk; DROP TABLE songs", 1, None)
    catalogue.keep("search:it's", [song])
    assert catalogue.lookup("search:it's").tracks == (song,)
    assert next(islice(catalogue.judged(["search:it's"]), 1), None) is None
