"""The lesson again as phones have it: HTTPS of a local authority, a second address, the server killed in the middle.

Chromium runs on a second machine (a network namespace); its pages are phones with fingers. It trusts the authority as
a phone does that installed it. Nobody touches a page after the kill: all come back, and nothing acknowledged is lost.
"""

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import async_playwright

from tests.e2e.browsers import real_chromium
from tests.e2e.cluster import cluster
from tests.e2e.lesson import (
    STEADY,
    Plan,
    School,
    check_everybody,
    hold,
    sealed_strips,
    strips_now,
)
from tests.e2e.pictures import DESK, PHONE
from tests.e2e.service import Service
from tests.network.space import space

SHORT = Plan(lesson_s=64, away_s=11, back_s=31, close_s=17, reopen_s=28, kill_s=38)
WHOLE = Plan(kill_s=125)


def pin(url: str) -> str:
    """The flag with which Chromium trusts the key shown at this address and no other unknown one."""
    parts = urlsplit(url)
    found = ssl.get_server_certificate((str(parts.hostname), int(parts.port or 0)))
    key = x509.load_pem_x509_certificate(found.encode()).public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    return f"--ignore-certificate-errors-spki-list={base64.b64encode(digest).decode()}"


@pytest.fixture
async def school(tmp_path: Path, chromium: str | None) -> AsyncIterator[School]:
    with space() as elsewhere:
        service = Service(tmp_path, "--demo", "--demo-anywhere", host=elsewhere.server, secure=True)
        service.start()

        async def killed_and_started() -> None:
            service.kill()
            await asyncio.to_thread(service.start)

        async with async_playwright() as playwright:
            playwright.selectors.set_test_id_attribute("data-test")
            async with real_chromium(playwright, chromium, pin(service.url), space=elsewhere) as browser:
                yield School(service, browser, touch=True, prefix="https-", break_down=killed_and_started)
        service.kill()


@pytest.fixture
async def city(tmp_path: Path, chromium: str | None, postgres: str, redis_server: str) -> AsyncIterator[School]:
    """The same phones, served by two processes over PostgreSQL, Redis and a media worker."""
    with space() as elsewhere, cluster(tmp_path, elsewhere.server, postgres, redis_server) as service:

        async def owner_killed() -> None:
            await service.kill_owner()

        async with async_playwright() as playwright:
            playwright.selectors.set_test_id_attribute("data-test")
            async with real_chromium(playwright, chromium, pin(service.url), space=elsewhere) as browser:
                made = School(service, browser, touch=True, prefix="cluster-", break_down=owner_killed, all_cut=False)
                made.kill_worker = service.worker.kill
                yield made


async def is_a_phone_on_https(school: School) -> None:
    """What a lesson needs of a phone is there: a secure page, a finger, and the screen kept lit."""
    _, page = await school.signed_in(STEADY, "learn", PHONE)
    assert await page.evaluate("[isSecureContext, matchMedia('(pointer: coarse)').matches, innerWidth]") == [
        True,
        True,
        390,
    ]
    assert await page.evaluate("'wakeLock' in navigator && 'subtle' in crypto && 'mediaDevices' in navigator")
    await page.context.close()


async def a_short_lesson(school: School) -> None:
    """The lesson, and what everybody earned as soon as it is over."""
    school.plan = SHORT
    await is_a_phone_on_https(school)
    await hold(school)
    _, staff = await school.signed_in("staff", "desk", DESK)
    strips = await strips_now(staff)
    assert len(strips["rows"][0]["cells"]) >= 2, "it shows minutes"
    check_everybody(school, strips)


async def a_whole_lesson(school: School) -> None:
    """Three minutes, judged when all are sealed."""
    school.plan = WHOLE
    await hold(school)
    _, staff = await school.signed_in("staff", "desk", DESK)
    check_everybody(school, await sealed_strips(school, staff))


@pytest.mark.timeout(300)
async def test_a_lesson_on_phones_with_the_server_killed(school: School) -> None:
    await a_short_lesson(school)


@pytest.mark.timeout(300)
async def test_a_lesson_of_two_processes_with_its_owner_killed(city: School) -> None:
    await a_short_lesson(city)


@pytest.mark.long
@pytest.mark.timeout(500)
async def test_three_minutes_on_phones_with_the_server_killed(school: School) -> None:
    await a_whole_lesson(school)


@pytest.mark.long
@pytest.mark.timeout(500)
async def test_three_minutes_of_two_processes_with_their_owner_killed(city: School) -> None:
    await a_whole_lesson(city)
