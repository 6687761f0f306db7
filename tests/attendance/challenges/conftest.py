"""The world of the tests of challenges."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.attendance.challenges.play import RULE
from tests.attendance.world import World


@pytest.fixture
async def world(tmp_path: Path, template: Path) -> AsyncIterator[World]:
    made = await World.make(tmp_path / "world", template, rule=RULE)
    yield made
    await made.close()
