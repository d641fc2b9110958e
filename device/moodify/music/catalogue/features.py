"""Asks for the features of songs that have none, a few at a time: what is known stays known."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from moodify.errors import MoodifyError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from moodify.music.catalogue.catalogue import Catalogue
    from moodify.music.song import Features

log = logging.getLogger(__name__)

#: Requests for features that one look-up may cost: the dj has orders to carry out.
REQUESTS = 2

_TRACK = "spotify:track:"


class FeatureService(Protocol):
    """Somebody who knows the sound of songs by their Spotify ids."""

    @property
    def name(self) -> str:
        """Who it is, for the catalogue: where features come from."""

    @property
    def most(self) -> int:
        """Ids that one request may hold."""

    def ask(self, ids: Sequence[str]) -> Mapping[str, Features | None]:
        """Return features for each id, None where they are not known, in one request of at most :attr:`most` ids.

        Raises:
            RetryLater: no answer, or none may be asked for yet.
            CannotWork: the request is refused.
        """

    def close(self) -> None:
        """Give the connections back; safe to call twice."""


class Enrichment:
    """Fills the gaps among a look-up's songs, within :data:`REQUESTS`; where that fails, with what is known already."""

    def __init__(self, catalogue: Catalogue, service: FeatureService | None) -> None:
        """Take the catalogue, and who is asked; None asks nobody."""
        self._catalogue = catalogue
        self._service = service
        self._failing = False

    def fill(self, origins: Sequence[str], requests: int = REQUESTS) -> int:
        """Ask for features of songs of these origins that have none, in at most so many requests; return how many of them are left.

        Raises:
            StoreBusy, StoreError: as :class:`~moodify.music.catalogue.catalogue.Catalogue`.
        """
        if self._service is None or not requests:
            return 0
        most = self._service.most
        uris = [uri for uri in self._catalogue.unasked(origins, requests * most) if uri.startswith(_TRACK)]
        for start in range(0, len(uris), most):
            try:
                known = self._service.ask([uri.removeprefix(_TRACK) for uri in uris[start : start + most]])
            except MoodifyError as error:
                # A state is said once, not at each try.
                log.log(logging.DEBUG if self._failing else logging.INFO, "Going on without new features of songs: %s", error)
                self._failing = True
                return 0
            self._failing = False
            requests -= 1
            self._catalogue.keep_features({f"{_TRACK}{key}": features for key, features in known.items()}, self._service.name)
        return requests

    def close(self) -> None:
        """Give the service's connections back."""
        if self._service is not None:
            self._service.close()
