"""Who may change what on a hub: owners may, and programs with the admin token; members look."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from moodify.accounts.user import Role
from moodify.errors import NotPermitted


def may_change(request: Request) -> None:
    """Let an owner pass, and a program with the admin token; for routes behind the door.

    Raises:
        NotPermitted: a member asks.
    """
    who = getattr(request.state, "who", None)
    if who is not None and who.user.role is not Role.OWNER:
        raise NotPermitted("Only an owner may do this. Ask one, or have one make you an owner.")


#: What a route that changes something depends on.
MAY_CHANGE = Depends(may_change)


def is_owner(request: Request) -> bool:
    """Return whether it is an owner who asks, or a program with the admin token."""
    who = getattr(request.state, "who", None)
    return who is None or who.user.role is Role.OWNER


#: Type of an argument by which a route learns that.
IsOwner = Annotated[bool, Depends(is_owner)]
