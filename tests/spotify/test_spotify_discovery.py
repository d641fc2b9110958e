"""Who is on the home network: one contract over the simulated radar and the real one (zeroconf on loopback), and what strangers may not do."""

import socket
import threading
from contextlib import contextmanager

import pytest
from spotify_network import LOOPBACK, GetInfo, LoopbackHome, info_of, unique
from zeroconf import ServiceInfo

from moodify.music.spotify import discovery
from moodify.music.spotify.discovery import LONGEST_ANSWER, LONGEST_NAME, MOST_SPEAKERS, SERVICE, ZeroconfRadar, remote_name
from moodify.music.spotify.radar import RadarDeaf, SimulatedRadar
from waiting import wait_until

#: Loopback is shared with whatever else runs on this machine, other runs of these tests too.
KITCHEN, BATH = unique("Kitchen"), unique("Anna's bath")


class SimulatedHome:
    announced = frozenset()

    def __init__(self):
        self.radar = SimulatedRadar()
        self.appear, self.leave = self.radar.appear, self.radar.leave

    def close(self):
        pass


@pytest.fixture(params=[SimulatedHome, LoopbackHome], ids=["simulated", "zeroconf"])
def home(request):
    home = request.param()
    yield home
    home.close()


@pytest.fixture
def loopback():
    home = LoopbackHome()
    yield home
    home.close()


def hears(names, *wanted):
    wait_until(lambda: names() >= set(wanted), what=lambda: f"{wanted} among {sorted(names())}")


def test_hears_the_speakers_that_are_there_by_the_names_that_people_gave_them(home):
    home.appear(KITCHEN)
    home.appear(BATH)
    with home.radar.listening() as names:
        hears(names, KITCHEN, BATH)
        assert not [name for name in names() if name in home.announced]


def test_hears_a_speaker_that_comes_while_it_listens_and_drops_one_that_leaves(home):
    with home.radar.listening() as names:
        home.appear(KITCHEN)
        hears(names, KITCHEN)
        home.leave(KITCHEN)
        wait_until(lambda: KITCHEN not in names(), what="silence")


def test_each_time_of_listening_begins_anew(home):
    home.appear(KITCHEN)
    with home.radar.listening() as names:
        hears(names, KITCHEN)
    home.leave(KITCHEN)
    home.appear(BATH)
    with home.radar.listening() as names:
        hears(names, BATH)
        assert KITCHEN not in names()


def test_several_may_listen_at_once(home):
    home.appear(KITCHEN)
    with home.radar.listening() as names, home.radar.listening() as others:
        hears(names, KITCHEN)
        hears(others, KITCHEN)


# zeroconf 0.154 leaves its first socket to the garbage collector where it can't open the second.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_network_that_can_not_be_listened_to_is_for_later():
    deaf = SimulatedRadar("Kitchen")
    deaf.deafen()
    # TEST-NET-1: no machine has it.
    for radar in (deaf, ZeroconfRadar(interfaces=["192.0.2.1"])):
        with pytest.raises(RadarDeaf, match="network"), radar.listening():
            pass


def test_listening_leaves_no_thread_and_opens_nothing_before(loopback):
    loopback.appear(KITCHEN)
    # Of an earlier test one may still be ending.
    before = set(threading.enumerate())
    radar = ZeroconfRadar(interfaces=[LOOPBACK])
    assert set(threading.enumerate()) <= before
    with radar.listening() as names:
        hears(names, KITCHEN)
    # The answering thread of the test's own speaker may take a moment to end.
    wait_until(lambda: set(threading.enumerate()) <= before, what=lambda: f"the end of {set(threading.enumerate()) - before}")


def test_asks_at_the_announced_path(loopback):
    speaker = GetInfo(info_of(KITCHEN))
    try:
        loopback.announce(speaker.port, path="/spotify/zc")
        with loopback.radar.listening() as names:
            hears(names, KITCHEN)
        assert set(speaker.asked) == {"/spotify/zc?action=getInfo"}
    finally:
        speaker.close()


@pytest.mark.parametrize(
    "answer",
    [b"", b"<html>", b"[]", b"{", b'{"remoteName": 7}', b'{"remoteName": " "}', b"\xff" * 100, b'{"remoteName": "Kitchen", "x": "' + b"x" * LONGEST_ANSWER + b'"}', b"[" * 16_000],
)
def test_an_answer_without_a_name_is_none(answer):
    speaker = GetInfo(answer)
    try:
        assert remote_name(LOOPBACK, speaker.port) is None
        assert speaker.asked
    finally:
        speaker.close()


def test_a_speaker_that_does_not_tell_its_name_is_known_by_its_announcement(loopback):
    speaker = GetInfo(b"<html>")
    try:
        announced = loopback.announce(speaker.port)
        with loopback.radar.listening() as names:
            hears(names, announced)
            wait_until(lambda: speaker.asked, what="a question")
        assert announced in names()
    finally:
        speaker.close()


def test_one_that_does_not_answer_is_known_by_its_announcement_and_does_not_hold_the_end_up(loopback, monkeypatch):
    # So long the other one may take, which does answer.
    monkeypatch.setattr(discovery, "ASK_S", 2.0)
    with socket.socket() as mute:
        mute.bind((LOOPBACK, 0))
        mute.listen()
        announced = loopback.announce(mute.getsockname()[1])
        loopback.appear(KITCHEN)
        with loopback.radar.listening() as names:
            hears(names, announced, KITCHEN)


@pytest.mark.parametrize("status", [302, 404, 500])
def test_nobody_is_sent_elsewhere_and_no_refusal_is_a_name(status):
    speaker = GetInfo(info_of("Kitchen"), status=status)
    try:
        assert remote_name(LOOPBACK, speaker.port) is None
        assert speaker.asked == ["/?action=getInfo"]
    finally:
        speaker.close()


@contextmanager
def dripping(first):
    """A server that says a little, and then a letter at a time for ever."""
    ended = threading.Event()
    with socket.create_server((LOOPBACK, 0)) as server:

        def drip():
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(first)
                while not ended.wait(0.01):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        yield server.getsockname()[1]
        ended.set()
        thread.join()


def test_an_answer_that_drips_in_for_ever_is_given_up(monkeypatch):
    monkeypatch.setattr(discovery, "ASK_S", 0.2)
    with dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n") as port, pytest.raises(TimeoutError):
        remote_name(LOOPBACK, port)


def test_a_chunked_answer_is_read_and_not_waited_for_beyond_its_end():
    body = info_of("Kitchen")
    with dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)) as port:
        assert remote_name(LOOPBACK, port) == "Kitchen"


@pytest.mark.parametrize("path", ["", "zc", "/zc HTTP/1.1\r\nX: y", "/zc?x=1", "/ä", "/" + "x" * 300])
def test_what_is_announced_can_not_smuggle_anything_into_the_question(path):
    # Nobody listens at port 9: it is not even asked.
    assert remote_name(LOOPBACK, 9, path) is None


def test_a_home_never_asks_its_own_loopback_or_the_world(monkeypatch):
    asked = []
    monkeypatch.setattr(discovery, "remote_name", lambda *where: asked.append(where))

    class Zc:
        def get_service_info(self, _type, name, timeout):
            return ServiceInfo(SERVICE, name, addresses=[socket.inet_aton(name.split("-")[0])], port=80, properties={"CPATH": "/zc"})

    home = discovery._Hearing(ZeroconfRadar()._homes, foreign=(OSError,))
    for address in ("127.0.0.1", "0.0.0.0", "8.8.8.8", "224.0.0.251", "255.255.255.255", "100.64.0.1", "192.168.1.20", "10.0.0.3", "169.254.7.7", "172.31.0.1"):
        home._ask(Zc(), SERVICE, f"{address}-x.{SERVICE}")
    assert asked == [("192.168.1.20", 80, "/zc"), ("10.0.0.3", 80, "/zc"), ("169.254.7.7", 80, "/zc"), ("172.31.0.1", 80, "/zc")]


def test_a_flood_of_announcements_is_cut_off_and_names_are_made_fit_to_read(loopback):
    hearing = discovery._Hearing((), foreign=(OSError,))
    for number in range(1000):
        hearing._note(f"{number}", f"evil\x1b[2J\n{number}")
    assert len(hearing.names()) == MOST_SPEAKERS
    assert "evil [2J 0" in hearing.names()
    hearing._note("0", "x" * 1000)
    assert max(map(len, hearing.names())) == LONGEST_NAME
