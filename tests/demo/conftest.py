"""A demo that is served in this process, in a folder of its own, on a free port."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from server import demo as demonstration
from server.app import House
from server.demo.cast import Account, read_accounts
from server.demo.lesson import DemoLessons
from server.serve import running
from server.settings import Config


@dataclass
class Served:
    """A running demo."""

    house: House
    url: str
    folder: Path

    @property
    def lessons(self) -> DemoLessons:
        (found,) = (one.service for one in self.house.capabilities if isinstance(one.service, DemoLessons))
        return found

    def account(self, login: str) -> Account:
        (found,) = (one for one in read_accounts(self.folder) if one.login == login)
        return found


def demo_config(folder: Path) -> Config:
    return Config.model_validate({"server": {"port": 0, "data": folder}, "media": {"udp_port": 0}})


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with running(demo_config(tmp_path), demo=True) as (house, url):
        await demonstration.prepare(house, tmp_path)
        yield Served(house, url, tmp_path)
