"""How the wishes of whoever types `serve` change the settings."""

import argparse
from pathlib import Path

import pytest

from server import arrange
from server.arrange import arranged, for_phones, serve_again, shown
from server.core.clock import SystemClock
from server.core.errors import DomainError
from server.settings import Config
from server.tls.context import Context
from server.tls.local_ca import LocalCa

LAN = "192.168.7.7"


@pytest.fixture(autouse=True)
def _network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrange, "lan_address", lambda: LAN)


def _options(**given: object) -> argparse.Namespace:
    return argparse.Namespace(**{"demo": False, "lan": False, "demo_anywhere": False, **given})


def _config(port: int = 8080, host: str = "127.0.0.1", udp_port: int = 8090, **tls: object) -> Config:
    server = {"port": port, "host": host}
    return Config.model_validate({"server": server, "media": {"udp_port": udp_port}, "tls": tls})


def test_without_wishes_nothing_changes() -> None:
    assert arranged(_config(port=9000), _options()) == _config(port=9000)


def test_on_a_lan_phones_reach_us_over_https() -> None:
    config = arranged(_config(), _options(lan=True))
    assert (config.server.host, config.tls.mode) == (LAN, "local-ca")
    kept = arranged(_config(host="10.1.1.1", mode="files", certificate="c", key="k"), _options(lan=True))
    assert (kept.server.host, kept.tls.mode) == ("10.1.1.1", "files")


def test_a_machine_without_a_network_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrange, "lan_address", lambda: None)
    with pytest.raises(DomainError, match=r"address_refused.*--host"):
        arranged(_config(), _options(lan=True))
    assert arranged(_config(host=LAN), _options(lan=True)).server.host == LAN


@pytest.mark.parametrize(
    ("port", "udp_port", "taken"),
    [(8080, 8090, 8090), (9000, 8090, 9010), (0, 8090, 0), (65_525, 8090, 65_535), (65_526, 8090, 0), (9000, 7, 7)],
)
def test_a_demo_on_another_port_leaves_the_first_ones_udp_port_alone(port: int, udp_port: int, taken: int) -> None:
    config = _config(port=port, udp_port=udp_port)
    assert arranged(config, _options(demo=True)).media.udp_port == taken
    assert arranged(config, _options()).media.udp_port == udp_port


def test_a_demo_is_for_this_machine_unless_it_is_asked_for_elsewhere() -> None:
    for host in (LAN, "0.0.0.0"):
        with pytest.raises(DomainError, match=r"address_refused.*LAN=1.*--demo-anywhere"):
            arranged(_config(host=host), _options(demo=True))
        for wish in ("lan", "demo_anywhere"):
            assert arranged(_config(host=host), _options(demo=True, **{wish: True})).server.host == host


def test_where_browsers_will_find_it() -> None:
    assert shown(_config(port=9000)) == "http://127.0.0.1:9000"
    assert shown(_config(port=443, host=LAN, mode="local-ca")) == f"https://{LAN}"
    assert shown(_config(host="0.0.0.0")) == "http://0.0.0.0:8080", "it would not start; the port is right"


def test_the_words_that_serve_what_was_set_up() -> None:
    plain = argparse.Namespace(config="config.yaml", host=None, port=None)
    assert list(serve_again(_config(), plain)) == ["serve", "--data", "data/keshi"]
    given = argparse.Namespace(config="other.yaml", host=LAN, port=9000)
    assert list(serve_again(_config(), given))[3:] == ["--config", "other.yaml", "--host", LAN, "--port", "9000"]


def test_phones_are_shown_where_to_begin(tmp_path: Path) -> None:
    config = arranged(_config(port=8443), _options(lan=True))
    config = config.model_copy(update={"server": config.server.model_copy(update={"data": tmp_path})})
    LocalCa(tmp_path / "tls", (LAN,), SystemClock(), Context()).load()
    lines = list(for_phones(config, f"https://{LAN}:8443"))
    assert f"  http://{LAN}:8444" in lines
    assert "█" in lines[1]
    assert len(lines[-1].split(":")) == 32
    assert list(for_phones(_config(), "http://127.0.0.1:8080")) == []
