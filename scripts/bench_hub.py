"""Simulated devices at a hub of this machine, on loopback: how fast they connect, how fast what they say is committed, what it costs.

``scripts/bench hub`` runs it. Each device has a key of its own and signs in with a token; it says a summary and waits until the hub
tells it that this is committed. Beside it, in turns, the same devices at a mosquitto alone, which asks nobody who he is and stores
nothing: what the gate and the database cost is the difference. Devices, hub and mosquitto share the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from moodify.cloud.keys import device_of, kid_of, pem_of

if TYPE_CHECKING:
    from collections.abc import Iterator

#: How many devices connect at a time, and how long one waits for an answer, in seconds.
AT_A_TIME, ANSWER_S = 200, 120.0
#: Events in a summary.
EVENTS = 5
CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, DISCONNECT = 0x10, 0x20, 0x30, 0x40, 0x82, 0x90, 0xE0


def text(value: str | bytes) -> bytes:
    """Return a string or binary of MQTT: its length in two bytes, then itself."""
    raw = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">H", len(raw)) + raw


def packet(kind: int, body: bytes) -> bytes:
    """Return a packet with its fixed header (MQTT 5.0, 2.1)."""
    length, left = bytearray(), len(body)
    while True:
        left, digit = divmod(left, 128)
        length.append(digit | (0x80 if left else 0))
        if not left:
            return bytes([kind]) + bytes(length) + body


async def receive(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one packet: (first byte, body)."""
    first = (await reader.readexactly(1))[0]
    length = shift = 0
    while True:
        digit = (await reader.readexactly(1))[0]
        length |= (digit & 0x7F) << shift
        if not digit & 0x80:
            return first, await reader.readexactly(length)
        shift += 7


@dataclass
class Device:
    """One simulated device."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    epoch: str = field(default_factory=lambda: str(uuid.uuid4()))
    sent: int = 0
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    def __post_init__(self) -> None:
        """Take the id from the key."""
        public = self.key.public_key()
        self.pem, self.id, self.kid = pem_of(public), device_of(public), kid_of(public)

    def token(self) -> str:
        """Return a fresh token."""
        now = datetime.now(UTC)
        claims = {"sub": self.id, "aud": "moodify", "iat": now, "exp": now + timedelta(hours=1), "jti": str(uuid.uuid4())}
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": self.kid})

    async def connect(self, port: int) -> None:
        """Sign in and listen for what is committed."""
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port, limit=16384)
        flags = 0xC2  # user name, password, clean start
        self.writer.write(packet(CONNECT, text("MQTT") + bytes([5, flags]) + struct.pack(">H", 600) + b"\0" + text(self.id) + text(self.id) + text(self.token())))
        kind, body = await asyncio.wait_for(receive(self.reader), ANSWER_S)
        if kind != CONNACK or body[1] != 0:
            raise SystemExit(f"bench: a device was refused: {body.hex()}")
        self.writer.write(packet(SUBSCRIBE, struct.pack(">H", 1) + b"\0" + text(f"moodify/v1/{self.id}/down/ack") + b"\1"))
        kind, _ = await asyncio.wait_for(receive(self.reader), ANSWER_S)
        if kind != SUBACK:
            raise SystemExit("bench: a subscription was not answered")

    def summary(self) -> bytes:
        """Return a PUBLISH of the next summary."""
        self.sent += 1
        items = [{"id": str(uuid.uuid4()), "kind": "mood", "at": datetime.now(UTC).isoformat(), "data": {"mood": "happy", "confidence": 0.9}} for _ in range(EVENTS)]
        payload = json.dumps({"v": 1, "epoch": self.epoch, "seq": self.sent, "items": items}).encode()
        return packet(PUBLISH | 0x02, text(f"moodify/v1/{self.id}/up/ev") + struct.pack(">H", self.sent) + b"\0" + payload)

    async def say(self, count: int, *, until_committed: bool) -> tuple[float, float]:
        """Send so many summaries; return when the last PUBACK came, and when the hub had said that all are committed."""
        if self.reader is None or self.writer is None:
            raise SystemExit("bench: not connected")
        for _ in range(count):
            self.writer.write(self.summary())
        await self.writer.drain()
        pubacks = committed = 0
        acked_s = 0.0
        while pubacks < count or (until_committed and committed < count):
            kind, body = await asyncio.wait_for(receive(self.reader), ANSWER_S)
            if kind == PUBACK:
                pubacks += 1
                acked_s = time.perf_counter()
            elif kind & 0xF0 == PUBLISH:
                length = struct.unpack_from(">H", body)[0]
                at = 2 + length
                if kind & 0x06:
                    self.writer.write(packet(PUBACK, body[at : at + 2]))
                    at += 2
                properties = body[at]
                ack = json.loads(body[at + 1 + properties :])
                committed += sum(last - first + 1 for first, last in ack["ranges"])
        return acked_s, time.perf_counter()

    def close(self) -> None:
        """End the connection."""
        if self.writer is not None:
            self.writer.write(packet(DISCONNECT, b""))
            self.writer.close()


def memory_mb(pids: list[int]) -> float:
    """Return the resident memory of processes, in MB."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total / 1024


def tree(pid: int) -> list[int]:
    """Return a process and all that it started."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


@contextmanager
def hub(folder: Path, devices: list[Device]) -> Iterator[tuple[int, int]]:
    """Run a hub that knows the devices; give its port and process id."""
    from moodify.hub.database import open_database

    subprocess.run([sys.executable, "-m", "moodify", "hub", "init", "--folder", str(folder)], check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    settings = folder / "hub.toml"
    settings.write_text('host = "127.0.0.1"\nport = 0\ntls = false\napi_port = 0\nannounce = false\n')
    database = open_database(f"sqlite:///{folder / 'hub.db'}")
    for device in devices:
        database.registry.enrol(device.id, device.pem, datetime.now(UTC))
    database.close()
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen([sys.executable, "-m", "moodify", "hub", "serve", "--folder", str(folder)], stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process,
    ):
        try:
            address = folder / "run" / "address.json"
            until_s = time.monotonic() + 60
            while not address.exists():
                if process.poll() is not None or time.monotonic() > until_s:
                    raise SystemExit(f"bench: the hub did not come up: {(folder / 'log').read_text()}")
                time.sleep(0.05)
            yield json.loads(address.read_text())["mqtt"]["port"], process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@contextmanager
def mosquitto_alone(folder: Path) -> Iterator[tuple[int, int]]:
    """Run a mosquitto that lets everybody in; give its port and process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder.mkdir()
    file = folder / "mosquitto.conf"
    user = "root" if os.geteuid() == 0 else "mosquitto"
    file.write_text(f"user {user}\nlistener {port} 127.0.0.1\nsocket_domain ipv4\nallow_anonymous true\nlog_dest none\nset_tcp_nodelay true\n")
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin") or "mosquitto"
    with subprocess.Popen([program, "-c", str(file)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until_s = time.monotonic() + 10
            while time.monotonic() < until_s:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.02)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(10)


async def measured(devices: list[Device], port: int, pid: int, messages: int, *, until_committed: bool) -> dict[str, float]:
    """Connect all, let each say ``messages`` summaries, and return what it took."""
    gate = asyncio.Semaphore(AT_A_TIME)

    async def connect(device: Device) -> None:
        async with gate:
            await device.connect(port)

    began_s = time.perf_counter()
    await asyncio.gather(*(connect(device) for device in devices))
    connected_s = time.perf_counter() - began_s
    held_mb = memory_mb(tree(pid))
    began_s = time.perf_counter()
    ends = await asyncio.gather(*(device.say(messages, until_committed=until_committed) for device in devices))
    result = {
        # All of them, or this would have ended: each has had its answers.
        "held": float(len(devices)),
        "connects_per_s": len(devices) / connected_s,
        "pubacks_per_s": len(devices) * messages / (max(acked_s for acked_s, _ in ends) - began_s),
        "memory_mb": held_mb,
    }
    if until_committed:
        result["events_per_s"] = len(devices) * messages * EVENTS / (max(committed_s for _, committed_s in ends) - began_s)
    for device in devices:
        device.close()
    return result


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="scripts/bench hub", description=__doc__)
    parser.add_argument("--devices", type=int, nargs="+", default=[100, 1000, 5000], metavar="N", help="how many devices (default: 100 1000 5000)")
    parser.add_argument("--messages", type=int, default=10_000, metavar="N", help="summaries of all devices together, at least one each (default: 10000)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and max(options.devices) * 2 + 500 > hard:
        raise SystemExit(f"bench: {max(options.devices)} devices need {max(options.devices) * 2 + 500} open files, and this machine allows {hard} (ulimit -Hn)")
    rows: dict[str, dict[str, dict[str, float]]] = {}
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("hub", total=2 * len(options.devices))
        for number in options.devices:
            devices = [Device() for _ in range(number)]
            each = max(1, options.messages // number)
            row = rows[str(number)] = {}
            with tempfile.TemporaryDirectory() as folder:
                with hub(Path(folder) / "hub", devices) as (port, pid):
                    row["hub"] = asyncio.run(measured(devices, port, pid, each, until_committed=True))
                bar.advance(task)
                with mosquitto_alone(Path(folder) / "alone") as (port, pid):
                    row["mosquitto"] = asyncio.run(measured(devices, port, pid, each, until_committed=False))
                bar.advance(task)
    if options.json:
        print(json.dumps(rows))  # noqa: T201 - it is what was asked for
        return 0
    table = Table(title="Simulated devices on loopback, without TLS: a mosquitto alone beside the hub (gate, mosquitto, collector, SQLite)")
    for name in ("held", "by", "connects/s", "PUBACKs/s", "events/s to commit", "memory, MB"):
        table.add_column(name, justify="left" if name == "by" else "right")
    for row in rows.values():
        for what, label in (("mosquitto", "mosquitto alone"), ("hub", "gate and mosquitto, with collector and API")):
            values = row[what]
            committed = f"{values['events_per_s']:.0f}" if "events_per_s" in values else ""
            table.add_row(f"{values['held']:.0f}", label, f"{values['connects_per_s']:.0f}", f"{values['pubacks_per_s']:.0f}", committed, f"{values['memory_mb']:.0f}")
    Console().print(table)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
