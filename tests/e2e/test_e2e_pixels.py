"""Pixels nowhere: not on the wire, not in a file that is there for a moment only, and no open camera in privacy.

Complements test_e2e_privacy, which looks through what a run leaves behind.
"""

import contextlib
import ctypes
import fcntl
import os
import re
import shutil
import socket
import struct
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import pytest
from pi_camera import PiOfARoom
from test_e2e_privacy import holds_pixels, pieces_of, pieces_of_pixels

from appliance import Appliance, data_folder, tree_of
from moodify.camera.files import Recording
from moodify.camera.sample import ASTRONAUT
from moodify.daemon.hub_beside import FOLDER
from moodify.hub.folder import HubFolder
from processes import open_files
from waiting import wait_until

pytestmark = pytest.mark.slow

CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
ETH_P_ALL, PACKET_HOST, SOL_PACKET, PACKET_STATISTICS, SO_RCVBUFFORCE = 3, 0, 263, 6, 33
#: No word, token or number of ours is so long; a picture as text is longer.
LONG_TEXT = re.compile(rb"[A-Za-z0-9+/=_-]{3000,}")
#: Devices that are cameras.
CAMERA_DEVICES = ("/dev/video", "/dev/media", "/dev/v4l", "/dev/dma_heap", "/dev/udmabuf")


@pytest.fixture
def stills(tmp_path_factory):
    """A folder in which the same person stands still: what is looked at is known to the byte."""
    folder = tmp_path_factory.mktemp("stills")
    for number in range(10):
        shutil.copy(ASTRONAUT.find(), folder / f"{number}.png")
    return folder


class Wire:
    """A network of its own, for this thread and all that it starts, with everything that passes on its loopback."""

    def __init__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET) != 0:
            pytest.skip(f"root: a network of its own is not allowed here ({os.strerror(ctypes.get_errno())})")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            request = struct.pack("16sh14x", b"lo", 0)
            flags = struct.unpack("16sh14x", fcntl.ioctl(control, SIOCGIFFLAGS, request))[1]
            fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))
        self._tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self._tap.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
        self._tap.bind(("lo", 0))
        self._tap.settimeout(0.2)
        self._closing = threading.Event()
        self.streams = {}
        """What was sent from one port to another: (from, to) -> bytes."""
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self):
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                packet, (_, _, kind, *_) = self._tap.recvfrom(1 << 17)
                # Each is seen twice on a loopback: on its way out and on its way in.
                if kind == PACKET_HOST:
                    self._take(packet)

    def _take(self, packet):
        if packet[0] >> 4 != 4 or packet[9] not in {6, 17}:
            return
        whole, at = int.from_bytes(packet[2:4], "big"), (packet[0] & 15) * 4
        ports = struct.unpack("!HH", packet[at : at + 4])
        data = at + (8 if packet[9] == 17 else (packet[at + 12] >> 4) * 4)
        self.streams.setdefault(ports, bytearray()).extend(packet[data : whole or len(packet)])

    def sent_to(self, port):
        return b"".join(bytes(sent) for (_, to), sent in list(self.streams.items()) if to == port)

    def sent_from(self, port):
        return b"".join(bytes(sent) for (source, _), sent in list(self.streams.items()) if source == port)

    def close(self):
        self._closing.set()
        self._thread.join(30)
        _, dropped = struct.unpack("II", self._tap.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        self._tap.close()
        assert dropped == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def in_a_network_of_its_own(work):
    """Do something on a thread that has a network of its own; what it starts has it too."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def hidden(pids):
    """Return what processes keep in files that have no name, deleted ones and those of memory: (process, name, content)."""
    contents = []
    for name, handle in open_files(pids):
        if name.endswith("(deleted)") or name.startswith("/memfd:"):
            with contextlib.suppress(OSError):
                contents.append((int(handle.parts[2]), name, handle.read_bytes()))
    return contents


def drivers_of(pid):
    """Return the processes that hold the camera for an appliance."""
    found = []
    for each in tree_of(pid):
        # One that ends meanwhile holds nothing.
        with contextlib.suppress(OSError):
            if b"moodify.camera.driver" in Path(f"/proc/{each}/cmdline").read_bytes():
                found.append(each)
    return found


class Source:
    """What the appliance looks at, and what its pixels are."""

    def __init__(self, arguments, pieces, environment=None):
        self.arguments, self.pieces, self.environment = arguments, pieces, environment


@pytest.fixture(params=["a recording", "a Pi's camera"])
def source(request, tmp_path_factory):
    if request.param == "a recording":
        stills = request.getfixturevalue("stills")
        return Source(("--camera", str(stills)), pieces_of_pixels(stills))
    pi = PiOfARoom(tmp_path_factory.mktemp("pi"), ASTRONAUT.find())
    return Source(("--camera", "pi"), pieces_of(pi.pictures), pi.environment)


def follow(page, heard, until):
    """Read the page's stream of events until something happens."""
    with contextlib.suppress(OSError), page.open("/api/stream", timeout=30) as stream:
        for line in stream:
            heard.append(line)
            if until.is_set():
                return


class Glances:
    """What an appliance keeps at some moments: in files under a folder, in shared memory, and in files that have no name."""

    def __init__(self, folder):
        self._folder, self._shared = folder, set(Path("/dev/shm").iterdir())
        self.contents = []
        self.crossing = []
        """Of the memory in which a frame crosses from the camera's process to the daemon: those two may have it, and nobody else."""

    def at(self, appliance):
        seeing = {appliance.process.pid, *drivers_of(appliance.process.pid)}
        for pid, name, content in hidden(tree_of(appliance.process.pid)):
            (self.crossing if pid in seeing and name.startswith("/memfd:moodify-frame") else self.contents).append(content)
        for path in [*self._folder.rglob("*"), *(set(Path("/dev/shm").iterdir()) - self._shared)]:
            with contextlib.suppress(OSError):
                self.contents.append(path.read_bytes() if path.is_file() else b"")


def fetch_page(url):
    for path in ("/", "/page.js", "/page.css", "/icon.svg"):
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}{path}", timeout=10) as answer:
            answer.read()


def test_no_pixel_passes_on_the_wire_or_through_a_file_of_a_moment(tmp_path, monkeypatch, source):
    if os.geteuid() != 0:
        pytest.skip("root: what passes on the wire can be listened to by root alone")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    glances = Glances(tmp_path)

    def work():
        heard, done = [], threading.Event()
        rules = '[system]\nlog_level = "debug"\n[music]\ndwell_s = 2\n'
        with Wire() as wire, Appliance(tmp_path, *source.arguments, "--speaker", "simulated", toml=rules, environment=source.environment) as appliance:
            appliance.wait_for("link", state="ok")
            url = appliance.page.rstrip("/")
            page = int(url.rpartition(":")[2])
            listener = threading.Thread(target=follow, args=(appliance.signed_in, heard, done))
            listener.start()
            fetch_page(url)
            appliance.wait_for("presence", present=True)
            glances.at(appliance)
            appliance.wait_for("order", status="done")
            glances.at(appliance)
            appliance.ask("/api/events")
            appliance.ask("/api/scan", "POST")
            mqtt = HubFolder(data_folder(tmp_path) / FOLDER).where()["mqtt"]["port"]
            wait_until(lambda: b'"mood"' in wire.sent_to(mqtt), within_s=30, what="a mood on its way to the hub")
            wait_until(lambda: any(b'"people":1' in line.replace(b" ", b"") for line in heard), within_s=30, what="somebody on the page")
            appliance.ask("/api/privacy", "PUT", {"on": True})
            appliance.wait_for("camera", state="off")
            crossed = len(glances.crossing)
            glances.at(appliance)
            # Gone with the camera.
            assert len(glances.crossing) == crossed
            assert appliance.end() == 0
            done.set()
            listener.join(30)
            return {ports: bytes(sent) for ports, sent in wire.streams.items()}, page, mqtt

    streams, page, mqtt = in_a_network_of_its_own(work)
    glance_after = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    sent = b"".join(streams.values())
    # What is looked through is all there: the page's answers, the device's summaries, and the orders to the speaker, none of it packed.
    assert b"GET /api/stream" in b"".join(data for (_, to), data in streams.items() if to == page)
    assert b"moodify/v1/" in b"".join(data for (_, to), data in streams.items() if to == mqtt)
    assert b"/v1/me/player" in sent
    assert b"content-encoding" not in sent.lower()
    pieces = source.pieces
    assert [ports for ports, data in streams.items() if holds_pixels(data, pieces) or LONG_TEXT.search(data)] == []
    assert len(glances.contents) > 10
    assert not any(holds_pixels(content, pieces) for content in [*glances.contents, *glance_after])
    # Of a Pi's camera, what the two processes share is where pixels are; so that is what was looked for.
    assert all(holds_pixels(content, pieces) for content in glances.crossing)
    assert bool(glances.crossing) is (source.environment is not None)


def test_what_listens_to_the_wire_would_hear_pixels(stills):
    if os.geteuid() != 0:
        pytest.skip("root: what passes on the wire can be listened to by root alone")
    with Recording(stills) as recording:
        pixels = recording.read().image.pixels.tobytes()

    def work():
        with Wire() as wire, socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as sender:
            receiver, _ = server.accept()
            with receiver:
                threading.Thread(target=sender.sendall, args=(pixels,)).start()
                left = len(pixels)
                while left:
                    left -= len(receiver.recv(1 << 16))
            wait_until(lambda: len(wire.sent_to(server.getsockname()[1])) >= len(pixels), what="all of it on the wire")
            return wire.sent_to(server.getsockname()[1])

    heard = in_a_network_of_its_own(work)
    assert heard == pixels
    assert holds_pixels(heard, pieces_of_pixels(stills))


def test_what_looks_for_hidden_files_finds_them():
    handle = os.memfd_create("frame")
    os.write(handle, b"\x89PNG\r\n and more")
    assert any(holds_pixels(content, []) for _, _, content in hidden([os.getpid()]))
    os.close(handle)
    assert not any(holds_pixels(content, []) for _, _, content in hidden([os.getpid()]))


@pytest.fixture
def clip(tmp_path_factory):
    """Two minutes of a person who stands still: it stands for the device, which a machine without a camera does not have."""
    path = tmp_path_factory.mktemp("clip") / "room.mp4"
    picture = cv2.resize(cv2.imread(str(ASTRONAUT.find())), (320, 320))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 5, (320, 320))
    for _ in range(600):
        writer.write(picture)
    writer.release()
    return path


def test_privacy_leaves_no_open_handle_on_what_the_camera_reads(tmp_path, clip):
    def held(appliance):
        return [name for name, _ in open_files(tree_of(appliance.process.pid)) if name == str(clip) or name.startswith(CAMERA_DEVICES)]

    with Appliance(tmp_path, "--camera", str(clip), "--speaker", "simulated") as appliance:
        appliance.wait_for("presence", present=True)
        # Without this, nothing would be shown by its being gone.
        assert held(appliance) == [str(clip)]
        appliance.ask("/api/privacy", "PUT", {"on": True})
        off = appliance.wait_for("camera", state="off")
        assert held(appliance) == []
        assert off["data"]["message"] == "off for privacy, turned on from the page"
        assert appliance.end() == 0
    with Appliance(tmp_path, "--camera", str(clip), "--speaker", "simulated") as appliance:
        off = appliance.wait_for("camera", state="off")
        wait_until(lambda: appliance.ask("/api/now")["privacy"], what="the page")
        assert held(appliance) == []
        appliance.ask("/api/privacy", "PUT", {"on": False})
        appliance.wait_for("camera", after=appliance.events.index(off), state="ok")
        wait_until(lambda: held(appliance) == [str(clip)], what="the clip being read again")
        assert appliance.end() == 0
    assert [line for line in appliance.log.splitlines() if "ERROR" in line or "CRITICAL" in line] == []


def test_privacy_ends_the_process_that_holds_a_pi_s_camera_and_leaves_no_handle_on_the_device(tmp_path, tmp_path_factory):
    pi = PiOfARoom(tmp_path_factory.mktemp("pi"), ASTRONAUT.find())

    def holders(appliance):
        """Which processes have the device open, and which the memory that its frames cross in."""
        pid = appliance.process.pid
        names = dict.fromkeys(drivers_of(pid), "driver") | {pid: "daemon"}
        found = open_files(tree_of(pid))
        assert not [name for name, _ in found if name.startswith(CAMERA_DEVICES)]
        return tuple({names.get(int(handle.parts[2]), "another") for name, handle in found if name.startswith(what)} for what in (str(pi.device), "/memfd:moodify-frame"))

    arguments = {"environment": pi.environment}
    with Appliance(tmp_path, "--camera", "pi", "--speaker", "simulated", **arguments) as appliance:
        appliance.wait_for("presence", present=True)
        assert holders(appliance) == ({"driver"}, {"daemon", "driver"})
        (driver,) = drivers_of(appliance.process.pid)
        appliance.ask("/api/privacy", "PUT", {"on": True})
        off = appliance.wait_for("camera", state="off")
        assert not Path(f"/proc/{driver}").exists()
        assert drivers_of(appliance.process.pid) == []
        assert holders(appliance) == (set(), set())
        appliance.ask("/api/privacy", "PUT", {"on": False})
        again = appliance.wait_for("camera", after=appliance.events.index(off), state="ok")
        wait_until(lambda: holders(appliance) == ({"driver"}, {"daemon", "driver"}), what="the camera being held again")
        appliance.ask("/api/privacy", "PUT", {"on": True})
        appliance.wait_for("camera", after=appliance.events.index(again), state="off")
        assert holders(appliance) == (set(), set())
        assert appliance.end() == 0
    with Appliance(tmp_path, "--camera", "pi", "--speaker", "simulated", **arguments) as appliance:
        appliance.wait_for("camera", state="off")
        wait_until(lambda: appliance.ask("/api/now")["privacy"], what="the page")
        assert (drivers_of(appliance.process.pid), holders(appliance)) == ([], (set(), set()))
        assert appliance.end() == 0
    assert [line for line in appliance.log.splitlines() if re.search("WARNING|ERROR|CRITICAL", line)] == []
