"""Challenges over the real service, store and spool: who is asked, what an answer, silence or another device does."""

from pathlib import Path

import pytest

from server.attendance.challenges import pace, records, rules
from server.attendance.challenges.lesson import Answer, ChallengeState
from server.attendance.minutes import MINUTE_MS
from server.attendance.timeline import Phase, Transition
from server.core.errors import DomainError
from server.verify.schedule import draw, due_after_ms
from server.verify.vouched import Outcome
from tests.attendance.challenges.play import ANN, LATEST_MS, RULE, enter, let_pass, outcomes, say, until_asked
from tests.attendance.challenges.scripted import right
from tests.attendance.world import BEAT_EVERY_MS, LESSON, PASSWORD, T0, Page, World, trainee


async def test_a_trainee_is_asked_when_it_is_due_and_passes(world: World) -> None:
    page = await enter(world)
    await let_pass(world, page, RULE.earliest_ms - BEAT_EVERY_MS)
    assert await outcomes(world) == []
    state = await until_asked(world, page)
    assert (state.number, state.left_ms, state.reason) == (1, RULE.answer_ms, None)
    assert (await say(world, page, state)).state == "clear"
    assert await outcomes(world) == [Outcome.ISSUED, Outcome.PASSED]
    (issued, passed) = (await world.happened())[ANN.person_id]
    assert RULE.earliest_ms <= issued.credit_ms <= LATEST_MS
    assert passed.credit_ms >= issued.credit_ms
    await until_asked(world, page)


async def test_an_answer_that_is_said_again_changes_nothing(world: World) -> None:
    page = await enter(world)
    state = await until_asked(world, page)
    first = await say(world, page, state)
    assert await say(world, page, state, "wrong") == first
    assert await outcomes(world) == [Outcome.ISSUED, Outcome.PASSED]


async def test_a_wrong_answer_blocks_until_the_trainee_asks_and_passes(world: World) -> None:
    page = await enter(world)
    state = await say(world, page, await until_asked(world, page), "wrong")
    assert (state.state, state.reason) == ("blocked", "identity_failed")
    with pytest.raises(DomainError) as early:
        await world.challenges.again(page.actor, page.connection, LESSON, page.epoch)
    assert early.value.code == "challenge_too_soon"
    await let_pass(world, page, rules.AGAIN_AFTER_MS)
    asked = await world.challenges.again(page.actor, page.connection, LESSON, page.epoch)
    assert (asked.state, asked.number, asked.reason) == ("asked", 2, "identity_failed")
    assert (await say(world, page, asked)).state == "clear"
    assert (await outcomes(world))[1:] == [Outcome.FAILED, Outcome.ISSUED, Outcome.PASSED]


async def test_who_is_clear_cannot_ask(world: World) -> None:
    page = await enter(world)
    with pytest.raises(DomainError) as refused:
        await world.challenges.again(page.actor, page.connection, LESSON, page.epoch)
    assert refused.value.code == "challenge_over"


async def test_nobody_answers_for_another(world: World) -> None:
    page, other = await enter(world), await enter(world, trainee(2))
    state = await until_asked(world, page)
    said = Answer(LESSON, page.epoch, state.number, right(state.prompt))
    for actor, connection in ((other.actor, page.connection), (page.actor, other.connection)):
        with pytest.raises(DomainError) as refused:
            await world.challenges.answer(actor, connection, said)
        assert refused.value.code == "lease_lost"
    with pytest.raises(DomainError) as none:
        await world.challenges.answer(other.actor, other.connection, Answer(LESSON, other.epoch, state.number, "1"))
    assert none.value.code == "challenge_over"


async def test_who_does_not_answer_is_blocked_from_the_deadline_on(world: World) -> None:
    page = await enter(world)
    state = await until_asked(world, page)
    await let_pass(world, page, RULE.answer_ms + 1_000)
    assert await outcomes(world) == [Outcome.ISSUED, Outcome.TIMED_OUT]
    (issued, late) = (await world.happened())[ANN.person_id]
    assert late.at_ms == issued.deadline_ms
    assert world.shown[page.connection].reason == "challenge_missed"
    assert (await say(world, page, state)).state == "blocked", "too late"


async def test_a_page_that_hides_the_challenge_is_a_blocked_channel(world: World) -> None:
    page = await enter(world)
    world.deaf.add(page.connection)
    await let_pass(world, page, LATEST_MS + RULE.answer_ms + 2_000)
    assert await outcomes(world) == [Outcome.ISSUED, Outcome.BLOCKED]


async def test_whoever_leaves_with_a_challenge_has_not_answered(world: World) -> None:
    page = await enter(world)
    await until_asked(world, page)
    world.shown.clear()
    await world.attendance.leave(page.actor, page.connection, LESSON, page.epoch)
    for _ in range(RULE.answer_ms // 1_000 + 1):
        world.clock.advance(1_000)
        await world.challenge()
    assert (await outcomes(world))[-1] in (Outcome.SILENT, Outcome.TIMED_OUT)
    back = Page(world, ANN, "page-two")
    await back.join()
    await world.challenge()
    assert world.shown[back.connection].state == "blocked"


async def test_a_reconnected_page_is_asked_again_within_the_same_time(world: World) -> None:
    page = await enter(world)
    state = await until_asked(world, page)
    await page.drop()
    world.clock.advance(5_000)
    await page.join()
    await world.challenge()
    again = world.shown[page.connection]
    assert (again.number, again.prompt, again.left_ms) == (state.number, state.prompt, RULE.answer_ms - 5_000)


async def test_another_device_is_asked_and_gets_the_time_that_was_left(world: World) -> None:
    page = await enter(world)
    await until_asked(world, page)
    world.clock.advance(5_000)
    other = Page(world, trainee(1, "elsewhere"), "page-two")
    other.show()
    await other.join(PASSWORD)
    world.clock.advance(2_000)
    await world.challenge()
    state = world.shown[other.connection]
    assert (state.state, state.left_ms) == ("asked", RULE.answer_ms - 5_000)
    assert (await say(world, other, state)).state == "clear"
    assert await outcomes(world) == [Outcome.ISSUED, Outcome.PAUSED, Outcome.RESUMED, Outcome.PASSED]


async def test_a_switched_devices_time_runs_out_as_well(world: World) -> None:
    page = await enter(world)
    await until_asked(world, page)
    other = Page(world, trainee(1, "elsewhere"), "page-two")
    other.show()
    await other.join(PASSWORD)
    await let_pass(world, other, RULE.answer_ms + 2_000)
    assert (await outcomes(world))[-1] is Outcome.TIMED_OUT


async def test_in_a_break_nobody_is_asked(world: World) -> None:
    page = await enter(world)
    await let_pass(world, page, RULE.earliest_ms - 2_000)
    opened = Transition(T0, Phase.OPEN)
    await world.set_timeline([opened, Transition(world.now() + 2_000, Phase.CLOSED)])
    await let_pass(world, page, 600_000)
    assert await outcomes(world) == []


async def test_the_end_withdraws_what_is_asked_and_reveals_the_seed(world: World) -> None:
    page = await enter(world)
    await until_asked(world, page)
    await world.end()
    async with world.database.read() as connection:
        assert await records.revealed(connection, LESSON) is None
    await world.challenge()
    assert await outcomes(world) == [Outcome.ISSUED, Outcome.WITHDRAWN]
    async with world.database.read() as connection:
        seed = await records.revealed(connection, LESSON)
    assert seed is not None
    (issued, _) = (await world.happened())[ANN.person_id]
    due = due_after_ms(draw(seed, ANN.person_id, 1), RULE)
    assert due <= issued.credit_ms <= due + 2 * BEAT_EVERY_MS
    await world.challenge()


async def test_when_the_lesson_ends_nobody_is_asked_any_more(world: World) -> None:
    page = await enter(world)
    for _ in range(LATEST_MS // BEAT_EVERY_MS + 1):
        world.clock.advance(BEAT_EVERY_MS)
        await page.beat()
    await world.end()
    await world.challenge()
    assert await outcomes(world) == []


async def test_a_deadline_before_the_end_is_not_withdrawn(world: World) -> None:
    page = await enter(world)
    await until_asked(world, page)
    world.clock.advance(RULE.answer_ms + 1)
    await world.end()
    await world.challenge()
    assert (await outcomes(world))[-1] is Outcome.TIMED_OUT


async def test_a_crash_asks_anew_with_the_whole_time(world: World) -> None:
    page = await enter(world)
    first = await until_asked(world, page)
    world.clock.advance(RULE.answer_ms - 1_000)
    await world.crash()
    await page.join()
    await world.challenge()
    again = world.shown[page.connection]
    assert (again.number, again.prompt, again.left_ms) == (first.number, first.prompt, RULE.answer_ms)
    assert (await say(world, page, again)).state == "clear"


async def test_the_log_is_told_of_seed_and_outcomes(world: World) -> None:
    page = await enter(world)
    await say(world, page, await until_asked(world, page))
    async with world.database.read() as connection:
        told = await records.told_of(connection, LESSON)
        assert await records.limit_of(connection, LESSON) == RULE.limit_ms // 1000
    (issued, passed) = (await world.happened())[ANN.person_id]
    assert [one.slot * MINUTE_MS + one.credit_ms for one in told] == [issued.at_ms, passed.at_ms]
    assert [(one.mode, one.seq, one.flags) for one in told] == [(1, 1, 180), (2, 2, 180)]
    assert {one.subject.hex() for one in told} == {ANN.person_id}


async def test_without_a_provider_no_such_lesson_starts_and_nobody_is_asked(world: World) -> None:
    world.challenges.provider = None
    with pytest.raises(DomainError) as refused:
        await world.challenges.begin(LESSON)
    assert refused.value.code == "challenges_unavailable"
    page = await enter(world)
    await let_pass(world, page, LATEST_MS)
    assert await outcomes(world) == []


async def test_a_seed_is_committed_once(world: World) -> None:
    async with world.database.read() as connection:
        before = await records.sealed_seed(connection, LESSON)
    await world.challenges.begin(LESSON)
    async with world.database.read() as connection:
        assert await records.sealed_seed(connection, LESSON) == before


async def test_a_scheme_without_challenges_knows_nothing_of_them(tmp_path: Path, template: Path) -> None:
    world = await World.make(tmp_path / "plain", template)
    page = await enter(world)
    await let_pass(world, page, 300_000)
    assert await world.challenges.state(LESSON, ANN.person_id) is None
    async with world.database.read() as connection:
        assert await records.limit_of(connection, LESSON) is None
    assert world.shown == {}
    with pytest.raises(DomainError):
        await say(world, page, ChallengeState(LESSON, "asked", 1, None, 1, None), "1")
    await world.close()


async def test_an_answer_that_nobody_can_have_read_for_is_none_and_is_written_down(world: World) -> None:
    page = await enter(world)
    state = await until_asked(world, page)
    said = Answer(LESSON, page.epoch, state.number, right(state.prompt))
    for _ in range(2 * pace.FAST_KEPT):  # a script that tries again and again gets no further
        with pytest.raises(DomainError) as fast:
            await world.challenges.answer(page.actor, page.connection, said)
        assert fast.value.code == "challenge_too_fast"
        world.clock.advance(pace.TOO_FAST_MS - 1)
    assert await outcomes(world) == [Outcome.ISSUED]
    world.clock.advance(1)
    assert (await world.challenges.answer(page.actor, page.connection, said)).state == "clear"
    async with world.database.read() as connection:
        kept = (await records.answers_of(connection, [LESSON]))[LESSON]
    assert [one.taken for one in kept] == [False] * pace.FAST_KEPT + [True]
    assert [one.delay_ms for one in kept[:2]] == [0, pace.TOO_FAST_MS - 1]


async def test_whoever_answers_wrong_too_fast_has_not_answered_either(world: World) -> None:
    page = await enter(world)
    state = await until_asked(world, page)
    said = Answer(LESSON, page.epoch, state.number, "wrong")
    with pytest.raises(DomainError):
        await world.challenges.answer(page.actor, page.connection, said)
    assert await outcomes(world) == [Outcome.ISSUED], "a stray tap fails nobody"


async def test_an_answer_on_its_way_while_we_crashed_is_not_too_fast(world: World) -> None:
    page = await enter(world)
    state = await until_asked(world, page)
    world.clock.advance(5_000)
    await world.crash()
    await page.join()
    said = Answer(LESSON, page.epoch, state.number, right(state.prompt))
    assert (await world.challenges.answer(page.actor, page.connection, said)).state == "clear"
