"""config.yaml: the file we ship is valid and complete; each bad value is refused with its line."""

from pathlib import Path

import pytest

from server.core.errors import DomainError
from server.settings import Config, MediaGroup, ServerSettings, is_loopback, origins, read_config

SHIPPED = Path(__file__).resolve().parents[1] / "config.yaml"


def test_the_shipped_file_holds_every_setting_at_its_default() -> None:
    assert read_config(SHIPPED, {}) == Config()
    text = SHIPPED.read_text()
    for group, settings in Config.model_fields.items():
        for name in settings.annotation.model_fields:  # type: ignore[union-attr]
            assert f"\n  {name}:" in text, f"{group}.{name} is not explained"


@pytest.mark.parametrize(
    ("bad", "key"),
    [
        ("server:\n  prot: 1\n", "server.prot"),
        ("server:\n  port: 65536\n", "server.port"),
        ("server:\n  public_url: ke.example.cn\n", "server.public_url"),
        ("server:\n  public_url: https://ke.example.cn/path\n", "server.public_url"),
        ("media:\n  udp_port: -1\n", "media.udp_port"),
        ("media:\n  advertised_ips: [300.1.1.1]\n", "media.advertised_ips.0"),
        ("media:\n  max_rooms: 0\n", "media.max_rooms"),
        ("log:\n  level: loud\n", "log.level"),
        ("other: {}\n", "other"),
    ],
)
def test_a_bad_value_names_its_line(tmp_path: Path, bad: str, key: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(bad)
    with pytest.raises(DomainError, match="config_invalid") as refused:
        read_config(file, {})
    assert refused.value.data["key"].startswith(key)
    assert refused.value.data["line"] == bad.rstrip().count("\n") + 1


def test_the_command_line_wins(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("server:\n  port: 1\n")
    assert read_config(file, {"port": 2, "data": "elsewhere"}).server == ServerSettings(port=2, data=Path("elsewhere"))


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True),
                           ("0.0.0.0", False), ("192.168.1.2", False), ("::", False), ("ke.example.cn", False)],
)  # fmt: skip
def test_what_only_this_machine_reaches(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_origins_are_exact() -> None:
    url, allowed = origins(ServerSettings(), 8080)
    assert url == "http://127.0.0.1:8080"
    assert allowed == {"http://127.0.0.1:8080", "http://localhost:8080"}
    assert origins(ServerSettings(host="::1"), 1)[0] == "http://[::1]:1"
    settings = ServerSettings(host="0.0.0.0", public_url="https://Ke.example.cn/")
    assert origins(settings, 1) == ("https://ke.example.cn", frozenset({"https://ke.example.cn"}))


def test_an_address_for_others_needs_a_public_url() -> None:
    with pytest.raises(DomainError, match="address_refused") as refused:
        origins(ServerSettings(host="0.0.0.0"), 8080)
    assert "public_url" in refused.value.data["remedy"]


def test_media_gets_the_same_in_its_own_words() -> None:
    group = MediaGroup.model_validate({"udp_port": 9, "advertised_ips": ["203.0.113.5", "2001:db8::1"]})
    settings = group.for_media("127.0.0.1")
    assert (settings.udp_host, settings.udp_port) == ("127.0.0.1", 9)
    assert settings.advertised_ips == ("203.0.113.5", "2001:db8::1")
