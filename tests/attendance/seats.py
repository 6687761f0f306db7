"""Pages that sit in a lesson of a small world, for the tests of what they may do."""

import pytest

from server.attendance.intervals import total
from server.core.errors import DomainError
from tests.attendance.world import Page, World, person_id, trainee


async def minutes(world: World, page: Page, beats: int, every_ms: int = 10_000) -> None:
    """Some beats at their pace."""
    for _ in range(beats):
        world.clock.advance(every_ms)
        await page.beat()


async def front_ms(world: World, number: int = 1) -> int:
    return total((await world.book()).person(person_id(number)).front)


async def refused(code: str, work: object) -> DomainError:
    with pytest.raises(DomainError) as caught:
        await work  # type: ignore[misc]
    assert caught.value.code == code
    return caught.value


async def joined(world: World, number: int = 1, name: str = "page-000", session: str = "") -> Page:
    page = Page(world, trainee(number, session), name)
    page.show()
    await page.join()
    return page
