"""A home network on loopback: speakers that announce themselves by real mDNS and tell their names over real HTTP."""

import json
import socket
import threading
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from zeroconf import ServiceInfo, Zeroconf

from moodify.music.spotify.discovery import SERVICE, ZeroconfRadar

LOOPBACK = "127.0.0.1"


class GetInfo:
    """A speaker's own little web server on loopback."""

    def __init__(self, answer, *, status=200):
        self.asked = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                self.send_response(status)
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def info_of(name):
    return json.dumps({"status": 101, "remoteName": name, "deviceType": "SPEAKER"}).encode()


def unique(name):
    """Return a name that no other run on this machine has."""
    return f"{name} {uuid.uuid4().hex}"


class LoopbackHome:
    """Speakers that announce themselves by real mDNS on loopback."""

    def __init__(self):
        self.radar = ZeroconfRadar(interfaces=[LOOPBACK])
        self.there = {}
        self.announced = set()
        self._mdns = Zeroconf(interfaces=[LOOPBACK])
        self._infos = {}

    def appear(self, name):
        speaker = GetInfo(info_of(name))
        self.there[name] = (self.announce(speaker.port), speaker)

    def announce(self, port, *, path="/zc"):
        """Announce a speaker under a number, as many of them do, and return that."""
        number = f"sonos{port}"
        info = ServiceInfo(
            SERVICE, f"{number}.{SERVICE}", addresses=[socket.inet_aton(LOOPBACK)], port=port, properties={"CPath": path, "VERSION": "1.0"}, server=f"{number}.local."
        )
        # The port is the test's own, and so is the number: to probe for others of the same takes a second.
        self._mdns.register_service(info, cooperating_responders=True)
        self._infos[number] = info
        self.announced.add(number)
        return number

    def leave(self, name):
        number, speaker = self.there.pop(name)
        self._mdns.unregister_service(self._infos.pop(number))
        speaker.close()

    def close(self):
        for _, speaker in self.there.values():
            speaker.close()
        self._mdns.close()


class Overheard:
    """A radar whose newest listening a test can hear too."""

    def __init__(self, radar):
        self._radar = radar
        self.names = frozenset

    @contextmanager
    def listening(self):
        with self._radar.listening() as self.names:
            yield self.names
