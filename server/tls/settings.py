"""Decides what may be set about HTTPS, and which settings belong together."""

from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from server.core.config import Settings

LETS_ENCRYPT: Final = "https://acme-v02.api.letsencrypt.org/directory"
#: where ACME servers ask (RFC 8555, section 8.3)
ACME_PORT: Final = 80
LAST_PORT: Final = 65_535

Mode = Literal["off", "files", "acme", "local-ca"]


class TlsSettings(Settings):
    """Who makes the certificate. `off` is for this machine alone, or behind a proxy that speaks HTTPS."""

    mode: Mode = "off"
    certificate: Path | None = None
    key: Path | None = None
    acme_directory: str = LETS_ENCRYPT
    acme_email: str | None = None
    acme_agree_terms: bool = False
    http_port: Annotated[int, Field(ge=0, le=LAST_PORT)] | None = None

    @field_validator("mode", mode="before")
    @classmethod
    def _off(cls, value: object) -> object:
        """YAML reads a bare `off` as false."""
        return "off" if value is False else value

    @field_validator("acme_directory")
    @classmethod
    def _https_only(cls, value: str) -> str:
        if urlsplit(value).scheme != "https" or not urlsplit(value).netloc:
            raise ValueError("must be an https address")
        return value

    @model_validator(mode="after")
    def _complete(self) -> "TlsSettings":
        if self.mode == "files" and not (self.certificate and self.key):
            raise ValueError("mode files needs certificate and key")
        if self.mode == "acme" and not self.acme_agree_terms:
            raise ValueError("mode acme needs acme_agree_terms: true, once you have read its terms of service")
        return self

    def plain_port(self, port: int) -> int | None:
        """The port of plain HTTP beside HTTPS on `port`; None for none."""
        if self.mode == "off":
            return None
        if self.http_port is not None:
            return self.http_port
        match self.mode:
            case "acme":
                return ACME_PORT
            case "local-ca":
                return 0 if port in (0, LAST_PORT) else port + 1
            case _:
                return None
