"""What the doctor says of carrying media: processor, worker, settings that agree, each good and bad."""

import socket
from pathlib import Path

import pytest

from media.api import MediaSettings, serving
from server.settings import Config
from server.upkeep import carriage
from server.upkeep.finding import Level


@pytest.mark.parametrize(
    ("cores", "load", "aes", "level"),
    [
        (2.0, 1.8, True, Level.WELL),
        (2.0, 1.9, True, Level.LOOK),
        (0.5, 0.5, True, Level.LOOK),
        (2.0, 0.0, False, Level.LOOK),
        (2.0, 0.0, None, Level.WELL),
    ],
)
def test_a_processor_that_keeps_up_and_one_that_does_not(
    cores: float, load: float, aes: bool | None, level: Level
) -> None:
    found = carriage.processor(cores, load, aes)
    assert found.level is level
    assert f"{cores:g} cores" in found.english


def test_a_container_may_have_a_part_of_a_core(tmp_path: Path) -> None:
    (tmp_path / "part").write_text("50000 100000\n")
    (tmp_path / "all").write_text("max 100000\n")
    whole = carriage.cores(tmp_path / "none")
    assert carriage.cores(tmp_path / "part") == 0.5
    assert carriage.cores(tmp_path / "all") == whole >= 1


def test_whether_it_has_aes(tmp_path: Path) -> None:
    for name, said, expected in (
        ("x86", "model name: aes\nflags\t\t: fpu aes sse2\n", True),
        ("arm", "Features\t: fp asimd\n", False),
        ("silent", "processor : 0\n", None),
    ):
        (tmp_path / name).write_text(said)
        assert carriage.has_aes(tmp_path / name) is expected
    assert carriage.has_aes(tmp_path / "none") is None


@pytest.mark.parametrize(
    ("server", "level", "code"),
    [
        ({}, Level.WELL, ""),
        ({"host": "0.0.0.0"}, Level.BROKEN, "tls_needed"),
        ({"host": "ke.example.cn", "trusted_proxies": ["127.0.0.1/32"]}, Level.BROKEN, "address_refused"),
    ],
)
def test_settings_that_would_not_start(server: dict[str, object], level: Level, code: str) -> None:
    found = carriage.settings(Config.model_validate({"server": server}))
    assert found.level is level
    assert code in found.english


async def test_a_worker_that_answers_was_killed_or_never_started(tmp_path: Path) -> None:
    path = tmp_path / "media.sock"
    assert carriage.worker(path).level is Level.LOOK
    async with serving(MediaSettings(), b"a key for tests only, thirty-two", path):
        assert carriage.worker(path).level is Level.WELL
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    assert carriage.worker(path).level is Level.BROKEN
