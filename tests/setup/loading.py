"""How tests get at the set-up's modules, which lie outside any package."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

CI = Path(__file__).resolve().parents[2] / ".ci"


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of .ci under its own name, its neighbours importable, all forgotten again after the test."""
    monkeypatch.syspath_prepend(str(CI))
    spec = importlib.util.spec_from_file_location(name, CI / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module
