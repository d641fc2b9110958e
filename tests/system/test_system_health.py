import json
from dataclasses import replace

import pytest

from moodify.config.model import SystemConfig
from moodify.system import health as reading
from moodify.system.health import Health, read_health, throttling

_WELL = Health(disk_free_mb=5000, load_1min=0.2, rss_mb=120.0, rss_anon_mb=80.0, uptime_s=60.0, temperature_c=50.0, throttled=())


def test_this_machine_has_a_health(tmp_path):
    health = read_health(tmp_path)
    assert health.disk_free_mb > 0
    assert health.rss_mb >= health.rss_anon_mb > 1
    assert health.uptime_s > 0
    assert health.load_1min >= 0


def test_a_reading_is_json(tmp_path):
    assert json.loads(json.dumps(read_health(tmp_path).as_json()))["disk_free_mb"] > 0


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        read_health(tmp_path / "nowhere")


def test_the_hottest_zone_counts_and_a_sleeping_one_is_passed_over(tmp_path):
    for zone, content in enumerate(("48250\n", "61000\n", "")):
        folder = tmp_path / f"thermal_zone{zone}"
        folder.mkdir()
        (folder / "temp").write_text(content)
    assert read_health(tmp_path, thermal=tmp_path).temperature_c == 61.0


def test_a_machine_without_sensors_says_none(tmp_path):
    assert read_health(tmp_path, thermal=tmp_path).temperature_c is None


@pytest.fixture
def vcgencmd(tmp_path, monkeypatch):
    def say(script):
        command = tmp_path / "vcgencmd"
        command.write_text(f"#!/bin/sh\n{script}\n")
        command.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        # A shell beside a heavy load may take its time.
        monkeypatch.setattr(reading, "VCGENCMD_S", 30.0)

    return say


def test_throttling_is_read_from_the_firmware(tmp_path, vcgencmd):
    vcgencmd("echo throttled=0x50005")
    assert read_health(tmp_path).throttled == ("the power supply is too weak", "the processor is slowed")


@pytest.mark.parametrize("script", ["exit 1", "echo error=1", "echo throttled=many"])
def test_a_firmware_that_does_not_say_is_none(tmp_path, vcgencmd, script):
    vcgencmd(script)
    assert read_health(tmp_path).throttled is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [("throttled=0x0", ()), ("throttled=0x50000\n", ()), ("throttled=0x8", ("the processor is slowed for its temperature",)), ("throttled=0x6", ("the processor is slowed",))],
)
def test_only_what_slows_it_now_is_said(answer, words):
    assert throttling(answer) == words


def test_a_well_machine_is_not_degraded():
    assert _WELL.degraded(SystemConfig()) == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"disk_free_mb": 199}, "199 MB"),
        ({"temperature_c": 80.0}, "80 °C"),
        ({"throttled": ("the power supply is too weak",)}, "power supply"),
    ],
)
def test_each_fault_is_a_reason_with_what_to_do(change, words):
    (reason,) = replace(_WELL, **change).degraded(SystemConfig(min_free_mb=200))
    assert words in reason


def test_what_the_machine_does_not_say_is_no_fault():
    assert replace(_WELL, temperature_c=None, throttled=None).degraded(SystemConfig()) == ()
