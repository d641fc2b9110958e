"""One home as docs/hub.md sets it up: a hub of its own, an appliance that is enrolled there, and what its owner does from afar."""

import json
import re
import shlex
import urllib.request
from pathlib import Path

import pytest
from hub_house import Api, Ears, documented, typed

from appliance import Appliance, hubs_of
from hub_process import QUIET, HubProcess
from ports import free_port
from waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SAMPLE = ("--camera", "sample", "--speaker", "simulated")
COMMANDS = ("rescan", "pause", "resume", "privacy", "mood", "volume", "goal", "diagnostics")
RULES = f"[link]\ncommands = {json.dumps(COMMANDS)}\n"


class House:
    """Who runs the hub, and who lives where the appliance is."""

    def __init__(self, folder, root):
        self.lines = documented(root)
        self.owner, self.home = folder / "owner", folder / "home"
        self.hub = self.appliance = self.device = None

    def owner_types(self, line):
        return typed(self.owner, line)

    def home_types(self, line):
        return typed(self.home, line)

    @property
    def api(self):
        return Api(self.hub, self.token)

    def curl(self, line, **names):
        """Do what a documented line of curl does, for this hub."""
        for shown, meant in {"$TOKEN": self.token, "127.0.0.1:8090": f"127.0.0.1:{self.hub.address['api']['port']}", **names}.items():
            line = line.replace(shown, meant)
        words = iter(shlex.split(line)[1:])
        headers, data, url = {}, None, None
        for word in words:
            if word == "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            elif word == "-d":
                data = next(words).encode()
            elif word != "-s":
                url = word
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=40) as answer:
            return json.load(answer)

    def links(self, after=0):
        return [event["data"]["state"] for event in self.appliance.events[after:] if event["kind"] == "link"]


@pytest.fixture(scope="module")
def house(tmp_path_factory, project_root):
    """The home after the lines of "One for several devices"."""
    house = House(tmp_path_factory.mktemp("house"), project_root)
    house.owner.mkdir()
    house.home.mkdir()
    init, _, enroll_device, enroll_at_hub, *_ = house.lines
    made = house.owner_types(init)
    house.token = re.search(r"Admin token: +(\S+)", made)[1]
    changes = QUIET | {"port": str(free_port())}
    Path(re.search(r"look at (\S+)", made)[1]).write_text("".join(f"{name} = {value}\n" for name, value in changes.items()))
    with HubProcess(house.owner) as hub:
        house.hub = hub
        # It says anew what is to be done at a device, now that the port is another one.
        line = re.search(r"at each device: +(.+)", house.owner_types(init))[1]
        assert line.startswith(f"{enroll_device} 127.0.0.1:{changes['port']} --fingerprint sha256:")
        shown = house.home_types(line)
        line = re.search(r"^ +(moodify hub enroll .+)$", shown, re.MULTILINE)[1]
        assert [word if "…" not in word else "…" for word in shlex.split(enroll_at_hub)] == ["moodify", "hub", "enroll", "…", "…"]
        house.device = shlex.split(line)[3]
        assert f"{house.device} may come in now" in house.owner_types(line)
        with Appliance(house.home, *SAMPLE, toml=RULES) as appliance:
            house.appliance = appliance
            appliance.wait_for("link", state="ok")
            yield house
            # The hub may be another one by now.
            house.hub.__exit__()


def test_the_documented_lines_are_those_that_are_typed_here(house):
    assert house.lines[:4] == ["moodify hub init", "moodify hub serve", "moodify device enroll", "moodify hub enroll m-… …"]
    assert [line.split()[0] for line in house.lines[4:]] == ["curl", "curl"]
    assert f"goes to      the hub 127.0.0.1:{house.hub.address['mqtt']['port']}\n" in house.home_types("moodify device show")


def test_a_scan_that_the_hub_asks_for_is_answered_and_the_new_mood_is_seen_there(house):
    house.appliance.wait_for("presence", present=True)
    before, printed = house.api.history(house.device)[-1]["n"], len(house.appliance.events)
    give, wait = house.lines[4:]
    command = house.curl(give, **{"m-…": house.device})
    answered = house.curl(wait, **{"<id>": command["id"]})
    assert (answered["name"], answered["state"], answered["error"]) == ("rescan", "ok", None)
    seen = house.appliance.wait_for("mood", after=printed, asked=True)
    stored = wait_until(lambda: [event for event in house.api.history(house.device, before) if event["id"] == seen["id"]], every_s=0.2, what="the mood at the hub")
    assert (stored[0]["kind"], stored[0]["data"]) == ("mood", seen["data"])
    wait_until(lambda: house.api.states(house.device)["now"]["mood"] == seen["data"]["mood"], every_s=0.2, what="the mood in the device's state")
    assert house.api.is_online(house.device)


def test_a_mood_and_a_goal_are_named_from_the_hub_and_shown_there(house):
    def now(key):
        return house.api.states(house.device)["now"][key]

    named = house.api.done(house.device, "mood", mood="calm", minutes=30)
    assert (named["mood"], bool(named["until"]), bool(named["music"])) == ("calm", True, True)
    wait_until(lambda: now("override") == {"mood": "calm", "until": named["until"]}, every_s=0.2, what="the named mood in the state")
    assert house.api.done(house.device, "mood", mood=None) == {"mood": None}
    wait_until(lambda: now("override") is None, every_s=0.2, what="no named mood in the state")
    assert house.api.done(house.device, "goal", goal="lift") == {"goal": "lift"}
    wait_until(lambda: now("goal") == "lift", every_s=0.2, what="the goal in the state")
    assert house.api.done(house.device, "goal", goal=None) == {"goal": "match"}


def test_music_is_paused_goes_on_and_is_made_softer_from_the_hub(house):
    house.appliance.wait_for("order", act="play", status="done")
    wait_until(lambda: house.api.states(house.device)["now"]["playing"], every_s=0.2, what="music in the state")
    assert house.api.done(house.device, "volume", percent=10)["percent"] == 10
    house.api.done(house.device, "pause")
    wait_until(lambda: not house.api.states(house.device)["now"]["playing"], every_s=0.2, what="silence in the state")
    house.api.done(house.device, "resume")
    wait_until(lambda: house.api.states(house.device)["now"]["playing"], every_s=0.2, what="music in the state again")


def test_diagnostics_tell_how_it_is_and_neither_where_it_keeps_things_nor_a_secret(house):
    told = house.api.done(house.device, "diagnostics")
    assert {part: state["state"] for part, state in told["parts"].items()} == {"camera": "ok", "speaker": "ok", "link": "ok"}
    assert told["clock"]["trusted"] is True
    assert told["outbox"]["lost"] == 0
    text = json.dumps(told)
    assert str(house.home) not in text
    assert house.token not in text


def test_privacy_is_turned_on_from_the_hub_and_nothing_there_turns_it_off(house):
    def is_private():
        return house.api.states(house.device)["state"]["privacy"]

    printed = len(house.appliance.events)
    house.api.done(house.device, "privacy")
    house.appliance.wait_for("camera", after=printed, state="off")
    wait_until(is_private, every_s=0.2, what="privacy in the state")
    for args in ({"on": False}, {"privacy": False}, {"state": "off"}):
        assert house.api.ask(f"/v1/devices/{house.device}/commands", {"name": "privacy", "args": args})[0] == 422
    assert house.api.ask(f"/v1/devices/{house.device}/commands", {"name": "privacy_off"})[0] == 422
    refused = house.api.answer(house.api.give(house.device, "rescan"))
    assert (refused["state"], "rivacy" in refused["error"]) == ("error", True)
    for name, args in (("resume", {}), ("mood", {"mood": "calm"}), ("goal", {"goal": "match"}), ("privacy", {}), ("mood", {"mood": None}), ("diagnostics", {})):
        house.api.answer(house.api.give(house.device, name, **args))
    assert is_private()
    assert not [event for event in house.appliance.events[printed:] if event["kind"] == "camera" and event["data"]["state"] == "ok"]
    house.appliance.ask("/api/privacy", "PUT", {"on": False})
    house.appliance.wait_for("camera", after=printed, state="ok")
    wait_until(lambda: not is_private(), every_s=0.2, what="the end of privacy in the state")


def test_an_appliance_that_had_a_hub_of_its_own_goes_over_to_the_households(house, tmp_path):
    with Appliance(tmp_path, *SAMPLE) as alone:
        alone.wait_for("link", state="ok")
        assert hubs_of(tmp_path)
        shown = typed(tmp_path, re.search(r"moodify device enroll .+", house.owner_types("moodify hub init"))[0])
        assert "it counts from its next connect on" in shown
        line = re.search(r"^ +(moodify hub enroll .+)$", shown, re.MULTILINE)[1]
        house.owner_types(f"{line} --name 'Second one'")
        assert alone.end() == 0
    device = shlex.split(line)[3]
    with Appliance(tmp_path, *SAMPLE) as enrolled:
        enrolled.wait_for("link", state="ok")
        enrolled.wait_for("mood")
        assert hubs_of(tmp_path) == []
        stored = each_event_is_there_once(house, list(enrolled.events), device)
        # What the hub of its own had told it of is there, and stays there.
        assert set(stored) <= {event["id"] for event in alone.events + enrolled.events}
        assert enrolled.end() == 0
    (listed,) = [line for line in house.owner_types("moodify hub devices").splitlines() if device in line]
    assert listed.split("  ")[1] == "Second one"


def test_a_key_is_changed_for_another_while_the_appliance_runs_and_nothing_goes_offline(house):
    def kids():
        return [key["kid"] for key in house.api.get(f"/v1/devices/{house.device}")["keys"]]

    (old,), printed = kids(), len(house.appliance.events)
    with Ears(house.hub, f"moodify/v1/{house.device}/up/status") as ears:
        made = re.search(r"The next key (\S+) is made", house.home_types("moodify device rotate"))[1]
        # As it was before: the command may take longer to end than the hub to be told.
        known = [[old]]
        wait_until(lambda: known.append(kids()) or known[-1] == [made], within_s=30, every_s=0.05, what=lambda: f"the new key alone at the hub ({known[-1]})")
        shown = json.loads(house.home_types("moodify device show --json"))
        assert (shown["id"], shown["kid"], shown["rotation"]) == (house.device, made, {"pending": None, "setback": None})
        # It is there by its new key, and does what it is asked to.
        house.api.done(house.device, "rescan")
        assert {status["state"] for status in ears.heard} == {"online"}
    # The order in which it may know them: the old, both, the new.
    assert [kids for at, kids in enumerate(known) if at == 0 or kids != known[at - 1]] in ([[old], [old, made], [made]], [[old], [made]])
    assert house.links(printed) == []


def test_a_hub_that_is_restored_elsewhere_is_the_same_to_an_appliance_that_runs(house, tmp_path_factory):
    elsewhere, was = tmp_path_factory.mktemp("elsewhere"), house.hub.folder
    file, printed = elsewhere / "hub.backup", len(house.appliance.events)
    assert house.hub.end() == 0
    house.owner_types(f"moodify hub backup {file}")
    house.appliance.wait_for("link", after=printed, state="degraded")
    house.owner = elsewhere
    house.owner_types(f"moodify hub restore {file}")
    house.hub = HubProcess(elsewhere)
    assert house.hub.folder != was
    house.appliance.wait_for("link", after=printed, state="ok", timeout_s=90)
    house.api.done(house.device, "rescan")
    each_event_is_there_once(house, list(house.appliance.events), house.device)
    (stream,) = house.api.get(f"/v1/devices/{house.device}")["streams"]
    assert stream["gaps"] == []


def test_a_device_that_is_shut_out_ends_and_says_who_must_act_and_nothing_of_it_is_lost(house):
    printed = len(house.appliance.events)
    assert house.owner_types(f"moodify hub revoke {house.device} --yes").endswith(f"{house.device} is shut out.\n")
    broken = house.appliance.wait_for("link", after=printed, state="broken")
    shown = json.loads(house.home_types("moodify device show --json"))
    enroll = f"moodify hub enroll {house.device} {shown['public_key']}"
    assert broken["data"]["message"] == f"{shown['goes_to']} does not let this device in: it was not enrolled there, or was shut out; there, run: {enroll}"
    wait_until(lambda: (house.api.is_online(house.device), house.api.states(house.device)) == (False, {}), every_s=0.2, what="the end of what is said of it")
    house.owner_types(enroll)
    # It would try again by itself, in a minute or two; a start does it now.
    assert house.appliance.end() == 0
    with Appliance(house.home, *SAMPLE, toml=RULES) as again:
        again.wait_for("link", state="ok")
        each_event_is_there_once(house, house.appliance.events + again.events, house.device)
        assert again.end() == 0


def each_event_is_there_once(house, events, device):
    """Wait until these events are at the hub; assert that nothing is there twice; return the ids that are."""
    printed, stored = {event["id"] for event in events}, []

    def all_there():
        stored[:] = [event["id"] for event in house.api.history(device)]
        return printed <= set(stored)

    wait_until(all_there, within_s=60, every_s=0.3, what=lambda: f"the arrival of {printed - set(stored)}")
    assert len(stored) == len(set(stored))
    return stored
