"""Files of a lesson by the doors that pages use: given, shown, fetched, refused, told to the log, missed, swept."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.core.errors import DomainError
from server.core.files import office, store
from server.ledger.facts import digest
from server.ledger.records import all_said
from server.ledger.rules import split
from server.live.files import rules, service
from server.live.files.records import all_files, lesson_file
from server.live.files.rules import Use
from server.live.files.service import LessonFiles
from server.upkeep.fsck import faults
from server.verify.formats import Kind, read_record
from tests.core.files.documents import in_pieces, pdf, size_of
from tests.core.files.documents import office as parts
from tests.core.files.test_store import aged
from tests.core.files.waiting import until
from tests.live.files.given import give_slides
from tests.school import School, school

pytestmark = pytest.mark.timeout(180)
TWO = pdf(["one", "two"])


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[School]:
    async with school(tmp_path) as opened:
        yield opened


async def give(
    served: School, who: str, content: Any = TWO, use: str = "slides", name: str = "第一课.pdf"
) -> dict[str, Any]:
    """What is answered: a FileView, or a refusal."""
    async with served.http(who) as http:
        return await posted(served, http, content, use, name)


async def posted(
    served: School, http: aiohttp.ClientSession, content: Any, use: str = "slides", name: str = "a.pdf"
) -> dict[str, Any]:
    path = f"/api/v1/lessons/{served.lesson_id}/files"
    async with http.post(path, params={"use": use, "name": name}, data=content) as answer:
        said: dict[str, Any] = await answer.json()
        return said


async def got(served: School, who: str, path: str, **options: Any) -> tuple[int, bytes, dict[str, str]]:
    async with (
        served.http(who) as http,
        http.get(f"/api/v1/lessons/{served.lesson_id}/{path}", **options) as answer,
    ):
        return answer.status, await answer.read(), dict(answer.headers)


async def begin(served: School) -> None:
    async with served.page("teacher") as desk:
        await desk.join()
        assert (await desk.call("lesson:start"))["ok"]


async def test_slides_are_given_made_and_shown_page_by_page(served: School) -> None:
    given = await give(served, "teacher")
    assert (given["name"], given["kind"], given["size"], given["use"]) == ("第一课.pdf", "pdf", len(TWO), "slides")
    deck = f"slides/{given['file_id']}"
    async with served.http("teacher") as http:
        while True:
            async with http.get(f"/api/v1/lessons/{served.lesson_id}/slides") as answer:
                listed = await answer.json()
            if listed["decks"][0]["made"] == 2:
                break
            await asyncio.sleep(0.1)
    (shown,) = listed["decks"]
    assert shown == {
        **{"file_id": given["file_id"], "name": "第一课.pdf", "sizes": [[9600, 5400], [9600, 5400]], "made": 2},
        **{"converting": False, "trouble": None},
    }
    for path in (deck, f"{deck}/2", f"{deck}/2/960.webp"):
        assert (await got(served, "jia", path))[0] == 404, "nothing is fetched ahead"
    async with served.page("teacher") as desk:
        await desk.join()
        assert (await desk.call("board:show", deck=given["file_id"], page=2))["ok"]
        assert (await got(served, "jia", f"{deck}/1/960.webp"))[0] == 404
    status, picture, headers = await got(served, "jia", f"{deck}/2/960.webp")
    assert (status, size_of(picture)) == (200, (960, 540))
    assert headers["Content-Type"] == "image/webp"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "private, no-cache"
    again = await got(served, "jia", f"{deck}/2/960.webp", headers={"If-None-Match": headers["Etag"]})
    assert again[0] == 304, "kept by the browser, asked for each time"
    assert b'"two"' in (await got(served, "jia", f"{deck}/2"))[1]
    assert (await got(served, "jia", f"{deck}/3/960.webp"))[0] == 404
    assert (await got(served, "teacher", f"{deck}/1/960.webp"))[0] == 200
    assert (await got(served, "jia", f"{deck}/1/961.webp"))[0] == 400
    assert (await got(served, "stranger", f"{deck}/2/960.webp"))[0] == 404
    assert (await got(served, "stranger", deck))[0] == 404
    assert (await got(served, "jia", "slides"))[0] == 403, "what is prepared is not shown before it is"


async def test_slides_are_there_after_the_lesson_for_whoever_sees_its_replay(served: School) -> None:
    file_id = await give_slides(served)
    async with served.page("teacher") as desk:
        await desk.join()
        assert (await desk.call("lesson:start"))["ok"]
        assert (await desk.call("board:show", deck=file_id, page=2))["ok"]
        assert (await desk.call("lesson:end"))["ok"]
    paths = (f"slides/{file_id}", f"slides/{file_id}/2", f"slides/{file_id}/2/960.webp", "acts")
    for who in ("jia", "teacher", "staff", "regulator", "admin", "stranger", "abroad"):
        async with served.http(who) as http:
            for path in paths:
                async with http.get(f"/api/v1/lessons/{served.lesson_id}/{path}") as answer:
                    assert answer.status == (404 if who in ("stranger", "abroad") else 200), (who, path)


async def test_a_file_is_fetched_to_be_saved_by_those_of_the_lesson(served: School) -> None:
    await begin(served)
    given = await give(served, "jia", "你好".encode(), "chat", "网页.html")
    path = f"files/{given['file_id']}"
    status, content, headers = await got(served, "yi", path)
    assert (status, content.decode()) == (200, "你好")
    assert headers["Content-Type"] == "text/plain"
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''%E7%BD%91%E9%A1%B5.html.txt"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert (await got(served, "stranger", path))[0] == 404
    assert (await got(served, "abroad", path))[0] == 404
    assert (await got(served, "jia", f"files/{'0' * 16}"))[0] == 404
    assert (await got(served, "jia", f"slides/{given['file_id']}/1/960.webp"))[0] == 404, "no slides"
    deck = await give(served, "teacher")
    assert (await got(served, "teacher", f"files/{deck['file_id']}"))[1] == TWO
    assert (await got(served, "jia", f"files/{deck['file_id']}"))[0] == 404, "slides are shown page by page"


async def test_what_a_hidden_line_holds_is_fetched_by_no_trainee_until_it_is_shown_again(served: School) -> None:
    async with served.page("teacher") as desk, served.page("jia") as jia:
        await desk.join()
        assert (await desk.call("lesson:start"))["ok"]
        await jia.join()
        given = await give(served, "jia", "你好".encode(), "chat", "看.txt")
        path = f"files/{given['file_id']}"
        line = str((await jia.call("chat:say", text="看", file=given["file_id"]))["seq"])
        assert (await got(served, "yi", path))[0] == 200
        for on, status in ((True, 404), (False, 200), (True, 404)):
            assert (await desk.call("chat:hide", line=line, on=on))["ok"]
            assert [(await got(served, who, path))[0] for who in ("yi", "jia", "teacher")] == [status, status, 200]


async def test_who_may_give_what_and_when(served: School) -> None:
    text = b"hello"
    assert (await give(served, "jia"))["code"] == "forbidden"
    assert (await give(served, "other"))["code"] == "not_found", "teaches another class"
    assert (await give(served, "staff"))["code"] == "forbidden"
    assert (await give(served, "stranger", text, "chat"))["code"] == "not_found"
    assert (await give(served, "jia", text, "chat"))["code"] == "lesson_not_live"
    assert "file_id" in await give(served, "teacher", text, "chat"), "who teaches prepares"
    async with served.page("teacher") as desk:
        await desk.join()
        assert (await desk.call("lesson:start"))["ok"]
        assert "file_id" in await give(served, "jia", text, "chat")
        assert (await desk.call("order:switch", what="files", on=False))["ok"]
        assert (await give(served, "jia", text, "chat"))["code"] == "switched_off"
        assert "file_id" in await give(served, "teacher", text, "chat")
        assert (await desk.call("lesson:end"))["ok"]
    assert (await give(served, "teacher"))["code"] == "lesson_ended"


async def test_refusals_have_codes_and_leave_nothing(served: School, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = served.house.files.store.folder
    assert (await give(served, "teacher", b"\x7fELF" + bytes(100)))["code"] == "file_kind_refused"
    assert (await give(served, "teacher", b"hello"))["code"] == "file_kind_refused", "no slides"
    assert (await give(served, "teacher", TWO[:-30]))["code"] == "file_damaged"
    assert (await give(served, "teacher", b""))["code"] == "file_empty"
    assert (await give(served, "teacher", name="x" * 256))["code"] == "bad_request"
    monkeypatch.setattr(rules, "LESSON_FILES", 0)
    assert (await give(served, "teacher"))["code"] == "files_full"
    monkeypatch.undo()
    monkeypatch.setattr(office, "installed", lambda: None)
    assert (await give(served, "teacher", parts("pptx")))["code"] == "slides_need_pdf"
    monkeypatch.undo()
    monkeypatch.setitem(rules.FILE_BYTES, Use.SLIDES, len(TWO) - 1)
    assert (await give(served, "teacher"))["code"] == "file_too_large"
    monkeypatch.undo()
    monkeypatch.setattr(store, "RESERVE_BYTES", 0)
    monkeypatch.setattr(served.house.files.store, "_reserve", 1 << 60)
    assert (await give(served, "teacher"))["code"] == "disk_full"
    assert [one.name for one in folder.iterdir() if one.name.startswith(".")] == []
    assert await served.house.files.files(served.lesson_id) == []


async def test_a_torn_upload_leaves_nothing_and_can_be_given_again(served: School) -> None:
    folder = served.house.files.store.folder

    async def torn() -> AsyncIterator[bytes]:
        yield TWO[:200]
        await until(lambda: folder.exists() and bool(list(folder.iterdir())))
        raise ConnectionError("the line is cut")

    async with served.http("teacher") as http:
        with pytest.raises(aiohttp.ClientError):
            await posted(served, http, torn())
    await until(lambda: not list(folder.iterdir()))
    assert "file_id" in await give(served, "teacher")


async def test_only_so_many_come_at_once(served: School) -> None:
    files, teacher = served.house.files, served.actor("teacher")
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        await go_on.wait()
        yield TWO

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(files.take(teacher, served.lesson_id, Use.SLIDES, "a", slow()))
        await until(lambda: files._coming[teacher.person_id] == 3)
        assert (await give(served, "teacher"))["code"] == "too_many_tries"
        go_on.set()
    assert "file_id" in await give(served, "teacher")
    assert [one.number for one in await files.files(served.lesson_id)] == [1, 2, 3, 4]


async def test_trainees_who_send_slowly_keep_no_instructor_out(served: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_COMING_IN_ALL", 1)
    files, jia, go_on = served.house.files, served.actor("jia"), asyncio.Event()
    async with served.page("teacher") as desk:
        await desk.join()
        assert (await desk.call("lesson:start"))["ok"]

    async def slow() -> AsyncIterator[bytes]:
        await go_on.wait()
        yield TWO

    async with asyncio.TaskGroup() as group:
        group.create_task(files.take(jia, served.lesson_id, Use.CHAT, "a", slow()))
        await until(lambda: files._coming.total() == 1)
        with pytest.raises(DomainError) as refused:
            await files.take(served.actor("yi"), served.lesson_id, Use.CHAT, "a", slow())
        assert refused.value.code == "too_many_tries"
        assert "file_id" in await give(served, "teacher")
        go_on.set()


async def test_the_log_is_told_of_each_file_and_fsck_finds_what_is_missing_or_changed(served: School) -> None:
    given = await give(served, "teacher")
    database = served.house.store.database
    async with database.read() as connection:
        row = dict((await connection.execute(lesson_file.select())).mappings().one())
        told = [read_record(raw) async for entry in all_said(connection) for raw in split(entry.records)]
    assert row["digest"] == hashlib.sha256(TWO).hexdigest()
    (said,) = [one for one in told if one.kind == Kind.LESSON_FILE]
    assert (said.evidence, said.seq, said.resource.hex()) == (digest(row), 1, given["file_id"])
    path = served.house.files.store.path(row["digest"])
    assert [line async for line in faults(served.house, ["files", "rows"])] == []
    path.write_bytes(TWO.replace(b"one", b"two"))
    (line,) = [line async for line in faults(served.house, ["files"])]
    assert f"file_changed  {served.lesson_id} {given['file_id']}" in line
    path.unlink()
    (line,) = [line async for line in faults(served.house, ["files"])]
    assert f"file_missing  {served.lesson_id} {given['file_id']}" in line
    assert (await got(served, "teacher", f"files/{given['file_id']}"))[0] == 500


async def test_the_sweep_takes_what_no_lesson_has(served: School) -> None:
    files: LessonFiles = served.house.files
    given = await give(served, "teacher")
    lost = await files.store.take(in_pieces(pdf(["lost"])), 1 << 20, rules.KINDS[Use.SLIDES])
    for name in files.store.digests():
        aged(files.store.path(name), store.GRACE_S + 5)
    await files.sweep()
    async with served.house.store.database.read() as connection:
        ((_, file_id, known, _),) = await all_files(connection)
    assert file_id == given["file_id"]
    assert files.store.digests() == [known] != [lost.digest]


async def test_a_presentation_that_cannot_be_converted_says_so(served: School, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> Path:
        raise DomainError("slides_damaged")

    monkeypatch.setattr(office, "installed", lambda: "soffice")
    monkeypatch.setattr(office, "convert", broken)
    given = await give(served, "teacher", parts("pptx"), name="课件.pptx")
    assert given["name"] == "课件.pptx"

    async def said() -> bool:
        return b"slides_damaged" in (await got(served, "teacher", "slides"))[1]

    await until(said)


async def test_a_presentation_becomes_a_pdf_of_the_lesson(served: School, monkeypatch: pytest.MonkeyPatch) -> None:
    """LibreOffice's own part is tested in tests/core/files/test_office_real.py."""

    async def made(_source: Path, folder: Path, *_: object) -> Path:
        (folder / "slides.pdf").write_bytes(TWO)
        return folder / "slides.pdf"

    monkeypatch.setattr(office, "installed", lambda: "soffice")
    monkeypatch.setattr(office, "convert", made)
    given = await give(served, "teacher", parts("pptx"), name="课件.pptx")

    async def both() -> bool:
        return len(await served.house.files.files(served.lesson_id)) == 2

    await until(both)
    original, converted = await served.house.files.files(served.lesson_id)
    assert (converted.made_of, converted.name, converted.number) == (given["file_id"], "课件.pdf", 2)
    listed = (await got(served, "teacher", "slides"))[1].decode()
    assert converted.file_id in listed
    assert original.file_id not in listed
