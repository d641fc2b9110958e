"""A notice for visitors: what sees them, and what becomes of it. In English and German.

Regulation (EU) 2024/1689 (the AI Act), Article 50(3), asks of whoever runs an emotion recognition system that the people who
are exposed to it are informed of its operation. Every sentence here is true of the appliance as it is configured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from moodify.config import Config

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = ("en", "de")

_TEXTS: dict[Language, str] = {
    "en": """\
# This room has a mood-reactive music appliance

A camera looks at this room. A program estimates from faces how the people here feel (happy, surprised, calm, sad, angry or tense),
and chooses music by it. This is **emotion recognition**, and you are within its view.

- **Pictures stay in the device's memory**, and new ones take their place there. None is stored, sent or shown to anybody.
- **It does not know who you are.** There is no face recognition; it counts people and guesses moods.
- **It guesses.** A face says little about what somebody feels, and it is wrong more often for some people than for others.
- **What is kept**: when somebody was here, how many, the mood of the room, what played and why, for {days}, on the device{learned}.
- **Where it goes**: {goes}.
- **Closing the camera**: {closing}
{hours}- **Questions, or your data**: ask whoever lives here: ______________________________

Moodify is for homes. At work and in schools, emotion recognition is forbidden in the EU, but for medical and safety reasons.
""",
    "de": """\
# In diesem Raum steht ein Musikgerät, das auf Stimmungen reagiert

Eine Kamera sieht in diesen Raum. Ein Programm schätzt aus Gesichtern, wie sich die Menschen hier fühlen (fröhlich, überrascht, ruhig, traurig, wütend oder
angespannt), und wählt danach Musik aus. Das ist **Emotionserkennung**, und Sie sind in ihrem Blickfeld.

- **Bilder bleiben im Arbeitsspeicher des Geräts**, wo neue an ihre Stelle treten. Keines wird gespeichert, verschickt oder jemandem gezeigt.
- **Es weiß nicht, wer Sie sind.** Es gibt keine Gesichtserkennung von Personen; es zählt Menschen und schätzt Stimmungen.
- **Es schätzt.** Ein Gesicht sagt wenig darüber, was jemand fühlt, und bei manchen Menschen irrt es sich öfter als bei anderen.
- **Was aufbewahrt wird**: wann jemand hier war, wie viele, die Stimmung im Raum, was gespielt wurde und warum, {days} lang, auf dem Gerät{learned}.
- **Wohin es geht**: {goes}.
- **Kamera schließen**: {closing}
{hours}- **Fragen oder Ihre Daten**: wenden Sie sich an die, die hier wohnen: ______________________________

Moodify ist für zu Hause. Am Arbeitsplatz und in Schulen ist Emotionserkennung in der EU verboten, außer aus medizinischen und Sicherheitsgründen.
""",
}
_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "day": "1 day",
        "days": "{} days",
        "nowhere": "nowhere; it stays on the device",
        "broker": "the same in words and numbers, to the household's own broker ({})",
        "hub": "the same in words and numbers, to the hub of this household: on the device itself, unless somebody has enrolled it with another one",
        "spotify": ". To find and play music, songs, and search words that follow the mood, go to Spotify, where somebody here has signed in",
        "features": ", and Spotify's numbers of songs to reccobeats.com",
        "learned": "; besides, and for longer, which songs were liked or skipped in which mood, without saying by whom",
        "button": "hold the button between 6 and 15 seconds and let go. The camera is off{light}.",
        "light": " once the light gives one short wink every four seconds",
        "page": "ask whoever lives here to turn privacy on.",
        "hours": "- **The camera is closed every day** {}, unless somebody opens it by hand.\n",
        "span": "from {} to {}",
        "and": " and ",
    },
    "de": {
        "day": "1 Tag",
        "days": "{} Tage",
        "nowhere": "nirgendwohin; es bleibt auf dem Gerät",
        "broker": "dasselbe in Worten und Zahlen, an den eigenen Broker des Haushalts ({})",
        "hub": "dasselbe in Worten und Zahlen, an die Sammelstelle dieses Haushalts: auf dem Gerät selbst, wenn es niemand bei einer anderen angemeldet hat",
        "spotify": ". Um Musik zu finden und zu spielen, gehen Lieder, und Suchworte, die der Stimmung folgen, an Spotify, wenn sich hier jemand dort angemeldet hat",
        "features": ", und Spotifys Nummern von Liedern an reccobeats.com",
        "learned": "; außerdem, und länger, welche Lieder in welcher Stimmung gemocht oder übersprungen wurden, ohne zu sagen, von wem",
        "button": "den Knopf zwischen 6 und 15 Sekunden halten und loslassen. Die Kamera ist aus{light}.",
        "light": ", sobald das Licht alle vier Sekunden einmal kurz aufblinkt",
        "page": "bitten Sie die, die hier wohnen, die Privatsphäre einzuschalten.",
        "hours": "- **Die Kamera ist täglich geschlossen** {}, wenn sie niemand von Hand öffnet.\n",
        "span": "von {} bis {} Uhr",
        "and": " und ",
    },
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the notice says of one appliance."""

    days: int
    broker: str | None
    """Name of the broker; None for the hub."""
    sends: bool
    spotify: bool
    features: bool
    learns: bool
    button: bool
    light: bool
    hours: tuple[tuple[str, str], ...]
    """Start and end of each time in which the camera is closed, as the clock shows them."""


def facts_of(config: Config) -> Facts:
    """Return what a configuration makes true."""
    return Facts(
        days=config.store.retention_days,
        broker=config.link.host,
        sends=config.link.enabled,
        spotify=config.music.speaker != "simulated",
        features=config.music.features_online,
        learns=config.music.learning,
        button=config.panel.enabled,
        light=config.panel.enabled and config.panel.led != "none",
        hours=tuple((f"{hours.start:%H:%M}", f"{hours.end:%H:%M}") for hours in config.privacy.hours),
    )


def notice(language: Language, facts: Facts) -> str:
    """Return the notice in a language, as Markdown."""
    words = _WORDS[language]
    goes = words["nowhere"] if not facts.sends else words["hub"] if facts.broker is None else words["broker"].format(facts.broker)
    if facts.spotify:
        goes += words["spotify"] + (words["features"] if facts.features else "")
    spans = words["and"].join(words["span"].format(*span) for span in facts.hours)
    return _TEXTS[language].format(
        days=words["day"] if facts.days == 1 else words["days"].format(facts.days),
        goes=goes,
        learned=words["learned"] if facts.learns else "",
        closing=words["button"].format(light=words["light"] if facts.light else "") if facts.button else words["page"],
        hours=words["hours"].format(spans) if spans else "",
    )
