"""Spotify: 401, 403, 404, 429, 5xx, slow, cut, and something else that answers in its place. A speaker that is not there is :mod:`faults_week.speaker`'s."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from faults_week.fault import Fault, Group, Outcome
from faults_week.house import HEARD_S, PATIENCE_S, House
from waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: Of the appliance, for these faults: an answer is waited for no longer than this, in seconds.
TIMEOUT_S = 2.0
OWNER = "the owner"
TOKEN, API = ("POST", "/api/token"), "/v1/"
#: For as long as the test wants.
EVER = 10_000


@contextmanager
def house_with_music(folder: Path, *spotify: str) -> Iterator[House]:
    """Open a house whose appliance knows its speaker by name; ``spotify``: further lines of its section ``[music.spotify]``."""
    house = House(folder)
    lines = [f'speaker = "{house.speaker.name}"', f"timeout_s = {TIMEOUT_S}", *spotify]
    house.toml = house.toml.replace("[music.spotify]\n", "\n".join(["[music.spotify]", *lines, ""]))
    with house:
        # The songs of the mood are known from here on.
        house.play()
        yield house


def told(house: House, words: str) -> str:
    """Wait until the speaker's part says something; return all that it says."""
    now = house.await_now(lambda now: words in now["speaker"]["message"], f"{words!r}")
    message: str = now["speaker"]["message"]
    return message


def answered(house: House, words: str) -> str:
    """Wait until the answer to a press says something; return all of it."""
    now = house.await_now(lambda now: words in (now["music"]["reason"] or ""), f"{words!r}")
    reason: str = now["music"]["reason"]
    return reason


def until_music(house: House, *, press: bool) -> float:
    """Return the seconds until music plays and all is well, after one press, or after one that stands: none may be lost."""
    began_s, at = time.monotonic(), house.mark() if press else max(house.mark() - 20, 0)
    if press:
        house.press()
    house.await_music(at)
    house.await_well()
    return round(time.monotonic() - began_s, 1)


def pressed_in_vain(house: House, breaks: Callable[[], object], words: str, mends: Callable[[], object], *, press: bool, who: str = "") -> Outcome:
    """Break something, press for music, see that none comes and what is said, mend it, and wait for music.

    Args:
        house: where.
        breaks: breaks it.
        words: of what the speaker's part says then.
        mends: mends it.
        press: whether the press must be repeated by a person.
        who: who must do what.
    """
    house.silence()
    breaks()
    house.press()
    seen = told(house, words)
    assert house.speaker.now_playing is None, f"music plays: {house.now()['music']}"
    mends()
    return Outcome(seen, until_music(house, press=press), who)


def fetched(house: House) -> int:
    """Return how many times tokens were fetched."""
    return house.speaker.requests.count(TOKEN)


def _token_runs_out(house: House) -> Outcome:
    house.silence()
    before = fetched(house)
    house.speaker.expire_access_token()
    taken_s = until_music(house, press=True)
    assert fetched(house) == before + 1, "no other token was fetched, or more than one"
    return Outcome(f"nothing, but another token was fetched: {house.now()['speaker']['message']}", taken_s)


def _sign_in_ends(house: House) -> Outcome:
    def sign_in_anew() -> None:
        house._sign_in()  # noqa: SLF001 - what the owner did at the beginning is done again
        told(house, f"Spotify on {house.speaker.name}")

    return pressed_in_vain(house, house.speaker.end_sign_in, "moodify spotify login", sign_in_anew, press=True, who=f"{OWNER} signs in again")


def _not_among_users(house: House) -> Outcome:
    return pressed_in_vain(
        house, house.speaker.leave_dashboard, "app's users", house.speaker.join_dashboard, press=True, who=f"{OWNER} adds the account to the app's users; then a press"
    )


def _no_premium(house: House) -> Outcome:
    return pressed_in_vain(house, house.speaker.lose_premium, "need Spotify Premium", house.speaker.regain_premium, press=True, who=f"{OWNER} subscribes; then a press")


def _no_permission(house: House) -> Outcome:
    scope = "user-modify-playback-state"
    return pressed_in_vain(
        house, lambda: house.speaker.withdraw(scope), "lacks a permission", lambda: house.speaker.give_back(scope), press=True, who=f"{OWNER} signs in again; then a press"
    )


def _nothing_is_known(house: House) -> Outcome:
    return pressed_in_vain(house, lambda: house.speaker.refuse(404, "Device not found", None, EVER), "is asleep or gone", house.speaker.recover, press=False)


def _order_not_known(house: House) -> Outcome:
    """Let the speaker be in the list, awake, and an order to it be answered as if it were not."""
    house.silence()
    house.speaker.fail(404, EVER, where="/v1/me/player/play")
    house.press()
    seen = answered(house, "takes no orders")
    assert house.speaker.now_playing is None, f"music plays: {house.now()['music']}"
    house.speaker.recover()
    return Outcome(seen, until_music(house, press=False))


def _too_many(house: House) -> Outcome:
    # The press is not older than a person would still expect its answer, so it is repeated when Spotify allows.
    return pressed_in_vain(house, lambda: house.speaker.rate_limit(5), "asks for fewer requests", lambda: None, press=False)


def _too_many_for_long(house: House) -> Outcome:
    house.silence()
    house.speaker.rate_limit(70)
    house.press()
    seen = told(house, "asks for fewer requests")
    sent = len(house.speaker.requests)
    answered(house, "Spotify takes no orders until")
    house.press()
    answered(house, "Spotify takes no orders until")
    assert len(house.speaker.requests) == sent, "Spotify was asked although it had said when to ask again"
    house.stop()
    house.start()
    house.await_now(lambda now: now["speaker"]["state"] != "starting", "a first look at the speaker")
    # After a restart too nothing is asked.
    assert len(house.speaker.requests) == sent, "Spotify was asked after a restart although it had said when to ask again"
    wait_until(lambda: len(house.speaker.requests) > sent, within_s=90, what="the next request")
    house.await_well()
    began_s = time.monotonic()
    assert house.speaker.now_playing is None, "the press is repeated after a minute: nobody expects that any more"
    return Outcome(seen, round(time.monotonic() - began_s, 1), "whoever pressed: presses again")


def _failing(house: House) -> Outcome:
    return pressed_in_vain(house, lambda: house.speaker.fail(503, EVER), "answers 503", house.speaker.recover, press=False)


def _failing_for_long(house: House) -> Outcome:
    house.silence()
    house.speaker.fail(500, times=EVER)
    for _ in range(5):
        house.press()
        told(house, "answers 500")
    seen = told(house, "times in a row; trying again in")
    house.speaker.recover()
    # The breaker rests for half a minute, and a press is answered at once meanwhile.
    house.press()
    return Outcome(seen, until_music(house, press=False))


def _slow(house: House) -> Outcome:
    def slow() -> None:
        house.speaker.slow(TIMEOUT_S * 2)

    outcome = pressed_in_vain(house, slow, "does not answer in time", lambda: house.speaker.slow(0), press=False)
    began_s = time.monotonic()
    house.speaker.slow(TIMEOUT_S * 2)
    house.press()
    house.now()
    house.private(on=True)
    house.private(on=False)
    assert time.monotonic() - began_s < 2 * TIMEOUT_S, "the page and privacy waited for Spotify"
    house.speaker.slow(0)
    # What it began it has been told late, so people have heard it for longer than it knows.
    time.sleep(HEARD_S)
    house.await_well()
    return outcome


def _cut(house: House) -> Outcome:
    return pressed_in_vain(house, lambda: house.speaker.cut_connection(EVER, before=True), "in a row", lambda: house.speaker.cut_connection(0, before=True), press=False)


def _answer_is_lost(house: House) -> Outcome:
    house.silence()
    before = len(house.speaker.orders)
    # Carried out, and never answered.
    house.speaker.cut_connection(EVER)
    house.press()
    wait_until(lambda: house.speaker.now_playing, within_s=PATIENCE_S, what="music")
    seen = told(house, "in a row")
    house.speaker.cut_connection(0)
    began_s = time.monotonic()
    house.await_well()
    taken_s = round(time.monotonic() - began_s, 1)
    begun = {(order.verb, order.uri) for order in house.speaker.orders[before:] if order.verb in {"play", "resume"}}
    assert len(begun) == 1, f"one press began {begun}"
    return Outcome(seen, taken_s)


def _login_page(house: House) -> Outcome:
    return pressed_in_vain(house, lambda: house.speaker.html(EVER), "login page", house.speaker.recover, press=False)


def _nonsense(house: House) -> Outcome:
    return pressed_in_vain(house, lambda: house.speaker.answer_with(b'{"devices": 7, "item": []}', times=EVER), "something unexpected", house.speaker.recover, press=False)


def _accounts_fail(house: House) -> Outcome:
    def fails() -> None:
        house.speaker.expire_access_token()
        house.speaker.fail(503, EVER, where="/api/token")

    return pressed_in_vain(house, fails, "sign-in service answers 503", house.speaker.recover, press=False)


GROUP = Group(
    "spotify",
    house_with_music,
    (
        Fault("401: the token runs out", _token_runs_out),
        Fault("401: the sign-in ends", _sign_in_ends),
        Fault("403: not among the app's users", _not_among_users),
        Fault("403: no Premium", _no_premium, quick=True),
        Fault("403: a permission is missing", _no_permission),
        Fault("404: no speaker is known", _nothing_is_known),
        Fault("404: the order's speaker is not known", _order_not_known),
        Fault("429: Retry-After 5 s", _too_many),
        Fault("429: Retry-After 70 s", _too_many_for_long),
        Fault("503", _failing),
        Fault("500 for long", _failing_for_long),
        Fault("503 of the sign-in service", _accounts_fail),
        Fault("slow", _slow),
        Fault("cut", _cut),
        Fault("cut after the order", _answer_is_lost),
        Fault("a login page answers", _login_page),
        Fault("nonsense", _nonsense),
    ),
)
