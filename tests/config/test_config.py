"""The configuration: defaults, the annotated file, and mistakes."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from moodify.config import Config, document, find, load, parse
from moodify.config.section import Section
from moodify.errors import ConfigError

MISTAKES = """
[camera]
sourc = "pi"
idle_fps = "fast"
[mood]
enter = 0.5
[musik]
volume = 1
[music]
speaker = "simulatd"
threads = 3
[music.moods.hapy]
uri = "spotify:playlist:37i9dQZF1DXdPec7aLTmlC"
[music.moods.calm]
uri = "my playlist"
[people.ada]
gaol = "calm"
[link]
host = "broker.home"
tls = false
"""


def problems(text):
    with pytest.raises(ConfigError) as raised:
        parse(text, source="moodify.toml")
    return raised.value.problems


def test_an_empty_file_gives_the_defaults():
    assert parse("", source="moodify.toml") == Config()


def test_the_configuration_cannot_be_changed():
    with pytest.raises(Exception, match="frozen"):
        Config().mood.enter = 0.1


def test_the_shipped_file_shows_every_key_with_its_default(project_root):
    shipped = (project_root / "firmware_config" / "moodify.toml").read_text("utf-8")
    assert shipped == document.annotated(), "write it again: .venv/bin/moodify config --annotated > firmware_config/moodify.toml"
    assert parse(shipped, source="moodify.toml") == Config()


def test_the_shipped_examples_are_valid(project_root):
    lines = (project_root / "firmware_config" / "moodify.toml").read_text("utf-8").splitlines()
    is_setting = [line.startswith("# [") or (line.startswith("# ") and line[2:].split(" = ")[0].replace("_", "").isalpha() and " = " in line) for line in lines]
    uncommented = "\n".join(line[2:] if setting else line for line, setting in zip(lines, is_setting, strict=True))
    config = parse(uncommented, source="moodify.toml")
    assert config.music.quiet_hours is not None
    assert [len(config.music.goals), len(config.music.volume_caps)] == [1, 1]
    assert len(config.music.moods) == 6
    assert config.people["ada"].loves


@pytest.mark.parametrize(
    "part",
    [
        "camera.sourc: unknown key; did you mean source?",
        'camera.idle_fps = "fast": must be a valid number',
        "mood.hold: hold = 0.6 is above enter = 0.5",
        "musik: unknown key; did you mean music?",
        "music.speaker = \"simulatd\": must be 'auto', 'spotify' or 'simulated'; did you mean simulated?",
        "music.threads: unknown key; it belongs in [vision]",
        "music.moods.hapy",
        'music.moods.calm.uri = "my playlist": is not a Spotify address',
        "people.ada.gaol: unknown key; did you mean goal?",
        "link.tls: tls = false sends the device's token or password in the clear to broker.home; set tls = true",
    ],
)
def test_every_mistake_is_reported_at_once_with_key_value_and_fix(part):
    assert any(line.startswith(part) for line in problems(MISTAKES)), problems(MISTAKES)


def test_nothing_but_the_mistakes_is_reported():
    assert len(problems(MISTAKES)) == 10


def test_a_camera_that_must_give_its_frames_in_no_time_is_refused():
    assert problems("[camera]\ntimeout_s = 0") == ("camera.timeout_s = 0: must be greater than or equal to 0.5",)


def test_a_mistake_in_one_key_is_not_reported_again_for_its_pair():
    assert problems("[link]\nhost = 5\ntls = false\nhome_assistant = true") == ('link.host = 5: must be a valid string; write it in "quotes"',)


class WithSecret(Section):
    """A section as the hub has one: with an address that may hold a password."""

    address: SecretStr | None = None


def test_a_secret_is_never_shown():
    shown = document.effective(parse('address = "open sesame"', source="hub.toml", model=WithSecret))
    assert "open sesame" not in shown
    assert document.MASK in shown


@pytest.mark.parametrize("wrong", ["12345", "[12345]", "{ a = 12345 }", "12345.5"])
def test_whatever_stands_where_a_secret_belongs_is_not_shown(wrong):
    with pytest.raises(ConfigError) as raised:
        parse(f"address = {wrong}", source="hub.toml", model=WithSecret)
    (line,) = raised.value.problems
    assert line.startswith("address: must be")
    assert "12345" not in line


@pytest.mark.parametrize("key", ["username", "password"])
def test_a_sign_in_that_stood_here_once_is_a_mistake_and_is_not_shown(key):
    (line,) = problems(f'[link]\n{key} = "open sesame"')
    assert line.startswith(f"link.{key}: unknown key")
    assert "sign_in_file" in line
    assert "open sesame" not in line


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('sign_in_file = "sign-in"\nhost = "broker.home"', 'link.sign_in_file = "sign-in": is not a whole path'),
        ('ca_file = "./ca.crt"', 'link.ca_file = "./ca.crt": is not a whole path'),
        ('ca_file = "~nobody-of-this-name/ca.crt"', 'link.ca_file = "~nobody-of-this-name/ca.crt": is not a whole path'),
        ('sign_in_file = "/etc/sign-in"', "link.sign_in_file: sign_in_file is for a household's own broker; set host"),
        ('sign_in_file = "/etc/sign-in"\nhost = "broker.home"\ndelivery = "hub"', 'link.delivery: delivery = "hub" waits for a hub'),
        ("home_assistant = true", "link.home_assistant: home_assistant = true needs the broker"),
        ('home_assistant_prefix = "home/#"', 'link.home_assistant_prefix = "home/#": is no topic'),
        ('home_assistant_prefix = "/home"', 'link.home_assistant_prefix = "/home": is no topic'),
        ('host = "broker.home:8883"', 'link.host = "broker.home:8883": must be a name or an address alone'),
        ('host = "mqtts://broker.home"', 'link.host = "mqtts://broker.home": must be a name or an address alone'),
        ('host = ""', 'link.host = "": must be a name or an address alone'),
        ('audience = ""', 'link.audience = "": '),
        ('delivery = "hubb"', "link.delivery = \"hubb\": must be 'broker' or 'hub'; did you mean hub?"),
        ('commands = ["rescna"]', 'link.commands #1 = "rescna": must be '),
    ],
)
def test_a_mistake_in_the_link_names_key_value_and_fix(setting, said):
    (line,) = problems(f"[link]\n{setting}")
    assert line.startswith(said)


@pytest.mark.parametrize("host", ["broker.home", "broker", "192.168.1.20", "fd00::1", "attic.local"])
def test_a_broker_is_named_or_numbered(host):
    assert parse(f'[link]\nhost = "{host}"', source="moodify.toml").link.host == host


def test_the_sign_in_may_lie_in_the_owners_home():
    link = parse('[link]\nhost = "broker.home"\nsign_in_file = "~/sign-in"', source="moodify.toml").link
    assert link.sign_in_file == Path.home() / "sign-in"


@pytest.mark.parametrize("of_day", ['"22:00:00Z"', '"22:00:00+01:00"'])
def test_quiet_hours_with_a_time_zone_are_refused(of_day):
    (line,) = problems(f"[music.quiet_hours]\nstart = {of_day}\nend = 07:00:00")
    assert line == f"music.quiet_hours.start = {of_day}: has a time zone, but hours are in local time; write it without one, as 22:00:00"


def test_quiet_hours_that_end_when_they_start_are_refused():
    (line,) = problems("[music.quiet_hours]\nstart = 22:00:00\nend = 22:00:00")
    assert line.startswith("music.quiet_hours.end: ")
    assert "both 22:00:00, which is no time at all; set another end" in line


def test_what_is_printed_as_effective_reads_back_as_the_same():
    text = '[music.quiet_hours]\nstart = 22:00:00\nend = 07:00:00\n[music.moods.sad]\nsearch = "slow \\"blue\\""\n'
    text += '[people.Ada]\ngoal = "lift"\nloves = ["Lantern Parade"]\nexplicit = false\nmoods = { calm = "spotify:album:abc" }\n'
    config = parse(text, source="moodify.toml")
    assert parse(document.effective(config), source="printed") == config


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[people."ada lovelace"]\ngoal = "calm"', "people"),
        ('[people.ada.moods]\nabsent = "spotify:album:abc"', "people.ada.moods"),
        ('[people.ada.moods]\nhappy = "my album"', 'people.ada.moods.happy = "my album": is not a Spotify address'),
    ],
)
def test_a_person_that_could_not_be_typed_or_played_for_is_a_mistake(text, said):
    (line,) = problems(text)
    assert line.startswith(said)


ID = "37i9dQZF1DXdPec7aLTmlC"


@pytest.mark.parametrize(
    ("link", "address"),
    [
        (f"https://open.spotify.com/playlist/{ID}?si=0a1b2c3d4e5f", f"spotify:playlist:{ID}"),
        (f"https://open.spotify.com/intl-de/track/{ID}?si=0a1b2c3d", f"spotify:track:{ID}"),
        (f"https://open.spotify.com/intl-pt-BR/album/{ID}/", f"spotify:album:{ID}"),
        (f" open.spotify.com/artist/{ID}#top ", f"spotify:artist:{ID}"),
        (f"spotify:playlist:{ID}", f"spotify:playlist:{ID}"),
    ],
)
def test_spotifys_own_links_are_addresses(link, address):
    config = parse(f'[music.moods.happy]\nuri = "{link}"\n[people.ada.moods]\ncalm = "{link}"', source="moodify.toml")
    assert [config.music.moods["happy"].uri, config.people["ada"].moods["calm"]] == [address, address]
    assert link not in document.effective(config) or link == address


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (f"https://open.spotify.com/episode/{ID}", "choose Share, Copy link"),
        (f"https://open.spotify.example/playlist/{ID}", "choose Share, Copy link"),
        (f"https://open.spotify.com/playlist/{ID}/spotify:album:x", "choose Share, Copy link"),
        (f"see https://open.spotify.com/playlist/{ID}", "choose Share, Copy link"),
        ("https://spotify.link/aBcDeF", "short link"),
    ],
)
def test_what_is_no_address_of_music_is_refused_and_says_what_to_do(address, said):
    (line,) = problems(f'[music.moods.happy]\nuri = "{address}"')
    assert line.startswith(f'music.moods.happy.uri = "{address[:40]}')
    assert said in line


def test_an_artist_whom_somebody_both_loves_and_avoids_is_a_mistake_that_names_both_keys():
    (line,) = problems('[people.ada]\nloves = ["Lantern Parade", "Mira"]\navoids = ["The Paper Weather", " lantern parade"]')
    assert line == "people.ada.avoids: lantern parade cannot stand in both loves and avoids; take the name out of one of them"


def test_an_artist_whom_another_avoids_may_be_loved():
    people = parse('[people.ada]\nloves = ["Mira"]\n[people.ben]\navoids = ["Mira"]', source="moodify.toml").people
    assert (people["ada"].loves, people["ben"].avoids) == (("Mira",), ("Mira",))


@pytest.mark.parametrize("of_day", ['"9 pm"', '"24:00"', "22", "true", "2026-01-01T20:00:00", '""'])
def test_what_is_no_time_of_day_says_how_one_is_written(of_day):
    (line,) = problems(f"[music.quiet_hours]\nstart = {of_day}\nend = 07:00:00")
    assert line.startswith("music.quiet_hours.start = ")
    assert line.endswith(": is no time of day; write a time as 20:00:00, with hours, minutes and seconds")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("start = 20:00", "write a time as 20:00:00"),
        ("start = 8:00 # evening", "write a time as 20:00:00"),
        ("goals = [{ start = 20:00, end = 21:00 }]", "write a time as 20:00:00"),
        ("start = 9 pm", "write a time as 20:00:00"),
        ("start = 9PM", "write a time as 20:00:00"),
        ("goal = calm", "write text in quotes"),
        ("source = /dev/video0", "write text in quotes"),
        ("loves = [Lantern Parade]", "write text in quotes"),
        ("learning = True", "write true or false, in small letters"),
        ("learning = yes", "write true or false, in small letters"),
        ("a = 5 6", "sections in [brackets]"),
        ("goal calm", "sections in [brackets]"),
        ('goal = "calm', "sections in [brackets]"),
        ("goal =", "sections in [brackets]"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_is_not_toml_says_what_to_write_instead(setting, said, end):
    (line,) = problems(f"[music]{end}{setting}{end}[panel]{end}")
    assert line.startswith("not TOML: ")
    assert said in line


def test_a_secret_without_quotes_is_not_shown():
    (line,) = problems("[link]\naudience = sesame12")
    assert "sesame" not in line


LISTS = """
[[music.goals]]
start = 22:00:00
end = 07:00:00
goal = "calm"
[[music.goals]]
start = 07:00:00
end = 09:00:00
goal = "lift"
[[music.volume_caps]]
start = 21:00:00
end = 08:00:00
volume_cap = 35
"""
NO_LIST = "must be a list of sections: write [[music.goals]] on a line of its own, and the keys of one below"


def test_hours_with_a_goal_or_a_cap_are_lists_in_the_owners_order():
    music = parse(LISTS, source="moodify.toml").music
    assert [goal.goal for goal in music.goals] == ["calm", "lift"]
    assert [(str(cap.start), str(cap.end), cap.volume_cap) for cap in music.volume_caps] == [("21:00:00", "08:00:00", 35)]


def test_lists_that_are_printed_as_effective_read_back_as_the_same():
    config = parse(LISTS, source="moodify.toml")
    assert parse(document.effective(config), source="printed") == config


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[music]\ngoal = "clam"', "music.goal = \"clam\": must be 'match', 'lift' or 'calm'; did you mean calm?"),
        ('[[music.goals]]\nstart = 20:00:00\nend = 21:00:00\ngoal = "clam"', "music.goals #1.goal = \"clam\": must be 'match', 'lift' or 'calm'; did you mean calm?"),
        ("[[music.volume_caps]]\nstart = 20:00:00\nend = 21:00:00", "music.volume_caps #1.volume_cap: is missing; add it"),
        (LISTS + "[[music.volume_caps]]\nstart = 20:00:00\nend = 21:00:00\nvolume_cap = 101", "music.volume_caps #2.volume_cap = 101: must be less than or equal to 100"),
        (
            '[music.goals]\nstart = 20:00:00\nend = 21:00:00\ngoal = "calm"',
            "music.goals: must be a list of sections: write [[music.goals]] on a line of its own, and the keys of one below",
        ),
        ('[music]\ngoals = ["calm"]', f'music.goals #1 = "calm": {NO_LIST}'),
        ('[music]\nsources = "liked"', 'music.sources = "liked": must be a list; write it in [brackets]'),
        ('[music]\nsources = ["likd"]', "music.sources #1 = \"likd\": must be 'liked', 'top', 'recent', 'imported' or 'search'; did you mean liked?"),
        ("[music]\nfade_s = 31", "music.fade_s = 31: must be less than or equal to 30"),
        ("[music]\nlearning = 1.5", "music.learning = 1.5: must be a valid boolean; write true or false without quotes"),
    ],
)
def test_a_mistake_in_the_music_section_names_its_place_and_fix(text, line):
    assert problems(text) == (line,)


def test_hours_in_a_list_that_are_no_time_are_told_once_beside_other_mistakes():
    lines = problems('[[music.goals]]\nstart = 20:00:00\nend = 20:00:00\ngoal = "calm"\n[[music.goals]]\nstart = 21:00:00\nend = 22:00:00\ngoal = "clam"')
    assert len(lines) == 2
    assert lines[0].startswith("music.goals #1.end: start and end are both 20:00:00")


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "there is no such file"), (b"[camera", "not TOML"), (b"a = '\xff'", "not UTF-8"), (b"[camera]\nsource = 5\nsource = 6", "not TOML")],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, content, message):
    file = tmp_path / "moodify.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as raised:
        load(file)
    assert str(file) in str(raised.value)


def test_the_named_file_comes_before_the_environment_and_the_users(tmp_path):
    mine = Path.home() / ".config" / "moodify" / "moodify.toml"
    assert find(None, environment={}) is None
    mine.parent.mkdir(parents=True)
    mine.write_text("")
    assert find(None, environment={}) == mine
    assert find(None, environment={"MOODIFY_CONFIG": "/elsewhere"}) == Path("/elsewhere")
    assert find(tmp_path / "named", environment={"MOODIFY_CONFIG": "/elsewhere"}) == tmp_path / "named"
