"""Why a broker cannot be reached: in words that say something to a person."""

import socket

import pytest

from moodify.cloud import opening
from moodify.cloud.opening import open_socket
from moodify.cloud.port import Endpoint
from moodify.errors import LinkDown


@pytest.fixture
def silent():
    """Give the port of somebody who takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_who_never_answers_is_said_to_give_no_answer(silent, monkeypatch):
    monkeypatch.setattr(opening, "CONNECT_TIMEOUT_S", 0.2)
    with pytest.raises(LinkDown) as down:
        open_socket(Endpoint("127.0.0.1", silent, tls=True))
    assert str(down.value) == f"the broker 127.0.0.1:{silent} cannot be reached: no answer in time"


def test_a_name_that_is_not_known_is_said_without_a_number(monkeypatch):
    def asked(*_, **__):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    with pytest.raises(LinkDown) as down:
        open_socket(Endpoint("hub.home", 8883, tls=True))
    assert str(down.value) == "the broker hub.home:8883 cannot be reached: Temporary failure in name resolution"
