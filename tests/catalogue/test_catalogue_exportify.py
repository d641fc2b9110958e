"""What is read of Exportify's files, and what is said of others."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from songs_room import WITH_FEATURES, WITHOUT_FEATURES, key, row_with, row_without, text_of, uri, write

from moodify.music.catalogue.exportify import LONGEST_TEXT, FileError, Left, Reader, Row
from moodify.music.song import Features

SHOWN_WITHOUT = (
    '"Track URI","Track Name","Artist URI(s)","Artist Name(s)","Album URI","Album Name","Album Artist URI(s)","Album Artist Name(s)","Album Release Date",'
    '"Album Image URL","Disc Number","Track Number","Track Duration (ms)","Track Preview URL","Explicit","Popularity","Added By","Added At"\n'
    f'"{uri(7)}","Lemon, Bicycle","spotify:artist:x, spotify:artist:y","Lantern Parade, A ""B"" C","spotify:album:z","The EP\'s","spotify:artist:x","Lantern Parade",'
    '"2021-09-24","https://example.org/i","1","6","162295","","true","3","spotify:user:","2022-08-08T02:00:00Z"\n'
)
SHOWN_WITH = (
    "Spotify ID,Artist IDs,Track Name,Album Name,Artist Name(s),Release Date,Duration (ms),Popularity,Added By,Added At,Genres,Danceability,Energy,Key,Loudness,Mode,"
    "Speechiness,Acousticness,Instrumentalness,Liveness,Valence,Tempo,Time Signature\n"
    f'{key(8)},"x","Alabaster","Sleeping","All of Them",2017-02-24,417533,44,spotify:user:,2022-08-15T02:00:00Z,"blues rock,indie rock",'
    "0.513,0.887,0,-6.569,0,0.0566,0.135,0.00207,0.0997,0.512,117.481,4\n"
)


def read(file):
    return list(Reader(file).rows())


def read_text(tmp_path, text):
    file = tmp_path / "songs.csv"
    file.write_bytes(text.encode())
    return read(file)


def wrong(tmp_path, rows, columns=WITH_FEATURES):
    with pytest.raises(FileError) as caught:
        read(write(tmp_path, rows, columns))
    return str(caught.value)


def test_the_variant_without_features_is_read(tmp_path):
    (row,) = read_text(tmp_path, SHOWN_WITHOUT)
    track = row.song.track
    assert (row.line, track.uri, track.title, track.artist, track.duration_ms) == (2, uri(7), "Lemon, Bicycle", 'Lantern Parade, A "B" C', 162295)
    assert (track.explicit, row.song.album, row.song.features) == (True, "The EP's", None)


def test_the_variant_with_features_is_read(tmp_path):
    (row,) = read_text(tmp_path, SHOWN_WITH)
    assert (row.song.track.uri, row.song.track.title, row.song.track.artist, row.song.track.explicit) == (uri(8), "Alabaster", "All of Them", None)
    assert row.song.features == Features(energy=0.887, valence=0.512, tempo_bpm=117.481, danceability=0.513, acousticness=0.135)


@pytest.mark.parametrize(("text", "has"), [(SHOWN_WITHOUT, False), (SHOWN_WITH, True)])
def test_it_knows_which_variant_it_read(tmp_path, text, has):
    file = tmp_path / "songs.csv"
    file.write_text(text)
    reader = Reader(file)
    assert len(list(reader.rows())) == 1
    assert reader.has_features is has


@pytest.mark.parametrize(("columns", "row"), [(WITH_FEATURES, row_with), (WITHOUT_FEATURES, row_without)])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_order_of_columns_mark_and_line_ends_do_not_matter(tmp_path, columns, row, newline, encoding):
    rows = [row(1, **{"Track Name": 'Ünder, "the" moon'}), row(2)]
    straight = read(write(tmp_path, rows, columns))
    turned = read(write(tmp_path, rows, columns[::-1], name="turned.csv", newline=newline, encoding=encoding))
    assert straight == turned
    assert [one.song.track.title for one in straight] == ['Ünder, "the" moon', "Song 2"]


@pytest.mark.parametrize("spelling", ["Track URI", "Spotify ID", "Spotify URI", " track uri "])
@pytest.mark.parametrize("name", [key(3), uri(3), f"https://open.spotify.com/track/{key(3)}?si=1"])
def test_a_song_is_named_in_any_of_the_usual_ways(tmp_path, spelling, name):
    columns = [spelling, *WITHOUT_FEATURES[1:]]
    (row,) = read(
        write(
            tmp_path, [row_without(3) | {spelling: name} if spelling == "Track URI" else {**{k: v for k, v in row_without(3).items() if k != "Track URI"}, spelling: name}], columns
        )
    )
    assert row.song.track.uri == uri(3)


def test_later_columns_are_read_where_they_are_and_others_left(tmp_path):
    columns = ["Track URI" if name == "Spotify ID" else name for name in WITH_FEATURES]
    columns[8:8] = ["Explicit", "Record Label"]
    cells = {name: cell for name, cell in row_with(4).items() if name != "Spotify ID"} | {"Track URI": uri(4), "Explicit": "True", "Record Label": "Ours"}
    (row,) = read(write(tmp_path, [cells], columns))
    assert row.song.track.explicit is True
    assert row.song.features is not None


@pytest.mark.parametrize(("changes", "features"), [({"Energy": ""}, None), ({"Valence": ""}, None), ({"Tempo": "0", "Danceability": "", "Acousticness": ""}, Features(0.8, 0.3))])
def test_features_that_are_missing_are_missing(tmp_path, changes, features):
    (row,) = read(write(tmp_path, [row_with(1, **changes)]))
    assert row.song.features == features


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"Track URI": "spotify:local:Somebody::Song+1:180"}, "a local file, which no speaker can play"),
        ({"Track URI": f"spotify:episode:{key(1)}"}, "an episode, no song"),
        ({"Track URI": ""}, "it has no Spotify id"),
        ({"Track Name": " "}, "it has no title: Spotify does not offer it any more"),
        ({"Track Duration (ms)": ""}, "it has no duration"),
    ],
)
def test_rows_without_a_song_are_left_with_the_reason(tmp_path, changes, why):
    left, taken = read(write(tmp_path, [row_without(1, **changes), row_without(2)], WITHOUT_FEATURES))
    assert left == Left(2, why)
    assert isinstance(taken, Row)


def test_empty_lines_are_no_rows_and_lines_are_counted_as_an_editor_does(tmp_path):
    text = "\n" + text_of([row_with(1, **{"Track Name": "on\ntwo lines"}), row_with(2)]).replace(f"{key(2)},", f"\n{key(2)},")
    rows = read_text(tmp_path, text)
    assert [row.line for row in rows] == [3, 6]
    assert rows[0].song.track.title == "on two lines"


def test_what_would_move_a_cursor_is_no_part_of_a_title(tmp_path):
    (row,) = read(write(tmp_path, [row_with(1, **{"Track Name": "red\x1b[31m\u202e alert" + "x" * 400})]))
    assert row.song.track.title.startswith("red [31m alertxxx")
    assert len(row.song.track.title) == LONGEST_TEXT


@pytest.mark.parametrize(
    ("column", "cell", "meant"),
    [
        ("Spotify ID", "hello", "'hello' is not a track like spotify:track:"),
        ("Duration (ms)", "3:45", "'3:45' is not a number of milliseconds, up to a day"),
        ("Duration (ms)", "86400001", "is not a number of milliseconds"),
        ("Energy", "loud", "'loud' is not a number from 0 to 1 with a decimal point"),
        ("Energy", "0,8", "'0,8' is not a number from 0 to 1 with a decimal point"),
        ("Valence", "1.5", "'1.5' is not a number from 0 to 1"),
        ("Valence", "nan", "'nan' is not a number from 0 to 1"),
        ("Danceability", "-0.1", "'-0.1' is not a number from 0 to 1"),
        ("Tempo", "fast", "'fast' is not a number of beats a minute"),
        ("Tempo", "inf", "'inf' is not a number of beats a minute"),
    ],
)
def test_a_value_that_cannot_be_is_said_with_its_line_column_and_what_to_do(tmp_path, column, cell, meant):
    said = wrong(tmp_path, [row_with(1), row_with(2, **{column: cell})])
    assert said.startswith(f"{tmp_path}/songs.csv: line 3, column {column!r}: ")
    assert meant in said
    assert said.endswith("; export it again, without changing it in another program")
    assert "\n" not in said


def test_a_long_value_is_said_short(tmp_path):
    assert len(wrong(tmp_path, [row_with(1, **{"Spotify ID": "x" * 5000})]).replace(str(tmp_path), "")) < 250


def test_explicit_is_true_or_false(tmp_path):
    assert "line 2, column 'Explicit': 'maybe' is not true or false" in wrong(tmp_path, [row_without(1, Explicit="maybe")], WITHOUT_FEATURES)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty; export it again"),
        (b"\n \n", "is empty"),
        (b"a,b\n1,2\n", "line 1: there is no column 'Track URI' (there: 'a', 'b'); export it at exportify.net, in English"),
        (b"URI de la pista,Nombre de la pista\n", "in English"),
        (b"Track URI;Track Name;Artist Name(s)\n", "are not separated by commas"),
        (b"\xff\xfeT\x00r\x00", "is UTF-16; save it as UTF-8"),
        (text_of([row_with(1)]).encode() + text_of([row_with(2, **{"Track Name": "Für"})]).split("\n")[1].encode("latin-1"), "line 3: is not UTF-8; save it as UTF-8"),
        (text_of([row_with(1)]).encode() + b'"open\n' + b"x" * 10, "line 3: unexpected end of data"),
        (text_of([row_with(1)]).encode() + b"1,2,3\n", "line 3: has 3 columns where the header has 23"),
        (text_of([row_with(1)]).encode() + b'"' + b"x" * 200_000 + b'"\n', "line 3: field larger than field limit"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is not UTF-8"),
        (b"\x00\x00\x00\x00", "there is no column 'Track URI'"),
    ],
)
def test_a_file_of_another_kind_gets_one_clear_line(tmp_path, content, said):
    file = tmp_path / "songs.csv"
    file.write_bytes(content)
    with pytest.raises(FileError) as caught:
        read(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["missing.csv", ""])
def test_what_cannot_be_read_is_said(tmp_path, name):
    with pytest.raises(FileError, match="name a CSV file that can be read"):
        read(tmp_path / name)


def test_progress_ends_with_the_whole_file(tmp_path):
    file = write(tmp_path, [row_with(number) for number in range(2000)])
    seen = []
    assert len(list(Reader(file, seen.append).rows())) == 2000
    assert seen == sorted(seen)
    assert len(set(seen)) > 5
    assert seen[-1] == file.stat().st_size


def outcome(tmp_path_factory, content):
    file = tmp_path_factory.mktemp("fuzz") / "songs.csv"
    file.write_bytes(content)
    try:
        return read(file)
    except FileError as error:
        return str(error)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_in_one_line(tmp_path_factory, content):
    said = outcome(tmp_path_factory, content)
    assert isinstance(said, str)
    assert "\n" not in said


@settings(deadline=None)
@given(st.integers(0, 1200), st.binary(min_size=1, max_size=6), st.sampled_from([SHOWN_WITH, SHOWN_WITHOUT]))
def test_a_spoiled_file_is_read_or_refused_in_one_line(tmp_path_factory, place, spoil, text):
    content = text.encode()
    place %= len(content)
    said = outcome(tmp_path_factory, content[:place] + spoil + content[place + len(spoil) :])
    if isinstance(said, str):
        assert "\n" not in said
    else:
        assert all(isinstance(one, Left) or (len(one.song.track.uri) == 36 and one.song.track.title.isprintable()) for one in said)
