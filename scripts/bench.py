"""What ``scripts/bench`` measures. Everything is timed in turns within one run, so that ratios hold on a noisy machine."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from moodify.camera.sample import SampleCamera
from moodify.config import Config
from moodify.types import Frame, Image, PixelLayout
from moodify.vision.classifier import TfliteClassifier
from moodify.vision.detector import TfliteDetector
from moodify.vision.evaluation.memory import measure
from moodify.vision.eyes import Eyes, open_models
from moodify.vision.gate import MotionGate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

#: Calls that are timed together: long enough for the clock, short enough to share the machine's mood.
BLOCK = 20


def frames() -> tuple[Frame, Frame]:
    """Return a frame with one face and one with nobody: 320×240 I420, as a Pi's lores stream gives them, with the detail stream's."""
    with SampleCamera(astronaut_s=25.0, hopper_s=25.0, nobody_s=8.0) as sample:
        return _frame(sample.render(10.0)), _frame(sample.render(29.0))


def _frame(detail: NDArray[np.uint8]) -> Frame:
    small = np.asarray(cv2.resize(detail, (320, 240), interpolation=cv2.INTER_AREA), np.uint8)
    return Frame(_i420(small), 0.0, 0, _i420(detail))


def _i420(rgb: NDArray[np.uint8]) -> Image:
    return Image(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420), np.uint8), PixelLayout.I420)


def time_in_turns(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median milliseconds of a call for each name, measured in turns."""
    for call in calls.values():
        for _ in range(BLOCK):
            call()
    samples: dict[str, list[float]] = {name: [] for name in calls}
    for _ in track(range(rounds), "measuring", console=Console(stderr=True), transient=True):
        for name, call in calls.items():
            began_s = time.perf_counter()
            for _ in range(BLOCK):
                call()
            samples[name].append((time.perf_counter() - began_s) / BLOCK * 1e3)
    return {name: statistics.median(values) for name, values in samples.items()}


def vision(rounds: int) -> dict[str, float]:
    """Time the models, the frame path and the idle path."""
    cv2.setNumThreads(1)
    config = Config().vision
    detector, classifier = open_models(config)
    if not isinstance(detector, TfliteDetector) or not isinstance(classifier, TfliteClassifier):
        raise SystemExit("bench: the models that ship are measured; unset vision.models")
    eyes = Eyes(detector, classifier, config)
    somebody, nobody = frames()
    crop = np.full((48, 48), 128, np.uint8)
    seen = eyes.see(somebody, closely=True)
    if len(seen.faces) != 1 or seen.faces[0].scores is None:
        raise SystemExit("bench: the sample's face is not seen and judged; the figures would mean nothing. Run scripts/test")
    gate = MotionGate(config.motion_threshold)
    canvas = np.zeros((detector.input_size[1], detector.input_size[0], 3), np.uint8)
    detector.runtime.run(canvas)
    classifier.emotions(crop)
    return time_in_turns(
        {
            "detector_invoke": detector.runtime.invoke,
            "classifier_invoke": classifier.runtime.invoke,
            "frame_path": lambda: eyes.see(somebody, closely=True),
            "idle_path": lambda: gate.look(nobody.image),
        },
        rounds,
    )


def whole_process() -> dict[str, float]:
    """Start the appliance on the sample and read when it saw its first frame, and its memory."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "moodify.toml"
        config.write_text(f'[store]\nfolder = "{folder}/data"\n[web]\nport = 0\n')
        began_s = time.monotonic()
        command = [sys.executable, "-m", "moodify", "run", "--config", str(config), "--camera", "sample", "--speaker", "simulated", "--for", "15", "--events", "-"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            result: dict[str, float] = {}
            for line in process.stdout or ():
                event = json.loads(line)
                if event["kind"] == "presence" and event["data"]["present"]:
                    result.setdefault("start_to_first_face_s", time.monotonic() - began_s)
                if event["kind"] == "decision":
                    result |= _memory(process.pid)
        if process.returncode or "start_to_first_face_s" not in result:
            raise SystemExit(f"bench: the appliance ended with {process.returncode} and saw nobody. Try: scripts/run --camera sample --for 15")
    return result


def presses(count: int) -> dict[str, float]:
    """Press the button of a running appliance with a warm camera, and read when light, decision and order came: median and 95th percentile."""
    command = [sys.executable, str(Path(__file__).with_name("bench_press.py")), "--presses", str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    figures = json.loads(done.stdout) if done.returncode == 0 else {}
    if not all(len(values) == count for values in figures.values()) or not figures:
        raise SystemExit("bench: presses of the button were not answered. Try: python scripts/bench_press.py")
    return {f"{name}_{q}_ms": float(np.quantile(values, share)) for name, values in figures.items() for q, share in (("median", 0.5), ("p95", 0.95))}


def page() -> dict[str, float]:
    """Return what page and accounts add to the daemon's anonymous memory."""
    done = subprocess.run([sys.executable, str(Path(__file__).with_name("bench_page.py"))], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    if done.returncode:
        raise SystemExit("bench: the page's memory was not measured. Try: python scripts/bench_page.py")
    return {"page_and_accounts_mb": float(json.loads(done.stdout)["page_and_accounts_mb"])}


def _memory(pid: int) -> dict[str, float]:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {name: int(status[key].split()[0]) / 1024 for name, key in (("peak_rss_mb", "VmHWM"), ("rss_mb", "VmRSS"), ("rss_anon_mb", "RssAnon"))}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help=f"rounds of {BLOCK} calls each (default: 50)")
    parser.add_argument("--presses", type=int, default=10, help="presses of the button (default: 10)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    figures = vision(arguments.rounds) | whole_process() | presses(arguments.presses) | page()
    invokes = figures["detector_invoke"] + figures["classifier_invoke"]
    if (memory := measure(None)) is not None:
        figures["vision_memory_mb"] = memory.total / 2**20
    figures["beyond_invokes"] = figures["frame_path"] / invokes - 1
    if arguments.json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    table = Table(title=f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_column("against the two invokes", justify="right")
    for name, text in (
        ("detector_invoke", "detector invoke, 320×256 int8"),
        ("classifier_invoke", "classifier invoke, 48×48 int8"),
        ("frame_path", "whole frame path, one face, from 320×240 I420"),
        ("idle_path", "idle path: motion gate only"),
    ):
        table.add_row(text, f"{figures[name]:.3f} ms", f"{figures[name] / invokes:.2f} ×")
    table.add_row("frame path beyond the two invokes", f"{figures['beyond_invokes']:.0%}", "")
    table.add_section()
    table.add_row("start of the process to the first face", f"{figures['start_to_first_face_s']:.2f} s", "")
    if "vision_memory_mb" in figures:
        table.add_row("memory of the vision part: arenas, weights, buffers (RssAnon)", f"{figures['vision_memory_mb']:.1f} MB", "")
    table.add_row("peak memory of the daemon (VmHWM)", f"{figures['peak_rss_mb']:.0f} MB", "")
    table.add_row("resident / anonymous (VmRSS / RssAnon)", f"{figures['rss_mb']:.0f} / {figures['rss_anon_mb']:.0f} MB", "")
    table.add_row("of it page and accounts (RssAnon), signed in and in use", f"{figures['page_and_accounts_mb']:.1f} MB", "")
    table.add_section()
    for name, text in (("press_to_light", "light"), ("press_to_decision", "decision"), ("press_to_order", "order taken by the simulated speaker")):
        table.add_row(f"button press to {text}: median / 95 %", f"{figures[f'{name}_median_ms']:.0f} / {figures[f'{name}_p95_ms']:.0f} ms", "")
    Console().print(table)


if __name__ == "__main__":
    main()
