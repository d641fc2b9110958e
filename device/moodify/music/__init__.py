"""Which music fits a mood. Pure policy; the speaker is behind a port."""

from moodify.music.candidates import CandidatePool, Candidates, Wanted
from moodify.music.policy import Policy
from moodify.music.situation import Ask, Situation, Verdict

__all__ = ["Ask", "CandidatePool", "Candidates", "Policy", "Situation", "Verdict", "Wanted"]
