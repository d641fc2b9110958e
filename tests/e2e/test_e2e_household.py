"""An appliance at the household's own broker: signed in with a file, shown to Home Assistant, and taken out of it again."""

import json
import re
import threading
import uuid
from contextlib import contextmanager

import pytest
from hub_house import typed

from appliance import Appliance, data_folder
from brokers import running_broker
from looks import a_look
from moodify.cloud.identity import load_or_make
from moodify.cloud.mqtt import Connected, Connection, Received
from moodify.cloud.port import Credentials
from moodify.daemon.skin_keeping import RunningSkinKeeping
from moodify.store.outbox import Outbox
from signed_in import EMAIL
from waiting import wait_until

pytestmark = pytest.mark.slow


class Household:
    """Who listens and commands at the broker, as Home Assistant does; on a thread of its own."""

    def __init__(self, broker):
        self.heard = []
        self._said = []
        self._connection = Connection(broker.endpoint(), Credentials("household", None), client_id=str(uuid.uuid4()), session_s=0)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._closing.is_set():
            for signal in self._connection.step(0.05):
                if isinstance(signal, Connected):
                    self._connection.subscribe("homeassistant/#", "moodify/v1/+/up/#")
                if isinstance(signal, Received):
                    self.heard.append((signal.topic, signal.payload))
            while self._said:
                self._connection.publish(*self._said.pop(0))
        self._connection.close()

    def say(self, topic, payload):
        self._said.append((topic, payload))

    def last(self, topic):
        return next((payload for heard, payload in reversed(self.heard) if heard == topic), None)

    def of(self, topic):
        return [payload for heard, payload in list(self.heard) if heard == topic]


@contextmanager
def listening(broker):
    household = Household(broker)
    household._thread.start()
    try:
        yield household
    finally:
        household._closing.set()
        household._thread.join(30)


def pressed(template):
    """Return what Home Assistant makes of a command's template."""
    text = re.sub(r"\{\{ \(now\(\)\.timestamp\(\) \* 1000\) \| int \}\}", "1795280164000", template)
    text = re.sub(r"\{\{ range\(0, 100000\) \| random \}\}", "4711", text)
    assert "{{" not in text
    return text.encode()


def test_at_a_households_broker_it_is_shown_obeys_and_is_forgotten(tmp_path):
    key = data_folder(tmp_path) / "device.key"
    key.parent.mkdir(parents=True)
    device = load_or_make(key).device
    sign_in = tmp_path / "sign-in"
    sign_in.touch(mode=0o600)
    sign_in.write_text(f"{device}\nopen sesame\n")
    config, commands, status = f"homeassistant/device/{device}/config", f"moodify/v1/{device}/down/cmd", f"moodify/v1/{device}/up"
    with running_broker(tmp_path) as broker, listening(broker) as household:
        link = f'[link]\nhost = "127.0.0.1"\nport = {broker.endpoint().port}\ntls = false\nsign_in_file = "{sign_in}"\nhome_assistant = true\n'
        with Appliance(tmp_path, "--camera", "sample", "--speaker", "simulated", toml=link) as appliance:
            appliance.wait_for("link", state="ok")
            shown = json.loads(wait_until(lambda: household.last(config), what="the device in Home Assistant"))
            assert (shown["dev"]["ids"], shown["avty_t"]) == ([device], f"{status}/status")
            # What the owner allows by default, and no more.
            assert {"presence", "mood", "playing", "reason", "health", "privacy", "rescan", "privacy_on"} <= shown["cmps"].keys()
            assert "goal" not in shown["cmps"]
            household.say("homeassistant/status", b"online")
            wait_until(lambda: len(household.of(config)) == 2, what="being told again after Home Assistant's start")

            button = shown["cmps"]["privacy_on"]
            household.say(button["cmd_t"], pressed(button["cmd_tpl"]))
            answer = wait_until(lambda: household.last(f"{status}/res/ha-1795280164000-4711"), what="the answer to a press in Home Assistant")
            assert (button["cmd_t"], json.loads(answer)) == (f"{commands}/privacy", {"status": "ok"})
            appliance.wait_for("camera", state="off")
            wait_until(lambda: json.loads(household.last(f"{status}/state"))["privacy"], what="privacy in the state")

            printed = {event["id"] for event in list(appliance.events)}
            with Outbox(data_folder(tmp_path) / "moodify.db") as outbox:
                wait_until(lambda: outbox.backlog() == 0, what="an empty outbox")

            assert "arrived      when the broker has it" in typed(tmp_path, "moodify device show")
            told = typed(tmp_path, "moodify device forget")
            assert "Home Assistant shows this device no more." in told
            assert "set home_assistant = false" in told
            wait_until(lambda: household.last(config) == b"", what="being taken out")
            with listening(broker) as late:
                wait_until(lambda: late.last(f"{status}/status"), what="what is retained")
                assert late.of(config) == []
            assert appliance.end() == 0
        wait_until(lambda: json.loads(household.last(f"{status}/status"))["state"] == "offline", what="the farewell")
        said = {item["id"] for payload in household.of(f"{status}/ev") for item in json.loads(payload)["items"]}
    assert printed <= said <= {event["id"] for event in appliance.events}
    # It needed no hub of its own.
    assert not (data_folder(tmp_path) / "hub").exists()
    assert "open sesame" not in appliance.log


def test_a_look_at_skin_leaves_where_its_person_shares_it_and_goes_as_soon_as_they_do_not(tmp_path):
    with running_broker(tmp_path) as broker, listening(broker) as household:
        link = f'[link]\nhost = "127.0.0.1"\nport = {broker.endpoint().port}\ntls = false\nhome_assistant = true\n'
        with Appliance(tmp_path, "--camera", "sample", "--speaker", "simulated", toml=link) as appliance:
            appliance.wait_for("link", state="ok")
            topics = {topic for topic, _ in wait_until(lambda: [heard for heard in list(household.heard) if heard[0].endswith("/up/skin")], what="what is shared")}
            (topic,) = topics

            def told():
                return json.loads(household.last(topic))

            assert told() == {}
            person = uuid.UUID(appliance.ask("/api/me")["id"])
            keeping = RunningSkinKeeping(data_folder(tmp_path) / "moodify.db")
            keeping.opt_in(person)
            record = keeping.keep(person, a_look(oiliness=41.5)).record
            keeping.share(person, on=True)
            wait_until(lambda: told() != {}, what="the look at the broker")
            assert told()["looks"] == {str(person): record.model_dump(mode="json", include=told()["looks"][str(person)].keys())}
            assert told()["looks"][str(person)]["oiliness_level"] == 41.5
            # By another program, while the appliance runs.
            assert "Erased: 1 look" in typed(tmp_path, f"moodify skin forget --email {EMAIL} --yes")
            wait_until(lambda: told() == {}, what="an empty state in its place")
            with listening(broker) as late:
                wait_until(lambda: late.last(topic) is not None, what="what is retained")
                assert json.loads(late.last(topic)) == {}
            shown = "".join(payload.decode() for name, payload in list(household.heard) if name.startswith("homeassistant/"))
            assert ("/up/state" in shown, "skin" in shown) == (True, False)
            assert appliance.end() == 0
