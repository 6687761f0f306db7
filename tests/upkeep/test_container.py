"""The container files: their lints pass, and bite; their settings are ours; what they copy is there."""

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from server.settings import origins, read_config
from tests.house.repo import ROOT

DEPLOY = ROOT / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text()
HADOLINT = Path(sys.executable).parent / "hadolint"


@pytest.fixture(scope="module")
def lint() -> ModuleType:
    spec = spec_from_file_location("compose", ROOT / ".ci" / "compose.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_compose_file_holds_together(lint: ModuleType) -> None:
    assert lint.findings(TEXT, DEPLOY) == []
    assert lint.main([str(DEPLOY / "compose.yaml")]) == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("postgres:15.14-bookworm", "postgres:latest", "no exact version"),
        ("postgres:15.14-bookworm", "postgres:15", "no exact version"),
        ("restart: unless-stopped", "restarts: always", "unknown key"),
        ("8090:8090/udp", "8090", "port"),
        ("networks: [inside]", "networks: [outside]", "outside"),
        ("data:/var/lib/keshi", "date:/var/lib/keshi", "volume date"),
        ("dockerfile: deploy/Containerfile", "dockerfile: deploy/Nothing", "not there"),
        ("media: {condition: service_started}", "media: {condition: service_healthy}", "health of media"),
        ("media: {condition: service_started}", "media: {condition: soon}", "soon"),
        ("media: {condition: service_started}", "medium: {condition: service_started}", "medium?"),
        ("secrets: [postgres_password]", "secrets: [other]", "other"),
        ("    file: ./postgres.password", "    environment: X", "no file"),
        ("services:", "service:", "services are missing"),
        ("name: keshi", "name: [", "no YAML"),
        ("name: keshi", "version: '3'", "unknown: version"),
    ],
)
def test_the_compose_lint_bites(lint: ModuleType, old: str, new: str, said: str) -> None:
    assert old in TEXT
    assert said in "\n".join(lint.findings(TEXT.replace(old, new), DEPLOY))


def test_hadolint_passes_and_bites(tmp_path: Path) -> None:
    file = DEPLOY / "Containerfile"
    assert subprocess.run([HADOLINT, file], capture_output=True, text=True, check=False).stdout == ""
    (tmp_path / "Containerfile").write_text(file.read_text().replace("debian:12.12-slim", "debian:latest"))
    done = subprocess.run([HADOLINT, tmp_path / "Containerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, "DL3007" in done.stdout) == (1, True)


def test_its_settings_are_good_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KESHI_DATABASE", raising=False)
    config = read_config(DEPLOY / "container.yaml", {})
    assert config.media.mode == "worker"
    assert origins(config, 8080)[0] == "https://ke.example.cn"
    subnet = "172.30.77."
    assert all(str(one).startswith(subnet) for one in config.server.trusted_proxies)
    assert f"gateway: {subnet}1" in TEXT


def test_what_it_copies_is_there() -> None:
    for line in (DEPLOY / "Containerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            assert (ROOT / line.split()[1]).exists(), line
