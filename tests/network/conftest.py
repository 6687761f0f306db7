"""The second machine for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.network.space import Space
from tests.network.space import space as opened


@pytest.fixture(scope="session")
def space() -> Iterator[Space]:
    """One for all tests of a process."""
    with opened() as made:
        yield made
