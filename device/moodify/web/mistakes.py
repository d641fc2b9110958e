"""What is wrong with a request, field by field, in words for the person who filled it in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NO_LINK = "this is no Spotify link; in Spotify choose Share, Copy link"
_NO_CLIENT_ID = "a Client ID has 32 characters from 0-9 and a-f; copy it from your app's page at developer.spotify.com"
#: What no form leads to: a program asks, and finds the rest where the interface is described.
_FOR_PROGRAMS = "Look at /openapi.json for what can be asked."
#: By pydantic's type of a mistake; ``{…}`` is filled from what it says of it.
_WORDS: Mapping[str, str] = {
    "string_too_short": "it is too short (characters: {min_length} at least)",
    "string_too_long": "it is too long (characters: {max_length} at most)",
    "greater_than_equal": "it must be {ge} or more",
    "greater_than": "it must be more than {gt}",
    "less_than_equal": "it must be {le} or less",
    "less_than": "it must be less than {lt}",
    "literal_error": "it must be {expected}",
    "enum": "it must be {expected}",
    "string_pattern_mismatch": "it can't be written so",
}


def told(mistakes: Sequence[Mapping[str, Any]]) -> str:
    """Return mistakes as pydantic finds them (type, loc, msg, ctx) as one text: no expression, no path through the request.

    What a person can't have typed, such as a field that is missing, ends with where the interface is described.
    """
    said = [_one(mistake) for mistake in mistakes]
    if all(by_person for by_person, _ in said):
        return "; ".join(words for _, words in said) + "."
    return f"The request is not understood: {'; '.join(words for _, words in said)}. {_FOR_PROGRAMS}"


def _one(mistake: Mapping[str, Any]) -> tuple[bool, str]:
    """Return whether it is of what a person typed, and its words."""
    kind, more = str(mistake["type"]), mistake.get("ctx") or {}
    if kind == "value_error":
        return True, f"{_field(mistake)}: {str(mistake['msg']).removeprefix('Value error, ')}"
    pattern = str(more.get("pattern", ""))
    if pattern.startswith("^spotify:"):
        return True, f"{_field(mistake)}: {_NO_LINK}"
    if pattern == "^[0-9a-f]{32}$":
        return True, f"{_field(mistake)}: {_NO_CLIENT_ID}"
    words = _WORDS.get(kind)
    return (words is not None), f"{_field(mistake)}: {str(mistake['msg']).lower() if words is None else words.format_map(more)}"


def _field(mistake: Mapping[str, Any]) -> str:
    """Return the name of the field that it is in: ``happy`` for ``body.moods.happy``."""
    names = [str(part) for part in mistake["loc"][1:] if isinstance(part, str)]
    return names[-1].replace("_", " ") if names else "the request"
