"""A house that breaks every promise, by itself: what ``scripts/faults`` makes of it is printed as JSON."""

import json
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import requests
from faults_week.__main__ import happen
from faults_week.fault import Fault, Group, Outcome
from faults_week.house import House


def misbehave(house):
    house.private(on=True)
    # Somebody opens the camera, another one plays music, and what was said to be kept is not.
    with Path(f"{house.camera}.opened").open("a") as log:
        log.write(f"{time.monotonic()!r} 1\n")
    token = json.loads((house.data / "spotify-token.json").read_text())["access_token"]
    song = house.speaker.catalogue.playlist_of("happy").songs[0].uri
    play = f"{house.speaker.api_url}me/player/play?device_id={house.speaker._device.id}"
    answer = requests.put(play, json={"uris": [song]}, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    assert answer.ok, answer.text
    with closing(sqlite3.connect(house.database, timeout=20)) as database, database:
        database.execute("DELETE FROM events WHERE n = (SELECT min(n) FROM events)")
    return Outcome(f"{house.data} is not as it was", None)


def fail_to_recover(house):
    raise AssertionError(f"it did not recover from {house.camera.name}")


GROUP = Group("misbehaving", lambda folder: House(folder, link=False), (Fault("never recovers", fail_to_recover), Fault("breaks every promise", misbehave)))

if __name__ == "__main__":
    # Backwards: where one goes wrong the next one gets another house.
    json.dump([asdict(row) for row in happen((GROUP, fault) for fault in GROUP.faults)], sys.stdout)
