"""The set-up as the page reaches it: the household's settings, Spotify's sign-in, the camera's aim, the hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from moodify.config.household import HouseSettings, paths
from moodify.daemon import enrolling
from moodify.errors import PersonMustAct
from moodify.notice import facts_of, notice_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from moodify.config import Config
    from moodify.daemon.aiming import Aiming
    from moodify.daemon.household import Household
    from moodify.types import Speaker
    from moodify.web.setting_up import How, Step


class HouseSetUp:
    """Implements :class:`moodify.web.setting_up.SettingUp`. Safe from any thread.

    Args:
        household: its settings.
        aiming: shows the camera's view; None where there is no camera in this run.
        private: whether privacy is on.
        go_anew: called when summaries are to go to another hub.
    """

    def __init__(self, household: Household, aiming: Aiming | None, *, private: Callable[[], bool], go_anew: Callable[[], None]) -> None:
        """Take what it is made of."""
        self._household, self._aiming, self._private, self._go_anew = household, aiming, private, go_anew

    def state(self) -> Mapping[str, Any]:
        """Return how the set-up stands."""
        settings, config = self._household.settings(), self._household.house_config()
        return {
            "steps": self._household.steps(),
            "settings": settings,
            "holds": _holds(config),
            "from_page": list(paths(settings)),
            "spotify": self._household.spotify().as_json() | {"app": config.music.spotify.client_id},
            "hub": enrolling.stands(config.link, self._household.folder),
            "simulated": self._household.simulated,
            "privacy": self._private(),
            "redirect_port": config.music.spotify.redirect_port,
        }

    def note_step(self, step: Step, how: How | None) -> None:
        """Take note that a step was done or left out."""
        self._household.note_step(step, how)

    def change(self, values: Mapping[str, Any]) -> HouseSettings:
        """Set some of the household's settings."""
        self._household.check_music(values.get("moods") or {})
        return self._household.change(**values)

    def listener(self) -> str | None:
        """Return who is listening."""
        return self._household.listener()

    def listen(self, listener: str | None) -> None:
        """Let the music be for somebody."""
        self._household.listen(listener)

    def begin_sign_in(self, client_id: str | None, redirect_uri: str | None) -> tuple[str, str]:
        """Return the link where the owner agrees, and where Spotify sends the browser back to."""
        return self._household.begin_sign_in(client_id, redirect_uri)

    def sign_in_code(self) -> str:
        """Return the link as a QR code."""
        from moodify.music.spotify import qr

        link = self._household.sign_in.link
        if link is None:
            raise PersonMustAct("no sign-in to Spotify is open; begin one with Sign in to Spotify")
        return qr.picture(link)

    def finish_sign_in(self, address: str) -> str:
        """Sign in with the address that the browser was sent back to."""
        self._household.finish(address)
        days = self._household.spotify().days_left
        return "Signed in to Spotify." if days is None else f"Signed in to Spotify. The sign-in lasts {days} days; Moodify warns in time."

    def sign_out(self) -> None:
        """Forget the sign-in to Spotify."""
        self._household.sign_out()

    def speakers(self) -> Sequence[Speaker]:
        """Return the account's speakers."""
        return self._household.speakers()

    def aim(self, who: str, name: str) -> float:
        """Show a person what the camera sees."""
        if self._aiming is None:
            raise PersonMustAct("the camera is closed in safe mode; press the button, or Look again on the page, to start everything again")
        return self._aiming.begin(who, name)

    def aiming_left_s(self, who: str) -> float:
        """Return for how many seconds more they may look."""
        return 0.0 if self._aiming is None else self._aiming.left_s(who)

    def picture(self, who: str) -> bytes:
        """Return the next picture."""
        if self._aiming is None:
            raise PersonMustAct("the camera is closed in safe mode; press the button, or Look again on the page, to start everything again")
        return self._aiming.picture(who)

    def aim_no_more(self, who: str) -> None:
        """End it, where it is theirs."""
        if self._aiming is not None and self._aiming.left_s(who):
            self._aiming.end()

    def look_for_hub(self, address: str | None) -> Mapping[str, Any]:
        """Return a hub, and its fingerprint."""
        return enrolling.look_for(address)

    def enrol(self, host: str, port: int, fingerprint: str) -> str:
        """Take a hub, and go there."""
        told = enrolling.take(self._household.folder, self._household.file.link, host, port, fingerprint)
        self._go_anew()
        return told

    def notice(self, language: Literal["en", "de"]) -> Mapping[str, Any]:
        """Return the notice for visitors."""
        found = notice_of(language, facts_of(self._household.house_config(), self._household.folder))
        return {
            "language": language,
            "title": found.title,
            "lead": found.lead.format(found.named),
            "points": [{"label": label, "text": text} for label, text in found.points],
            "end": found.end,
        }


def _holds(config: Config) -> HouseSettings:
    music = config.music
    return HouseSettings(
        goal=music.goal,
        volume_cap=music.volume_cap,
        quiet_hours=music.quiet_hours,
        moods={mood: own.uri for mood, own in music.moods.items() if own.uri is not None},
        speaker=music.spotify.speaker,
        start_when_silent=music.start_when_silent,
    )
