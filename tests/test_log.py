"""The log: one JSON object a line, nothing below its level."""

import json
import subprocess
import sys

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
