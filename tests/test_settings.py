"""config.yaml: the file we ship is valid and complete; each bad value is refused with its line."""

from pathlib import Path

import pytest

from server.core.errors import DomainError
from server.settings import Config, MediaGroup, ServerSettings, is_loopback, origins, read_config
from server.verify.notes import Key, Kind

#: a log's key is no witness's
LOG_KEY = str(Key("keshi/0", Kind.LOG, bytes(32)))
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
        ("server:\n  public_url: https://ke.example.cn:70000\n", "server.public_url"),
        ("server:\n  trusted_proxies: [10.0.0.1/8]\n", "server.trusted_proxies.0"),
        ("media:\n  udp_port: -1\n", "media.udp_port"),
        ("tls:\n  mode: on\n", "tls.mode"),
        ("tls:\n  acme_directory: http://ca.example.cn\n", "tls.acme_directory"),
        ("media:\n  advertised_ips: [300.1.1.1]\n", "media.advertised_ips.0"),
        ("media:\n  max_rooms: 0\n", "media.max_rooms"),
        ("media:\n  mode: threads\n", "media.mode"),
        ("media:\n  host: localhost\n", "media.host"),
        ("media:\n  ice_servers: [{urls: []}]\n", "media.ice_servers.0"),
        ("media:\n  ice_servers: [{urls: ['http://a']}]\n", "media.ice_servers.0"),
        ("media:\n  ice_servers: [{urls: ['turn:a'], username: u, credential: 'a secret\"'}]\n", "media.ice_servers.0"),
        ("media:\n  ice_servers: [{urls: ['stun:a'], secret_file: keys/a}]\n", "media.ice_servers.0"),
        (f"media:\n  ice_servers: [{', '.join(['{urls: [stun:a]}'] * 5)}]\n", "media.ice_servers"),
        ("time:\n  ntp: [ntp.example.cn, 'host:0']\n", "time.ntp"),
        ("ledger:\n  witnesses: [{url: county, key: x}]\n", "ledger.witnesses.0"),
        ("ledger:\n  witnesses: [{url: 'https://county.example.cn', key: x+y+z}]\n", "ledger.witnesses.0.key"),
        (f"ledger:\n  witnesses: [{{url: 'https://a.example.cn', key: {LOG_KEY}}}]\n", "ledger.witnesses.0.key"),
        ("log:\n  level: loud\n", "log.level"),
        ("store:\n  database: mysql://a:secret@b/c\n", "store.database"),
        ("store:\n  database: secret\n", "store.database"),
        ("store:\n  database: postgresql:///\n", "store.database"),
        ("store:\n  redis: http://:secret@b\n", "store.redis"),
        ("other: {}\n", "other"),
    ],
)
def test_a_bad_value_names_its_line(tmp_path: Path, bad: str, key: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(bad)
    with pytest.raises(DomainError, match="config_invalid") as refused:
        read_config(file, {})
    assert refused.value.data["key"].startswith(key)
    assert "secret" not in str(refused.value)
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


def _config(mode: object = "off", **server: object) -> Config:
    files = {"certificate": "c.pem", "key": "k.pem"} if mode == "files" else {}
    terms = {"acme_agree_terms": True} if mode == "acme" else {}
    return Config.model_validate({"server": server, "tls": {"mode": mode, **files, **terms}})


def test_origins_are_exact() -> None:
    url, allowed = origins(Config(), 8080)
    assert url == "http://127.0.0.1:8080"
    assert allowed == {"http://127.0.0.1:8080", "http://localhost:8080"}
    assert origins(_config(host="::1"), 1)[0] == "http://[::1]:1"
    proxied = _config(host="0.0.0.0", public_url="https://Ke.example.cn/", trusted_proxies=["10.0.0.7/32"])
    assert origins(proxied, 1) == ("https://ke.example.cn", frozenset({"https://ke.example.cn"}))


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("https://ke.example.cn:443", "https://ke.example.cn"),
        ("https://ke.example.cn:8443/", "https://ke.example.cn:8443"),
        ("http://localhost:80", "http://localhost"),
        ("https://[FD00::1]:8443", "https://[fd00::1]:8443"),
    ],
)
def test_a_public_url_is_written_as_browsers_write_an_origin(written: str, origin: str) -> None:
    assert ServerSettings(public_url=written).public_url == origin


@pytest.mark.parametrize("port", [80, 443])
def test_the_schemes_own_port_is_not_written(port: int) -> None:
    assert origins(_config(), port)[0] == ("http://127.0.0.1" if port == 80 else "http://127.0.0.1:443")
    assert origins(_config("files", host="192.168.1.9"), 443)[0] == "https://192.168.1.9"


@pytest.mark.parametrize(
    "server",
    [
        {"host": "0.0.0.0"},
        {"host": "192.168.1.9"},
        {"host": "0.0.0.0", "public_url": "https://ke.example.cn"},
        {"public_url": "http://ke.example.cn"},
        {"host": "0.0.0.0", "public_url": "http://ke.example.cn", "trusted_proxies": ["10.0.0.7/32"]},
    ],
)
def test_without_https_only_this_machine_is_served(server: dict[str, object]) -> None:
    with pytest.raises(DomainError, match="tls_needed"):
        origins(_config(**server), 8080)


@pytest.mark.parametrize(
    ("tls", "server"),
    [
        ("files", {"host": "0.0.0.0"}),
        ("acme", {"host": "::"}),
        ("files", {"host": "0.0.0.0", "public_url": "http://ke.example.cn"}),
        ("off", {"host": "0.0.0.0", "trusted_proxies": ["10.0.0.7/32"]}),
    ],
)
def test_an_address_for_others_needs_a_public_url(tls: str, server: dict[str, object]) -> None:
    with pytest.raises(DomainError, match="address_refused") as refused:
        origins(_config(mode=tls, **server), 8080)
    assert "public_url" in refused.value.data["remedy"]


def test_on_a_lan_every_name_of_the_machine_is_ours() -> None:
    url, allowed = origins(_config("local-ca", host="192.168.1.9"), 8443)
    assert url == "https://192.168.1.9:8443"
    assert {url, "https://localhost:8443", "https://127.0.0.1:8443"} <= allowed
    named, everything = origins(_config("local-ca", host="0.0.0.0", public_url="https://ke.lan"), 443)
    assert (named, "https://0.0.0.0" in everything) == ("https://ke.lan", False)


@pytest.mark.parametrize(
    ("media", "server_host", "host"),
    [
        ({}, "192.0.2.1", "192.0.2.1"),
        ({}, "localhost", "127.0.0.1"),
        ({"host": "0.0.0.0"}, "127.0.0.1", "0.0.0.0"),
        ({"host": "::"}, "ke.example.cn", "::"),
    ],
)
def test_media_listens_where_it_is_told_or_where_the_server_does(
    media: dict[str, str], server_host: str, host: str
) -> None:
    assert MediaGroup.model_validate(media).for_media(server_host, Path()).udp_host == host


def test_media_needs_an_address_to_listen_on() -> None:
    with pytest.raises(DomainError, match="address_refused") as refused:
        MediaGroup().for_media("ke.example.cn", Path())
    assert "media.host" in refused.value.data["remedy"]


def test_server_and_worker_meet_in_the_data_folder_or_where_they_are_told() -> None:
    assert MediaGroup().socket_in(Path("data")) == Path("data/media.sock")
    elsewhere = MediaGroup.model_validate({"worker_socket": "/run/keshi/media.sock"})
    assert elsewhere.socket_in(Path("data")) == Path("/run/keshi/media.sock")


def test_media_gets_the_same_in_its_own_words() -> None:
    group = MediaGroup.model_validate({"udp_port": 9, "advertised_ips": ["203.0.113.5", "2001:db8::1"]})
    settings = group.for_media("127.0.0.1", Path("data"))
    assert (settings.udp_host, settings.udp_port) == ("127.0.0.1", 9)
    assert settings.advertised_ips == ("203.0.113.5", "2001:db8::1")
    assert (settings.recordings, settings.uplink_mbps) == (None, None)
    assert MediaGroup(uplink_mbps=7.5).for_media("127.0.0.1", Path("data")).uplink_mbps == 7.5
    recording = MediaGroup(recording=True).for_media("127.0.0.1", Path("data"))
    assert recording.recordings == Path("data/recordings")


def test_a_turn_servers_secret_is_read_from_its_file_and_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "turn.secret"
    urls = ["turn:turn.example.cn:3478?transport=udp"]
    group = MediaGroup.model_validate(
        {"ice_servers": [{"urls": urls, "secret_file": "keys/turn.secret"}, {"urls": ["stun:a"]}] * 2}
    )
    for problem in (None, b"", b"\n", b"fifteen bytes..\n"):
        if problem is not None:
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(problem)
        with pytest.raises(DomainError, match="config_invalid") as refused:
            group.servers(tmp_path)
        assert refused.value.data["setting"] == "media.ice_servers.0"
        assert "secret_file" in refused.value.data["reason"]
        assert "fifteen" not in str(refused.value)
    file.write_bytes(b"sixteen bytes...\n")
    turn, stun, *_ = group.for_media("127.0.0.1", tmp_path).ice_servers
    assert (turn.secret, turn.urls, stun.secret) == (b"sixteen bytes...", tuple(urls), b"")
    fixed = MediaGroup.model_validate({"ice_servers": [{"urls": urls, "username": "u", "credential": "hidden"}]})
    assert "hidden" not in repr(fixed)
    assert fixed.servers(tmp_path)[0].credential == "hidden"


def test_passwords_come_from_the_environment_and_are_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("store:\n  database: postgresql://keshi@db/old\n  redis: redis://old\n")
    given = {"KESHI_DATABASE": "postgresql://keshi:secret@db/keshi", "KESHI_REDIS": "redis://:secret@cache/0"}
    store = read_config(file, {}, given).store
    assert store.database is not None
    assert store.redis is not None
    assert (store.database.get_secret_value(), store.redis.get_secret_value()) == tuple(given.values())
    assert "secret" not in repr(store)
    kept = read_config(file, {}, {"KESHI_REDIS": ""}).store
    assert kept.redis is not None
    assert kept.redis.get_secret_value() == "redis://old"
