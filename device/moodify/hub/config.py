"""The hub's configuration: every key, its type, bounds, default and unit; ``hub.toml`` in the hub's folder.

A key's description is what ``moodify hub init`` writes beside it.
"""

from __future__ import annotations

import ipaddress
import shlex
from pathlib import Path  # noqa: TC003 - pydantic reads the annotations
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from moodify.accounts.address import normalise
from moodify.config import document
from moodify.config.load import parse, read
from moodify.config.section import Address, Port, Section, between, certificate_with_key, read_origins
from moodify.errors import AccountError, PersonMustAct

#: The schemes of databases that a hub can use (SQLAlchemy's names), and of caches.
DATABASES = ("postgresql+psycopg://", "postgresql://", "sqlite:///")
CACHES = ("redis://", "rediss://", "unix://")

_HEAD = (
    "# The hub's configuration. Every key stands here with its default; one that is commented out has none and shows an example.",
    "# What is changed here holds after the hub's next start.",
)


class HubConfig(Section):
    """What a hub can be told."""

    host: Address = Field("0.0.0.0", description="Address that devices connect to, of this machine; 0.0.0.0 is every IPv4 address of it, :: every one.")  # noqa: S104 - devices are elsewhere in the home
    port: Port = Field(8883, description="Port that devices connect to (MQTT 5); 0 lets the system choose.")
    tls: bool = Field(default=True, description="Encrypt. Only a hub that listens on loopback may go without.")
    certificate: Path | None = Field(
        None,
        examples=["/etc/ssl/hub.example/fullchain.pem"],
        description="Certificate to show devices (PEM, with what it was signed with behind it); unset: the hub's own, which devices know by its fingerprint.",
    )
    key: Path | None = Field(None, examples=["/etc/ssl/hub.example/key.pem"], description="The key of that certificate (PEM, without a passphrase).")
    names: tuple[str, ...] = Field(
        (),
        description="Names and addresses in the hub's own certificate, beside this machine's; heeded when it is made: delete certificate.pem and run moodify hub init. "
        "The dashboard answers to them.",
    )
    audience: str = Field("moodify", min_length=1, description="Whom devices' tokens must be for (link.audience on the device).")
    leeway_s: Annotated[int, Field(ge=0, le=300)] = Field(60, description="Seconds by which the clocks of a device and of the hub may differ.")
    token_max_s: Annotated[int, Field(ge=60, le=86_400)] = Field(86_400, description="Seconds that a token may be good for; a longer one is refused.")
    attempts_per_minute: Annotated[int, Field(ge=1, le=10_000)] = Field(
        20, description="Refused sign-ins a minute from one address that are told why. A good token comes in all the same."
    )
    connections_max: Annotated[int, Field(ge=1, le=100_000)] = Field(
        10_000, description="Connections held at a time; the system's limit on open files (ulimit -n) must be twice that."
    )
    api_host: Address = Field(
        "127.0.0.1", description="Address of dashboard and API: 127.0.0.1 for this machine alone, 0.0.0.0 for every IPv4 address of it. Beyond loopback they are encrypted (HTTPS)."
    )
    api_port: Port = Field(8090, description="Port of dashboard and API, of /healthz, /readyz and /metrics; 0 lets the system choose.")
    api_origins: tuple[str, ...] = Field(
        (),
        examples=[("https://wall.home",)],
        description="Other sites whose scripts may ask the API in a browser (CORS), as https://name or https://name:port; normally none.",
    )
    database_url: SecretStr | None = Field(
        None,
        examples=["postgresql+psycopg://moodify:PASSWORD@127.0.0.1/moodify"],
        description="Database; unset: hub.db (SQLite) in the hub's folder. Several hubs may share a PostgreSQL.",
    )
    retention_days: Annotated[int, Field(ge=1, le=3650)] = Field(365, description="Days that events are kept.")
    cache_url: SecretStr | None = Field(
        None, examples=["redis://127.0.0.1:6379/0"], description="Where the devices' last states are kept; unset: in the hub's own memory. Several hubs share a Redis."
    )
    states_ttl_s: Annotated[int, Field(ge=10, le=2_592_000)] = Field(86_400, description="Seconds that a device's last state is worth something.")
    collectors: Annotated[int, Field(ge=1, le=16)] = Field(1, description="Threads of this hub that store events; moodify hub collect adds processes to them.")
    announce: bool = Field(default=True, description="Whether the hub makes itself known on the home's network (zeroconf), so that enrolment can offer it.")
    mail_host: str | None = Field(
        None, min_length=1, examples=["smtp.example.org"], description="Mail server that alerts are handed in at (SMTP, never without TLS); unset: no alert goes by e-mail."
    )
    mail_port: Annotated[int, Field(ge=1, le=65_535)] = Field(587, description="Its port.")
    mail_security: Literal["starttls", "tls"] = Field("starttls", description="How it encrypts: starttls as usual at port 587, tls as usual at port 465.")
    mail_from: str | None = Field(None, examples=["moodify@example.org"], description="Address that alerts come from.")
    mail_user: str | None = Field(None, min_length=1, examples=["moodify@example.org"], description="User name at the mail server; unset: none is asked for.")
    mail_password_file: Path | None = Field(
        None, examples=["/etc/moodify-hub/mail.password"], description="File with the password as its one line, which only the user that runs the hub may read (chmod 600)."
    )
    mail_ca_file: Path | None = Field(
        None,
        examples=["/etc/ssl/home-ca.pem"],
        description="Who signed the mail server's certificate (PEM); unset: whom the system trusts.",
    )
    webhook_networks: tuple[str, ...] = Field(
        (), description='Private networks and addresses that webhooks may go to, as "192.168.1.5" or "192.168.1.0/24"; public addresses are allowed over HTTPS.'
    )
    webhook_ca_file: Path | None = Field(
        None, examples=["/etc/ssl/home-ca.pem"], description="Who signed the certificates of webhooks' receivers (PEM); unset: those whom requests trusts."
    )
    mosquitto: str = Field("mosquitto", min_length=1, description="The broker's program.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much is logged.")

    @field_validator("host", "api_host")
    @classmethod
    def _an_address(cls, host: str) -> str:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise PydanticCustomError("address", "is no address; write one of this machine's, as 192.168.1.20, or 0.0.0.0 for all") from None
        return host

    @field_validator("mail_from")
    @classmethod
    def _a_mail_address(cls, address: str | None) -> str | None:
        try:
            return None if address is None else normalise(address)
        except AccountError as error:
            raise PydanticCustomError("address", "{problem}", {"problem": str(error)}) from None

    @field_validator("webhook_networks")
    @classmethod
    def _networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            try:
                ipaddress.ip_network(network)
            except ValueError:
                raise PydanticCustomError(
                    "network", 'has "{network}" in it, which is none; write an address as 192.168.1.5, or a network as 192.168.1.0/24', {"network": network}
                ) from None
        return networks

    @field_validator("api_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return read_origins(origins)

    @field_validator("database_url", "cache_url", mode="after")
    @classmethod
    def _a_known_scheme(cls, url: SecretStr | None, info: Any) -> SecretStr | None:
        known = DATABASES if info.field_name == "database_url" else CACHES
        if url is not None and not url.get_secret_value().startswith(known):
            # It may hold a password, so it is not shown.
            raise PydanticCustomError("scheme", f"must begin with {' or '.join(known)}")
        return url

    @model_validator(mode="after")
    def _together(self) -> HubConfig:
        if not self.tls and not ipaddress.ip_address(self.host).is_loopback:
            raise between("tls,host", f'tls = false would take devices\' tokens in the clear at {self.host}; set tls = true, or host = "127.0.0.1"')
        certificate_with_key(self.certificate, self.key, "the hub's")
        if (self.mail_host is None) != (self.mail_from is None):
            there, missing = ("mail_host", "mail_from") if self.mail_from is None else ("mail_from", "mail_host")
            raise between(f"{missing},{there}", f"is missing beside {there}; set both, or neither for alerts without e-mail")
        if (self.mail_user is None) != (self.mail_password_file is None):
            there, missing = ("mail_user", "mail_password_file") if self.mail_password_file is None else ("mail_password_file", "mail_user")
            raise between(f"{missing},{there}", f"is missing beside {there}; set both, or neither for a mail server that asks for no sign-in")
        return self


def load(file: Path) -> HubConfig:
    """Read a hub's configuration file.

    Raises:
        PersonMustAct: there is none.
        ConfigError: it can't be read, is not TOML, or has mistakes: all of them.
    """
    said = f"there is no hub in {file.parent} yet; make one with: {shlex.join(['moodify', 'hub', 'init', '--folder', str(file.parent)])}"
    return parse(read(file, missing=PersonMustAct(said)), source=str(file), model=HubConfig)


def annotated() -> str:
    """Return the owner's file: every key with its meaning, unit and default."""
    return document.annotated(HubConfig, _HEAD)
