"""The set-up: the camera's aim, Spotify, the speaker, music for moods, the hub, the notice; and who is listening."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter, Request, Response

from moodify.accounts.user import Role
from moodify.config.household import HouseSettings  # noqa: TC001 - FastAPI reads the annotations
from moodify.errors import NotPermitted
from moodify.web.schemas import Said, problems
from moodify.web.session import Owner, Person  # noqa: TC001 - FastAPI reads the annotations
from moodify.web.setting_up import Step  # noqa: TC001 - likewise
from moodify.web.setup_schemas import (
    AimingOut,
    Back,
    HubSeen,
    HubVouched,
    HubWish,
    ListenerOut,
    ListenerWish,
    NoticeOut,
    SetupOut,
    SignInLink,
    SignInWish,
    SpeakerList,
    SpeakerOut,
    StepWish,
)
from moodify.web.waiting import Aside

if TYPE_CHECKING:
    from moodify.web.setting_up import SettingUp


def setup_routes(setup: SettingUp, aside: Aside) -> APIRouter:
    """Return the routes of the set-up; what takes its time is done ``aside``."""
    router = APIRouter(prefix="/api", tags=["set-up"], responses=problems())
    _settings(router, setup, aside)
    _listening(router, setup, aside)
    _spotify(router, setup, aside)
    # A picture is waited for, so that nothing else may wait behind it.
    _camera(router, setup, Aside())
    _around(router, setup, Aside())
    return router


def redirect_uri(scheme: str, host: str) -> str | None:
    """Return where Spotify may send a browser back to on the page itself; None where it takes no such address.

    Spotify takes https, and http on a loopback address; ``localhost`` it does not take (its documentation of redirect URIs, 2025).

    Args:
        scheme: of the page's address.
        host: of it, with its port, as in the Host header.
    """
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() and not host.endswith("]") else host
    if scheme == "https":
        return f"https://{host}/"
    try:
        return f"http://{host}/" if ipaddress.ip_address(name.strip("[]")).is_loopback else None
    except ValueError:
        return None


def _own_address(request: Request) -> str | None:
    return redirect_uri(request.url.scheme, request.headers.get("host", ""))


def _settings(router: APIRouter, setup: SettingUp, aside: Aside) -> None:
    @router.get("/setup")
    async def state(_who: Owner, request: Request) -> SetupOut:
        """Return how the set-up stands."""
        found = dict(await aside.do(setup.state))
        port = found.pop("redirect_port")
        return SetupOut(**found, page_redirect_uri=_own_address(request), paste_redirect_uri=f"http://127.0.0.1:{port}/callback")

    @router.put("/setup/steps/{step}")
    async def note_step(step: Step, wish: StepWish, _who: Owner) -> Said:
        """Take note that a step was done or left out."""
        await aside.do(setup.note_step, step, wish.how)
        return Said(message="Noted.")

    @router.patch("/house")
    async def change(wish: HouseSettings, _who: Owner) -> HouseSettings:
        """Change the household's settings at once; what is left out stays, null goes back to the configuration file's. Return all that is set."""
        return await aside.do(setup.change, wish.model_dump(mode="json", exclude_unset=True))


def _listening(router: APIRouter, setup: SettingUp, aside: Aside) -> None:
    @router.get("/listener")
    async def listener(_who: Person) -> ListenerOut:
        """Say for whom the music is."""
        return ListenerOut(user=await aside.do(setup.listener))

    @router.put("/listener")
    async def listen(wish: ListenerWish, who: Person) -> Said:
        """Let the music be for the household, or for oneself; an owner names anybody."""
        if wish.user not in {None, str(who.user.id)} and who.user.role is not Role.OWNER:
            raise NotPermitted("You may let the music be for the household or for yourself. Ask an owner for anybody else.")
        await aside.do(setup.listen, wish.user)
        return Said(message="The music is for everybody here." if wish.user is None else "The music goes by that person's wishes now.")


def _spotify(router: APIRouter, setup: SettingUp, aside: Aside) -> None:
    @router.post("/spotify/sign-in")
    async def begin(wish: SignInWish, _who: Owner, request: Request) -> SignInLink:
        """Begin to sign in to Spotify; return the link where its owner agrees."""
        back = _own_address(request) if wish.back == "page" else None
        link, redirect = await aside.do(setup.begin_sign_in, wish.client_id, back)
        return SignInLink(link=link, redirect_uri=redirect)

    @router.get("/spotify/sign-in.svg", response_class=Response, responses={200: {"content": {"image/svg+xml": {}}, "description": "The link as a QR code."}})
    async def code(_who: Owner) -> Response:
        """Return the link of the sign-in that is open as a QR code."""
        return Response(await aside.do(setup.sign_in_code), media_type="image/svg+xml")

    @router.post("/spotify/finish")
    async def finish(wish: Back, _who: Owner) -> Said:
        """Take the address that the browser was sent back to, and sign in with it."""
        return Said(message=await aside.do(setup.finish_sign_in, wish.address))

    @router.delete("/spotify")
    async def sign_out(_who: Owner) -> Said:
        """Forget the sign-in to Spotify."""
        await aside.do(setup.sign_out)
        return Said(message="Signed out here. To withdraw the permission as well, open spotify.com/account/apps.")

    @router.get("/speakers")
    async def speakers(_who: Owner) -> SpeakerList:
        """Return the speakers that the account reaches now; one request to Spotify."""
        found = await aside.do(setup.speakers)
        return SpeakerList(speakers=[SpeakerOut(name=each.name, active=each.active, restricted=each.restricted, supports_volume=each.supports_volume) for each in found])


def _camera(router: APIRouter, setup: SettingUp, aside: Aside) -> None:
    @router.post("/aiming")
    async def aim(who: Owner) -> AimingOut:
        """Show what the camera sees to who asks, on this page, for two minutes; the only way a picture ever leaves the device."""
        return AimingOut(left_s=await aside.do(setup.aim, str(who.user.id), who.user.first_name))

    @router.get("/aiming")
    async def left(who: Owner) -> AimingOut:
        """Say how long it is shown."""
        return AimingOut(left_s=setup.aiming_left_s(str(who.user.id)))

    @router.get("/aiming/picture", response_class=Response, responses={200: {"content": {"image/jpeg": {}}, "description": "What the camera sees now."}})
    async def picture(who: Owner) -> Response:
        """Return what the camera sees now, to the owner who aims it."""
        return Response(await aside.do(setup.picture, str(who.user.id)), media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    @router.delete("/aiming")
    async def end(who: Owner) -> Said:
        """Show it no more."""
        setup.aim_no_more(str(who.user.id))
        return Said(message="The camera's picture is shown no more.")


def _around(router: APIRouter, setup: SettingUp, aside: Aside) -> None:
    @router.post("/hub/look")
    async def look_for_hub(wish: HubWish, _who: Owner) -> HubSeen:
        """Look for a hub, at an address or on the network, and show its fingerprint."""
        return HubSeen(**await aside.do(setup.look_for_hub, wish.address))

    @router.post("/hub")
    async def enrol(wish: HubVouched, _who: Owner) -> Said:
        """Take the hub whose fingerprint was compared."""
        return Said(message=await aside.do(setup.enrol, wish.host, wish.port, wish.fingerprint))

    @router.get("/notice")
    async def notice(_who: Person, language: Literal["en", "de"] = "en") -> NoticeOut:
        """Return the notice for visitors, true of this appliance."""
        return NoticeOut(**await aside.do(setup.notice, language))
