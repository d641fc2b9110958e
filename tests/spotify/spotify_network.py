"""A home network on loopback: speakers that announce themselves by real mDNS and tell their names over real HTTP."""

import json
import socket
import threading
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


class LoopbackHome:
    """Speakers that announce themselves by real mDNS on loopback."""

    def __init__(self):
        self.radar = ZeroconfRadar(interfaces=[LOOPBACK])
        self._mdns = Zeroconf(interfaces=[LOOPBACK])
        self.there = {}

    def appear(self, name):
        speaker = GetInfo(info_of(name))
        # As many speakers do, it announces itself under a number.
        self.there[name] = (self.announce(f"sonos{speaker.port}", speaker.port), speaker)

    def announce(self, instance, port, *, path="/zc", address=LOOPBACK):
        info = ServiceInfo(
            SERVICE, f"{instance}.{SERVICE}", addresses=[socket.inet_aton(address)], port=port, properties={"CPath": path, "VERSION": "1.0"}, server=f"speaker{port}.local."
        )
        # Names are the test's own: to probe for others of the same takes a second.
        self._mdns.register_service(info, cooperating_responders=True)
        return info

    def leave(self, name):
        info, speaker = self.there.pop(name)
        self._mdns.unregister_service(info)
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
