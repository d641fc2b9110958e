"""Coming in, going out, and what people do with accounts: the same on the page and on the hub."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID  # noqa: TC003 - FastAPI reads the annotations

from fastapi import APIRouter, Header, Request, Response

from moodify.accounts.accounts import NewUser
from moodify.accounts.address import normalise
from moodify.accounts.label import label_of
from moodify.errors import NotPermitted, NotSignedIn
from moodify.web.account_schemas import (
    Claim,
    Claimable,
    Confirmed,
    InvitationList,
    InvitationOut,
    Invite,
    Me,
    NewInvitationOut,
    NewPassword,
    Nothing,
    OtherOut,
    Reset,
    Resettable,
    SessionList,
    SessionOut,
    SignedInOut,
    SignIn,
    UserChange,
    UserList,
    UserOut,
    changes_of,
)
from moodify.web.answers import as_file
from moodify.web.cookies import Cookies
from moodify.web.problems import Problem, of_error
from moodify.web.schemas import Said, problems
from moodify.web.session import Owner, Person  # noqa: TC001 - likewise

if TYPE_CHECKING:
    from collections.abc import Callable

    from moodify.accounts.accounts import Accounts
    from moodify.accounts.session import SignedIn
    from moodify.web.desk import Desk

_Agent = Annotated[str | None, Header(include_in_schema=False)]


def account_routes(accounts: Accounts, desk: Desk, *, service: Literal["page", "hub"], changed: Callable[[], None] = lambda: None) -> APIRouter:
    """Return the routes of accounts; ``service`` says whose they are, ``changed`` is called after a change of somebody's account."""
    router = APIRouter(prefix="/api", tags=["accounts"], responses=problems(HTTPStatus.NOT_FOUND))
    _coming_in(router, accounts, desk, service)
    _staying(router, accounts, desk)
    _own(router, accounts, desk, changed)
    _others(router, accounts, desk, changed)
    return router


def _coming_in(router: APIRouter, accounts: Accounts, desk: Desk, service: Literal["page", "hub"]) -> None:
    @router.get("/claim")
    async def claimable() -> Claimable:
        """Say whether an owner is missing, and whether the button was held. For anybody."""
        return Claimable(claimable=await desk.ask(lambda: accounts.claimable), button=accounts.window_left_s > 0, service=service)

    @router.post("/claim", status_code=HTTPStatus.CREATED)
    async def claim(asked: Claim, request: Request, response: Response, user_agent: _Agent = None) -> SignedInOut:
        """Make an account with the claim code, with an invitation's, or in the minutes after the button was held; and sign in. For anybody."""
        new = NewUser(asked.email, asked.first_name, asked.password, asked.last_name)
        return _give(await desk.hash(accounts.claim, asked.code, new, label_of(user_agent)), request, response)

    @router.post("/session")
    async def sign_in(asked: SignIn, request: Request, response: Response, user_agent: _Agent = None) -> SignedInOut:
        """Sign in. For anybody."""
        browser = Cookies.of(request.scope).browser
        return _give(await desk.hash(accounts.sign_in, asked.email, asked.password, label_of(user_agent), browser=browser), request, response)

    @router.post("/session/refresh")
    async def refresh(_: Nothing, request: Request, response: Response) -> SignedInOut:
        """Renew the session of the cookie that is sent. For anybody who has one."""
        token = Cookies.of(request.scope).refresh
        try:
            if token is None:
                raise NotSignedIn("Nobody is signed in here. Sign in.")
            return _give(await desk.ask(accounts.refresh, token), request, response)
        except NotSignedIn as error:
            raise of_error(error) from error

    @router.get("/reset")
    async def resettable() -> Resettable:
        """Say whether an owner's password can be set anew, because the button was held. For anybody."""
        left_s = accounts.window_left_s
        return Resettable(open=left_s > 0, left_s=left_s)

    @router.post("/reset")
    async def reset(asked: Reset) -> Said:
        """Set an owner's password in the minutes after the button was held. For anybody."""
        await desk.hash(accounts.reset, asked.email, asked.password)
        return Said(message="The password is set. Sign in with it.")


def _staying(router: APIRouter, accounts: Accounts, desk: Desk) -> None:
    @router.get("/session")
    async def session(who: Person) -> SignedInOut:
        """Say who is signed in."""
        return SignedInOut(user=UserOut.of(who.user), session_id=who.session_id)

    @router.delete("/session")
    async def sign_out(who: Person, request: Request, response: Response) -> Said:
        """Sign out here."""
        await desk.ask(accounts.end_session, who.user.id, who.session_id)
        Cookies.of(request.scope).take_back(response)
        return Said(message="Signed out.")

    @router.get("/sessions")
    async def sessions(who: Person) -> SessionList:
        """List where one is signed in, the browser that was used last first."""
        found = await desk.ask(accounts.sessions, who.user.id)
        return SessionList(sessions=[SessionOut.of(session, who.session_id) for session in found])

    @router.delete("/sessions")
    async def sign_out_everywhere(who: Person, request: Request, response: Response) -> Said:
        """Sign out everywhere, here too."""
        ended = await desk.ask(accounts.end_all, who.user.id)
        Cookies.of(request.scope).take_back(response)
        return Said(message=f"Signed out everywhere: {ended} session{'s' if ended != 1 else ''}.")

    @router.delete("/sessions/{session_id}")
    async def end_session(session_id: UUID, who: Person) -> Said:
        """Sign out another browser."""
        if not await desk.ask(accounts.end_session, who.user.id, session_id):
            raise Problem(HTTPStatus.NOT_FOUND, "You have no such session any more. Look at the list again.")
        return Said(message="Signed out there.")


def _own(router: APIRouter, accounts: Accounts, desk: Desk, changed: Callable[[], None]) -> None:
    @router.get("/me")
    async def me(who: Person) -> UserOut:
        """Show one's own account."""
        return UserOut.of(who.user)

    @router.patch("/me")
    async def change_me(asked: Me, who: Person) -> UserOut:
        """Change one's own account: name, preferences, age and skin type; the address with the password."""
        if asked.email is not None and normalise(asked.email) != who.user.email:
            if asked.password is None:
                raise NotPermitted("Your address is what you sign in with. Type your password to change it.")
            await desk.hash(accounts.confirm_password, who.user.id, asked.password)
        user = await desk.ask(accounts.update_me, who.user.id, **changes_of(asked))
        changed()
        return UserOut.of(user)

    @router.get("/me/data", response_class=Response, responses={200: {"content": {"application/json": {}}, "description": "A file to keep."}})
    async def my_data(who: Person) -> Response:
        """Return all that is kept of oneself, as a file: what moodify export has of one, without a password's hash, tokens and codes."""
        kept = await desk.ask(accounts.export, who.user.id)
        content = json.dumps(kept, ensure_ascii=False, indent=1).encode(errors="backslashreplace")
        return Response(content, media_type="application/json", headers=as_file("my-data", "json"))

    @router.put("/me/password")
    async def change_password(asked: NewPassword, who: Person) -> Said:
        """Change one's password; one is signed out everywhere else."""
        await desk.hash(accounts.change_password, who.user.id, asked.old, asked.password, keep=who.session_id)
        return Said(message="The password is changed. Everywhere else you are signed out.")

    @router.delete("/me")
    async def erase_me(asked: Confirmed, who: Person, request: Request, response: Response) -> Said:
        """Erase one's own account, with the password."""
        await desk.hash(accounts.confirm_password, who.user.id, asked.password)
        await desk.ask(accounts.remove_user, who.user.id, who.user.id)
        changed()
        Cookies.of(request.scope).take_back(response)
        return Said(message="Your account is erased.")


def _others(router: APIRouter, accounts: Accounts, desk: Desk, changed: Callable[[], None]) -> None:
    @router.get("/users")
    async def users(who: Owner) -> UserList:
        """List everybody, the first made first. For owners."""
        return UserList(users=[OtherOut.of(user) for user in await desk.ask(accounts.users, who.user.id)])

    @router.patch("/users/{user_id}")
    async def change_user(user_id: UUID, asked: UserChange, who: Owner) -> OtherOut:
        """Make somebody an owner or a member, or shut them out and let them in again. For owners."""
        user = await desk.ask(accounts.change_user, who.user.id, user_id, role=asked.role, active=asked.active)
        changed()
        return OtherOut.of(user)

    @router.delete("/users/{user_id}")
    async def remove_user(user_id: UUID, who: Owner) -> Said:
        """Erase somebody's account and all that is kept of them here. For owners; of oneself with the password, under /api/me."""
        if user_id == who.user.id:
            raise Problem(HTTPStatus.CONFLICT, "This is your own account. Erase it with your password, at the end of your own page.")
        await desk.ask(accounts.remove_user, who.user.id, user_id)
        changed()
        return Said(message="The account is erased.")

    @router.get("/invitations")
    async def invitations(who: Owner) -> InvitationList:
        """List the invitations that nobody has taken. For owners."""
        return InvitationList(invitations=[InvitationOut.of(code) for code in await desk.ask(accounts.invitations, who.user.id)])

    @router.post("/invitations", status_code=HTTPStatus.CREATED)
    async def invite(asked: Invite, who: Owner) -> NewInvitationOut:
        """Invite somebody; the code is shown this once. For owners."""
        text, code = await desk.ask(accounts.invite, who.user.id, asked.first_name, asked.role)
        return NewInvitationOut(**InvitationOut.of(code).model_dump(), code=text)

    @router.delete("/invitations/{code_id}")
    async def withdraw(code_id: UUID, who: Owner) -> Said:
        """Take an invitation back. For owners."""
        if not await desk.ask(accounts.withdraw, who.user.id, code_id):
            raise Problem(HTTPStatus.NOT_FOUND, "There is no such invitation any more. Look at the list again.")
        return Said(message="The invitation is taken back.")


def _give(signed_in: SignedIn, request: Request, response: Response) -> SignedInOut:
    Cookies.of(request.scope).give(response, signed_in)
    return SignedInOut.of(signed_in)
