"""What ``moodify check`` says of the way to the hub or the broker."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING

from moodify.cli.findings import Finding, Verdict
from moodify.daemon.hub_beside import NO_HUB
from moodify.daemon.places import DATABASE, DEVICE_KEY, folder_of
from moodify.errors import LinkDown, PersonMustAct

if TYPE_CHECKING:
    from pathlib import Path

    from moodify.cloud.enrolment import Enrolment
    from moodify.config import Config
    from moodify.config.model import LinkConfig

#: A certificate that ends within this is said to: the device has to be enrolled anew with another one.
_SOON = timedelta(days=30)


def link(config: Config, clock: tuple[bool, str]) -> Finding:
    """Look at where this device goes, and whether it can sign in there; ``clock`` says whether the date can be believed, and why.

    Raises:
        PersonMustAct: what is needed is missing, or what answers there is not what it should be.
    """
    from moodify.cloud import enrolment

    if not config.link.enabled:
        return Finding(Verdict.OK, "off: link.enabled is false")
    folder = folder_of(config)
    try:
        if config.link.host is not None:
            found = _broker(config.link)
        elif (hub := enrolment.load(folder)) is not None:
            found = _let_in(_hub(hub), hub, config.link, folder, clock)
        else:
            found = _own()
    except LinkDown as error:
        return Finding(Verdict.DEGRADED, f"{error}; summaries wait")
    if found.verdict is not Verdict.OK or config.link.sign_in_file is not None:
        return found
    return _token(found, folder / DEVICE_KEY, clock)


def _broker(config: LinkConfig) -> Finding:
    from moodify.cloud.opening import open_socket
    from moodify.cloud.passwords import SignInFile
    from moodify.cloud.port import Endpoint

    if config.sign_in_file is not None:
        SignInFile(config.sign_in_file).credentials(datetime.now(UTC))
    open_socket(Endpoint(str(config.host), config.port, tls=config.tls, ca_file=config.ca_file)).close()
    how = "a token" if config.sign_in_file is None else f"what {config.sign_in_file} says"
    return Finding(Verdict.OK, f"the broker {config.host}:{config.port} answers; this device signs in with {how}")


def _hub(hub: Enrolment) -> Finding:
    from moodify.cloud.enrolment import try_out

    try_out(hub.host, hub.port, hub.certificate)
    text = f"the hub {hub.name} ({hub.host}:{hub.port}) answers with the certificate that this device was enrolled with"
    if hub.certificate.expires - datetime.now(UTC) < _SOON:
        return Finding(Verdict.DEGRADED, f"{text}, which ends on {hub.certificate.expires:%Y-%m-%d}; make the hub a new one and enrol this device again: moodify device enroll")
    return Finding(Verdict.OK, text)


def _let_in(found: Finding, hub: Enrolment, config: LinkConfig, folder: Path, clock: tuple[bool, str]) -> Finding:
    """Say whether the hub lets this device in: as the appliance that runs knows, for a sign-in beside it would cut its own, else by signing in."""
    from moodify.cloud import identity
    from moodify.cloud.enrolment import delivery_of, shut_out
    from moodify.cloud.passwords import SignedToken
    from moodify.cloud.port import Endpoint, Target
    from moodify.cloud.trial import sign_in
    from moodify.store.lock import is_held

    if is_held(folder):
        return _running(found, folder)
    if not (folder / DEVICE_KEY).exists() or not clock[0]:
        return found
    own, now = identity.load(folder / DEVICE_KEY), datetime.now(UTC)
    token = SignedToken(lambda: own, config.audience, lambda: clock)
    endpoint = Endpoint(hub.host, hub.port, tls=True, ca_data=hub.certificate.pem)
    sign_in(Target(endpoint, token, delivery_of(config), shut_out(hub, own)), own.device, now)
    return Finding(found.verdict, f"{found.message}; it lets this device in")


def _running(found: Finding, folder: Path) -> Finding:
    from moodify.store.history import History
    from moodify.types import EventKind

    event = None
    if (folder / DATABASE).exists():
        with History(folder / DATABASE) as history:
            event = history.newest(EventKind.LINK)
    if event is None:
        return Finding(found.verdict, f"{found.message}; Moodify runs and has not said yet whether it is let in")
    state, message = str(event.data["state"]), str(event.data["message"])
    verdict = {"ok": found.verdict, "broken": Verdict.BROKEN}.get(state, Verdict.DEGRADED)
    return Finding(verdict, f"{found.message}; Moodify runs, and says of its link: {state}: {message}")


def _own() -> Finding:
    if find_spec("sqlalchemy") is None:
        raise PersonMustAct(NO_HUB)
    # Debian keeps it where a person's PATH does not look.
    if shutil.which("mosquitto") is None and shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/sbin") is None:
        raise PersonMustAct("mosquitto is not installed; run: sudo apt install mosquitto, or set link.host to a broker of yours")
    return Finding(Verdict.OK, "a hub of its own, beside the appliance on loopback, for as long as that runs")


def _token(found: Finding, key: Path, clock: tuple[bool, str]) -> Finding:
    from moodify.cloud.identity import load

    if key.exists():
        load(key)
    trusted, reason = clock
    if not trusted:
        return Finding(Verdict.DEGRADED, f"{found.message}; but no token can be made to sign in with, for the date can't be trusted. {reason}")
    return found
