"""A page without a browser: it attends by the same rules, and loses nothing that was not acknowledged."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import socketio

from server.demo.page import Login, Page, Refused, Socket, sign_in
from tests.demo.conftest import Served


class Mono:
    """A page's clock that is moved by hand."""

    def __init__(self) -> None:
        self.ms = 5_000_000.0

    def __call__(self) -> float:
        return self.ms


@pytest.fixture
async def lesson(served: Served) -> AsyncIterator[str]:
    """A lesson that runs for as long as the test does."""
    planned = await served.lessons._seed.plan_now("试演", 10 * 60_000)
    teacher = served.account("teacher")
    login = await sign_in(served.url, teacher.login, teacher.password)
    control = Socket(login)
    await control.open()
    await control.call("lesson:join", lesson_id=planned.id, device="desktop", page="a-teacher")
    await control.call("lesson:start", lesson_id=planned.id)
    yield planned.id
    await control.close()
    await login.close()


@pytest.fixture
async def trainee(served: Served) -> AsyncIterator[Login]:
    account = served.account("trainee01")
    login = await sign_in(served.url, account.login, account.password)
    yield login
    await login.close()


async def test_time_in_front_is_kept_through_a_lost_connection(lesson: str, trainee: Login) -> None:
    mono = Mono()
    page = Page(trainee, lesson, "phone", mono)
    await page.join()
    await page.beat()
    await asyncio.sleep(0.4)
    mono.ms += 400
    await page.drop()
    await asyncio.sleep(0.4)
    mono.ms += 400
    joined = await page.join()
    assert joined["lease"]["seq"] == 1, "the same lease goes on"
    assert (await page.beat())["credit_ms"] >= 790
    await page.leave()


async def test_a_hidden_page_earns_nothing(lesson: str, trainee: Login) -> None:
    mono = Mono()
    page = Page(trainee, lesson, "phone", mono)
    await page.join()
    await page.beat()
    before = page.credit_ms
    page.hide()
    await asyncio.sleep(0.4)
    mono.ms += 400
    assert (await page.beat())["credit_ms"] == before
    page.show()
    await asyncio.sleep(0.2)
    mono.ms += 200
    assert before + 190 <= (await page.beat())["credit_ms"] <= before + 200
    await page.leave()


async def test_an_old_beat_gets_the_same_answer_and_a_forged_one_a_refusal(lesson: str, trainee: Login) -> None:
    mono = Mono()
    page = Page(trainee, lesson, "phone", mono)
    await page.join()
    first = await page.beat()
    again = await page.say(page.sent)
    assert (again["seq"], again["nonce"]) == (first["seq"], first["nonce"])
    with pytest.raises(Refused) as refused:
        await page.say({**page.sent, "seq": 2})
    assert refused.value.code == "beat_refused"
    await page.leave()


async def test_it_answers_the_servers_question_whether_it_lives(served: Served, lesson: str, trainee: Login) -> None:
    page = Page(trainee, lesson, "phone", Mono())
    await page.join()
    twin = Page(trainee, lesson, "phone", Mono())
    with pytest.raises(Refused) as refused:
        await twin.join()
    assert refused.value.code == "lease_held"
    await twin.drop()
    await page.leave()


async def test_doors_stay_shut_for_strangers(served: Served) -> None:
    with pytest.raises(Refused) as refused:
        await sign_in(served.url, "trainee01", "not-the-password")
    assert refused.value.code == "login_refused"
    account = served.account("trainee02")
    login = await sign_in(served.url, account.login, account.password)
    await login.post("/api/v1/logout")
    with pytest.raises(socketio.exceptions.ConnectionError):
        await Socket(login).open()
    await login.close()
