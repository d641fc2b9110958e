"""Scores over time and people become one steady mood. Pure."""
