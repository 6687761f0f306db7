"""Decides what an audit of the locked packages means: a known weakness fails, silence is told and never called clean.

audit.py python    requirements.lock, by pip-audit
audit.py web       web/package-lock.json, by npm audit

Both ask a service of their registry. Where that does not answer (a mirror, no network) nothing was audited: the check
says so and does not fail, because no change of the code could mend it; nor does it claim to have passed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ASK_S = 180
#: what check.py takes for "could not be done" (EX_TEMPFAIL of sysexits.h)
NOT_DONE = 75
MOST_NAMED = 5
PYTHON = [sys.executable, "-m", "pip_audit", "-r", "requirements.lock", "--require-hashes", "--disable-pip"]
PYTHON += ["--format", "json", "--progress-spinner", "off"]
WEB = [sys.executable, "-B", ".ci/setup.py", "npm", "--silent", "audit", "--json", "--package-lock-only"]


@dataclass
class Verdict:
    """`found` are weaknesses; `audited` packages were looked up, `unknown` ones were not, for `reason`."""

    found: list[str] = field(default_factory=list)
    audited: int = 0
    unknown: list[str] = field(default_factory=list)
    reason: str = ""

    @property
    def code(self) -> int:
        """The exit code: 1 for a weakness, NOT_DONE when nothing could be asked."""
        if self.found:
            return 1
        return 0 if self.audited else NOT_DONE

    def words(self, what: str) -> list[str]:
        """What a person is told."""
        if self.found:
            return [f"✗ {what}：发现已知漏洞 · known weaknesses:", *(f"    {one}" for one in self.found)]
        if not self.audited:
            return [f"! {what}：审计服务没有应答，未审计 · not reachable, NOT audited ({self.reason})"]
        lines = [f"✓ {what}：{self.audited} 个包没有已知漏洞 · no known weakness in {self.audited} packages"]
        if self.unknown:
            few = ", ".join(self.unknown[:MOST_NAMED]) + (" …" if len(self.unknown) > MOST_NAMED else "")
            lines.append(f"! {len(self.unknown)} 个包查不到，未审计 · not found there, NOT audited: {few}")
        return lines


def judge_python(output: str, errors: str) -> Verdict:
    """What pip-audit said. It calls a lock clean whose packages it never found: each one is counted here."""
    said = parsed(output)
    if not isinstance(said.get("dependencies"), list):
        return Verdict(reason=last_line(errors))
    verdict = Verdict(reason="pip-audit found none of the packages there")
    for package in said["dependencies"]:
        if "skip_reason" in package:
            verdict.unknown.append(package["name"])
            continue
        verdict.audited += 1
        for weakness in package["vulns"]:
            mended = ", ".join(weakness["fix_versions"]) or "-"
            verdict.found.append(f"{package['name']} {package['version']}: {weakness['id']} (→ {mended})")
    return verdict


def judge_web(output: str, errors: str) -> Verdict:
    """What npm audit said."""
    said = parsed(output)
    if "error" in said or "auditReportVersion" not in said:
        return Verdict(reason=str(said.get("message") or last_line(errors)))
    verdict = Verdict(audited=int(said["metadata"]["dependencies"]["total"]))
    for name, one in said["vulnerabilities"].items():
        causes = [cause if isinstance(cause, str) else cause["title"] for cause in one["via"]]
        verdict.found.append(f"{name} {one['range']}: {one['severity']}, {'; '.join(causes)}")
    return verdict


def parsed(output: str) -> dict[str, Any]:
    """The JSON object in what a tool printed; empty when there is none."""
    start = output.find("{")
    try:
        said = json.loads(output[start:]) if start >= 0 else {}
    except json.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def last_line(errors: str) -> str:
    """The last thing a tool complained about."""
    return next((line.strip() for line in reversed(errors.splitlines()) if line.strip()), "no answer")


JUDGES: dict[str, tuple[str, list[str], Callable[[str, str], Verdict]]] = {
    "python": ("pip-audit requirements.lock", PYTHON, judge_python),
    "web": ("npm audit web/package-lock.json", WEB, judge_web),
}


def audit(which: str) -> int:
    """Ask, judge, tell."""
    what, command, judge = JUDGES[which]
    try:
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=ASK_S, check=False)
        verdict = judge(answer.stdout, answer.stderr)
    except subprocess.TimeoutExpired:
        verdict = Verdict(reason=f"no answer within {ASK_S} s")
    print("\n".join(verdict.words(what)), flush=True)
    return verdict.code


if __name__ == "__main__":
    sys.exit(audit(sys.argv[1]))
