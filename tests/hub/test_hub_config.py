"""The hub's configuration: defaults, the annotated file, and mistakes."""

import pytest

from moodify.config import document, parse
from moodify.errors import ConfigError, PersonMustAct
from moodify.hub import config
from moodify.hub.config import HubConfig


def problems(text):
    with pytest.raises(ConfigError) as raised:
        parse(text, source="hub.toml", model=HubConfig)
    assert raised.value.exit_code == 2
    return raised.value.problems


def test_the_annotated_file_shows_every_key_and_reads_back_as_the_defaults():
    text = config.annotated()
    assert parse(text, source="hub.toml", model=HubConfig) == HubConfig()
    assert all(f"\n{name} = " in text or f"\n# {name} = " in text for name in HubConfig.model_fields)


def test_the_examples_are_valid():
    lines = config.annotated().splitlines()
    names = tuple(f"# {name} = " for name in HubConfig.model_fields)
    read = parse("\n".join(line[2:] if line.startswith(names) else line for line in lines), source="hub.toml", model=HubConfig)
    assert None not in {read.certificate, read.key, read.database_url, read.cache_url}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('hots = "::1"', "hots: unknown key; did you mean host?"),
        ("[gate]\nport = 1", "gate: unknown key"),
        ('host = "hub.home"', 'host = "hub.home": is no address; write one of this machine'),
        ("port = 70_000", "port = 70000: must be less than or equal to 65535"),
        ("tls = false", "tls: tls = false would take devices' tokens in the clear at 0.0.0.0; set tls = true"),
        ('key = "/k.pem"', "certificate: is missing beside key; set both"),
        ('certificate = "/c.pem"', "key: is missing beside certificate; set both"),
        ('api_host = "hub.home"', 'api_host = "hub.home": is no address; write one of this machine'),
        ('mail_host = "smtp.example.org"', "mail_from: is missing beside mail_host; set both"),
        ('mail_from = "moodify@example.org"', "mail_host: is missing beside mail_from; set both"),
        ('mail_user = "moodify"', "mail_password_file: is missing beside mail_user; set both"),
        ('mail_password_file = "/p"', "mail_user: is missing beside mail_password_file; set both"),
        ('mail_from = "moodify"', 'mail_from = "moodify": an e-mail address has a name, an @ and a domain'),
        ('mail_security = "none"', "mail_security = \"none\": must be 'starttls' or 'tls'"),
        ('webhook_networks = ["192.168.1.5/24"]', "webhook_networks = ['192.168.1.5/24']: has \"192.168.1.5/24\" in it, which is none; write an address"),
        ("token_max_s = 1_000_000", "token_max_s = 1000000: must be less than or equal to 86400"),
        ("collectors = 1.5", "collectors = 1.5: must be a valid integer"),
        ('audience = ""', 'audience = ""'),
        ('announce = "si"', 'announce = "si": must be a valid boolean'),
    ],
)
def test_every_mistake_names_key_value_and_fix(text, said):
    (line,) = problems(text)
    assert line.startswith(said)


@pytest.mark.parametrize("key", ["database_url", "cache_url"])
@pytest.mark.parametrize("value", ['"mysql://me:open-sesame@db/x"', '["open-sesame"]', '{ a = "open-sesame" }'])
def test_an_address_with_a_password_is_never_shown(key, value):
    (line,) = problems(f"{key} = {value}")
    assert line.startswith(f"{key}: must be")
    assert "open-sesame" not in line


def test_the_effective_configuration_masks_passwords():
    shown = document.effective(parse('database_url = "postgresql+psycopg://me:open-sesame@db/x"', source="hub.toml", model=HubConfig))
    assert "open-sesame" not in shown
    assert document.MASK in shown


def test_only_loopback_may_go_without_encryption():
    assert not parse('tls = false\nhost = "::1"', source="hub.toml", model=HubConfig).tls


def test_a_file_that_is_missing_says_how_to_make_one(tmp_path):
    with pytest.raises(PersonMustAct, match=f"there is no hub in {tmp_path} yet; make one with: moodify hub init --folder {tmp_path}$"):
        config.load(tmp_path / "hub.toml")
