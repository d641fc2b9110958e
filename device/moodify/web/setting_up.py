"""What the page's set-up needs of the house; :mod:`moodify.daemon` implements it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from moodify.config.household import HouseSettings
    from moodify.types import Speaker

Step = Literal["camera", "spotify", "speaker", "music", "hub", "notice"]
How = Literal["done", "skipped"]


class SettingUp(Protocol):
    """The household's own settings. Calls may take seconds and come from any thread.

    Raises (all calls):
        StoreBusy: locked, or the disk is full.
        StoreError: what is kept can't be used.
    """

    def state(self) -> Mapping[str, Any]:
        """Return how the set-up stands: ``steps``, ``settings``, ``holds``, ``from_page``, ``spotify``, ``hub``, ``simulated``, ``privacy``, ``redirect_port``; JSON values."""

    def note_step(self, step: Step, how: How | None) -> None:
        """Take note that a step was done or left out; None takes that back."""

    def change(self, values: Mapping[str, Any]) -> HouseSettings:
        """Set some of the household's settings, by their names; None goes back to the configuration file's. Return all."""

    def listener(self) -> str | None:
        """Return the id of the account that is listening; None for the household."""

    def listen(self, listener: str | None) -> None:
        """Let the music be for somebody from now on; None for the household."""

    # Spotify

    def begin_sign_in(self, client_id: str | None, redirect_uri: str | None) -> tuple[str, str]:
        """Return the link where the owner agrees, and where Spotify sends the browser back to.

        Args:
            client_id: of the household's own app; None takes the last one.
            redirect_uri: None takes the one on loopback, which nobody answers: its address is pasted.

        Raises:
            CannotWork: it is no client id.
            PersonMustAct: there is none.
        """

    def sign_in_code(self) -> str:
        """Return the link as a QR code, as SVG.

        Raises:
            PersonMustAct: no sign-in is open.
        """

    def finish_sign_in(self, address: str) -> str:
        """Take the address that the browser was sent back to; return what to tell the person.

        Raises:
            MoodifyError: as :meth:`moodify.music.spotify.from_page.PageSignIn.finish`.
        """

    def sign_out(self) -> None:
        """Forget the sign-in to Spotify."""

    def speakers(self) -> Sequence[Speaker]:
        """Return the speakers that the signed-in account can reach now.

        Raises:
            MoodifyError: nobody is signed in, or as :class:`moodify.music.port.Player`.
        """

    # The camera

    def aim(self, who: str, name: str) -> float:
        """Let a person see what the camera sees; return for how many seconds.

        Raises:
            PersonMustAct: privacy is on, or there is no camera in this run.
        """

    def aiming_left_s(self, who: str) -> float:
        """Return for how many seconds more they may look; 0 where they don't aim."""

    def picture(self, who: str) -> bytes:
        """Return the next picture as a JPEG.

        Raises:
            NotPermitted: this person does not aim now.
            CameraLost: there is none.
        """

    def aim_no_more(self, who: str) -> None:
        """End it, where it is theirs."""

    # The hub, and the notice

    def look_for_hub(self, address: str | None) -> Mapping[str, Any]:
        """Return ``name``, ``host``, ``port`` and ``fingerprint`` of a hub: the one at an address, else the first that is heard on the network.

        Raises:
            MoodifyError: there is none, or it can't be used.
        """

    def enrol(self, host: str, port: int, fingerprint: str) -> str:
        """Take a hub whose fingerprint a person vouches for; return what to tell them.

        Raises:
            MoodifyError: it is another, or does not answer.
        """

    def notice(self, language: Literal["en", "de"]) -> Mapping[str, Any]:
        """Return the notice for visitors: ``language``, ``title``, ``lead``, ``points`` (each a ``label`` and a ``text``) and ``end``.

        Raises:
            MoodifyError: what it tells of can't be read.
        """
