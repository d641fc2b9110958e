"""The README's promise: an empty home, the sample and the simulated speaker."""

from datetime import datetime, timedelta

import pytest

from appliance import Appliance, Subscriber, as_printed, data_folder, hubs_of
from moodify.music.spotify.simulated.catalogue import Catalogue
from moodify.store.history import History
from moodify.store.outbox import Outbox
from waiting import wait_until

pytestmark = pytest.mark.slow

ARGUMENTS = ("--camera", "sample", "--speaker", "simulated")


def at(event):
    return datetime.fromisoformat(event["at"])


def kept(home):
    with History(data_folder(home) / "moodify.db") as history:
        return [event.as_json() for event in reversed(history.recent(10_000))]


def test_an_empty_home_hears_fitting_music_within_twenty_seconds_of_the_first_frame(tmp_path):
    with Appliance(tmp_path, *ARGUMENTS, "--for", 60) as appliance:
        opened = appliance.wait_for("camera", state="ok")
        appliance.wait_for("presence", present=True, people=1)
        appliance.wait_for("mood", mood="happy")
        decision = appliance.wait_for("decision", act="play", mood="happy")
        assert at(decision) - at(opened) < timedelta(seconds=20)
        happy = {song.uri for song in Catalogue.shipped().playlist_of("happy").songs}
        assert decision["data"]["track"]["uri"] in happy
        order = appliance.wait_for("order", order=decision["data"]["order"])
        assert (order["data"]["status"], order["data"]["track"]) == ("done", decision["data"]["track"])
        assert appliance.end() == 0
    assert kept(tmp_path) == appliance.events
    assert hubs_of(tmp_path) == []


def test_a_second_run_keeps_the_history_and_a_subscriber_hears_what_is_printed(tmp_path):
    with Appliance(tmp_path, *ARGUMENTS) as first, Subscriber(tmp_path) as subscriber:
        first.wait_for("camera", state="ok")
        first.wait_for("link", state="ok")
        assert first.end() == 0
        with Appliance(tmp_path, *ARGUMENTS) as second:
            second.wait_for("order", status="done")
            assert second.end() == 0
        with Appliance(tmp_path, *ARGUMENTS) as third:
            third.wait_for("link", state="ok")
            ids = {event["id"] for event in second.events}
            wait_until(lambda: ids <= {heard.id for heard in list(subscriber.heard)}, within_s=30, what="hearing the second run")
            assert third.end() == 0
    assert kept(tmp_path) == first.events + second.events + third.events
    assert [as_printed(heard) for heard in subscriber.heard if heard.id in ids] == second.events
    assert len({heard.epoch for heard in subscriber.heard}) == 1
    numbers = [heard.seq for heard in subscriber.heard]
    assert numbers == sorted(numbers)
    with Outbox(data_folder(tmp_path) / "moodify.db") as outbox:
        assert outbox.backlog() == 0
