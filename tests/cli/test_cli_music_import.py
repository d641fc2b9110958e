"""``moodify music import``: what it says of files, good and bad."""

import json
import os
import pty
import sys
import threading
from contextlib import contextmanager, suppress

import pytest

from appliance import moodify
from moodify.cli.music_import import LARGE, import_files
from moodify.errors import ConfigError, StoreError
from moodify.music.catalogue.catalogue import Catalogue

HEADER = "Spotify ID,Track Name,Artist Name(s),Album Name,Duration (ms),Danceability,Energy,Acousticness,Valence,Tempo\n"


def line(number, *, energy="0.8", title=None):
    return f"{number:022d},{title if title is not None else f'Song {number}'},Somebody,An Album,180000,0.5,{energy},0.2,0.4,120\n"


@contextmanager
def a_terminal():
    """Give a terminal to write to, and what was shown on it, all of it once the block has ended."""
    screen, keyboard = pty.openpty()
    shown = []

    def read():
        # Its last writer gone, a terminal ends with an error.
        with suppress(OSError):
            while part := os.read(screen, 4096):
                shown.append(part.decode(errors="replace"))

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(keyboard, "w") as terminal:
        yield terminal, shown
    reader.join()
    os.close(screen)


@pytest.fixture
def desk(tmp_path):
    (tmp_path / "good.csv").write_text(HEADER + "".join(line(number) for number in range(5)))
    (tmp_path / "half.csv").write_text(HEADER + line(1) + line(10, energy="") + line(1) + line(11, title=""))
    (tmp_path / "bad.csv").write_text(HEADER + line(20) + line(21, energy="loud"))
    (tmp_path / "moodify.toml").write_text(f'[store]\nfolder = "{tmp_path}/data"\n')
    return tmp_path


def import_from(desk, *names, as_json=False, config="moodify.toml"):
    return import_files([desk / name for name in names], config_file=desk / config, as_json=as_json)


def count(desk):
    with Catalogue(desk / "data" / "music.db", read_only=True) as catalogue:
        return catalogue.count()


def test_the_report_says_what_was_taken_and_what_was_left(desk, capsys):
    assert import_from(desk, "good.csv", "half.csv") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines() == [
        f"{desk}/good.csv: 5 rows, 5 songs taken (5 new, 0 known before), 5 with features",
        f"{desk}/half.csv: 4 rows, 2 songs taken (1 new, 1 known before), 1 with features",
        "  2 rows left:",
        "    line 4: the same song as in line 2",
        "    line 5: it has no title: Spotify does not offer it any more",
        "  Songs without features fit no mood: set music.features_online = true",
        "The catalogue holds 6 songs, 5 with features.",
    ]
    assert count(desk) == (6, 5)


def test_a_wrong_file_is_one_line_on_stderr_and_exit_code_two(desk, capsys):
    assert import_from(desk, "bad.csv") == 2
    out, err = capsys.readouterr()
    assert (
        err
        == f"moodify: {desk}/bad.csv: line 3, column 'Energy': 'loud' is not a number from 0 to 1 with a decimal point; export it again, without changing it in another program\n"
    )
    assert out == "The catalogue holds 0 songs, 0 with features.\n"
    assert count(desk) == (0, 0)


def test_the_good_ones_are_taken_beside_the_wrong(desk, capsys):
    assert import_from(desk, "bad.csv", "good.csv", "missing.csv") == 2
    out, err = capsys.readouterr()
    assert [said.split(": ")[1] for said in err.splitlines()] == [f"{desk}/bad.csv", f"{desk}/missing.csv"]
    assert out.startswith(f"{desk}/good.csv: 5 rows")
    assert count(desk) == (5, 5)


def test_json_is_one_object(desk, capsys):
    assert import_from(desk, "half.csv", "bad.csv", as_json=True) == 2
    said = json.loads(capsys.readouterr().out)
    assert said["catalogue"] == {"songs": 2, "with_features": 1}
    (file,) = said["files"]
    assert {key: file[key] for key in ("rows", "taken", "new", "with_features", "has_features", "beyond")} == {
        "rows": 4,
        "taken": 2,
        "new": 2,
        "with_features": 1,
        "has_features": True,
        "beyond": 0,
    }
    assert file["left"]["count"] == 2
    assert file["left"]["first"][0] == {"line": 4, "why": "the same song as in line 2"}


def test_many_rows_left_are_not_all_printed(desk, capsys):
    (desk / "again.csv").write_text(HEADER + line(1) * 500)
    assert import_from(desk, "again.csv") == 0
    out = capsys.readouterr().out
    assert "  499 rows left:" in out
    assert "    and 479 more" in out
    assert len(out.splitlines()) < 30


def test_a_full_catalogue_is_said(desk, capsys):
    (desk / "many.csv").write_text(HEADER + "".join(line(number) for number in range(130)))
    (desk / "small.toml").write_text(f'[store]\nfolder = "{desk}/data"\n[music]\ncatalogue_max = 100\n')
    assert import_from(desk, "many.csv", config="small.toml") == 0
    assert "  30 songs had to go, for the catalogue holds 100 (music.catalogue_max)" in capsys.readouterr().out
    assert count(desk) == (100, 100)


def test_one_is_no_plural(desk, capsys):
    (desk / "one.csv").write_text(HEADER + line(1) + line(1))
    (desk / "single.csv").write_text(HEADER + line(1))
    assert import_from(desk, "one.csv", "single.csv") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{desk}/one.csv: 2 rows, 1 song taken (1 new, 0 known before), 1 with features",
        "  1 row left:",
        "    line 3: the same song as in line 2",
        f"{desk}/single.csv: 1 row, 1 song taken (0 new, 1 known before), 1 with features",
        "The catalogue holds 1 song, 1 with features.",
    ]


def test_a_file_with_only_a_header_is_no_mistake_but_gets_a_hint(desk, capsys):
    (desk / "header.csv").write_text(HEADER)
    assert import_from(desk, "header.csv") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.splitlines()[1].startswith("  It holds no songs, only the names of its columns: choose a playlist with songs")


def test_a_file_without_the_columns_of_features_is_to_be_exported_with_them(desk, capsys):
    (desk / "without.csv").write_text(f"Track URI,Track Name,Artist Name(s),Track Duration (ms)\nspotify:track:{1:022d},Song,Somebody,180000\n")
    assert import_from(desk, "without.csv") == 0
    assert "  Songs without features fit no mood: export them at exportify.net, or set music.features_online = true\n" in capsys.readouterr().out


def test_where_features_are_asked_for_online_no_advice_is_given(desk, capsys):
    (desk / "online.toml").write_text(f'[store]\nfolder = "{desk}/data"\n[music]\nfeatures_online = true\n')
    assert import_from(desk, "half.csv", config="online.toml") == 0
    assert "features_online" not in capsys.readouterr().out


def test_a_wrong_configuration_and_a_catalogue_that_cannot_be_used_end_it(desk):
    (desk / "wrong.toml").write_text("[music]\ncatalogue_maximum = 100\n")
    with pytest.raises(ConfigError):
        import_from(desk, "good.csv", config="wrong.toml")
    (desk / "data" / "music.db").mkdir(parents=True)
    with pytest.raises(StoreError, match="is no file"):
        import_from(desk, "good.csv")


def test_a_large_file_shows_its_progress_on_a_terminal_and_only_there(desk, capfd, monkeypatch):
    large = desk / "large.csv"
    large.write_text(HEADER + "".join(line(number, title="x" * 200) for number in range(LARGE // 250)))
    assert import_from(desk, "large.csv") == 0
    assert capfd.readouterr().err == ""
    with a_terminal() as (terminal, shown):
        monkeypatch.setattr(sys, "stderr", terminal)
        assert import_from(desk, "good.csv") == 0
        terminal.write("|")
        assert import_from(desk, "large.csv") == 0
    small, _, big = "".join(shown).partition("|")
    assert small == ""
    assert "large.csv" in big


def test_the_command_ends_with_one_line_and_exit_code_two(desk):
    done = moodify(desk, "music", "import", "good.csv", "bad.csv", "--config", "moodify.toml")
    assert done.returncode == 2
    assert done.stdout.startswith("good.csv: 5 rows, 5 songs taken")
    assert done.stderr.startswith("moodify: bad.csv: line 3, column 'Energy': 'loud'")
    assert done.stderr.count("\n") == 1
