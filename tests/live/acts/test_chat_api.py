"""The chat through real sockets: what each page is told, older lines, moderation."""

import asyncio
from pathlib import Path

from server.core.wire.gate import EVENTS_AT_ONCE
from server.live.acts.chat import OLDER_LINES, PAGE_LINES
from server.live.files.rules import Use
from tests.core.files.documents import in_pieces
from tests.live.acts.spoken import until
from tests.live.acts.test_questions_api import lesson
from tests.live.files.given import NOTE, give_note, give_slides
from tests.school import School, plan


async def test_a_line_reaches_everybody_with_whom_it_speaks_to(tmp_path: Path) -> None:
    async with lesson(tmp_path) as (here, teacher, jia, yi):
        answer = await jia.call("chat:say", text="@名yi 在吗", mentions=[here.ids["yi"]])
        line = str(answer["seq"])
        for page in (teacher, jia, yi):
            seen = await until(page, "chat", lambda known: line in known)
            assert (seen[line]["author"], seen[line]["mentions"]) == ("名jia", [here.ids["yi"]])


async def test_mentions_and_texts_at_their_edge(tmp_path: Path) -> None:
    async with lesson(tmp_path) as (_, _teacher, jia, yi):
        ids = [f"{number:016x}" for number in range(11)]
        assert (await jia.call("chat:say", text="好", mentions=ids))["code"] == "bad_request"
        assert (await jia.call("chat:say", text="好", mentions=ids[:10]))["ok"]
        assert (await jia.call("chat:say", text="好", mentions=["../etc"]))["code"] == "bad_request"
        assert (await yi.call("chat:say", text="字" * 501, mentions=[]))["code"] == "bad_request"
        assert (await yi.call("chat:say", text="字" * 500))["ok"]


async def test_hidden_lines_say_nothing_to_peers(tmp_path: Path) -> None:
    async with lesson(tmp_path) as (_, teacher, jia, yi):
        line = str((await jia.call("chat:say", text="不当言论"))["seq"])
        await until(yi, "chat", lambda known: line in known)
        assert (await jia.call("chat:hide", line=line, on=True))["code"] == "forbidden"
        assert (await teacher.call("chat:hide", line=line, on=True))["ok"]
        seen = await until(yi, "chat", lambda known: known[line]["hidden"])
        assert seen[line]["text"] == ""
        assert "不当言论" not in repr(await yi.call("lesson:since", seq=0))
        assert "不当言论" not in repr(await yi.call("chat:older", before="99"))
        assert "不当言论" in repr(await teacher.call("chat:older", before="99"))


async def test_older_lines_on_demand(tmp_path: Path) -> None:
    async with lesson(tmp_path) as (here, _teacher, jia, _yi):
        numbers = range(PAGE_LINES + OLDER_LINES + 1)
        size = EVENTS_AT_ONCE // 2  # over one connection somebody may say so much at once
        for some in (
            numbers[at : at + size] for at in range(0, len(numbers), size)
        ):  # over one connection somebody may say so much at once
            async with here.page("teacher") as teacher:
                for number in some:
                    assert (await teacher.call("chat:say", text=f"第{number}行"))["ok"]
        everything = (await jia.call("lesson:since", seq=0))["changes"]["chat"]
        lines = [one for one in everything if one["id"] != "room"]
        assert (len(lines), lines[0]["text"]) == (PAGE_LINES, f"第{OLDER_LINES + 1}行")
        older = await jia.call("chat:older", before=lines[0]["id"])
        assert (older["more"], len(older["lines"]), older["lines"][-1]["text"]) == (True, OLDER_LINES, "第50行")
        oldest = await jia.call("chat:older", before=older["lines"][0]["id"])
        assert (oldest["more"], [one["text"] for one in oldest["lines"]]) == (False, ["第0行"])


async def test_slow_mode_and_pin_are_told(tmp_path: Path) -> None:
    async with lesson(tmp_path) as (_, teacher, jia, _yi):
        line = str((await jia.call("chat:say", text="老师好"))["seq"])
        await teacher.call("chat:slow", seconds=60)
        await teacher.call("chat:pin", line=line)
        await until(jia, "chat", lambda known: (known["room"]["slow_s"], known["room"]["pinned"]) == (60, line))
        refused = await jia.call("chat:say", text="再说一句")
        assert (refused["code"], refused["data"]) == ("slow_down", {"retry_after_s": 60})
        assert (await teacher.call("chat:slow", seconds=301))["code"] == "bad_request"


async def give(here: School, who: str) -> str:
    """The id of a text that somebody gave to the chat."""
    files, giver = here.house.files, here.actor(who)
    return (await files.take(giver, here.lesson_id, Use.CHAT, "急救.html", in_pieces(NOTE))).file_id


async def test_a_line_brings_a_file_that_everybody_may_fetch(tmp_path: Path) -> None:
    async with lesson(tmp_path) as (here, teacher, jia, yi):
        file = await give(here, "jia")
        line = str((await jia.call("chat:say", text=" ", file=file))["seq"])
        for page in (teacher, jia, yi):
            seen = await until(page, "chat", lambda known: line in known)
            told = {"id": file, "name": "急救.html.txt", "size": len(NOTE), "kind": "txt"}
            assert (seen[line]["text"], seen[line]["file"]) == ("", told)
        async with yi.session.get(f"/api/v1/lessons/{here.lesson_id}/files/{file}") as answer:
            assert await answer.read() == NOTE
        assert (await jia.call("chat:say", text=" "))["code"] == "text_missing"


async def test_a_hidden_line_shows_no_file(tmp_path: Path) -> None:
    async with lesson(tmp_path) as (here, teacher, jia, yi):
        file = await give(here, "jia")
        line = str((await jia.call("chat:say", text="看", file=file))["seq"])
        assert (await teacher.call("chat:hide", line=line, on=True))["ok"]
        seen = await until(yi, "chat", lambda known: known[line]["hidden"])
        assert seen[line]["file"] is None
        for asked in (yi.call("lesson:since", seq=0), yi.call("chat:older", before="99")):
            assert file not in repr(await asked)
        assert file in repr(await teacher.call("chat:older", before="99"))


async def test_only_ones_own_file_of_this_chat(tmp_path: Path) -> None:
    async with lesson(tmp_path) as (here, teacher, jia, yi):
        files = here.house.files
        other = await plan(here.house, here.class_id, here.ids["teacher"], 2, here.clock.ms() + 7_200_000)
        elsewhere = await files.take(here.actor("teacher"), other, Use.CHAT, "别课.txt", in_pieces(NOTE))
        strange = (await give_note(here), await give(here, "yi"), elsewhere.file_id, "0" * 16)
        for file in strange:
            assert (await jia.call("chat:say", text="看", file=file))["code"] == "not_found"
        for file in (await give_slides(here), elsewhere.file_id):
            assert (await teacher.call("chat:say", text="看", file=file))["code"] == "not_found"
        assert (await yi.call("chat:say", text="看", file=strange[1]))["ok"]
        for bad in ("../etc/passwd", "\0" * 16, "F" * 16, ""):
            assert (await jia.call("chat:say", text="看", file=bad))["code"] == "bad_request"


async def test_whoever_may_give_no_files_or_say_nothing_is_told_so(tmp_path: Path) -> None:
    async with lesson(tmp_path) as (here, teacher, jia, _yi):
        file, strange = await give(here, "jia"), await give_note(here)
        await teacher.call("order:switch", what="files", on=False)
        for one in (file, strange):
            assert (await jia.call("chat:say", text="看", file=one))["code"] == "switched_off"
        assert (await jia.call("chat:say", text="看"))["ok"]
        await teacher.call("order:silence", on=True)
        for one in (file, strange):
            assert (await jia.call("chat:say", text="看", file=one))["code"] == "silenced"
        assert (await teacher.call("chat:say", text="看", file=strange))["ok"]


async def test_a_file_of_the_chat_survives_a_new_start_of_the_state(tmp_path: Path) -> None:
    async with lesson(tmp_path) as (here, _teacher, jia, yi):
        file = await give(here, "jia")
        await jia.call("chat:say", text="看", file=file)
        before = (await yi.call("lesson:since", seq=0))["changes"]["chat"]
        here.house.live.on_lost[0](here.lesson_id)
        await asyncio.sleep(0)
        assert (await yi.call("lesson:since", seq=0))["changes"]["chat"] == before
