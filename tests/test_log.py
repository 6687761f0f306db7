"""The log: one JSON object a line, nothing below its level."""

import contextlib
import io
import json
import subprocess
import sys

import pytest
import structlog

from server.log import set_up_logging

SCRIPT = """
import logging
import structlog
from server.log import set_up_logging
set_up_logging("warning")
logging.getLogger("aiohttp.server").error("Error handling request: b'Cookie: keshi_session=secret'")
log = structlog.get_logger("test")
log.info("too_quiet")
try:
    raise RuntimeError("cause")
except RuntimeError as error:
    log.exception("seen", lesson="l1", error=type(error).__name__)
"""


def test_lines_are_json_with_level_time_and_cause() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    (line,) = done.stderr.splitlines()
    told = json.loads(line)
    assert (told["event"], told["level"], told["lesson"]) == ("seen", "error", "l1")
    assert "RuntimeError: cause" in told["exception"]
    assert told["timestamp"].endswith("Z")


def test_a_logger_outlives_the_stderr_that_it_was_made_with(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    shut = io.StringIO()
    try:
        with contextlib.redirect_stderr(shut):
            set_up_logging("info")
            log = structlog.get_logger("test")
            log.info("first")
        shut.close()
        log.info("second")
        assert "second" in capsys.readouterr().err
    finally:
        structlog.configure(**before)


def test_a_process_that_is_one_of_several_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    try:
        named = set_up_logging("info")
        log = structlog.get_logger("test")
        log.info("before")
        named("node-one")
        log.info("after")
        told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
        assert [(line["event"], line.get("node")) for line in told] == [("before", None), ("after", "node-one")]
    finally:
        structlog.configure(**before)
