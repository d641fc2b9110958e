"""A notice for visitors: what sees them, and what becomes of it. In English and German.

Regulation (EU) 2024/1689 (the AI Act), Article 50(3), asks of whoever runs an emotion recognition system that the people who
are exposed to it are informed of its operation. Every sentence here is true of the appliance as it is configured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from moodify.config import Config

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = ("en", "de")

#: Points are of a label and what is said of it. A person's name or number goes where the line is.
_LINE = "______________________________"
_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "A camera here guesses moods, and music follows",
        "lead": "A camera looks at this room. A program guesses from faces how the people here feel (happy, surprised, calm, sad, angry or tense), and chooses music by it. "
        "This is {named}, and you are within its view.",
        "named": "emotion recognition",
        "pictures": "Pictures stay in the device's memory",
        "pictures_is": ", and new ones take their place there. None is stored or sent away. "
        "Nobody sees them, but whoever lives here while aiming the camera, two minutes at a time.",
        "who": "It does not know who you are.",
        "who_is": " There is no face recognition; it counts people and guesses moods.",
        "guess": "It guesses.",
        "guess_is": " A face says little about what somebody feels, and it is wrong more often for some people than for others.",
        "kept": "What is kept",
        "kept_is": ": when somebody was here, how many, the mood of the room, what played and why, for {days}, on the device{learned}.",
        "skin": "Skin",
        "skin_is": ": who has an account here may have their own skin looked at. Its numbers stay until they delete them, and leave only if they share them; "
        "of visitors there are none.",
        "goes": "Where it goes",
        "goes_is": ": {goes}.",
        "closing": "Closing the camera",
        "closing_is": ": {closing}",
        "questions": "Questions, or your data",
        "questions_is": ": ask whoever lives here: {line}",
        "end": "Moodify is for homes. At work and in schools, emotion recognition is forbidden in the EU, but for medical and safety reasons.",
        "day": "1 day",
        "days": "{} days",
        "nowhere": "nowhere; it stays on the device",
        "broker": "the same in words and numbers, to the household's own broker ({})",
        "enrolled": "the same in words and numbers, to this household's hub ({})",
        "hub": "the same in words and numbers, to the hub of this household: on the device itself, unless somebody has enrolled it with another one",
        "spotify": ". To find and play music, songs, and search words that follow the mood, go to Spotify",
        "perhaps": ", where somebody here has signed in",
        "features": ", and Spotify's numbers of songs to reccobeats.com",
        "learned": "; besides, and for longer, which songs were liked or skipped in which mood, without saying by whom",
        "button": "hold the button between 6 and 15 seconds and let go. The camera is off{light}.",
        "light": " once the light gives one short wink every four seconds",
        "page": "ask whoever lives here to turn privacy on.",
        "hours": "The camera is closed every day",
        "hours_is": " {}, unless somebody opens it by hand.",
        "span": "from {} to {}",
        "and": " and ",
    },
    "de": {
        "title": "Eine Kamera schätzt hier Stimmungen, und die Musik folgt ihnen",
        "lead": "Eine Kamera sieht in diesen Raum. Ein Programm schätzt aus Gesichtern, wie sich die Menschen hier fühlen (fröhlich, überrascht, ruhig, traurig, wütend oder "
        "angespannt), und wählt danach Musik aus. Das ist {named}, und Sie sind in ihrem Blickfeld.",
        "named": "Emotionserkennung",
        "pictures": "Bilder bleiben im Arbeitsspeicher des Geräts",
        "pictures_is": ", wo neue an ihre Stelle treten. Keines wird gespeichert oder verschickt. "
        "Niemand sieht sie, außer wer hier wohnt beim Ausrichten der Kamera, für jeweils zwei Minuten.",
        "who": "Es weiß nicht, wer Sie sind.",
        "who_is": " Es gibt keine Gesichtserkennung von Personen; es zählt Menschen und schätzt Stimmungen.",
        "guess": "Es schätzt.",
        "guess_is": " Ein Gesicht sagt wenig darüber, was jemand fühlt, und bei manchen Menschen irrt es sich öfter als bei anderen.",
        "kept": "Was aufbewahrt wird",
        "kept_is": ": wann jemand hier war, wie viele, die Stimmung im Raum, was gespielt wurde und warum, {days} lang, auf dem Gerät{learned}.",
        "skin": "Haut",
        "skin_is": ": Wer hier ein Konto hat, kann die eigene Haut ansehen lassen. Die Zahlen bleiben, bis diese Person sie löscht, und gehen nur fort, wenn sie es erlaubt; "
        "von Besuchern gibt es keine.",
        "goes": "Wohin es geht",
        "goes_is": ": {goes}.",
        "closing": "Kamera schließen",
        "closing_is": ": {closing}",
        "questions": "Fragen oder Ihre Daten",
        "questions_is": ": wenden Sie sich an die, die hier wohnen: {line}",
        "end": "Moodify ist für zu Hause. Am Arbeitsplatz und in Schulen ist Emotionserkennung in der EU verboten, außer aus medizinischen und Sicherheitsgründen.",
        "day": "1 Tag",
        "days": "{} Tage",
        "nowhere": "nirgendwohin; es bleibt auf dem Gerät",
        "broker": "dasselbe in Worten und Zahlen, an den eigenen Broker des Haushalts ({})",
        "enrolled": "dasselbe in Worten und Zahlen, an die Sammelstelle dieses Haushalts ({})",
        "hub": "dasselbe in Worten und Zahlen, an die Sammelstelle dieses Haushalts: auf dem Gerät selbst, wenn es niemand bei einer anderen angemeldet hat",
        "spotify": ". Um Musik zu finden und zu spielen, gehen Lieder, und Suchworte, die der Stimmung folgen, an Spotify",
        "perhaps": ", wenn sich hier jemand dort angemeldet hat",
        "features": ", und Spotifys Nummern von Liedern an reccobeats.com",
        "learned": "; außerdem, und länger, welche Lieder in welcher Stimmung gemocht oder übersprungen wurden, ohne zu sagen, von wem",
        "button": "den Knopf zwischen 6 und 15 Sekunden halten und loslassen. Die Kamera ist aus{light}.",
        "light": ", sobald das Licht alle vier Sekunden einmal kurz aufblinkt",
        "page": "bitten Sie die, die hier wohnen, die Privatsphäre einzuschalten.",
        "hours": "Die Kamera ist täglich geschlossen",
        "hours_is": " {}, wenn sie niemand von Hand öffnet.",
        "span": "von {} bis {} Uhr",
        "and": " und ",
    },
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the notice says of one appliance."""

    days: int
    broker: str | None
    """Name of the household's own broker; None for the hub."""
    hub: str | None
    """Name of the hub that it is enrolled with; empty where it goes to none, None where that is not known."""
    sends: bool
    spotify: bool | None
    """Whether it plays there; None where that is not known."""
    features: bool
    learns: bool
    button: bool
    light: bool
    hours: tuple[tuple[str, str], ...]
    """Start and end of each time in which the camera is closed, as the clock shows them."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is put up, in one language, without a form."""

    language: Language
    title: str
    lead: str
    """With ``{}`` for :attr:`named`."""
    named: str
    """What the law calls it, which is to stand out."""
    points: tuple[tuple[str, str], ...]
    """A label that stands out, and what follows it."""
    end: str


def facts_of(config: Config, folder: Path | None = None) -> Facts:
    """Return what a configuration makes true, and what stands in the data folder: whom it is enrolled with, and whether somebody has signed in to Spotify.

    Without a folder the notice leaves both open.

    Raises:
        MoodifyError: what stands there can't be read.
    """
    return Facts(
        days=config.store.retention_days,
        broker=config.link.host,
        hub=None if folder is None else _hub(folder),
        sends=config.link.enabled,
        spotify=_spotify(config, folder),
        features=config.music.features_online,
        learns=config.music.learning,
        button=config.panel.enabled,
        light=config.panel.enabled and config.panel.led != "none",
        hours=tuple((f"{hours.start:%H:%M}", f"{hours.end:%H:%M}") for hours in config.privacy.hours),
    )


def _hub(folder: Path) -> str:
    from moodify.cloud import enrolment

    hub = enrolment.load(folder)
    return "" if hub is None else hub.host


def _spotify(config: Config, folder: Path | None) -> bool | None:
    if config.music.speaker == "simulated":
        return False
    if folder is None:
        return None
    # It brings much with it.
    from moodify.music.spotify.factory import plays_for_real

    return plays_for_real(config.music, folder)


def notice_of(language: Language, facts: Facts) -> Notice:
    """Return the notice in a language."""
    words = _WORDS[language]
    said = {
        "days": words["day"] if facts.days == 1 else words["days"].format(facts.days),
        "goes": _goes(words, facts),
        "learned": words["learned"] if facts.learns else "",
        "closing": words["button"].format(light=words["light"] if facts.light else "") if facts.button else words["page"],
        "line": _LINE,
    }
    points = [(words[name], words[f"{name}_is"].format(**said)) for name in ("pictures", "who", "guess", "kept", "skin", "goes", "closing")]
    if facts.hours:
        points.append((words["hours"], words["hours_is"].format(words["and"].join(words["span"].format(*span) for span in facts.hours))))
    points.append((words["questions"], words["questions_is"].format(**said)))
    return Notice(language, words["title"], words["lead"].replace("{named}", "{}"), words["named"], tuple(points), words["end"])


def _goes(words: dict[str, str], facts: Facts) -> str:
    if not facts.sends:
        goes = words["nowhere"]
    elif facts.broker is not None:
        goes = words["broker"].format(facts.broker)
    elif facts.hub is None:
        goes = words["hub"]
    else:
        goes = words["enrolled"].format(facts.hub) if facts.hub else words["nowhere"]
    if facts.spotify is False:
        return goes
    return goes + words["spotify"] + ("" if facts.spotify else words["perhaps"]) + (words["features"] if facts.features else "")


def plain(found: Notice, *, width: int = 78) -> str:
    """Return a notice as plain text of so many columns."""
    from textwrap import fill

    def parts() -> Iterator[str]:
        yield f"{fill(found.title.upper(), width)}\n"
        yield fill(found.lead.format(found.named), width) + "\n"
        for label, rest in found.points:
            yield fill(f"{label}{rest}", width, initial_indent="  * ", subsequent_indent="    ")
        yield "\n" + fill(found.end, width)

    return "\n".join(parts()) + "\n"


_PAGE = """\
<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
@page {{ size: A4; margin: 16mm 18mm }}
body {{ margin: 2rem auto; max-width: 44rem; padding: 0 1rem; color: #111; background: #fff; font: 1.05rem/1.45 system-ui, sans-serif }}
article + article {{ margin-top: 4rem; padding-top: 3rem; border-top: 1px solid #999 }}
svg {{ width: 5.6rem; height: 4.5rem }}
h1 {{ margin: .5rem 0 1rem; font-size: 2rem; line-height: 1.15 }}
.lead {{ font-size: 1.25rem }}
li {{ margin: .5rem 0; overflow-wrap: anywhere }}
.end {{ color: #444 }}
@media print {{
  body {{ margin: 0; max-width: none; padding: 0; font-size: 11pt }}
  h1 {{ font-size: 22pt }}
  article {{ break-after: page }}
  article:last-child {{ break-after: auto }}
  article + article {{ margin: 0; padding: 0; border: 0 }}
}}
</style>
</head>
<body>
{articles}
</body>
</html>
"""
#: A camera, and a note for the music.
_SIGN = (
    '<svg viewBox="0 0 60 48" aria-hidden="true" fill="none" stroke="#111" stroke-width="3" stroke-linecap="round" stroke-linejoin="round">'
    '<path d="M4 14h7l3-5h12l3 5h7v22H4z"/><circle cx="20" cy="25" r="7"/><path d="M50 34V14l7-3"/><circle cx="46" cy="35" r="3.5" fill="#111"/></svg>'
)


def printable(notices: list[Notice]) -> str:
    """Return notices as a page for a browser to print: each on a sheet of its own, and nothing of it from elsewhere."""
    from html import escape

    def article(found: Notice) -> str:
        points = "\n".join(f"<li><strong>{escape(label)}</strong>{escape(rest)}</li>" for label, rest in found.points)
        lead = escape(found.lead).format(f"<strong>{escape(found.named)}</strong>")
        return (
            f'<article lang="{found.language}">\n{_SIGN}\n<h1>{escape(found.title)}</h1>\n<p class="lead">{lead}</p>\n<ul>\n{points}\n</ul>\n'
            f'<p class="end">{escape(found.end)}</p>\n</article>'
        )

    return _PAGE.format(language=notices[0].language, title=escape(notices[0].title), articles="\n".join(map(article, notices)))
