"""The catalogue's file: late, private, replaceable, and never in the way of the music."""

import os
import sqlite3
import stat
import threading
from contextlib import closing

import pytest
from songs_room import sounds, tracks, uri

from moodify.errors import StoreBusy, StoreError
from moodify.music.catalogue.catalogue import Catalogue
from moodify.music.catalogue.schema import NEWEST


def beside(path):
    return sorted(one.name for one in path.parent.iterdir())


def spoil(path):
    """Overwrite all pages but the first."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))


def filled(path, time, *numbers):
    with Catalogue(path, now=time) as catalogue:
        catalogue.keep("liked", tracks(*numbers))


def test_nothing_is_opened_before_the_first_use(path):
    with Catalogue(path):
        assert not path.parent.exists()


def test_the_file_is_the_owners_alone_and_in_wal_mode(catalogue, path):
    catalogue.keep("liked", tracks(1))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert other.execute("PRAGMA user_version").fetchone()[0] == NEWEST


def test_what_was_kept_is_there_after_a_restart(path, time):
    filled(path, time, 1, 2)
    with Catalogue(path, now=time) as again:
        assert again.lookup("liked").tracks == tracks(1, 2)
        assert again.lookup("liked").at == time()


def test_a_first_opening_that_is_killed_in_the_middle_of_a_write_is_taken_back_by_the_next(path, tmp_path, time):
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(tmp_path / "making.db", isolation_level=None)) as making:
        making.execute("VACUUM")
        making.execute("PRAGMA cache_size = 2")
        making.execute("BEGIN IMMEDIATE")
        making.execute("CREATE TABLE half (text TEXT)")
        making.executemany("INSERT INTO half VALUES (?)", [["x" * 3_000]] * 20)
        # As a kill leaves them.
        for suffix in ("", "-journal"):
            path.with_name(path.name + suffix).write_bytes((tmp_path / f"making.db{suffix}").read_bytes())
    with Catalogue(path, now=time) as catalogue:
        catalogue.keep("liked", tracks(1))
        assert catalogue.lookup("liked").tracks == tracks(1)


def spoil_a_letter(path):
    """Make what the file says of its own tables no text any more: SQLite's error then repeats what Python can't read."""
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE songs", b"CREATE TABLE\xffsongs"))


@pytest.mark.parametrize("spoiling", [spoil, spoil_a_letter, lambda path: path.write_bytes(b"not a database at all, but long enough to be looked at" * 50)])
def test_a_damaged_file_is_set_aside_and_the_appliance_goes_on(path, time, caplog, spoiling):
    filled(path, time, *range(500))
    spoiling(path)
    with Catalogue(path, now=time) as catalogue:
        assert catalogue.count() == (0, 0)
    kept = [name for name in beside(path) if name.startswith("music.db.corrupt.2") and name.endswith("Z")]
    assert len(kept) == 1
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert kept[0] in line
    assert "import your CSV files again" in line


def test_damage_that_shows_while_it_runs_costs_one_call(path, time):
    filled(path, time, *range(500))
    with Catalogue(path, now=time) as catalogue:
        catalogue.problems()
        spoil(path)
        with pytest.raises(StoreBusy, match="set aside"):
            catalogue.count()
        assert catalogue.count() == (0, 0)
    assert any(".corrupt." in name for name in beside(path))


def test_a_letter_of_a_title_that_is_none_takes_no_song_away(path, time):
    filled(path, time, 1, 2)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE songs SET title = CAST(x'ff41' AS TEXT) WHERE uri = ?", [uri(1)])
    with Catalogue(path, now=time) as catalogue:
        assert [track.title for track in catalogue.lookup("liked").tracks] == ["\N{REPLACEMENT CHARACTER}A", tracks(2)[0].title]


def test_a_newer_one_is_refused_and_left_as_it_was(path, time):
    filled(path, time, 1)
    with closing(sqlite3.connect(path)) as newer:
        newer.execute(f"PRAGMA user_version = {NEWEST + 1}")
    before = path.read_bytes()
    with Catalogue(path, now=time) as catalogue, pytest.raises(StoreError, match=r"written by a newer Moodify .* install that again"):
        catalogue.count()
    assert path.read_bytes() == before


def test_another_programs_file_is_refused(path, time):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (x)")
    with Catalogue(path, now=time) as catalogue, pytest.raises(StoreError, match="belongs to another program"):
        catalogue.count()


def test_a_folder_in_its_place_is_refused(path):
    path.mkdir(parents=True)
    with Catalogue(path) as catalogue, pytest.raises(StoreError, match="is no file"):
        catalogue.count()


def test_a_full_disk_is_busy_and_changes_nothing(catalogue):
    catalogue.keep("liked", tracks(1))
    with catalogue.connection() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreBusy, match="full"):
        catalogue.keep("top", tracks(*range(5000)))
    assert catalogue.lookup("top") is None
    assert catalogue.lookup("liked").tracks == tracks(1)


def test_a_lock_of_others_is_busy(catalogue, path, monkeypatch):
    catalogue.keep("liked", tracks(1))
    with catalogue.connection() as db:
        db.execute("PRAGMA busy_timeout = 20")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy, match="locked"):
            catalogue.keep("top", tracks(2))
        assert catalogue.lookup("liked").tracks == tracks(1)
        other.execute("ROLLBACK")


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "data").write_text("a file")
    with Catalogue(tmp_path / "data" / "music.db") as catalogue, pytest.raises(StoreError, match=r"\[store\] folder"):
        catalogue.count()


def test_a_statement_that_fails_comes_out_as_the_projects_error(catalogue):
    with pytest.raises(StoreError), catalogue.connection() as db:
        db.execute("SELECT nonsense")


def test_deleting_the_file_forgets_all_even_while_it_runs(catalogue, path):
    catalogue.keep("liked", tracks(1, 2))
    path.unlink()
    assert catalogue.count() == (0, 0)
    catalogue.keep("liked", tracks(3))
    assert catalogue.lookup("liked").tracks == tracks(3)


def test_a_log_left_behind_does_not_bring_back_what_was_deleted(path, time, tmp_path):
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    with Catalogue(path, now=time) as catalogue:
        catalogue.keep("liked", tracks(1, 2))
        for name in beside(path):
            (crashed / name).write_bytes((path.parent / name).read_bytes())
    (crashed / "music.db").unlink()
    assert (crashed / "music.db-wal").stat().st_size
    with Catalogue(crashed / "music.db", now=time) as again:
        assert again.count() == (0, 0)


def test_a_command_reads_while_the_appliance_writes(catalogue, path, time):
    with Catalogue(path, now=time, read_only=True) as reader:
        assert reader.count() == (0, 0)
        assert not path.exists()
        catalogue.keep("liked", tracks(1))
        assert reader.count() == (1, 0)
        with catalogue.connection() as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("DELETE FROM songs")
            assert reader.count() == (1, 0)
            db.execute("COMMIT")
        assert reader.count() == (0, 0)


def test_a_reader_writes_nothing(path, time):
    filled(path, time, 1)
    with Catalogue(path, now=time, read_only=True) as reader, pytest.raises(StoreError, match="readonly"):
        reader.keep("liked", tracks(2))


def test_a_reader_leaves_a_damaged_file_where_it_is(path, time):
    filled(path, time, *range(500))
    spoil(path)
    with Catalogue(path, now=time, read_only=True) as reader, pytest.raises(StoreError, match="restart Moodify"):
        reader.count()
    assert not any(".corrupt." in name for name in beside(path))


def test_a_reader_leaves_an_older_one_to_the_appliance(path, time, monkeypatch):
    filled(path, time, 1)
    monkeypatch.setattr("moodify.music.catalogue.opening.NEWEST", NEWEST + 1)
    with Catalogue(path, now=time, read_only=True) as reader, pytest.raises(StoreError, match=r"written by an older Moodify .* start the appliance once"):
        reader.count()


def test_it_may_be_handed_to_another_thread(catalogue):
    catalogue.keep("liked", tracks(1))
    counted = []
    thread = threading.Thread(target=lambda: counted.append(catalogue.count()))
    thread.start()
    thread.join()
    assert counted == [(1, 0)]


@pytest.mark.skipif(os.geteuid() != 0, reason="root: only root may give files away")
def test_what_root_makes_belongs_to_the_folders_owner(path, time):
    path.parent.mkdir()
    os.chown(path.parent, 1234, 1234)
    filled(path, time, 1)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1234)


def test_closing_twice_does_no_harm_and_a_later_use_opens_again(catalogue):
    catalogue.keep_features(sounds((0.5, 0.5)), "csv")
    catalogue.close()
    catalogue.close()
    assert catalogue.features_of([uri(0)])


def test_without_a_place_it_is_forgotten_at_its_end(tmp_path, monkeypatch, time):
    monkeypatch.chdir(tmp_path)
    with Catalogue(None, now=time) as catalogue:
        catalogue.keep("liked", tracks(1))
        assert catalogue.count() == (1, 0)
        catalogue.close()
        assert catalogue.count() == (0, 0)
    assert list(tmp_path.iterdir()) == []
