"""The command line as a person uses it: help, init's one-time link, export, refusals with a remedy."""

import asyncio
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import openpyxl
import pytest

from server.__main__ import EXIT_REFUSED, main
from server.serve import only_one
from server.verify.notes import check_witnesses, read_key, read_note
from tests.school import school
from tests.witness.world import Log

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = (
    "serve",
    "media",
    "init",
    "migrate",
    "demo",
    "export",
    "backup",
    "restore",
    "doctor",
    "fsck",
    "key",
    "witness",
    "verify",
    "types",
)


def test_help_names_every_command_in_two_languages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    told = capsys.readouterr().out
    for command in COMMANDS:
        assert re.search(rf"\b{command}\b.*·", told), command
        with pytest.raises(SystemExit):
            main([command, "--help"])
        assert "--data" in capsys.readouterr().out


def test_init_prints_one_link_again_until_it_is_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secrets = []
    for _ in range(2):
        assert main(["init", "--data", str(tmp_path), "--operator", "示例平台"]) == 0
        told = capsys.readouterr().out
        assert f"{sys.executable} -m server serve --data {tmp_path}" in told  # to be pasted as it stands
        (found,) = re.findall(r"/desk\.html#/welcome/(\S+)", told)
        secrets.append(found)
    assert secrets[0] != secrets[1]
    assert (tmp_path / "keys" / "vault.key").stat().st_mode & 0o077 == 0


def test_init_names_the_port_that_will_be_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--data", str(tmp_path), "--port", "9000"]) == 0
    told = capsys.readouterr().out
    assert "http://127.0.0.1:9000/desk.html#/welcome/" in told
    assert f"-m server serve --data {tmp_path} --port 9000" in told


def test_media_has_no_process_of_its_own_unless_it_was_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["media", "--data", str(tmp_path)]) == EXIT_REFUSED
    told = capsys.readouterr().err
    assert "media_embedded" in told
    assert "media.mode: worker" in told


@pytest.mark.parametrize("taken", ["media.worker_socket", "media.udp_port"])
def test_a_media_process_names_what_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str], taken: str) -> None:
    path, config = tmp_path / "media.sock", tmp_path / "config.yaml"
    with socket.socket(socket.AF_UNIX) as other, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.bind(("127.0.0.1", 0))
        number = port.getsockname()[1] if taken == "media.udp_port" else 0
        if taken == "media.worker_socket":
            other.bind(str(path))
            other.listen()
        config.write_text(f"media:\n  mode: worker\n  udp_port: {number}\n")
        assert main(["media", "--data", str(tmp_path), "--config", str(config)]) == EXIT_REFUSED
    told = capsys.readouterr().err
    assert "port_in_use" in told
    assert taken in told


def test_a_missing_settings_file_that_was_named_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "--config", "nowhere.yaml"]) == EXIT_REFUSED
    assert "config_unreadable" in capsys.readouterr().err


def test_a_refusal_has_its_code_and_a_remedy_in_two_languages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--data", str(tmp_path), "--demo", "--host", "0.0.0.0"]) == EXIT_REFUSED
    told = capsys.readouterr().err
    assert "address_refused" in told
    assert "ARGS=--demo-anywhere" in told
    assert "办法" in told


def test_a_folder_in_use_is_refused_with_a_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with only_one(tmp_path):
        assert main(["migrate", "--data", str(tmp_path)]) == EXIT_REFUSED
    told = capsys.readouterr().err
    assert "data_folder_busy" in told
    assert "网页上导出" in told
    assert "from its pages" in told


async def _class(folder: Path) -> None:
    async with school(folder):
        pass


async def test_export_writes_the_ledger_of_a_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await _class(tmp_path / "data")
    out = tmp_path / "台账.xlsx"
    status = await asyncio.to_thread(main, ["export", "C-1", "--data", str(tmp_path / "data"), "--out", str(out)])
    assert (status, capsys.readouterr().err) == (0, "")
    sheet = openpyxl.load_workbook(out).active
    assert sheet is not None
    assert any(cell.value == "名jia" for row in sheet.iter_rows() for cell in row)
    for arguments, code in (
        (["export", "C-2", "--data", str(tmp_path / "data"), "--out", str(out)], "not_found"),
        (["export", "C-1", "--data", str(tmp_path / "data"), "--out", "x.pdf"], "unsupported_file"),
    ):
        assert await asyncio.to_thread(main, arguments) == EXIT_REFUSED
        assert code in capsys.readouterr().err


def test_the_web_clients_types_are_those_of_the_declarations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """When this fails: `python -m server types`."""
    monkeypatch.chdir(tmp_path)
    assert main(["types", "--out", str(tmp_path / "types.ts")]) == 0
    assert (tmp_path / "types.ts").read_text() == (ROOT / "web" / "src" / "wire" / "types.ts").read_text()
    assert capsys.readouterr().err == ""


KEYS_AND_NAMES = [
    ("no key", "county", "--logs"),
    (f"{Log().key} http://[x", "county", "--logs"),
    ("", "the county", "--name"),
]


@pytest.mark.parametrize(("keys", "name", "setting"), KEYS_AND_NAMES)
def test_a_witness_wants_keys_and_a_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], keys: str, name: str, setting: str
) -> None:
    (tmp_path / "logs").write_text(keys)
    options = ["--logs", str(tmp_path / "logs"), "--name", name, "--data", str(tmp_path / "data")]
    assert main(["witness", *options]) == EXIT_REFUSED
    told = capsys.readouterr().err
    assert "config_invalid" in told
    assert setting in told
    assert not (tmp_path / "data").exists()


def test_a_witness_serves_and_remembers(tmp_path: Path) -> None:
    log = Log()
    (tmp_path / "logs").write_text(f"{log.key}\n")
    options = ["--logs", str(tmp_path / "logs"), "--name", "county", "--data", str(tmp_path / "data"), "--port", "0"]
    for old, size in ((0, 3), (3, 7)):
        command = [sys.executable, "-m", "server", "witness", *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as program:
            assert program.stdout is not None
            key, url = program.stdout.readline().strip(), program.stdout.readline().split()[1]
            with urlopen(f"{url}/add-checkpoint", log.ask(old, size)) as answer:
                seen = read_note(log.note(size) + answer.read().decode())
            assert [str(one.key) for one in check_witnesses(seen, [read_key(key)])] == [key]
            program.send_signal(signal.SIGTERM)
            assert program.wait(10) == 0
