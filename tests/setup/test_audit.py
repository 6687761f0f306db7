"""An audit fails on a weakness and calls nothing clean that it could not ask about. Outputs are as the tools print."""

import json
from types import ModuleType
from typing import Any

import pytest

from tests.setup.loading import load

CLEAN = {"name": "aiohttp", "version": "3.14.5", "vulns": []}
WEAK_ID, MENDED = "PYSEC-2023-120", "3.8.5"
WEAK = {
    "name": "aiohttp",
    "version": "3.8.4",
    "vulns": [{"id": WEAK_ID, "fix_versions": [MENDED], "aliases": ["CVE-2023-37276"], "description": "…"}],
}
SKIPPED = {"name": "acme", "skip_reason": "Dependency not found on PyPI and could not be audited: acme (5.9.0)"}
NOT_DONE = 75
OFFLINE = "WARNING:pip_audit._service: retrying\nERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed\n"

NPM_COUNTS = {"vulnerabilities": {"total": 0}, "dependencies": {"prod": 23, "dev": 180, "total": 210}}
NPM_CLEAN = {"auditReportVersion": 2, "vulnerabilities": {}, "metadata": NPM_COUNTS}
NPM_WEAK = NPM_CLEAN | {
    "vulnerabilities": {
        "engine.io-client": {
            "name": "engine.io-client",
            "severity": "high",
            "isDirect": False,
            "via": ["ws"],
            "effects": ["socket.io-client"],
            "range": "<=6.6.0",
            "fixAvailable": True,
        },
        "ws": {
            "name": "ws",
            "severity": "high",
            "isDirect": False,
            "via": [{"source": 1098392, "name": "ws", "title": "ws affected by a DoS", "severity": "high"}],
            "effects": ["engine.io-client"],
            "range": "8.0.0 - 8.17.0",
            "fixAvailable": True,
        },
    }
}
NPM_REFUSED = {
    "message": "405 Method Not Allowed - POST /-/npm/v1/security/advisories/bulk",
    "method": "POST",
    "statusCode": 405,
    "body": "",
    "error": {"summary": "", "detail": ""},
}


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return load("audit", monkeypatch)


def _python(audit: ModuleType, *packages: dict[str, Any], errors: str = "") -> Any:
    output = json.dumps({"dependencies": list(packages), "fixes": []}) if packages else ""
    return audit.judge_python(output, errors)


def test_python_without_a_weakness(audit: ModuleType) -> None:
    verdict = _python(audit, CLEAN)
    assert (verdict.code, verdict.audited) == (0, 1)
    assert verdict.words("lock")[0].startswith("✓")


def test_python_with_a_weakness(audit: ModuleType) -> None:
    verdict = _python(audit, SKIPPED, WEAK)
    assert verdict.code == 1
    said = "\n".join(verdict.words("lock"))
    assert all(word in said for word in ("✗", "aiohttp 3.8.4", WEAK_ID, MENDED))


def test_packages_that_were_not_found_are_not_clean(audit: ModuleType) -> None:
    """pip-audit itself says "No known vulnerabilities found" here, and exits with 0."""
    verdict = _python(audit, SKIPPED, SKIPPED, errors="No known vulnerabilities found\n")
    assert verdict.code == NOT_DONE
    (said,) = verdict.words("lock")
    assert "NOT audited" in said
    assert "✓" not in said


def test_packages_of_which_some_were_not_found(audit: ModuleType) -> None:
    first, second = _python(audit, CLEAN, SKIPPED).words("lock")
    assert (first[0], "in 1 packages" in first, second[0], "acme" in second) == ("✓", True, "!", True)


@pytest.mark.parametrize("errors", [OFFLINE, ""])
def test_python_when_nobody_answers(audit: ModuleType, errors: str) -> None:
    verdict = _python(audit, errors=errors)
    (said,) = verdict.words("lock")
    assert (verdict.code, "NOT audited" in said, "✓" in said) == (NOT_DONE, True, False)
    assert ("Could not connect" in said) == bool(errors)


def test_web_without_a_weakness(audit: ModuleType) -> None:
    verdict = audit.judge_web(json.dumps(NPM_CLEAN), "")
    assert (verdict.code, verdict.audited) == (0, 210)


def test_web_with_weaknesses(audit: ModuleType) -> None:
    verdict = audit.judge_web(json.dumps(NPM_WEAK), "")
    assert verdict.code == 1
    assert verdict.found == [
        "engine.io-client <=6.6.0: high, ws",
        "ws 8.0.0 - 8.17.0: high, ws affected by a DoS",
    ]


@pytest.mark.parametrize(
    ("output", "errors", "why"),
    [
        (json.dumps(NPM_REFUSED), "", "405 Method Not Allowed"),
        ("npm warn audit\n" + json.dumps(NPM_REFUSED), "", "405"),
        ("", "npm error code ENOTFOUND\n", "ENOTFOUND"),
        ("{ broken", "", "no answer"),
    ],
)
def test_web_when_nobody_answers(audit: ModuleType, output: str, errors: str, why: str) -> None:
    verdict = audit.judge_web(output, errors)
    (said,) = verdict.words("lock")
    assert (verdict.code, "NOT audited" in said, why in said) == (NOT_DONE, True, True)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (f"print({json.dumps(json.dumps({'dependencies': [WEAK]}))})", 1),
        (f"print({json.dumps(json.dumps({'dependencies': [CLEAN]}))})", 0),
        ("raise SystemExit(1)", NOT_DONE),
    ],
)
def test_the_check_ends_as_the_verdict_says(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, script: str, code: int
) -> None:
    what, command, judge = audit.JUDGES["python"]
    monkeypatch.setitem(audit.JUDGES, "python", (what, [command[0], "-c", script], judge))
    assert audit.audit("python") == code


def test_silence_is_not_waited_for_for_ever(audit: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    what, command, judge = audit.JUDGES["web"]
    monkeypatch.setitem(audit.JUDGES, "web", (what, [command[0], "-c", "import time; time.sleep(60)"], judge))
    monkeypatch.setattr(audit, "ASK_S", 0.2)
    assert audit.audit("web") == NOT_DONE


def test_make_check_asks_for_both_and_claims_nothing_it_could_not_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    check = load("check", monkeypatch)
    assert {"audit-python", "audit-web"} <= check.CHECKS.keys()
    assert check.NOT_DONE == load("audit", monkeypatch).NOT_DONE == NOT_DONE
    for codes, code, word in (
        ({"lint": 0, "audit-web": 0}, 0, "all checks passed"),
        ({"lint": 0, "audit-web": NOT_DONE}, 0, "could not be done: audit-web"),
        ({"lint": 2, "audit-web": NOT_DONE}, 1, "failed: lint"),
        ({"lint": 0, "audit-web": 1}, 1, "failed: audit-web"),
    ):
        assert check.told(codes) == code
        said = capsys.readouterr().out
        assert (word in said, "all checks passed" in said) == (True, NOT_DONE not in codes.values() and not code)
