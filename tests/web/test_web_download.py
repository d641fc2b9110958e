"""A backup that nobody waits for takes no room."""

import asyncio
import io

import pytest
from starlette.requests import ClientDisconnect

from moodify.web.data_routes import Download

SCOPE = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}}


def sent_to(send):
    file = io.BytesIO(b"x" * 200_000)

    async def receive():
        return {"type": "http.request"}

    async def answer():
        await Download(file)(SCOPE, receive, send)

    return file, answer


def test_a_download_is_sent_whole_and_closed():
    sent = []

    async def send(message):
        sent.append(message)

    file, answer = sent_to(send)
    asyncio.run(answer())
    assert b"".join(message.get("body", b"") for message in sent) == b"x" * 200_000
    assert (b"content-length", b"200000") in sent[0]["headers"]
    assert file.closed


@pytest.mark.parametrize("after", [0, 2])
def test_a_download_is_closed_where_whoever_asked_has_gone(after):
    sent = []

    async def send(message):
        if len(sent) == after:
            raise OSError("gone")
        sent.append(message)

    file, answer = sent_to(send)
    with pytest.raises(ClientDisconnect):
        asyncio.run(answer())
    assert file.closed
