"""The chat: how fast, who is hidden from whom, what a page gets."""

import pytest

from server.core.errors import DomainError
from server.live.acts.chat import (
    LINES,
    MENTIONS_MOST,
    OLDER_LINES,
    PAGE_LINES,
    ROOM,
    SLOWEST_S,
    TEXT_MOST,
    Chat,
    ChatFile,
    ChatHide,
    ChatPin,
    ChatSay,
    ChatSlow,
    ChatView,
    Saying,
    State,
    newest,
)
from server.live.acts.port import Who
from tests.live.acts.desk import TEACHER, Table

L = "lesson"
JIA, YI = Who("jia" + "0" * 13), Who("yi" + "0" * 14)
FILE = ChatFile("0123456789abcdef", "急救流程.pdf", 20 << 20, "pdf")
EASY_MS = 10_000


def table() -> Table[State]:
    return Table(Chat())


def say(at: Table[State], who: Who = JIA, words: str = "老师好", passes_ms: int = EASY_MS) -> str:
    (act,) = at.say(ChatSay(L, words), who, passes_ms)
    return str(act.seq)


def gives(words: str, *mentions: str) -> Saying:
    return Saying(ChatSay(L, words, list(mentions), FILE.id), FILE)


def seen(at: Table[State], key: str, desk: bool = False) -> ChatView:
    found: ChatView = at.view(key, desk)
    return found


def test_a_line() -> None:
    at = table()
    at.say(ChatSay(L, "  @名yi 看第三页 ", [YI.person_id, YI.person_id, JIA.person_id]), JIA)
    assert seen(at, "1") == ChatView(
        "1", 1_000, JIA.person_id, f"名{JIA.person_id}", False, "@名yi 看第三页", [YI.person_id]
    )
    assert at.changed == ["1"]
    two = say(at, TEACHER)
    assert seen(at, two).teaches


def test_texts_at_their_edge() -> None:
    at = table()
    assert at.refused(ChatSay(L, "  "), JIA) == "text_missing"
    assert at.refused(ChatSay(L, "字" * (TEXT_MOST + 1)), JIA) == "bad_request"
    say(at, words="字" * TEXT_MOST)
    many = [f"{number:016x}" for number in range(MENTIONS_MOST + 1)]
    assert at.refused(ChatSay(L, "好", many), JIA) == "bad_request"
    assert at.refused(ChatSay(L, "好", ["../etc"]), JIA) == "bad_request"
    at.say(ChatSay(L, "好", many[1:]), JIA)
    assert at.refused(ChatSay(L, "好", [], "../etc"), JIA) == "bad_request"


def test_a_file_needs_no_text_but_leave() -> None:
    at = table()
    at.say(gives(" "), JIA)
    assert (seen(at, "1").text, seen(at, "1").file) == ("", FILE)
    at.order.off.add("files")
    assert at.refused(gives("看"), JIA) == "switched_off"
    say(at)
    at.order.off.add("text")
    assert at.refused(ChatSay(L, "看"), JIA) == "switched_off"
    at.order.silenced.add(JIA.person_id)
    assert at.refused(ChatSay(L, "看"), JIA) == "silenced"
    at.say(gives("看"), TEACHER)


def test_a_file_that_is_none_of_theirs_is_found_by_nobody_who_may_not_speak() -> None:
    at = table()
    lost = Saying(ChatSay(L, "看", file=FILE.id), None)
    assert at.refused(lost, JIA) == "not_found"
    assert at.refused(lost.say, JIA) == "not_found"
    assert at.refused(Saying(ChatSay(L, " "), None), JIA) == "text_missing"
    at.order.off.add("files")
    assert at.refused(lost, JIA) == "switched_off"
    at.order.silenced.add(JIA.person_id)
    assert at.refused(lost, JIA) == "silenced"


def test_lines_of_one_within_ten_seconds() -> None:
    at = table()
    for _ in range(LINES.most):
        say(at, passes_ms=1)
    assert at.refused(ChatSay(L, "快"), JIA, LINES.within_ms - LINES.most) == "slow_down"
    say(at, YI, passes_ms=0)
    say(at, passes_ms=1)


def test_whoever_teaches_may_write_faster() -> None:
    at = table()
    at.say(ChatSlow(L, SLOWEST_S), TEACHER)
    for _ in range(LINES.most * 2):
        say(at, TEACHER, passes_ms=0)


def test_slow_mode() -> None:
    at = table()
    at.say(ChatSlow(L, 30), TEACHER)
    assert at.changed == [ROOM]
    assert at.say(ChatSlow(L, 30), TEACHER) == []
    assert seen(at, ROOM) == ChatView(ROOM, slow_s=30)
    say(at, passes_ms=0)
    with pytest.raises(DomainError) as refused:
        at.say(ChatSay(L, "快"), JIA, 29_999)
    assert refused.value.data == {"retry_after_s": 1}
    say(at, YI, passes_ms=0)
    say(at, passes_ms=1)
    at.say(ChatSlow(L, 0), TEACHER)
    say(at, passes_ms=0)
    assert at.refused(ChatSlow(L, SLOWEST_S + 1), TEACHER) == "bad_request"
    assert at.refused(ChatSlow(L, -1), TEACHER) == "bad_request"


def test_hidden_from_peers_never_from_the_record() -> None:
    at = table()
    at.say(gives("@名yi 不当言论", YI.person_id), JIA)
    at.say(ChatHide(L, "1", True), TEACHER)
    assert at.say(ChatHide(L, "1", True), TEACHER) == []
    assert seen(at, "1") == ChatView("1", 1_000, JIA.person_id, f"名{JIA.person_id}", hidden=True)
    assert (seen(at, "1", desk=True).text, seen(at, "1", desk=True).file) == ("@名yi 不当言论", FILE)
    at.say(ChatHide(L, "1", False), TEACHER)
    assert seen(at, "1").text == "@名yi 不当言论"
    assert at.refused(ChatHide(L, "9", True), TEACHER) == "not_found"


def test_one_line_at_most_is_pinned_and_none_that_is_hidden() -> None:
    at = table()
    one, two = say(at), say(at)
    at.say(ChatPin(L, one), TEACHER)
    assert at.say(ChatPin(L, one), TEACHER) == []
    at.say(ChatPin(L, two), TEACHER)
    assert (seen(at, ROOM).pinned, at.changed) == (two, [two, ROOM])
    at.say(ChatHide(L, two, True), TEACHER)
    assert (seen(at, ROOM).pinned, at.changed) == (None, [two, ROOM])
    assert at.refused(ChatPin(L, two), TEACHER) == "line_hidden"
    assert at.refused(ChatPin(L, "9"), TEACHER) == "not_found"
    at.say(ChatPin(L, one), TEACHER)
    at.say(ChatPin(L, None), TEACHER)
    assert (seen(at, ROOM).pinned, at.changed) == (None, [ROOM])


def test_a_page_gets_the_last_lines_and_the_pinned_one() -> None:
    at = table()
    keys = [say(at) for _ in range(PAGE_LINES)]
    at.say(ChatPin(L, keys[0]), TEACHER)
    assert list(at.activity.keys(at.state)) == [ROOM, *keys]
    keys.append(say(at))
    assert list(at.activity.keys(at.state)) == [ROOM, keys[0], *keys[1:]]
    at.say(ChatPin(L, None), TEACHER)
    assert list(at.activity.keys(at.state)) == [ROOM, *keys[1:]]


def test_older_lines() -> None:
    at = table()
    keys = [say(at) for _ in range(OLDER_LINES + 3)]
    assert newest(at.state, 2) == keys[-2:]
    assert newest(at.state, OLDER_LINES, int(keys[-1])) == keys[2:-1]
    assert newest(at.state, OLDER_LINES, int(keys[0])) == []


def test_the_acts_alone_make_the_same() -> None:
    at = table()
    one = say(at)
    for command in (ChatPin(L, one), ChatHide(L, one, True), ChatSlow(L, 5), gives("好", JIA.person_id)):
        at.say(command, TEACHER)
    assert at.rebuilt() == at.state


def test_by_whom() -> None:
    assert {says.event: says.by for says in Chat.commands} == {
        "chat:say": "both",
        "chat:hide": "instructor",
        "chat:pin": "instructor",
        "chat:slow": "instructor",
    }


def test_a_command_of_another_activity_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError):
        table().say("?", TEACHER)
