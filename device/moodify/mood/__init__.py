"""Scores over time and people become one steady mood. Pure."""

from moodify.mood.tracker import MoodChange, MoodTracker, MoodView, PresenceChange

__all__ = ["MoodChange", "MoodTracker", "MoodView", "PresenceChange"]
