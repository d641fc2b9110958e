"""``moodify device``: who it is, taking a hub, another key, no hub any more."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance import configure, data_folder, environment_of, moodify
from moodify.cli import device_enroll
from moodify.cloud import announcing, enrolment, rotation
from moodify.cloud.announcing import FoundHub, announce_hub
from moodify.cloud.certificates import Certificate
from moodify.cloud.identity import load, load_or_make
from moodify.cloud.keys import kid_of, read_public
from moodify.daemon import enrolling
from moodify.daemon.enrolling import address_of
from moodify.errors import CannotWork, LinkDown, LinkRefused
from moodify.store.lock import FolderLock
from tls import make_certificate, tls_server
from waiting import wait_until

HOST = "127.0.0.1"
OTHER = "sha256:" + "ab" * 32


@pytest.fixture
def files(tmp_path):
    return make_certificate(tmp_path / "certificate")


@pytest.fixture
def print_of_hub(files):
    return Certificate.from_pem(files[0].read_text()).fingerprint


@pytest.fixture
def hub(files):
    with tls_server(files) as port:
        yield f"{HOST}:{port}"


@pytest.fixture
def key(tmp_path):
    path = data_folder(tmp_path) / "device.key"
    load_or_make(path)
    return path


def shown(home):
    done = moodify(home, "device", "show", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def enrolled(home):
    return enrolment.load(data_folder(home))


def test_a_device_that_never_started_says_how_it_gets_its_key_and_makes_none(tmp_path):
    done = moodify(tmp_path, "device", "show")
    assert (done.returncode, done.stdout) == (1, "")
    assert "moodify run, or moodify device enroll" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_show_tells_who_it_is_and_that_it_goes_to_a_hub_of_its_own(tmp_path, key):
    own = load(key)
    found = shown(tmp_path)
    assert (found["id"], found["kid"], found["goes_to"], found["hub"]) == (own.device, own.kid, "a hub of its own, beside it on this machine", None)
    assert kid_of(read_public(found["public_key"])) == own.kid
    assert found["sign_in"] == {"how": "token", "audience": "moodify"}
    assert found["rotation"] == {"pending": None, "setback": None}
    done = moodify(tmp_path, "device", "show")
    assert re.search(rf"^id +{own.device}$", done.stdout, re.MULTILINE)
    assert re.search(rf"^key id +{own.kid}$", done.stdout, re.MULTILINE)
    assert re.fullmatch(rf"for the hub +{re.escape(enrolment.hub_command(own))}", done.stdout.splitlines()[-1])


def test_show_tells_of_a_households_broker_and_never_what_is_in_the_file(tmp_path, key):
    sign_in = tmp_path / "sign-in"
    sign_in.write_text("me\nopen sesame\n")
    configure(tmp_path, f'[link]\nhost = "broker.home"\nsign_in_file = "{sign_in}"')
    found = shown(tmp_path)
    assert (found["goes_to"], found["sign_in"], found["delivery"]) == ("the broker broker.home:8883", {"how": "file", "file": str(sign_in)}, "broker")
    assert "sesame" not in moodify(tmp_path, "device", "show").stdout


def test_enroll_shows_the_line_for_the_hub_and_takes_the_one_with_the_fingerprint(tmp_path, hub, print_of_hub):
    done = moodify(tmp_path, "device", "enroll", hub, "--fingerprint", print_of_hub)
    assert (done.returncode, done.stderr) == (0, "")
    own = load(data_folder(tmp_path) / "device.key")
    assert f"\n  {enrolment.hub_command(own)}\n" in done.stdout
    assert "from the next start of Moodify on" in done.stdout
    made = enrolled(tmp_path)
    assert (f"{made.host}:{made.port}", made.certificate.fingerprint) == (hub, print_of_hub)
    found = shown(tmp_path)
    assert (found["goes_to"], found["hub"]["fingerprint"], found["delivery"]) == (f"the hub {hub}", print_of_hub, "hub")
    human = moodify(tmp_path, "device", "show").stdout
    assert re.search(rf"^hub +{HOST} \({hub}\), since ", human, re.MULTILINE)


def test_enroll_where_nobody_can_compare_shows_the_line_and_says_what_to_give(tmp_path, hub):
    done = moodify(tmp_path, "device", "enroll", hub)
    assert (done.returncode, enrolled(tmp_path)) == (2, None)
    assert "moodify hub enroll m-" in done.stdout
    assert "--fingerprint sha256:" in done.stderr


def test_enroll_refuses_a_hub_with_another_fingerprint_and_shows_both(tmp_path, hub, print_of_hub):
    done = moodify(tmp_path, "device", "enroll", hub, "--fingerprint", OTHER)
    assert (done.returncode, enrolled(tmp_path)) == (2, None)
    assert print_of_hub in done.stderr
    assert OTHER in done.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [(("hub", "--fingerprint", "123"), "is no fingerprint"), (("hub.home:99999", "--fingerprint", OTHER), "is no address of a hub"), (("mqtt://hub",), "is no address of a hub")],
)
def test_enroll_with_what_is_no_hub_or_no_fingerprint_makes_nothing(tmp_path, given, said):
    done = moodify(tmp_path, "device", "enroll", *given)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_enroll_where_nobody_answers_says_so(tmp_path):
    done = moodify(tmp_path, "device", "enroll", f"{HOST}:1", "--fingerprint", OTHER)
    assert (done.returncode, enrolled(tmp_path)) == (1, None)
    assert f"no hub answers at {HOST}:1" in done.stderr


def test_enroll_says_that_a_broker_in_the_configuration_stands_in_the_way(tmp_path, hub, print_of_hub):
    configure(tmp_path, '[link]\nhost = "broker.home"')
    done = moodify(tmp_path, "device", "enroll", hub, "--fingerprint", print_of_hub)
    assert done.returncode == 0
    assert "link.host = broker.home says that it goes there" in done.stdout
    assert shown(tmp_path)["goes_to"] == "the broker broker.home:8883"


def test_enroll_says_that_a_running_appliance_goes_there_at_its_next_connect(tmp_path, hub, print_of_hub):
    with FolderLock(data_folder(tmp_path)):
        done = moodify(tmp_path, "device", "enroll", hub, "--fingerprint", print_of_hub)
    assert done.returncode == 0
    assert "Moodify is running: it counts from its next connect on" in done.stdout


@contextmanager
def at_a_terminal(home, *arguments):
    """Run a command with somebody at the keyboard; give the process, the keyboard, and what reads what it shows up to some text."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "moodify", *arguments], cwd=home, env=environment_of(home) | {"COLUMNS": "100", "LINES": "50"}, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        screen = bytearray()

        def until(text):
            while text.encode() not in screen:
                try:
                    part = os.read(ours, 4096)
                except OSError:
                    # The other end is closed: the program has ended.
                    part = b""
                assert part, f"{text!r} is not in {screen.decode()}"
                screen.extend(part)
            return screen.decode().replace("\r\n", "\n")

        try:
            yield process, lambda text: os.write(ours, text.encode()), until
        finally:
            process.kill()
            os.close(ours)


def test_a_person_sees_a_qr_code_compares_the_fingerprint_and_takes_the_hub(tmp_path, hub, print_of_hub):
    with at_a_terminal(tmp_path, "device", "enroll", hub) as (process, press, until):
        screen = until("or no: ")
        assert "▀" in screen
        assert f"\n  {print_of_hub}\n" in screen
        press("yes\n")
        until("belongs to the hub")
        assert process.wait(60) == 0
    assert enrolled(tmp_path).certificate.fingerprint == print_of_hub


@pytest.mark.parametrize(("typed", "code"), [("no\n", 1), ("\n\nmaybe\n", 1), ("\x04", 130)])
def test_a_hub_that_a_person_does_not_vouch_for_is_not_taken(tmp_path, hub, typed, code):
    with at_a_terminal(tmp_path, "device", "enroll", hub) as (process, press, until):
        until("or no: ")
        press(typed)
        until("this device belongs where it did")
        assert process.wait(60) == code
    assert enrolled(tmp_path) is None


def test_ctrl_c_takes_no_hub(tmp_path, hub):
    with at_a_terminal(tmp_path, "device", "enroll", hub) as (process, _, until):
        until("or no: ")
        process.send_signal(signal.SIGINT)
        until("this device belongs where it did")
        assert process.wait(60) == 130
    assert enrolled(tmp_path) is None


def data_folder_here():
    return data_folder(Path.home())


def heard_on_loopback(monkeypatch):
    """Listen on loopback alone, and only to this run's own hubs: others share it."""
    mine = set()

    def find(timeout_s, *, enough):
        def all_heard(hubs):
            return mine <= {hub.fingerprint for hub in hubs} or enough(hubs)

        return tuple(hub for hub in announcing_find(timeout_s * 3, enough=all_heard, interfaces=[HOST]) if hub.fingerprint in mine)

    announcing_find = announcing.find_hubs
    monkeypatch.setattr(announcing, "find_hubs", find)
    # Nobody is there, until somebody sits down.
    monkeypatch.setattr("sys.stdin", None)
    return mine


@pytest.fixture
def heard(monkeypatch):
    return heard_on_loopback(monkeypatch)


class Person:
    """Somebody who types lines at a terminal; a real one, but for the program, which runs here."""

    def __init__(self, monkeypatch, *lines):
        self.ours, theirs = pty.openpty()
        self.stdin = os.fdopen(theirs)
        monkeypatch.setattr("sys.stdin", self.stdin)
        os.write(self.ours, "".join(f"{line}\n" for line in lines).encode())

    def close(self):
        self.stdin.close()
        os.close(self.ours)


@pytest.fixture
def typing(monkeypatch):
    made = []

    def sit_down(*lines):
        made.append(Person(monkeypatch, *lines))

    yield sit_down
    for person in made:
        person.close()


@contextmanager
def announced(hub, name, fingerprint):
    with announce_hub(HOST, int(hub.rpartition(":")[2]), name, fingerprint) as announcer:
        wait_until(lambda: announcer.heard, what="the announcement")
        yield


def test_a_hub_on_the_network_is_offered_and_taken_only_once_a_person_vouches_for_it(hub, print_of_hub, heard, typing, capsys):
    heard.add(print_of_hub)
    folder = data_folder_here()
    with announced(hub, "Attic", print_of_hub):
        typing("no")
        assert device_enroll.enroll(None, None, fingerprint=None) == 1
        assert enrolment.load(folder) is None
        typing("yes")
        assert device_enroll.enroll(None, None, fingerprint=None) == 0
    said = capsys.readouterr().out
    assert f"1  Attic ({hub})" in said
    assert print_of_hub in said
    assert (enrolment.load(folder).name, enrolment.load(folder).certificate.fingerprint) == ("Attic", print_of_hub)


def test_of_several_hubs_a_person_chooses_one(hub, print_of_hub, heard, typing, capsys, tmp_path):
    other_files = make_certificate(tmp_path / "other")
    other = Certificate.from_pem(other_files[0].read_text()).fingerprint
    heard |= {print_of_hub, other}
    with tls_server(other_files) as port, announced(hub, "Attic", print_of_hub), announced(f"{HOST}:{port}", "Cellar", other):
        typing("3", "two", "2", "yes")
        assert device_enroll.enroll(None, None, fingerprint=None) == 0
    assert capsys.readouterr().out.count("Type a number from 1 to 2") == 2
    assert enrolment.load(data_folder_here()).name == "Cellar"


def test_with_its_fingerprint_a_hub_is_found_on_the_network_with_nobody_there(hub, print_of_hub, heard):
    heard.add(print_of_hub)
    with announced(hub, "Attic", print_of_hub):
        assert device_enroll.enroll(None, None, fingerprint=print_of_hub) == 0
    assert enrolment.load(data_folder_here()).name == "Attic"


def test_who_says_on_the_network_that_it_is_the_hub_and_is_not_is_never_taken(hub, print_of_hub, heard, typing):
    lie = f"sha256:{uuid.uuid4().hex}{uuid.uuid4().hex}"
    heard.add(lie)
    with announced(hub, "Attic", lie):
        with pytest.raises(LinkDown, match="does not answer as it says"):
            device_enroll.enroll(None, None, fingerprint=lie)
        typing("yes")
        with pytest.raises(LinkDown, match="does not answer as it says"):
            device_enroll.enroll(None, None, fingerprint=None)
    assert enrolment.load(data_folder_here()) is None


def test_of_a_hubs_addresses_the_one_that_the_link_would_take_is_kept(tmp_path):
    files = make_certificate(tmp_path / "by number", names=[HOST])
    own = Certificate.from_pem(files[0].read_text())
    with tls_server(files) as port:
        _, host, _, _ = device_enroll._reached(FoundHub("Attic", ("127.0.0.2", "localhost", HOST), port, own.fingerprint))
        assert host == HOST
        with pytest.raises(LinkRefused, match="another name than localhost"):
            device_enroll._reached(FoundHub("Attic", ("127.0.0.2", "localhost"), port, own.fingerprint))


def test_where_no_hub_is_heard_it_is_said_how_to_name_one(heard, monkeypatch, typing):
    monkeypatch.setattr(enrolling, "FIND_S", 0.05)
    heard.add(OTHER)
    typing()
    with pytest.raises(LinkDown, match="no hub is heard on the network"):
        device_enroll.enroll(None, None, fingerprint=None)
    with pytest.raises(LinkDown, match="no hub with this fingerprint"):
        device_enroll.enroll(None, None, fingerprint=OTHER)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("hub.home", ("hub.home", 8883)),
        ("hub.home:1883", ("hub.home", 1883)),
        ("192.168.1.20:9", ("192.168.1.20", 9)),
        ("[fd00::1]:1883", ("fd00::1", 1883)),
        ("[fd00::1]", ("fd00::1", 8883)),
        ("fd00::1", ("fd00::1", 8883)),
    ],
)
def test_a_hub_is_named_in_the_usual_ways(text, address):
    assert address_of(text) == address


@pytest.mark.parametrize("text", ["", ":8883", "hub:", "hub:0", "hub:65536", "hub home", "https://hub", "me@hub", "[hub]:1", "hub:1:2"])
def test_what_is_no_address_of_a_hub_is_refused(text):
    with pytest.raises(CannotWork, match="is no address of a hub; write its name or address"):
        address_of(text)


def test_rotate_makes_the_next_key_and_a_second_one_only_once_that_is_done(tmp_path, key):
    old = load(key)
    first = moodify(tmp_path, "device", "rotate")
    waiting = rotation.pending(key)
    assert (first.returncode, f"The next key {waiting.kid} is made. The hub is told at the next start" in first.stdout) == (0, True)
    again = moodify(tmp_path, "device", "rotate")
    assert (again.returncode, again.stdout) == (0, f"The next key {waiting.kid} waits already until the hub knows it; nothing was changed.\n")
    assert shown(tmp_path)["rotation"]["pending"] == waiting.kid
    rotation.KeyRotation(key, "moodify").accepted(waiting.kid)
    found = shown(tmp_path)
    assert (found["id"], found["kid"], found["rotation"]["pending"]) == (old.device, waiting.kid, None)


def test_rotate_says_that_a_running_appliance_tells_the_hub_by_itself(tmp_path, key):
    with FolderLock(key.parent):
        done = moodify(tmp_path, "device", "rotate")
    assert (done.returncode, "within seconds, for Moodify is running" in done.stdout) == (0, True)


def test_show_says_why_a_new_key_came_to_nothing(tmp_path, key):
    waiting, _ = rotation.begin(key)
    rotation.KeyRotation(key, "moodify").refused(waiting.kid, "this device was revoked")
    assert shown(tmp_path)["rotation"]["setback"]["reason"] == "this device was revoked"
    assert re.search(rf"^not taken +{waiting.kid} on .*: this device was revoked$", moodify(tmp_path, "device", "show").stdout, re.MULTILINE)


def test_rotate_where_a_file_signs_in_says_that_there_is_no_key_to_change(tmp_path, key):
    configure(tmp_path, '[link]\nhost = "broker.home"\nsign_in_file = "/etc/sign-in"')
    done = moodify(tmp_path, "device", "rotate")
    assert (done.returncode, rotation.pending(key)) == (2, None)
    assert "not with its key" in done.stderr


def test_forget_removes_the_hub_and_keeps_the_key(tmp_path, key, files):
    own = load(key)
    certificate = Certificate.from_pem(files[0].read_text())
    enrolment.save(key.parent, enrolment.Enrolment("hub.home", 8883, certificate, "Attic", datetime.now(UTC)))
    done = moodify(tmp_path, "device", "forget")
    assert (done.returncode, enrolled(tmp_path)) == (0, None)
    assert f"moodify hub revoke {own.device}" in done.stdout
    assert load(key).kid == own.kid
    again = moodify(tmp_path, "device", "forget")
    assert (again.returncode, again.stdout) == (0, "This device belongs to no hub.\n")


def test_a_damaged_enrolment_is_told_and_can_be_forgotten(tmp_path, key):
    key.with_name("hub.json").write_text("{")
    done = moodify(tmp_path, "device", "show")
    assert (done.returncode, "hub.json is damaged" in done.stderr) == (1, True)
    assert moodify(tmp_path, "device", "forget").returncode == 0
    assert shown(tmp_path)["hub"] is None


@pytest.mark.skipif(os.geteuid() != 0, reason="root: only it can give files away")
@pytest.mark.parametrize("command", [("enroll",), ("rotate",), ("forget",)])
def test_what_belongs_to_another_user_is_left_to_them(tmp_path, key, command):
    os.chown(key.parent, 12345, 12345)
    done = moodify(tmp_path, "device", *command)
    assert (done.returncode, "belongs to #12345" in done.stderr) == (1, True)
