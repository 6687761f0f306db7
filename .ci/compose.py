"""Decides whether a compose file holds together: known keys, exact versions, nothing named that is not there.

    compose.py FILE

Docker is not needed to say so, and need not be installed where the checks run.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

TOP = {"name", "services", "volumes", "networks", "secrets"}
SERVICE = {
    "build", "cap_add", "cap_drop", "command", "depends_on", "environment", "healthcheck", "image", "logging",
    "networks", "ports", "read_only", "restart", "secrets", "security_opt", "stop_grace_period", "tmpfs", "ulimits",
    "volumes",
}  # fmt: skip
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
#: an image with a version that says all of it: x.y at least
EXACT = re.compile(r"[a-z0-9./_-]+:v?\d+\.\d+(?:\.\d+)?(?:-[a-z0-9.]+)?")
PORT = re.compile(r"(?:\d+\.\d+\.\d+\.\d+:)?\d{1,5}:\d{1,5}/(?:tcp|udp)")


def findings(text: str, folder: Path) -> list[str]:
    """What is wrong with a file's text; paths in it are below `folder`."""
    try:
        whole = yaml.safe_load(text)
    except yaml.YAMLError as error:
        return [f"no YAML: {error}"]
    if not isinstance(whole, dict) or not isinstance(whole.get("services"), dict):
        return ["services are missing"]
    found = [f"unknown: {key}" for key in whole.keys() - TOP]
    for name, service in whole["services"].items():
        found += [f"{name}: {one}" for one in _service(service, whole, folder)]
    for name, secret in (whole.get("secrets") or {}).items():
        found += [] if isinstance(secret, dict) and secret.get("file") else [f"secret {name}: no file"]
    return found


def _service(service: Any, whole: dict[str, Any], folder: Path) -> Iterator[str]:
    if not isinstance(service, dict):
        yield "is no mapping"
        return
    yield from (f"unknown key {key}" for key in service.keys() - SERVICE)
    if not EXACT.fullmatch(str(service.get("image"))):
        yield f"image {service.get('image')} names no exact version"
    yield from _build(service.get("build"), folder)
    yield from (f"port {port}" for port in service.get("ports", []) if not PORT.fullmatch(str(port)))
    for kind in ("networks", "secrets"):
        yield from (f"{kind}: {name}?" for name in service.get(kind, []) if name not in (whole.get(kind) or {}))
    for volume in service.get("volumes", []):
        source = str(volume).partition(":")[0]
        known = (folder / source).exists() if source.startswith(".") else source in (whole.get("volumes") or {})
        if not known:
            yield f"volume {source}?"
    yield from _waits(service.get("depends_on", {}), whole["services"])


def _build(build: Any, folder: Path) -> Iterator[str]:
    if build is not None:
        context = folder / str(build.get("context"))
        if not (context / str(build.get("dockerfile"))).is_file():
            yield f"build: {build} is not there"


def _waits(waits: Any, services: dict[str, Any]) -> Iterator[str]:
    for name, how in waits.items():
        if name not in services:
            yield f"depends on {name}?"
        elif how.get("condition") not in CONDITIONS:
            yield f"depends on {name}: {how}"
        elif how["condition"] == "service_healthy" and "test" not in services[name].get("healthcheck", {}):
            yield f"depends on the health of {name}, which tells none"


def main(arguments: list[str]) -> int:
    """Say what is wrong with the file; 0 when nothing is."""
    (name,) = arguments
    found = findings(Path(name).read_text(encoding="utf-8"), Path(name).parent)
    for one in found:
        print(f"{name}: {one}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
