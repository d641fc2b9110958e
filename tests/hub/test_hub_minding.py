"""What minds mosquitto and the gate."""

import asyncio
import os
import signal
import threading

import pytest

from moodify.cloud.backoff import Backoff
from moodify.errors import PersonMustAct
from moodify.hub.minding import BrokerKeeper, GateThread
from moodify.hub.mosquitto import Mosquitto
from waiting import wait_until


@pytest.fixture
def mosquitto(tmp_path):
    with Mosquitto(tmp_path / "run") as mosquitto:
        yield mosquitto


@pytest.fixture
def keeper(mosquitto):
    keeper = BrokerKeeper(mosquitto, backoff=Backoff(0.02, 0.05))
    keeper.start()
    yield keeper
    keeper.close()


def test_a_mosquitto_that_dies_runs_again_and_again(mosquitto, keeper, caplog):
    caplog.set_level("INFO")
    assert keeper.trouble is None
    for number in (1, 2, 3):
        os.kill(mosquitto.pid, signal.SIGKILL)
        wait_until(lambda number=number: keeper.restarts == number and keeper.trouble is None and mosquitto.alive, what="another mosquitto")

    def said():
        return [record.getMessage() for record in caplog.records if record.name.endswith("minding")]

    wait_until(lambda: len(said()) == 6, what=said)
    assert said() == ["mosquitto has ended; it is started again", "mosquitto runs again"] * 3


def test_what_keeps_it_from_running_is_said_once_and_until_it_runs(mosquitto, keeper, caplog):
    mosquitto._program, before = "no-such-mosquitto", mosquitto._program
    os.kill(mosquitto.pid, signal.SIGKILL)
    wait_until(lambda: "not installed" in (keeper.trouble or ""), what="what is wrong")
    said = [record for record in caplog.records if "was not started again" in record.getMessage()]
    mosquitto._program = before
    wait_until(lambda: keeper.trouble is None, what="its healing")
    assert len(said) == 1
    assert mosquitto.alive


def watchful(mosquitto, *, probe_timeout_s):
    return BrokerKeeper(mosquitto, backoff=Backoff(0.02, 0.05), probe_s=0.05, probe_timeout_s=probe_timeout_s)


def test_a_mosquitto_that_hangs_is_trouble_and_is_started_anew(mosquitto, caplog):
    keeper = watchful(mosquitto, probe_timeout_s=1.0)
    keeper.start()
    hanging = mosquitto.pid
    os.kill(hanging, signal.SIGSTOP)
    wait_until(lambda: "takes nobody" in (keeper.trouble or ""), what="what is wrong")
    wait_until(lambda: keeper.restarts == 1, what="another mosquitto", within_s=30)
    assert caplog.text.count("takes nobody:") == 1
    # That one may be slow.
    keeper._probe_timeout_s = 20.0
    wait_until(lambda: keeper.trouble is None, what="its being well", within_s=30)
    assert mosquitto.pid != hanging
    keeper.close()


def test_one_that_takes_its_look_well_is_left_alone(mosquitto):
    keeper = watchful(mosquitto, probe_timeout_s=20.0)
    keeper.start()
    looks = []
    keeper._refusal, refusal = lambda: looks.append(refusal()) or looks[-1], keeper._refusal
    wait_until(lambda: len(looks) >= 4, what="some looks")
    assert set(looks) == {None}
    assert (keeper.restarts, keeper.trouble) == (0, None)
    keeper.close()


def test_the_end_is_not_taken_for_a_death(mosquitto, keeper, caplog):
    keeper.close()
    keeper.close()
    assert not mosquitto.alive
    assert not keeper.alive
    assert caplog.text == ""


def test_a_mosquitto_that_does_not_start_ends_the_start(tmp_path):
    keeper = BrokerKeeper(Mosquitto(tmp_path / "run", "no-such-mosquitto"))
    with pytest.raises(PersonMustAct, match="not installed"):
        keeper.start()
    keeper.close()


class StubGate:
    """A gate with levers: what starting it does, and when its loop's work ends."""

    def __init__(self, failure=None):
        self.failure = failure
        self.thread = None
        self.closed = 0

    async def start(self):
        self.thread = threading.current_thread()
        if self.failure is not None:
            raise self.failure
        await asyncio.sleep(0)

    async def close(self):
        self.closed += 1


def test_the_gate_runs_on_a_thread_of_its_own_and_is_closed_there():
    gate = StubGate()
    thread = GateThread(lambda: gate)
    assert (thread.alive, thread.trouble) == (False, "it does not run")
    thread.start()
    assert (thread.alive, thread.trouble, thread.gate) == (True, None, gate)
    assert gate.thread is not threading.current_thread()
    thread.close()
    thread.close()
    assert (thread.alive, gate.closed) == (False, 1)


@pytest.mark.parametrize("failure", [PersonMustAct("the port is taken"), OSError("no network")])
def test_a_gate_that_does_not_start_says_so_to_whoever_started_it(failure):
    gate = StubGate(failure)
    thread = GateThread(lambda: gate)
    with pytest.raises(type(failure), match=str(failure)):
        thread.start()
    thread.close()
    assert gate.closed == 1
