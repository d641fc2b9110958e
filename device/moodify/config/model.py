"""The appliance's configuration: every key, its type, bounds, default and unit.

A field's description is what ``firmware_config/moodify.toml`` prints beside it, so it is written for
the person who owns the appliance.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from moodify.config.section import (
    Address,
    Hours,
    OwnersFile,
    Percent,
    Port,
    Probability,
    Seconds,
    Section,
    SpotifyUri,
    between,
    certificate_with_key,
    only_felt,
    read_origins,
)
from moodify.types import Mood, MusicSource  # noqa: TC001 - pydantic reads the annotations

Pin = Annotated[int, Field(ge=0, le=27)]
MusicGoal = Literal["match", "lift", "calm"]


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6  # noqa: PLR2004 - the protocol's number
    except ValueError:
        return False


class CameraConfig(Section):
    """Where frames come from."""

    source: str = Field(
        "auto", description="auto (the Pi's camera, else the first USB camera, else the sample), pi, usb, usb:N, sample, or the path of a picture, a clip or a folder."
    )
    width: Annotated[int, Field(ge=160, le=1280)] = Field(320, description="Width of the frames that detection sees, in pixels.")
    height: Annotated[int, Field(ge=120, le=960)] = Field(240, description="Height of the frames that detection sees, in pixels.")
    detail_width: Annotated[int, Field(ge=320, le=2592)] = Field(
        1280, description="Width of the stream that faces are cropped from, in pixels; its height follows the same aspect."
    )
    idle_fps: Annotated[float, Field(gt=0, le=30)] = Field(1.0, description="Frames per second looked at while nobody is there.")
    face_fps: Annotated[float, Field(gt=0, le=30)] = Field(5.0, description="Frames per second looked at while somebody is there.")
    scan_fps: Annotated[float, Field(gt=0, le=30)] = Field(15.0, description="Frames per second looked at after a press of the button.")
    timeout_s: Annotated[float, Field(ge=0.5, le=86_400)] = Field(5.0, description="A camera that gives no frame for so many seconds is lost and opened again.")
    retry_max_s: Seconds = Field(60.0, description="Longest wait, in seconds, between two tries to open a lost camera.")


class VisionConfig(Section):
    """What is seen in a frame."""

    threads: Annotated[int, Field(ge=0, le=16)] = Field(0, description="Threads for the models; 0 chooses by the number of cores.")
    models: Path | None = Field(None, examples=["/var/lib/moodify/models"], description="Folder with models of your own (files and manifests); unset uses those that ship.")
    motion_threshold: Probability = Field(0.02, description="Share of the picture that must change to count as movement, from 0 to 1.")
    still_check_s: Seconds = Field(20.0, description="Look for faces at least every so many seconds even if nothing moves.")
    detection_threshold: Probability | None = Field(None, examples=[0.6], description="Confidence from which a face counts, from 0 to 1; unset takes the model's own.")
    confidence_threshold: Probability = Field(0.7, description="A face is judged when its top emotion's calibrated probability is at least this, from 0 to 1.")
    min_face_px: Annotated[int, Field(ge=8, le=400)] = Field(24, description="A face narrower than this, in pixels of the sharpest stream, is counted but not judged.")
    min_brightness: Probability = Field(0.08, description="Mean brightness of a face below which it is not judged, from 0 to 1.")
    max_brightness: Probability = Field(0.95, description="Mean brightness of a face above which it is not judged, from 0 to 1.")
    min_sharpness: Annotated[float, Field(ge=0)] = Field(
        0.03, description="Fine detail of the 48-pixel face (variance of its Laplacian over that of its brightness) below which it is blurred; sharp faces have 0.04 and more."
    )
    max_yaw: Probability = Field(
        0.8, description="How far the nose may lie off the middle of the eyes, as a share of half the eyes' distance, before a face counts as turned away; 0.8 is about 35 degrees."
    )


class MoodConfig(Section):
    """How scores become a steady mood."""

    enter: Probability = Field(0.7, description="Smoothed probability at which a mood is entered, from 0 to 1.")
    hold: Probability = Field(0.6, description="Smoothed probability down to which it is held, from 0 to 1; below enter.")
    smoothing_s: Seconds = Field(3.0, description="Time constant, in seconds, over which scores are averaged.")
    steady_s: Seconds = Field(3.0, description="A mood must hold for so many seconds before it is believed.")
    absent_s: Seconds = Field(5.0, description="Nobody seen for so many seconds means absent.")
    people: Literal["largest", "average"] = Field("average", description="Several faces give one mood: of the largest face, or averaged by area.")

    @model_validator(mode="after")
    def _band(self) -> MoodConfig:
        if self.hold > self.enter:
            raise between("hold,enter", f"hold = {self.hold} is above enter = {self.enter}; a mood is held down to a lower probability than it is entered at")
        return self


class MoodMusic(Section):
    """What plays for one mood."""

    uri: SpotifyUri | None = Field(
        None,
        examples=["spotify:playlist:37i9dQZF1DXdPec7aLTmlC"],
        description="A playlist, album, artist or track of yours: its link (Spotify's Share, Copy link) or spotify:playlist:…; unset uses the search.",
    )
    search: str | None = Field(None, examples=["sunny soul"], description="What to search for where no uri is set.")
    sources: tuple[MusicSource, ...] | None = Field(
        None, examples=[("imported", "search")], description="Where this mood's music comes from where no uri is set; unset: as music.sources says."
    )


class QuietHours(Hours):
    """When the appliance leaves the speaker alone; while the clock is known to be wrong any hour may be one of these."""


class GoalHours(Hours):
    """What the music is for at a time of day."""

    goal: MusicGoal = Field(examples=["calm"], description="match, lift or calm.")


class VolumeHours(Hours):
    """How loud it may be at a time of day."""

    volume_cap: Percent = Field(examples=[35], description="Never louder than this in these hours, in percent.")


class SpotifyConfig(Section):
    """The owner's own Spotify application and speaker."""

    client_id: str | None = Field(
        None,
        examples=["0123456789abcdef0123456789abcdef"],
        description="Client id of your own app (developer.spotify.com), no secret; unset takes the one that `moodify spotify login` asks for.",
    )
    speaker: str | None = Field(None, examples=["Kitchen"], description="Name of the Connect speaker; unset uses the one that is active.")
    redirect_port: Annotated[int, Field(ge=1, le=65_535)] = Field(8888, description="Port of the redirect http://127.0.0.1:PORT/callback that is registered with the app.")
    timeout_s: Annotated[float, Field(gt=0, le=60)] = Field(10.0, description="Longest time, in seconds, that one request may take.")
    poll_s: Annotated[float, Field(ge=5, le=600)] = Field(30.0, description="Seconds between two looks at what plays; the end of a track is looked at too.")
    requests_per_hour: Annotated[int, Field(ge=60, le=3600)] = Field(
        300, description="Requests to Spotify an hour, presses aside: Spotify counts them, and shuts an app out for hours that asks too much."
    )
    save_playlists: bool = Field(False, description="Whether the sign-in asks for the right to save playlists (moodify music playlist MOOD --save).")


class MusicConfig(Section):
    """How moods become music."""

    speaker: Literal["auto", "spotify", "simulated"] = Field("auto", description="auto (Spotify when signed in, else simulated), spotify, or simulated.")
    start_when_silent: bool = Field(
        False,
        description="Whether a silent speaker may be started unasked; a press of the button always may. "
        "All the same, music that was paused because nobody was there goes on when somebody is back within an hour, "
        "and music that broke off because the service did not take the next song goes on within five minutes.",
    )
    dwell_s: Seconds = Field(120.0, description="A mood must last for so many seconds before the music follows it.")
    max_changes: Annotated[int, Field(ge=1, le=100)] = Field(1, description="At most so many changes of music by mood …")
    change_window_s: Seconds = Field(600.0, description="… in so many seconds.")
    absence_pause_s: Seconds = Field(900.0, description="Pause after nobody was seen for so many seconds; 0 never pauses.")
    no_repeat: Annotated[int, Field(ge=0, le=500)] = Field(30, description="A track is not chosen again within so many tracks.")
    goal: MusicGoal = Field("match", description="match (music like the mood), lift (like the mood first, then step by step brighter), or calm (calm music whatever the mood).")
    goals: tuple[GoalHours, ...] = Field(
        (), examples=[({"start": time(20), "end": time(22), "goal": "calm"},)], description="Other goals at other hours; the first that fits counts."
    )
    fade_s: Annotated[float, Field(ge=0, le=30)] = Field(6.0, description="Fade out over so many seconds before a pause because nobody is there; 0 pauses at once.")
    volume_cap: Percent = Field(80, description="Never louder than this, in percent.")
    volume_caps: tuple[VolumeHours, ...] = Field(
        (), examples=[({"start": time(21), "end": time(8), "volume_cap": 35},)], description="Other caps at other hours; the first that fits counts."
    )
    sources: tuple[MusicSource, ...] = Field(
        ("liked", "top", "recent", "imported", "search"),
        description="Where music comes from for moods without a uri: liked, top, recent and imported songs whose features are known, then search.",
    )
    features_online: bool = Field(False, description="Whether features of your songs are asked for at reccobeats.com, by their Spotify ids; nothing else is sent.")
    catalogue_max: Annotated[int, Field(ge=100, le=200_000)] = Field(20_000, description="Songs kept in the catalogue; beyond it the longest unused go.")
    learning: bool = Field(True, description="Whether your presses and skips are learned from. All of it stays on the device.")
    quiet_hours: QuietHours | None = Field(None, description="When music is never started or changed by mood.")
    moods: dict[Mood, MoodMusic] = Field(default_factory=dict, description="What plays for each mood.")
    spotify: SpotifyConfig = Field(default_factory=SpotifyConfig, description="The owner's own Spotify application and speaker.")

    @field_validator("moods")
    @classmethod
    def _felt(cls, moods: dict[Mood, MoodMusic]) -> dict[Mood, MoodMusic]:
        return only_felt(moods)


class Person(Section):
    """What somebody likes, for moodify music playlist MOOD --for NAME; put the name in place of ada."""

    goal: MusicGoal | None = Field(None, examples=["calm"], description="match, lift or calm; unset: as music.goal says.")
    loves: tuple[str, ...] = Field((), examples=[("Lantern Parade",)], description="Artists who come first.")
    avoids: tuple[str, ...] = Field((), examples=[("The Paper Weather",)], description="Artists who never come.")
    explicit: bool = Field(True, examples=[False], description="Whether songs that Spotify marks as explicit may come.")
    length: Annotated[int, Field(ge=1, le=100)] = Field(20, description="Songs in a playlist.")
    moods: dict[Mood, SpotifyUri] = Field(
        default_factory=dict,
        examples=[{"happy": "spotify:playlist:37i9dQZF1DXdPec7aLTmlC"}],
        description="Music of their own for a mood, as a link or spotify:playlist:…; unset: as the household's.",
    )

    @field_validator("moods")
    @classmethod
    def _felt(cls, moods: dict[Mood, str]) -> dict[Mood, str]:
        return only_felt(moods)

    @model_validator(mode="after")
    def _not_both(self) -> Person:
        loved = {artist.strip().casefold() for artist in self.loves}
        if both := ", ".join(artist.strip() for artist in self.avoids if artist.strip().casefold() in loved):
            raise between("avoids,loves", f"{both} cannot stand in both loves and avoids; take the name out of one of them")
        return self


class StoreConfig(Section):
    """The database on the device."""

    folder: Path | None = Field(
        None, examples=["/var/lib/moodify"], description="Folder for the database, the device key and the sign-in; unset uses the service's state folder or ~/.local/share/moodify."
    )
    retention_days: Annotated[int, Field(ge=1, le=3650)] = Field(365, description="Days that history is kept.")
    flush_s: Seconds = Field(60.0, description="Events that can wait are written together at most every so many seconds; a mood, a decision or an order is written at once.")
    outbox_mb: Annotated[int, Field(ge=1, le=1000)] = Field(
        16,
        description="Room for unsent summaries while there is no broker, in MB; beyond it the oldest are merged by the hour and by the day, and only after that dropped and counted.",
    )
    outbox_days: Annotated[int, Field(ge=1, le=3650)] = Field(30, description="Days after which unsent summaries are merged by the hour even where there is room.")


CommandName = Literal["rescan", "pause", "resume", "privacy", "mood", "volume", "goal", "diagnostics"]
"""What can be asked for from afar."""


class LinkConfig(Section):
    """The way to the broker."""

    enabled: bool = Field(True, description="Whether summaries are sent at all.")
    host: str | None = Field(
        None,
        examples=["broker.home"],
        description="Name of the broker; unset: the hub that this device is enrolled with, or one of its own that is started on loopback beside the daemon.",
    )
    port: Port = Field(8883, description="Port of the broker.")
    tls: bool = Field(True, description="Encrypt. Only a broker on loopback may go without.")
    ca_file: OwnersFile | None = Field(None, examples=["/etc/moodify/ca.crt"], description="Certificate authority of the broker; unset trusts the system's.")
    sign_in_file: OwnersFile | None = Field(
        None,
        examples=["/etc/moodify/broker-sign-in"],
        description="File (0600) whose first line is the user name and whose second is the password of a household's own broker; "
        "unset signs in with a token that the device makes, which a hub asks for.",
    )
    audience: str = Field("moodify", min_length=1, description="Whom the device's token is for.")
    keepalive_s: Annotated[int, Field(ge=5, le=600)] = Field(30, description="Seconds between two signs of life.")
    delivery: Literal["broker", "hub"] | None = Field(
        None,
        examples=["broker"],
        description="When a summary counts as arrived: broker (the broker has it, which does not say that anybody stored it) or hub (a hub says that it is stored); "
        "unset: hub where it goes to one, which is where host is unset, else broker.",
    )
    commands: tuple[CommandName, ...] = Field(
        ("rescan", "privacy", "diagnostics"), description="Commands that are taken from the broker. Privacy can be turned on from afar, never off."
    )
    home_assistant: bool = Field(False, description="Whether the device shows itself to Home Assistant, on a household's own broker (MQTT discovery).")
    home_assistant_prefix: str = Field("homeassistant", description="Topic below which Home Assistant looks for devices.")

    @field_validator("host")
    @classmethod
    def _name_alone(cls, host: str | None) -> str | None:
        if host is not None and (not host or re.search(r"[\s/@\[\]]", host) or (":" in host and not _is_ipv6(host))):
            raise PydanticCustomError("host", "must be a name or an address alone, as broker.home or 192.168.1.20; the port has a key of its own")
        return host

    @field_validator("home_assistant_prefix")
    @classmethod
    def _a_topic(cls, prefix: str) -> str:
        # MQTT 5.0, 4.7: + and # are wildcards; an empty level is a level of its own.
        if not all(re.fullmatch(r"[^+#\s]+", level) for level in prefix.split("/")):
            raise PydanticCustomError("topic", "is no topic; write one without +, # and blanks, as Home Assistant's MQTT settings show it")
        return prefix

    @model_validator(mode="after")
    def _nothing_secret_in_the_clear(self) -> LinkConfig:
        if self.host is not None and not self.tls and self.host not in {"127.0.0.1", "::1", "localhost"}:
            raise between("tls,host", f"tls = false sends the device's token or password in the clear to {self.host}; set tls = true, or use a broker on 127.0.0.1")
        return self

    @model_validator(mode="after")
    def _goes_together(self) -> LinkConfig:
        if self.home_assistant and self.host is None:
            raise between("home_assistant,host", "home_assistant = true needs the broker that Home Assistant uses; set host to its name")
        if self.sign_in_file is not None and self.host is None:
            raise between("sign_in_file,host", "sign_in_file is for a household's own broker; set host to its name, or take sign_in_file out: a hub asks for the device's token")
        if self.sign_in_file is not None and self.delivery == "hub":
            raise between("delivery,sign_in_file", 'delivery = "hub" waits for a hub, which asks for the device\'s token; take sign_in_file out, or set delivery = "broker"')
        return self


class PanelConfig(Section):
    """The button and the light."""

    enabled: bool = Field(True, description="Whether a button and a light are connected. Off a Pi they are simulated.")
    button_pin: Pin = Field(17, description="BCM number of the button's pin; the button connects it to ground.")
    led: Literal["rgb", "plain", "none"] = Field(
        "rgb", description="The light: rgb (three pins), plain (one LED, which speaks by its rhythm alone), or none. What is not used needs no pin."
    )
    led_red_pin: Pin = Field(22, description="BCM number of the red pin of an rgb light.")
    led_green_pin: Pin = Field(27, description="BCM number of the green pin of an rgb light.")
    led_blue_pin: Pin = Field(24, description="BCM number of the blue pin of an rgb light.")
    led_pin: Pin = Field(22, description="BCM number of the pin of a plain light.")
    led_active_high: bool = Field(True, description="True for a light with a common cathode (its other leg at ground), false for a common anode (at 3.3 V).")
    brightness: Probability = Field(0.6, description="Brightness of the light, from 0 to 1.")

    @property
    def light_pins(self) -> dict[str, int]:
        """BCM numbers of the light's pins that are in use, by their keys."""
        keys = {"rgb": ("led_red_pin", "led_green_pin", "led_blue_pin"), "plain": ("led_pin",), "none": ()}[self.led]
        return {key: getattr(self, key) for key in keys}

    @model_validator(mode="after")
    def _distinct(self) -> PanelConfig:
        pins = [self.button_pin, *self.light_pins.values()]
        if len(set(pins)) != len(pins):
            raise between(",".join(("button_pin", *self.light_pins)), f"button and light need {len(pins)} different pins, not {pins}")
        return self


class PrivacyHours(Hours):
    """When the camera is closed."""


class PrivacyConfig(Section):
    """When the camera is closed by itself. A person may close or open it at any time, with the button or on the page."""

    hours: tuple[PrivacyHours, ...] = Field(
        (),
        examples=[({"start": time(22), "end": time(7)},)],
        description="When the camera is closed every day. What is done by hand meanwhile holds until the next of these times.",
    )


class WebConfig(Section):
    """The page."""

    enabled: bool = Field(True, description="Whether the page is served.")
    host: Address = Field(
        "127.0.0.1",
        description="Address to listen on: 127.0.0.1 for this machine alone, 0.0.0.0 for the home network. Beyond loopback the page is encrypted (HTTPS).",
    )
    port: Port = Field(8080, description="Port of the page; 0 lets the system choose.")
    names: tuple[str, ...] = Field(
        (), examples=[("music.home",)], description="Other names under which the page is reached, beside this machine's own; they stand in its certificate and are answered."
    )
    certificate: Path | None = Field(
        None,
        examples=["/etc/ssl/music.home/fullchain.pem"],
        description="Certificate to show browsers (PEM, with what it was signed with behind it); unset: one of the page's own, made at its first start, "
        "whose fingerprint is printed and stands in the journal.",
    )
    key: Path | None = Field(None, examples=["/etc/ssl/music.home/key.pem"], description="The key of that certificate (PEM, without a passphrase).")
    origins: tuple[str, ...] = Field(
        (),
        examples=[("https://wall.home",)],
        description="Other sites whose scripts may ask the page's API in a browser (CORS), as https://name or https://name:port; normally none.",
    )
    announce: bool | None = Field(
        None, examples=[True], description="Whether the page is announced as _moodify._tcp (mDNS, UDP port 5353); unset: where it can be reached from the home network."
    )

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine reaches the page."""
        return ipaddress.ip_address(self.host).is_loopback

    @property
    def announced(self) -> bool:
        """Whether it is."""
        return self.announce if self.announce is not None else not self.on_loopback

    @field_validator("origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return read_origins(origins)

    @model_validator(mode="after")
    def _together(self) -> Self:
        certificate_with_key(self.certificate, self.key, "the page's")
        return self


class SystemConfig(Section):
    """The daemon itself."""

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much is logged.")
    health_s: Annotated[float, Field(ge=5, le=3600)] = Field(300.0, description="Seconds between two health events while nothing is wrong.")
    min_free_mb: Annotated[int, Field(ge=1)] = Field(200, description="Free disk space, in MB, below which health is degraded.")


class Config(Section):
    """The whole configuration."""

    camera: CameraConfig = Field(default_factory=CameraConfig)
    vision: VisionConfig = Field(default_factory=VisionConfig)
    mood: MoodConfig = Field(default_factory=MoodConfig)
    music: MusicConfig = Field(default_factory=MusicConfig)
    people: dict[str, Person] = Field(default_factory=dict)
    store: StoreConfig = Field(default_factory=StoreConfig)
    link: LinkConfig = Field(default_factory=LinkConfig)
    panel: PanelConfig = Field(default_factory=PanelConfig)
    privacy: PrivacyConfig = Field(default_factory=PrivacyConfig)
    web: WebConfig = Field(default_factory=WebConfig)
    system: SystemConfig = Field(default_factory=SystemConfig)

    @field_validator("people")
    @classmethod
    def _typeable(cls, people: dict[str, Person]) -> dict[str, Person]:
        for name in people:
            # What TOML takes as a key without quotes, and a shell as an argument.
            if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name):
                raise PydanticCustomError("person_name", "a person's name here is 1 to 40 letters, digits, - and _, without spaces: write [people.ada]")
        return people
