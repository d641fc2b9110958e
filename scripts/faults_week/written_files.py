"""What an appliance writes beside its database: keys, certificates, notes, the songs that it knows, looks at people's skin, an export."""

from __future__ import annotations

import json
import sqlite3
import ssl
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from faults_week.written import EMAIL, PASSWORD, Written, accounts_in, as_daemon, lived_in, nothing, start
from moodify.accounts.accounts import NewUser
from moodify.accounts.key import FILE as WEB_KEY
from moodify.accounts.key import load_key
from moodify.cli.data_export import export
from moodify.cloud import enrolment
from moodify.cloud.certificates import Certificate
from moodify.cloud.enrolment import Enrolment
from moodify.daemon import erasing
from moodify.daemon.front import CERTIFICATE, CERTIFICATE_KEY
from moodify.daemon.places import DATABASE
from moodify.music.catalogue.catalogue import Catalogue
from moodify.music.catalogue.file import FILE as SONGS
from moodify.music.catalogue.importing import import_file
from moodify.music.fading import FILE as OWED
from moodify.music.notes import NoteFile
from moodify.music.spotify.last_speaker import LastSpeaker
from moodify.music.spotify.mapping import Refusal
from moodify.music.spotify.quota import Quota
from moodify.store.skin import SkinTables
from moodify.types import Speaker
from moodify.web.certificate import ensure, make

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Say = Callable[[str], None]

_CSV, _EXPORT, _APP = "songs.csv", "export", "an app"
_NAMES = ("moodify.local", "music.home")


# -- songs


def _lay_songs(folder: Path) -> None:
    rows = (f"spotify:track:{number:022},Song {number},Somebody,180000,0.{number}5,0.5" for number in range(1, 8))
    (folder / _CSV).write_text("\n".join(["Track URI,Track Name,Artist Name(s),Duration (ms),Energy,Valence", *rows, ""]), "utf-8")
    with Catalogue(folder / SONGS) as catalogue:
        catalogue.count()


def _import(folder: Path, say: Say) -> None:
    with Catalogue(folder / SONGS) as catalogue:
        say(f"{import_file(catalogue, folder / _CSV).taken}")


def _look_at_songs(folder: Path, said: list[str]) -> list[str]:
    with Catalogue(folder / SONGS) as catalogue:
        songs = catalogue.count()[0]
    with closing(sqlite3.connect(folder / SONGS)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchone()[0]
    wrong = [] if found == "ok" else [f"the catalogue is not whole: {found}"]
    if list(folder.glob(f"{SONGS}.corrupt.*")):
        wrong.append("the catalogue was damaged")
    return wrong if songs == 7 or (songs == 0 and not said) else [*wrong, f"of 7 songs {songs} were taken"]  # noqa: PLR2004 - as laid


# -- what Spotify is to be left alone for, whose speaker it was, which volume is owed


def _note(folder: Path, say: Say) -> None:
    Quota(folder, app=_APP).shut(Refusal(429, "too many", None, 3600.0))
    say("quota")
    LastSpeaker(folder).keep(Speaker("id1", "Kitchen", active=True))
    say("speaker")
    owed = NoteFile(folder / OWED)
    for number in (1, 2):
        owed.put("volume", number)
        say(f"owed {number}")


def _look_at_notes(folder: Path, said: list[str]) -> list[str]:
    wrong = []
    if "quota" in said and Quota(folder, app=_APP).left_s <= 0:
        wrong.append("Spotify would be asked although it said when to ask again")
    if "speaker" in said and LastSpeaker(folder).speaker is None:
        wrong.append("the speaker is forgotten")
    owed = NoteFile(folder / OWED).get("volume", 0)
    least = max((int(each[5:]) for each in said if each.startswith("owed ")), default=0)
    return wrong if owed in {least, least + 1} else [*wrong, f"{owed} is owed, not {least}"]


# -- the page: its key, its certificate, made anew for another name


def _front(folder: Path, say: Say) -> None:
    say(f"key {load_key(folder / WEB_KEY).hex()}")
    for names in (_NAMES[:1], _NAMES):
        ensure(folder / CERTIFICATE, folder / CERTIFICATE_KEY, names)
        say(f"names {len(names)}")


def _look_at_front(folder: Path, said: list[str]) -> list[str]:
    key = load_key(folder / WEB_KEY).hex()
    wrong = ["everybody is signed out: the key is another after it was acknowledged" for each in said if each.startswith("key ") and each[4:] != key]
    kept = (folder / CERTIFICATE).read_bytes() if "names 2" in said else None
    ensure(folder / CERTIFICATE, folder / CERTIFICATE_KEY, _NAMES)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(folder / CERTIFICATE, folder / CERTIFICATE_KEY)
    if kept is not None and kept != (folder / CERTIFICATE).read_bytes():
        wrong.append("the certificate that was acknowledged is another")
    return wrong


# -- the hub that it belongs to


def _hub(folder: Path, number: int) -> Enrolment:
    return Enrolment(f"hub{number}.home", 8883, Certificate.from_pem((folder / "hub.pem").read_text("ascii")), "hub", datetime(2026, 1, number, tzinfo=UTC))


def _lay_hub(folder: Path) -> None:
    make(folder / "hub.pem", folder / "hub.pem.key", ["hub.home"])
    enrolment.save(folder, _hub(folder, 1))


def _enrol(folder: Path, say: Say) -> None:
    enrolment.save(folder, _hub(folder, 2))
    say("second")
    enrolment.forget(folder)
    say("none")


def _look_at_hub(folder: Path, said: list[str]) -> list[str]:
    found = enrolment.load(folder)
    host = None if found is None else found.host
    # Each may be done already and not yet said.
    lawful: tuple[str | None, ...] = {0: ("hub1.home", "hub2.home"), 1: ("hub2.home", None), 2: (None,)}[len(said)]
    return [] if host in lawful else [f"it belongs to {host} after {said}"]


# -- a wish to erase everything


def _wish(folder: Path, say: Say) -> None:
    erasing.want(folder)
    say("wanted")


def _look_at_wish(folder: Path, said: list[str]) -> list[str]:
    return ["the wish to erase everything is forgotten"] if "wanted" in said and not erasing.wanted(folder) else []


# -- looks at a person's skin


def _user(folder: Path) -> UUID:
    with accounts_in(folder) as accounts:
        return accounts.sign_in(EMAIL, PASSWORD, "a browser").user.id


def _lay_looks(folder: Path) -> None:
    lived_in(folder)
    with accounts_in(folder) as accounts:
        accounts.claim(accounts.make_claim_code(), NewUser(EMAIL, "Ada", PASSWORD), "a browser")
    (folder / "ada").write_text(str(_user(folder)), "ascii")


def _keep_looks(folder: Path, say: Say) -> None:
    user = UUID((folder / "ada").read_text("ascii"))
    with SkinTables(folder / DATABASE) as skin:
        skin.allow(user, datetime.now(UTC))
        say("allowed")
        kept = [look.id for number in (1, 2) if (look := skin.keep(user, datetime.now(UTC), json.dumps({"n": number}))) is not None]
        say("kept " + " ".join(map(str, kept)))
        skin.remove(user, kept[0])
        say(f"removed {kept[0]}")
        skin.forbid(user)
        say("forbidden")


def _look_at_looks(folder: Path, said: list[str]) -> list[str]:
    wrong = start(folder)
    user = UUID((folder / "ada").read_text("ascii"))
    with SkinTables(folder / DATABASE) as skin:
        allowed, there = skin.allowed(user), {str(look.id) for look in skin.looks(user)}
    if (allowed is None and there) or ("forbidden" in said and (allowed or there)):
        return [*wrong, f"{len(there)} looks are kept although none are allowed"]
    kept = {word for each in said if each.startswith("kept ") for word in each.split()[1:]}
    removed = {each.split()[1] for each in said if each.startswith("removed ")}
    if removed & there:
        wrong.append("a look that was erased is there")
    # The first may be erased already, and with what is not allowed any more all of them.
    if allowed is not None and len(kept - there) > 1:
        wrong.append("looks that were acknowledged are gone")
    return wrong if allowed is not None or "allowed" not in said or "kept" in "".join(said) else [*wrong, "what a person allows is forgotten"]


# -- an export


def _export(folder: Path, say: Say) -> None:
    as_daemon(folder)
    export(None, folder.parent / f"{folder.name}-{_EXPORT}.zip")
    say("exported")


def _look_at_export(folder: Path, said: list[str]) -> list[str]:
    target = folder.parent / f"{folder.name}-{_EXPORT}.zip"
    wrong = start(folder)
    if not target.exists():
        return [*wrong, "the export is gone"] if "exported" in said else wrong
    with zipfile.ZipFile(target) as archive:
        return wrong if archive.testzip() is None else [*wrong, "the export is there by half"]


WRITTEN = (
    Written("songs imported", _lay_songs, _import, _look_at_songs),
    Written("notes of the music", nothing, _note, _look_at_notes),
    Written("the page's key and certificate", nothing, _front, _look_at_front),
    Written("a hub enrolled with, and left", _lay_hub, _enrol, _look_at_hub),
    Written("a wish to erase everything", nothing, _wish, _look_at_wish),
    Written("looks at a person's skin", _lay_looks, _keep_looks, _look_at_looks),
    Written("an export", lived_in, _export, _look_at_export),
)
