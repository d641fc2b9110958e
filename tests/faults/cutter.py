"""A way to the hub that is cut, held up or slow at any time: passes bytes on, and does otherwise when it is told to."""

import contextlib
import selectors
import socket
import struct
import threading


class Cutter:
    """Listens on loopback and passes on to ``target()``, a port, asked anew for each connection."""

    def __init__(self, target):
        self.target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._pairs = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()
        self._flowing = threading.Event()
        self._flowing.set()
        self.cuts = 0
        self.delay_s = 0.0
        """Whatever comes is passed on so much later."""

    def hold(self):
        """Pass nothing on from now on, and say so to nobody; connections stand and can be made."""
        self._flowing.clear()

    def let_go(self):
        """Pass on what was held, and what comes."""
        self._flowing.set()

    def cut(self):
        """Abort every connection: a reset, not a goodbye."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for pair in pairs:
            self.cuts += 1
            for end in pair:
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                # Wakes the thread that reads it; the descriptor is that thread's to close.
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def close(self):
        self._closing.set()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._accepting.join(5)
        self.let_go()
        self.cut()

    def _accept(self):
        while not self._closing.is_set():
            try:
                device, _ = self._server.accept()
            except OSError:
                return
            try:
                hub = socket.create_connection(("127.0.0.1", self.target()), timeout=5)
            except OSError:
                device.close()
                continue
            hub.settimeout(None)
            with self._lock:
                self._pairs.add((device, hub))
            threading.Thread(target=self._pass_on, args=(device, hub), daemon=True).start()

    def _pass_on(self, device, hub):
        other = {device: hub, hub: device}
        with selectors.DefaultSelector() as ready, device, hub:
            for end in other:
                ready.register(end, selectors.EVENT_READ)
            with contextlib.suppress(OSError):
                while True:
                    for key, _ in ready.select():
                        data = key.fileobj.recv(65536)
                        self._closing.wait(self.delay_s)
                        self._flowing.wait()
                        if not data:
                            return
                        other[key.fileobj].sendall(data)
        with self._lock:
            self._pairs.discard((device, hub))
