"""Looks songs up before the policy needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moodify.daemon.dj import Dj
    from moodify.daemon.signals import CandidatesFound
    from moodify.music.candidates import CandidatePool
    from moodify.music.policy import Policy
    from moodify.music.port import Librarian
    from moodify.music.situation import Situation
    from moodify.types import Mood


class Songs:
    """Joins the policy's wishes, the librarian and the dj. Belongs to the conductor's thread."""

    def __init__(self, policy: Policy, pool: CandidatePool, librarian: Librarian, dj: Dj) -> None:
        """Take who wishes, where songs are kept, who knows where to look, and who looks."""
        self._policy = policy
        self._pool = pool
        self._librarian = librarian
        self._dj = dj

    def want(self, now: Situation, *, asked: bool) -> Mood | None:
        """Look songs up where the policy may need them soon; return the mood whose songs a press to look would play, where those are awaited.

        Args:
            now: the situation.
            asked: whether a person waits for the first of them.
        """
        wants = self._policy.wants(now)
        for mood in wants:
            for_person = asked and mood is wants[0]
            wanted = self._pool.wanted(mood, now.now_s, asked=for_person)
            if wanted is not None:
                self._dj.look_up(mood, lambda player, wanted=wanted: self._librarian.find(player, wanted), asked=for_person, of=wanted)  # type: ignore[misc] # bound now, not when it is called
        return wants[0] if wants and self._pool.of(wants[0]) is None and self._pool.looking(wants[0]) else None

    def found(self, found: CandidatesFound, now_s: float) -> None:
        """Keep what was found, or that nothing was; not where the mood's music comes from elsewhere by now."""
        if found.of is not None and found.of != self._pool.source(found.mood):
            return
        if found.error is None:
            self._pool.fill(found.mood, found.songs, now_s)
        else:
            self._pool.failed(found.mood, now_s, found.error)
