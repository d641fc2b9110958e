"""Songs, files and requests that the tests of the catalogue share."""

import csv
import io

from moodify.music.candidates import CandidatePool
from moodify.music.song import Features
from moodify.types import Track

WITH_FEATURES = [
    *("Spotify ID", "Artist IDs", "Track Name", "Album Name", "Artist Name(s)", "Release Date", "Duration (ms)", "Popularity", "Added By", "Added At", "Genres"),
    *("Danceability", "Energy", "Key", "Loudness", "Mode", "Speechiness", "Acousticness", "Instrumentalness", "Liveness", "Valence", "Tempo", "Time Signature"),
]
WITHOUT_FEATURES = [
    *("Track URI", "Track Name", "Artist URI(s)", "Artist Name(s)", "Album URI", "Album Name", "Album Artist URI(s)", "Album Artist Name(s)", "Album Release Date"),
    *("Album Image URL", "Disc Number", "Track Number", "Track Duration (ms)", "Track Preview URL", "Explicit", "Popularity", "Added By", "Added At"),
]


def key(number):
    return f"{number:022d}"


def uri(number):
    return f"spotify:track:{key(number)}"


def track(number, **changes):
    return Track(**({"uri": uri(number), "title": f"Song {number}", "artist": "Somebody", "duration_ms": 180_000} | changes))


def tracks(*numbers):
    return tuple(track(number) for number in numbers)


def sound(energy, valence):
    return Features(energy, valence, 120.0, 0.5, 0.25)


def sounds(*places):
    """Return features by URI for songs that are numbered from 0."""
    return {uri(number): sound(energy, valence) for number, (energy, valence) in enumerate(places)}


def row_with(number, **changes):
    cells = {
        "Spotify ID": key(number),
        "Track Name": f"Song {number}",
        "Artist Name(s)": "Somebody",
        "Album Name": "An Album",
        "Duration (ms)": "180000",
        "Energy": "0.8",
        "Valence": "0.3",
        "Tempo": "117.5",
        "Danceability": "0.5",
        "Acousticness": "0.25",
    }
    return cells | changes


def row_without(number, **changes):
    cells = {"Track URI": uri(number), "Track Name": f"Song {number}", "Artist Name(s)": "Somebody", "Album Name": "An Album", "Track Duration (ms)": "180000", "Explicit": "false"}
    return cells | changes


def text_of(rows, columns=WITH_FEATURES, *, newline="\n"):
    """Return a CSV file of rows, each a mapping from column to cell."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator=newline)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def write(folder, rows, columns=WITH_FEATURES, *, name="songs.csv", newline="\n", encoding="utf-8"):
    file = folder / name
    file.write_bytes(text_of(rows, columns, newline=newline).encode(encoding))
    return file


def wanted_of(config, mood):
    return CandidatePool(config).source(mood)
