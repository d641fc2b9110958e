"""What the account routes take and give, as OpenAPI shows it."""

# ruff: noqa: TC003 - pydantic reads the annotations

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from moodify.accounts.preferences import Preferences  # noqa: TC001 - pydantic reads the annotations
from moodify.accounts.user import OLDEST, Role, SkinType
from moodify.web.schemas import Asked

if TYPE_CHECKING:
    from moodify.accounts.codes import Code
    from moodify.accounts.session import Session, SignedIn
    from moodify.accounts.user import User

_AT = "2026-11-21T20:15:00Z"
_ID = "5f0c6a1e-5a53-4a7e-9a2b-0d3c2f1b7e44"
_WORDS = "lantern over the slow river"

Email = Annotated[str, Field(min_length=3, max_length=254, examples=["ada@example.org"], description="In any spelling; it is kept in small letters.")]
FirstName = Annotated[str, Field(min_length=1, max_length=80, examples=["Ada"])]
LastName = Annotated[str, Field(max_length=80, examples=["Lovelace"], description="May be empty.")]
Password = Annotated[str, Field(min_length=1, max_length=1024, examples=[_WORDS], json_schema_extra={"format": "password"})]


class Claim(Asked):
    """An account to make."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"code": "K7QM-2WXT", "email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace", "password": _WORDS}]})

    code: Annotated[str, Field(min_length=1, max_length=64, description="The claim code or an invitation's.")] | None = None
    """None where the button was held."""
    email: Email
    first_name: FirstName
    last_name: LastName = ""
    password: Password


class SignIn(Asked):
    """Who signs in."""

    email: Email
    password: Password


class Nothing(Asked):
    """A body that says nothing."""


class Me(Asked):
    """What somebody changes of themselves; what is left out stays. Age and skin type are forgotten by null."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"first_name": "Ada", "age": 36, "skin_type": 2, "preferences": {"goal": "calm", "volume_cap": 60}}]})

    email: Email | None = None
    first_name: FirstName | None = None
    last_name: LastName | None = None
    age: Annotated[int | None, Field(ge=1, le=OLDEST, examples=[36])] = None
    skin_type: Annotated[int | None, Field(ge=1, le=6, examples=[2], description="Fitzpatrick's type, 1 to 6, as they say it of themselves.")] = None
    preferences: Preferences | None = None
    password: Annotated[Password | None, Field(description="The password; needed where the address changes, as it is what one signs in with.")] = None


class NewPassword(Asked):
    """A password in the place of another."""

    old: Password
    password: Password


class Reset(Asked):
    """An owner's new password, in the minutes after the button was held."""

    email: Email
    password: Password


class Confirmed(Asked):
    """The password, for what can't be taken back."""

    password: Password


class Invite(Asked):
    """Whom to invite."""

    first_name: FirstName
    role: Annotated[Role, Field(strict=False, examples=["member"])] = Role.MEMBER


class UserChange(Asked):
    """What an owner changes of an account; what is left out stays."""

    role: Annotated[Role | None, Field(strict=False, examples=["owner"])] = None
    active: Annotated[bool | None, Field(examples=[False])] = None


class Claimable(BaseModel):
    """What somebody who is not signed in must know to come in."""

    claimable: bool = Field(description="Whether there is no owner yet.")
    button: bool = Field(description="Whether the button was held some minutes ago, so that no code is needed.")
    service: Literal["page", "hub"] = Field(examples=["page"])


class Resettable(BaseModel):
    """Whether an owner's password can be set anew."""

    open: bool
    left_s: float = Field(ge=0, examples=[287.5], description="Seconds for which it still can.")


class OtherOut(BaseModel):
    """An account as owners see it: what somebody says of their body and likes is theirs."""

    id: UUID = Field(examples=[_ID])
    email: str = Field(examples=["bob@example.org"])
    first_name: str = Field(examples=["Bob"])
    last_name: str = Field(examples=[""])
    initials: str = Field(examples=["B"])
    role: Role = Field(examples=["member"])
    active: bool
    last_sign_in_at: datetime | None = Field(examples=[_AT])
    created_at: datetime = Field(examples=[_AT])

    @classmethod
    def of(cls, user: User) -> Self:
        """Return what is shown of a user."""
        return cls.model_validate(user, from_attributes=True)


class UserOut(OtherOut):
    """An account as its owner sees it."""

    age: int | None = Field(examples=[36])
    skin_type: int | None = Field(examples=[2])
    preferences: Preferences = Field(examples=[{"goal": "calm"}])
    updated_at: datetime = Field(examples=[_AT])


class UserList(BaseModel):
    """Everybody who has an account."""

    users: list[OtherOut]


class SignedInOut(BaseModel):
    """Who is signed in; the tokens are in cookies that scripts can't read."""

    user: UserOut = Field(examples=[{"id": _ID, "email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace", "initials": "AL", "role": "owner", "active": True}])
    session_id: UUID = Field(examples=[_ID])

    @classmethod
    def of(cls, signed_in: SignedIn) -> Self:
        """Show what a sign-in gave."""
        return cls(user=UserOut.of(signed_in.user), session_id=signed_in.session_id)


class SessionOut(BaseModel):
    """A browser that is signed in."""

    id: UUID = Field(examples=[_ID])
    label: str = Field(examples=["Firefox on Android"])
    current: bool = Field(description="Whether it is the one that asks.")
    began_at: datetime = Field(examples=[_AT])
    used_at: datetime = Field(examples=[_AT])
    ends_at: datetime = Field(examples=[_AT])

    @classmethod
    def of(cls, session: Session, current: UUID) -> Self:
        """Show a session."""
        life = session.life
        return cls(id=session.id, label=session.label, current=session.id == current, began_at=life.began, used_at=life.used, ends_at=life.ends)


class SessionList(BaseModel):
    """Where somebody is signed in."""

    sessions: list[SessionOut]


class InvitationOut(BaseModel):
    """An invitation that nobody has taken yet."""

    id: UUID = Field(examples=[_ID])
    first_name: str = Field(examples=["Bob"])
    role: Role = Field(examples=["member"])
    ends_at: datetime = Field(examples=[_AT])

    @classmethod
    def of(cls, code: Code) -> Self:
        """Show an invitation; its code is not kept."""
        return cls(id=code.id, first_name=code.first_name, role=code.role, ends_at=code.life.ends)


class NewInvitationOut(InvitationOut):
    """An invitation with its code, which is shown this once."""

    code: str = Field(examples=["K7QM-2WXT"], description="To pass on; the page's address with #/claim/CODE opens it.")


class InvitationList(BaseModel):
    """Invitations that nobody has taken yet."""

    invitations: list[InvitationOut]


def changes_of(me: Me) -> dict[str, object]:
    """Return what somebody changes of themselves, as :meth:`Accounts.update_me` takes it."""
    changes: dict[str, object] = {name: value for name in ("email", "first_name", "last_name", "preferences") if (value := getattr(me, name)) is not None}
    if "age" in me.model_fields_set:
        changes["age"] = me.age
    if "skin_type" in me.model_fields_set:
        changes["skin_type"] = None if me.skin_type is None else SkinType(me.skin_type)
    return changes
