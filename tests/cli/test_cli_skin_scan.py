"""``moodify skin scan``: with a camera of its own, and by an appliance that runs."""

import itertools
import json
import threading

import pytest
from typer.testing import CliRunner

from appliance import configure, data_folder, environment_of
from moodify.accounts.accounts import Accounts, NewUser
from moodify.accounts.key import FILE, load_key
from moodify.accounts.managing import TERMINAL
from moodify.accounts.tables import TableAccounts
from moodify.cli import skin_mirror
from moodify.cli.main import app
from moodify.daemon.places import DATABASE
from moodify.daemon.skin_keeping import RunningSkinKeeping
from moodify.errors import MoodifyError, NoCamera, NoSuchUser, NotPermitted, PersonMustAct, RetryLater, WrongPassword, WrongSignIn
from moodify.skin.capture import SAY, Step
from moodify.skin.record import FaceRecord, Trait
from moodify.store.accounts import AccountTransactions
from moodify.store.lock import FolderLock
from moodify.store.prepare import prepare
from moodify.web.app import create_app
from moodify.web.fake import FakeHouse
from moodify.web.server import PageServer
from moodify.web.skin_fake import FakeSkin
from moodify.web.skin_routes import skin_routes
from signed_in import EMAIL, PASSWORD, QUICK, memory_accounts
from somebody import recording_of_somebody
from terminals import typed
from waiting import wait_until

LEVELS = {Trait.OILINESS: 31.0, Trait.TEXTURE: 40.0}


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    return recording_of_somebody(tmp_path_factory.mktemp("camera") / "room", 3)


class Home:
    """A home where Ada has an account and allows looks, and what is kept there."""

    def __init__(self, folder):
        self.path = folder
        configure(folder)
        self.data = data_folder(folder)
        prepare(self.data / DATABASE)
        with AccountTransactions(self.data / DATABASE) as transactions:
            accounts = Accounts(TableAccounts(transactions), QUICK, load_key(self.data / FILE), audience="a test")
            self.ada = accounts.claim(accounts.make_claim_code(), NewUser(EMAIL, "Ada", PASSWORD), "a test").user
            accounts.update_me(self.ada.id, skin_type=2)
        self.keeping = RunningSkinKeeping(self.data / DATABASE)
        self.keeping.opt_in(self.ada.id)
        self.password = folder / "password"
        self.password.write_text(f"{PASSWORD}\nnot this\n")

    def scan(self, *arguments, email=EMAIL, password=True):
        """Run the command in this process, by somebody who is at no terminal."""
        given = dict.fromkeys(("STATE_DIRECTORY", "XDG_DATA_HOME", "XDG_CONFIG_HOME")) | environment_of(self.path) | {"COLUMNS": "200"}
        file = ("--password-file", self.password) if password else ()
        return CliRunner().invoke(app, [str(each) for each in ("skin", "scan", "--email", email, *file, *arguments)], env=given)

    def done(self, *arguments, **options):
        result = self.scan(*arguments, **options)
        assert result.exit_code == 0, result.exception
        return result

    def refused(self, error, *arguments, **options):
        result = self.scan(*arguments, **options)
        assert isinstance(result.exception, error), result.exception
        assert result.stdout == ""
        return str(result.exception)

    def looks(self):
        return self.keeping.looks(self.ada.id)


@pytest.fixture
def shut(monkeypatch):
    """Whether the command has shut its memory; here it would be this process's."""
    called = []
    monkeypatch.setattr(skin_mirror, "keep_memory_to_itself", lambda: called.append(True))
    return called


@pytest.fixture
def home(tmp_path, shut):
    return Home(tmp_path / "home")


# -- with a camera of its own


def test_who_holds_still_is_guided_and_gets_a_record_that_is_kept(home, room, shut):
    result = home.done("--camera", room, "--json")
    (kept,) = home.looks()
    assert FaceRecord.model_validate_json(result.stdout) == kept.record
    assert kept.record.skin_type == 2
    assert f"{SAY[Step.HOLD_STILL]} (0 of 3)\n{SAY[Step.HOLD_STILL]} (1 of 3)\n{SAY[Step.HOLD_STILL]} (2 of 3)" in result.stderr
    assert shut


def test_a_look_by_a_clock_known_to_be_wrong_says_so(home, room, monkeypatch):
    monkeypatch.setattr(skin_mirror, "date_doubted", lambda _settings: True)
    home.done("--camera", room)
    assert home.looks()[0].record.date_doubted


def test_without_keeping_the_record_is_shown_and_gone(home, room):
    said = home.done("--camera", room, "--no-keep").stdout
    assert home.looks() == ()
    assert "Nothing of it was kept." in said
    rows = {line.split()[0]: line.split()[1:] for line in said.splitlines() if line.strip()}
    assert " ".join(rows["hydration"]) == "– not measurable with a camera"
    assert 0 <= float(rows["shine"][0]) <= 100
    assert "See a pharmacist, doctor or dermatologist" in said


def test_a_recording_that_is_too_short_is_said(home, room):
    assert "give a longer one" in home.refused(RetryLater, "--camera", room / "0.png")
    assert home.looks() == ()


def test_the_camera_is_opened_for_nobody_but_who_the_password_is_of(home, room):
    home.password.write_text("something else\n")
    home.refused(WrongPassword, "--camera", room / "nothing")
    assert "moodify users list" in home.refused(NoSuchUser, email="eve@example.org")
    home.password.write_text("\n")
    assert "first line is empty" in home.refused(PersonMustAct)
    home.password.unlink()
    assert "can't be read" in home.refused(PersonMustAct)
    assert "--password-file" in home.refused(PersonMustAct, password=False)


def test_who_has_not_agreed_is_not_looked_at(home, room):
    home.keeping.opt_out(home.ada.id)
    assert "has not allowed looks" in home.refused(PersonMustAct, "--camera", room)


def test_who_may_not_sign_in_is_not_looked_at(home, room):
    with AccountTransactions(home.data / DATABASE) as transactions:
        accounts = Accounts(TableAccounts(transactions), QUICK, load_key(home.data / FILE), audience="a test")
        code, _ = accounts.invite(TERMINAL, "Bo")
        bo = accounts.claim(code, NewUser("bo@example.org", "Bo", PASSWORD), "a test").user
        accounts.change_user(TERMINAL, bo.id, active=False)
    assert "ask an owner" in home.refused(NotPermitted, "--camera", room, email=bo.email)


def test_in_privacy_the_camera_stays_closed(home, room):
    assert CliRunner().invoke(app, ["privacy", "on"], env=environment_of(home.path)).exit_code == 0
    assert "moodify privacy off" in home.refused(PersonMustAct, "--camera", room)


def test_privacy_that_begins_meanwhile_ends_the_look(home, room, monkeypatch):
    begun = itertools.chain([False] * 4, itertools.repeat(True))
    monkeypatch.setattr(skin_mirror.CameraMirror, "_private", lambda _mirror: next(begun))
    assert "moodify privacy off" in home.refused(RetryLater, "--camera", room)
    assert home.looks() == ()


def test_the_sample_is_taken_by_name_alone(home, monkeypatch):
    monkeypatch.setattr("moodify.camera.v4l2.usb_cameras", lambda: ())
    monkeypatch.setattr("moodify.camera.apart.importlib.util.find_spec", lambda _name: None)
    assert "no camera was found" in home.refused(NoCamera)


def test_at_a_terminal_it_says_what_it_means_and_lets_its_person_agree(home, room):
    home.keeping.opt_out(home.ada.id)
    arguments = ("skin", "scan", "--email", EMAIL, "--password-file", home.password, "--camera", room)
    said, code = typed(home.path, "allow", *arguments)
    assert code == 0, said
    assert "They go nowhere unless you share them." in said
    assert home.keeping.standing(home.ada.id).opted_in_at is not None
    assert len(home.looks()) == 1


# -- by an appliance that runs


class Page:
    """The page of an appliance that runs in ``home``, over a desk with levers."""

    def __init__(self, home):
        self.home, self.accounts, self.skin = home, memory_accounts(), FakeSkin()
        self.ada = self.accounts.claim(self.accounts.make_claim_code(), NewUser(EMAIL, "Ada", PASSWORD), "a test").user
        self.skin.opt_in(self.ada.id)
        self.server = PageServer(create_app(FakeHouse(), self.accounts, routers=[skin_routes(self.skin, self.skin)]), "127.0.0.1", 0)
        self.server.start()
        self.lock = FolderLock(home.data)
        self.accounts.end_all(self.ada.id)
        self.is_at(self.server.port)

    def is_at(self, port, more=""):
        configure(self.home.path, f"[web]\nport = {port}\n{more}")

    def while_looking(self, act):
        """Do something once a look has begun."""

        def wait():
            wait_until(lambda: self.skin.looking(self.ada.id), within_s=60, what="the look")
            act()

        thread = threading.Thread(target=wait)
        thread.start()
        return thread

    def close(self):
        self.lock.close()
        self.server.stop()


@pytest.fixture
def page(home):
    page = Page(home)
    yield page
    page.close()


def test_an_appliance_that_runs_is_asked_and_signed_out_of_again(home, page):
    def look():
        page.skin.guide(page.ada.id, Step.COME_CLOSER)
        page.skin.see(page.ada.id, LEVELS)

    thread = page.while_looking(look)
    record = json.loads(home.done("--json").stdout)
    thread.join(15)
    assert record["oiliness_level"] == 31.0
    assert len(page.skin.looks(page.ada.id)) == 1
    assert page.accounts.sessions(page.ada.id) == ()


def test_a_portrait_is_said_to_be_one(home, page):
    page.skin.show_portraits()
    thread = page.while_looking(lambda: page.skin.see(page.ada.id, LEVELS))
    said = home.done().stdout
    thread.join(20)
    assert "one of the sample's portraits, and not you: nothing of it was kept" in said
    assert page.skin.looks(page.ada.id) == []


def test_an_appliance_that_runs_need_not_keep_it(home, page):
    thread = page.while_looking(lambda: page.skin.see(page.ada.id, LEVELS))
    assert "31 " in home.done("--no-keep").stdout
    thread.join(15)
    assert page.skin.looks(page.ada.id) == []


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda page: page.skin.give_up(page.ada.id, "privacy is on; turn it off and begin again"), "privacy is on; turn it off and begin again"),
        (lambda page: page.skin.end(page.ada.id), "ended elsewhere"),
    ],
    ids=["privacy", "ended elsewhere"],
)
def test_why_it_came_to_nothing_is_said(home, page, act, said):
    thread = page.while_looking(lambda: act(page))
    assert said in home.refused(RetryLater)
    thread.join(15)
    assert page.accounts.sessions(page.ada.id) == ()


def test_what_the_page_refuses_is_said_in_its_words(home, page):
    page.skin.refuse(RetryLater("somebody else has their skin looked at; wait"))
    assert home.refused(RetryLater) == "somebody else has their skin looked at; wait"
    page.skin.opt_out(page.ada.id)
    assert "has not allowed looks" in home.refused(PersonMustAct)
    home.password.write_text("something else\n")
    home.refused(WrongSignIn)


@pytest.mark.parametrize(
    ("port", "more", "said"),
    [(0, "", "set port under [web]"), (8080, "enabled = false", "without its page")],
)
def test_a_page_that_can_not_be_found_is_said(home, page, port, more, said):
    page.is_at(port, more)
    assert said in home.refused(PersonMustAct)


def test_a_page_that_does_not_answer_is_said(home, page):
    page.server.stop()
    assert "does not answer" in home.refused(RetryLater)


def test_the_appliances_own_camera_is_the_one_that_looks(home, page, room):
    assert "leave out --camera" in home.refused(MoodifyError, "--camera", room)
