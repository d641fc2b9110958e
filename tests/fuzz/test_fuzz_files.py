"""Files that anybody may have made, or a card has damaged: songs, models, pictures, state."""

import json
import struct
import zlib
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from fuzzing import NOW, changed, damaged, fuzzed, odd_bytes, ours, payloads, texts, values
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from moodify.accounts.rows import code_of, session_of, user_of
from moodify.cloud import enrolment, rotation
from moodify.cloud.certificates import read_fingerprint
from moodify.daemon.kept import last_seen
from moodify.daemon.privacy import ByHand
from moodify.errors import ModelError, MoodifyError, PictureError, StoreError
from moodify.hub.folder import HubFolder
from moodify.music import taste_keeping
from moodify.music.catalogue.exportify import SPELLINGS, FileError, Reader
from moodify.music.keeping import recall
from moodify.music.memory import Memory
from moodify.music.notes import NoteFile
from moodify.music.spotify.ending import notice_of
from moodify.music.spotify.last_speaker import LastSpeaker
from moodify.music.spotify.tokens import TokenFile
from moodify.music.taste import ThompsonTaste
from moodify.pictures import MAX_PIXELS, begins_as_picture, read_picture
from moodify.skin.record import FaceRecord
from moodify.store import archive
from moodify.system.crashes import Crashes, count_of
from moodify.vision.manifest import parse
from tls import make_certificate

MODELS = Path(__file__).resolve().parents[2] / "models"
COLUMNS = [spellings[0] for spellings in SPELLINGS.values()]
SONG = ["spotify:track:6rqhFgbbKwnb9MLmUQDhG6", "Lemon Bicycle", "Lantern Parade", "180000", "Album", "false", "0.5", "0.5", "120", "0.5", "0.5"]
SHEET = f"{','.join(COLUMNS)}\n{','.join(SONG)}\n{','.join(SONG)}\n".encode()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


cells = st.sampled_from([*SONG, "spotify:local:x", "spotify:episode:y", '"', "\0", "\r", "1e999", "nan", "-1", "1_0", "٣", "x" * 200_000]) | texts.map(
    lambda text: text.encode(errors="replace").decode()
)
sheets = st.lists(st.lists(cells, min_size=9, max_size=12).map(",".join), max_size=3).map(lambda rows: "\n".join([",".join(COLUMNS), *rows]).encode())


@given(content=damaged(SHEET) | sheets | odd_bytes)
@fuzzed(120)
def test_a_list_of_songs_is_read_row_by_row_or_says_what_is_wrong(place, content):
    file = place / "songs.csv"
    file.write_bytes(content)
    rows = ours(lambda: list(Reader(file).rows()))
    assert isinstance(rows, FileError) or all(row.line > 1 for row in rows)


@pytest.mark.parametrize("model", ["emotion", "face_detector"])
@given(data=st.data())
@fuzzed(80)
def test_a_manifest_is_one_or_says_what_is_wrong(model, data):
    good = json.loads((MODELS / f"{model}.json").read_bytes())
    found = ours(parse, model, data.draw(payloads(good)))
    assert isinstance(found, ModelError) or found.name


def pictures():
    noise = np.random.default_rng(1).integers(0, 255, (24, 32, 3), np.uint8)
    for suffix, *options in (
        (".jpg",),
        (".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        (".png",),
        (".webp", cv2.IMWRITE_WEBP_QUALITY, 80),
        (".webp", cv2.IMWRITE_WEBP_QUALITY, 101),
        (".bmp",),
    ):
        yield cv2.imencode(suffix, noise, options)[1].tobytes()


PICTURES = list(pictures())
sides = st.sampled_from([0, 1, 24, 7000, 50_000, 2**31 - 1, 2**32 - 1])


@st.composite
def chunks(draw):
    """A PNG of chunks in any order, each with its right checksum."""
    parts = []
    for kind in draw(st.lists(st.sampled_from([b"IHDR", b"IDAT", b"IEND", b"tEXt", b"PLTE", b"eXIf", b"acTL"]), max_size=6)):
        size = struct.pack(">IIBBBBB", draw(sides), draw(sides), draw(st.sampled_from([1, 8, 16])), draw(st.sampled_from([0, 2, 3, 6])), 0, 0, draw(st.integers(0, 1)))
        body = size if kind in {b"IHDR", b"tEXt"} else zlib.compress(b"\0" * 5000) if kind == b"IDAT" else draw(st.binary(max_size=12))
        parts.append(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@given(content=st.sampled_from(PICTURES).flatmap(damaged) | chunks() | odd_bytes)
@fuzzed(150)
def test_a_picture_is_read_within_bounds_or_says_what_is_wrong(place, content):
    file = place / "picture"
    file.write_bytes(content)
    ours(begins_as_picture, file)
    found = ours(read_picture, file)
    assert isinstance(found, PictureError) or 0 < found.width * found.height <= MAX_PIXELS


@pytest.fixture(scope="module")
def enrolled(place):
    certificate = make_certificate(place / "hub")[0].read_text()
    folder = place / "enrolled"
    folder.mkdir()
    from moodify.cloud.certificates import Certificate

    enrolment.save(folder, enrolment.Enrolment("hub.home", 8883, Certificate.from_pem(certificate), "hub", NOW))
    return folder, json.loads((folder / enrolment.FILE).read_bytes())


@given(data=st.data())
@fuzzed(80)
def test_which_hub_a_device_belongs_to_is_known_or_damaged(enrolled, data):
    folder, good = enrolled
    (folder / enrolment.FILE).write_bytes(data.draw(payloads(good)))
    found = ours(enrolment.load, folder)
    assert isinstance(found, MoodifyError) or found.host


@given(text=texts)
@fuzzed(40)
def test_a_fingerprint_is_one_or_says_what_is_wrong(text):
    ours(read_fingerprint, text)


TOKEN = {
    "access_token": "a",
    "refresh_token": "b",
    "scope": "c",
    "expires_at": 5,
    "token_type": "Bearer",
    "authorised_at": "2026-11-21T12:00:00+00:00",
    "refused_at": "2026-11-21T12:00:00+00:00",
}


@given(content=payloads(TOKEN))
@fuzzed(80)
def test_a_sign_in_is_whole_or_needed_anew(place, content):
    tokens = TokenFile(place)
    tokens.path.write_bytes(content)
    tokens.path.chmod(0o600)
    found = ours(tokens.get_cached_token)
    if not isinstance(found, MoodifyError):
        notice_of(found, NOW)


@given(content=payloads({"boot": "b", "on": True, "crashes_s": [1.0, 2.0], "why": "x"}))
@fuzzed(80)
def test_a_count_of_crashes_is_one_or_begins_anew(place, content):
    path = place / "crashes.json"
    path.write_bytes(content)
    assert count_of(path) >= 0
    with Crashes(path, boot="b", now_s=lambda: 50.0) as crashes:
        assert crashes.why is None or isinstance(crashes.why, str)
        assert crashes.count >= 0
        crashes.ended()


@given(content=payloads({"kid": "k", "at": "2026-11-21T12:00:00+00:00", "reason": "no"}))
@fuzzed(40)
def test_small_notes_are_read_or_forgotten(place, content):
    (place / "device.key.refused").write_bytes(content)
    rotation.setback(place / "device.key")
    path = place / "notes.json"
    path.write_bytes(content)
    NoteFile(path).get("speaker")
    (place / "speaker.json").write_bytes(content)
    assert LastSpeaker(place).speaker is None
    folder = HubFolder(place / "hub-folder")
    folder.make()
    folder.address.write_bytes(content)
    ours(folder.where)


SENT = {"uri": "spotify:track:x", "title": "t", "artist": "a", "duration_ms": 1, "mood": "calm", "through_quiet": False, "felt": "sad", "songs": 1, "sure": True, "teaches": True}
MUSIC = {
    "hushed": True,
    "paused": "2026-11-21T11:00:00+00:00",
    "chosen": None,
    "changes": ["2026-11-21T11:00:00+00:00"],
    "heard": ["spotify:track:x"],
    "not_this": {"spotify:track:y": "2026-11-21T13:00:00+00:00"},
    "current": SENT,
    "queued": SENT,
    "after": None,
    "cap": 5,
}


@given(kept=changed(MUSIC) | values(*MUSIC))
@fuzzed(100)
def test_what_the_music_remembers_is_taken_as_far_as_it_makes_sense(kept):
    recall(Memory(no_repeat=5), kept, 1000.0, NOW)


TASTE = {
    "format": taste_keeping.FORMAT,
    "day": 20_000,
    "own": [1, 2, 3, 4, 1],
    "moods": {"calm": {"songs": {"abcdefgh": [1, 2, 3, 4, 1]}, "artists": {"abcdefgh": [1, 2, 3, 4, 0]}}},
}


@given(kept=changed(TASTE))
@fuzzed(80)
def test_what_was_learned_is_taken_as_far_as_it_makes_sense(kept):
    taste = ThompsonTaste(Random(1))
    taste_keeping.recall(taste, kept, NOW)
    taste_keeping.as_json(taste)


@given(kept=changed({"closed": False, "opened_until": "2026-11-21T12:00:00+00:00", "origin": "page"}) | values("closed", "opened_until", "origin"))
@fuzzed(100)
def test_privacy_that_makes_no_sense_is_closed(kept):
    found = ByHand.from_json(kept)
    assert found.closed or kept is None or kept is False or (isinstance(kept, dict) and kept["closed"] is False)
    last_seen({"last_seen_utc": kept})


USER = {
    "id": "6f1c1c0e-7d2b-4b0e-9a35-6b1d6a0f3c11",
    "email": "a@b.example",
    "first_name": "A",
    "last_name": "B",
    "role": "owner",
    "active": 1,
    "created": "2026-11-21T12:00:00.000000+00:00",
    "updated": "2026-11-21T12:00:00.000000+00:00",
    "preferences": "{}",
    "age": 5,
    "skin_type": 2,
    "last_sign_in": None,
    "began": "2026-11-21T12:00:00.000000+00:00",
    "used": "2026-11-21T12:00:00.000000+00:00",
    "ends": "2026-11-21T12:00:00.000000+00:00",
    "user_id": "6f1c1c0e-7d2b-4b0e-9a35-6b1d6a0f3c11",
    "label": "x",
    "token_hash": "00",
    "purpose": "claim",
    "made_by": None,
    "hash": "00",
}
columns = st.sampled_from([key for key in USER if key != "id"])
cells_of = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats() | texts | st.sampled_from(["0001-01-01T00:00:00+14:00", "[" * 3000, '{"x":1}']) | st.binary(max_size=8)


@given(odd=st.dictionaries(columns, cells_of, min_size=1, max_size=2))
@fuzzed(120)
def test_a_row_of_an_account_is_one_or_damaged(odd):
    for read in (user_of, session_of, code_of):
        found = ours(read, USER | odd)
        assert not isinstance(found, MoodifyError) or isinstance(found, StoreError)


RECORD = {
    "looked_at": "2026-11-21T12:00:00+00:00",
    "skin_score": 50.0,
    "skin_score_version": 1,
    "skin_score_parts": {"redness": 50.0},
    "oiliness_level": 5.0,
    "pore_size": 5.0,
    "redness": 5.0,
    "tone": 5.0,
    "hydration_level": None,
    "elasticity_level": None,
    "confidence_score": 90.0,
    "confidence_parts": {"light": 90.0},
    "analysis_duration_seconds": 1.0,
    "spread": {"oiliness_level": 1.0, "pore_size": 1.0, "redness": 1.0, "tone": 1.0},
    "against_usual": {"tone": {"usual": 5.0, "difference": 0.0, "uncertainty": 1.0, "looks": 3}},
    "gloss": {"cheeks": 0.1},
    "conditions": ["looks as usual"],
    "skin_type": 2,
    "card": 7,
    "eyes_px": 80.0,
    "shots": 3,
    "reasons": {"hydration_level": "no", "elasticity_level": "no"},
}


@given(content=payloads(RECORD))
@fuzzed(120)
def test_a_face_record_is_one_or_is_refused(content):
    assert FaceRecord.model_validate(RECORD | {"looked_at": NOW})
    try:
        record = FaceRecord.model_validate_json(content)
    except ValidationError:
        return
    assert FaceRecord.model_validate_json(record.model_dump_json()) == record


@pytest.fixture(scope="module")
def backup(place):
    (place / "one").write_bytes(b"one" * 1000)
    archive.write(place / "whole", {"one": place / "one"}, device="m-abcdefghijklmnop", keys=True)
    return (place / "whole").read_bytes()


@given(data=st.data())
@fuzzed(80)
def test_a_backup_is_whole_or_says_what_is_wrong(place, backup, data):
    file = place / "backup"
    file.write_bytes(data.draw(damaged(backup)))
    ours(archive.read_note, file)
    into = place / "into"
    into.mkdir(exist_ok=True)
    (into / "one").unlink(missing_ok=True)
    ours(archive.unpack, file, into, {"one"})
