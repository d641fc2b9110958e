import json

import pytest

from moodify.system.crashes import KILLED, MANY, WINDOW_S, Crashes, count_of
from waiting import wait_until


@pytest.fixture
def machine(tmp_path):
    """A machine on whose clock a test starts runs, and which it may start anew."""

    class Machine:
        boot, now_s, file = "first", 100.0, tmp_path / "crashes.json"

        def run(self, **options):
            return Crashes(self.file, boot=self.boot, now_s=lambda: self.now_s, **options)

        def crash(self, times=1):
            for _ in range(times):
                # As a process that is killed: it says nothing at its end.
                with self.run() as crashes:
                    crashes._over = True
                self.now_s += 20

    return Machine()


def test_a_run_that_says_nothing_at_its_end_has_crashed(machine):
    machine.crash(MANY)
    with machine.run() as crashes:
        assert (crashes.count, crashes.why) == (MANY, KILLED)


def test_a_clean_end_is_no_crash(machine):
    for _ in range(MANY):
        with machine.run() as crashes:
            crashes.ended()
    with machine.run() as crashes:
        assert crashes.count == 0


def test_being_asked_to_end_while_it_starts_is_no_crash(machine):
    with pytest.raises(SystemExit), machine.run():
        raise SystemExit(0)
    with machine.run() as crashes:
        assert crashes.count == 0


@pytest.mark.parametrize("how", ["error", "said"])
def test_why_it_crashed_is_kept_without_secrets(machine, how):
    if how == "said":
        with machine.run() as crashes:
            crashes.ended(why="the watcher ended: access_token=abcdefghijklmnop")
    else:
        with pytest.raises(ValueError, match="watcher"), machine.run():
            raise ValueError("the watcher ended: access_token=abcdefghijklmnop")
    with machine.run() as crashes:
        assert crashes.count == 1
        assert "the watcher ended" in crashes.why
    assert "abcdefghijklmnop" not in machine.file.read_text()


def test_crashes_of_long_ago_do_not_count(machine):
    machine.crash(MANY)
    machine.now_s += WINDOW_S
    with machine.run() as crashes:
        assert crashes.count == 1


def test_ten_good_minutes_clear_the_count_while_it_runs(machine):
    machine.crash(MANY - 1)
    with machine.run(good_s=0.01) as crashes:
        wait_until(lambda: crashes.count == 0, what="a good run")
        wait_until(lambda: count_of(machine.file) == 0, what="it being written down")


def test_a_power_cut_is_no_crash_and_forgets_none(machine):
    machine.crash(MANY)
    with machine.run() as crashes:
        crashes._over = True
    machine.boot, machine.now_s = "second", 12.0
    with machine.run() as crashes:
        assert crashes.count == MANY


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"boot": 1}', b'{"boot": "first", "on": true, "crashes_s": ["x"], "why": null}'])
def test_a_file_that_is_damaged_ends_no_start(machine, content, caplog):
    machine.file.write_bytes(content)
    with machine.run() as crashes:
        assert crashes.count == 0
    assert "can't be read" in caplog.text
    assert json.loads(machine.file.read_bytes())["boot"] == "first"


def test_a_folder_that_can_not_be_written_ends_no_start(machine, tmp_path, caplog):
    # Not writable even to root.
    machine.file = tmp_path / "file" / "crashes.json"
    (tmp_path / "file").touch()
    with machine.run() as crashes:
        assert crashes.count == 0
    assert "Crashes are not counted" in caplog.text
