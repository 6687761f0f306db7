"""Which settings of HTTPS belong together."""

import pytest
from pydantic import ValidationError

from server.tls.settings import TlsSettings


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "on"},
        {"mode": True},
        {"mode": "files"},
        {"mode": "files", "certificate": "c.pem"},
        {"mode": "acme"},
        {"acme_directory": "http://ca.example.cn/"},
        {"acme_directory": "https://"},
        {"http_port": 65_536},
    ],
)
def test_what_cannot_work_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TlsSettings.model_validate(wrong)


def test_yaml_reads_a_bare_off_as_false() -> None:
    assert TlsSettings.model_validate({"mode": False}).mode == "off"


@pytest.mark.parametrize(
    ("settings", "port", "plain"),
    [
        ({}, 8080, None),
        ({"http_port": 80}, 8080, None),
        ({"mode": "files", "certificate": "c", "key": "k"}, 443, None),
        ({"mode": "files", "certificate": "c", "key": "k", "http_port": 80}, 443, 80),
        ({"mode": "acme", "acme_agree_terms": True}, 443, 80),
        ({"mode": "acme", "acme_agree_terms": True, "http_port": 8081}, 443, 8081),
        ({"mode": "local-ca"}, 8443, 8444),
        ({"mode": "local-ca"}, 65_535, 0),
        ({"mode": "local-ca"}, 0, 0),
        ({"mode": "local-ca", "http_port": 80}, 8443, 80),
    ],
)
def test_the_port_of_plain_http(settings: dict[str, object], port: int, plain: int | None) -> None:
    assert TlsSettings.model_validate(settings).plain_port(port) == plain
