"""A file is taken as a whole or not at all, and what became of its rows is said."""

import sqlite3
import tracemalloc
from contextlib import closing

import pytest
from songs_room import WITHOUT_FEATURES, row_with, row_without, sound, tracks, uri, write

from moodify.errors import StoreBusy
from moodify.music.catalogue.catalogue import Catalogue
from moodify.music.catalogue.exportify import FileError, Left
from moodify.music.catalogue.importing import NAMED, import_file


def test_the_report_counts_every_row(catalogue, tmp_path):
    rows = [row_with(1), row_with(2, Energy=""), row_with(1), row_with(3, **{"Track Name": ""}), row_with(4)]
    report = import_file(catalogue, write(tmp_path, rows))
    assert (report.rows, report.taken, report.new, report.with_features, report.has_features, report.beyond) == (5, 3, 3, 2, True, 0)
    assert report.left == (Left(4, "the same song as in line 2"), Left(5, "it has no title: Spotify does not offer it any more"))
    assert report.left_by_reason == {"the same song came before": 1, "it has no title: Spotify does not offer it any more": 1}
    assert catalogue.count_by_origin() == {"imported": (3, 2)}


def test_many_rows_left_are_counted_but_not_all_named(catalogue, tmp_path):
    report = import_file(catalogue, write(tmp_path, [row_with(1)] * (NAMED + 30)))
    assert len(report.left) == NAMED
    assert report.as_json()["left"]["count"] == NAMED + 29


def test_the_same_song_in_both_variants_is_one_song(catalogue, tmp_path):
    import_file(catalogue, write(tmp_path, [row_without(1, Explicit="true"), row_without(2)], WITHOUT_FEATURES))
    report = import_file(catalogue, write(tmp_path, [row_with(1)], name="other.csv"))
    assert (report.taken, report.new) == (1, 0)
    assert catalogue.count() == (2, 1)
    ((number, *_),) = catalogue.judged(["imported"])
    assert catalogue.songs([number])[number].song.track.explicit is True


def test_importing_again_changes_nothing(catalogue, tmp_path):
    file = write(tmp_path, [row_with(number) for number in range(5)])
    import_file(catalogue, file)
    report = import_file(catalogue, file)
    assert (report.taken, report.new) == (5, 0)
    assert catalogue.count() == (5, 5)


def test_a_file_without_features_takes_none_away(catalogue, tmp_path):
    catalogue.keep("liked", tracks(1))
    catalogue.keep_features({uri(1): sound(0.5, 0.6)}, "reccobeats")
    import_file(catalogue, write(tmp_path, [row_without(1)], WITHOUT_FEATURES))
    assert catalogue.features_of([uri(1)]) == {uri(1): sound(0.5, 0.6)}


def test_the_owners_features_come_before_others(catalogue, tmp_path):
    catalogue.keep_features({uri(1): sound(0.5, 0.6)}, "reccobeats")
    import_file(catalogue, write(tmp_path, [row_with(1)]))
    assert catalogue.features_of([uri(1)])[uri(1)].energy == 0.8


def test_imports_outlive_what_the_service_says(catalogue, tmp_path):
    import_file(catalogue, write(tmp_path, [row_with(1)]))
    catalogue.keep("liked", tracks(1))
    catalogue.keep("liked", ())
    assert catalogue.count() == (1, 1)


def test_a_wrong_file_changes_nothing(catalogue, tmp_path):
    import_file(catalogue, write(tmp_path, [row_with(1)]))
    with catalogue.connection() as db:
        before = list(db.query("SELECT * FROM songs")), list(db.query("SELECT * FROM features")), list(db.query("SELECT * FROM origins"))
    with pytest.raises(FileError):
        import_file(catalogue, write(tmp_path, [row_with(1, Energy="0.1"), row_with(2), row_with(3, Energy="loud")]))
    with catalogue.connection() as db:
        assert before == (list(db.query("SELECT * FROM songs")), list(db.query("SELECT * FROM features")), list(db.query("SELECT * FROM origins")))
        assert not db.conn.in_transaction
    assert import_file(catalogue, write(tmp_path, [row_with(2)])).new == 1


def test_a_full_disk_changes_nothing(catalogue, tmp_path):
    import_file(catalogue, write(tmp_path, [row_with(1)]))
    with catalogue.connection() as db:
        db.execute(f"PRAGMA main.max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(StoreBusy, match="full"):
        import_file(catalogue, write(tmp_path, [row_with(number) for number in range(2000)], name="many.csv"))
    assert catalogue.count() == (1, 1)


def test_the_appliance_may_write_while_a_file_is_read(catalogue, path, time, tmp_path):
    catalogue.count()
    file = write(tmp_path, [row_with(number) for number in range(100, 3000)])
    wrote = []

    def meanwhile(_bytes):
        if not wrote:
            appliance.keep("liked", tracks(1))
            wrote.append(True)

    with Catalogue(path, now=time) as appliance:
        import_file(catalogue, file, meanwhile)
        assert wrote
        assert appliance.count() == (2901, 2900)


def test_another_reader_sees_all_of_a_file_or_nothing(catalogue, path, tmp_path):
    catalogue.count()
    seen = set()
    with closing(sqlite3.connect(path)) as reader:
        import_file(catalogue, write(tmp_path, [row_with(number) for number in range(1000)]), lambda _: seen.add(reader.execute("SELECT count(*) FROM songs").fetchone()[0]))
        seen.add(reader.execute("SELECT count(*) FROM songs").fetchone()[0])
    assert seen == {0, 1000}


def peak_of(catalogue, file):
    tracemalloc.start()
    try:
        import_file(catalogue, file)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_file(path, time, tmp_path):
    with Catalogue(path, most=200_000, now=time) as catalogue:
        small = write(tmp_path, [row_with(number) for number in range(500)], name="small.csv")
        large = write(tmp_path, [row_with(number) for number in range(10_000)], name="large.csv")
        peak_of(catalogue, small)
        assert peak_of(catalogue, large) < 2 * peak_of(catalogue, small) + 100_000
