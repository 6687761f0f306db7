"""A good request for every route and every command: who may make it, and what those get who may not see its object.

`{class_id}`, `{lesson_id}`, `{spare_id}` and so on are filled in by the world. They are asked in this order.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

V1 = "/api/v1"
ROSTER = "姓名,身份证号\n示例丁,110101199003079999\n"

#: what somebody of the same role elsewhere gets: a code; "own": an answer without anything of ours; "self": it is
#: about whoever asks, so that there is nothing to try
Outside = Literal["own", "self"] | str


@dataclass(frozen=True)
class Sample:
    """One good request of `who`; `beside` are people of the same institution who may not either, and their refusal."""

    who: str
    outside: Outside = "own"
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    content: bytes = b""
    beside: dict[str, str] = field(default_factory=dict)


CLASS = {"class_id": "{class_id}"}
LESSON = {"lesson_id": "{lesson_id}"}
PICTURE = {"rendition": "picture"}
STROKE = {"deck": "", "page": 1, "colour": "ink", "width": 20}
SLIDES = {**LESSON, "file_id": "{slides_id}"}
SPARE = {"person_id": "{spare_id}"}
NEW_PERSON = {"role": "instructor", "name": "新", "login": "newcomer", "institution_id": "{school_id}", "area": None}
NEW_CLASS = {
    "code": "C-3",
    "name": "第三班",
    "institution_id": "{school_id}",
    "occupation": "育婴员",
    "level": "五级",
    "starts_on": "2026-11-01",
    "ends_on": "2026-12-31",
    "required_hours": 40,
}
NEW_LESSON = {
    "number": 9,
    "title": "第九课",
    "subject_kind": "theory",
    "planned_start": "2026-12-01T09:00:00+08:00",
    "planned_end": "2026-12-01T10:00:00+08:00",
    "instructor_id": "{teacher_id}",
}
JOIN = {"lesson_id": "{lesson_id}", "device": "desktop", "page": "page-sample", "resume": None, "password": None}
BEAT = {"lesson_id": "{lesson_id}", "epoch": 1, "seq": 1, "nonce": "", "mono": 10_000, "spans": [[0, 10_000]]}
POLL, SIGN_IN = LESSON | {"poll_id": "{poll_id}"}, LESSON | {"sign_in_id": "{sign_in_id}"}
QUESTION = {"kind": "single", "text": "几点？", "choices": ["八点", "九点"]}
#: of a lesson that was taught: its minutes, and what was asked and corrected of them
TAUGHT = {"lesson_id": "{taught_id}"}
APPEAL, PROPOSED, APPROVED = (
    {name: f"{{{of}}}"}
    for name, of in (("appeal_id", "appeal_id"), ("correction_id", "proposed_id"), ("correction_id", "approved_id"))
)
MINUTE = {"first_slot": "{slot}", "last_slot": "{slot}"}
CORRECTION = {**MINUTE, "person_id": "{jia_id}", "measure": "full", "text": "讲师证明", "appeal_id": None}
SECOND = "second_person_needed"
#: one who teaches in the class, one who does not
OUR_TEACHERS = {"other": "forbidden", "spare": "not_found"}
#: of trainees: one whose page is not in the lesson, one who is not of the class
NOT_IN = {"yi": "not_joined", "stranger": "not_found"}
#: who was invited first
GUEST = {**LESSON, "number": 1}

#: who is not in the lesson, and who may not see it
OUT_OF_IT = {"yi": "not_joined", "stranger": "not_found"}


def _asked(**body: Any) -> Sample:
    """What a trainee says in the lesson."""
    return Sample("jia", "not_found", body={**LESSON, **body}, beside=OUT_OF_IT)


def _taught(**body: Any) -> Sample:
    """What only its instructor says in the lesson."""
    return Sample("teacher", "not_found", body={**LESSON, **body}, beside=OUR_TEACHERS)


SPOKEN: dict[str, Sample] = {
    "question:ask": _asked(text="为什么？", anonymous=True),
    "question:vote": _asked(question="{question_id}", on=True),
    "question:withdraw": _asked(question="{own_id}"),
    "question:answering": _taught(question="{question_id}"),
    "question:answer": _taught(question="{question_id}", text="见第三页"),
    "question:merge": _taught(question="{other_id}", into="{question_id}"),
    "question:done": _taught(question="{question_id}"),
    "question:hide": _taught(question="{question_id}", on=True),
    "chat:say": _asked(text="老师好", mentions=["{yi_id}"]),
    "chat:older": _asked(before="{line_id}"),
    "chat:pin": _taught(line="{line_id}"),
    "chat:hide": _taught(line="{line_id}", on=True),
    "chat:slow": _taught(seconds=30),
}

SAMPLES: dict[str, Sample] = {
    # reading
    f"GET {V1}/site": Sample("", "self"),
    f"GET {V1}/me": Sample("staff", "self"),
    f"GET {V1}/me/logins": Sample("staff", "self"),
    f"GET {V1}/people": Sample("staff"),
    f"GET {V1}/institutions": Sample("staff"),
    f"GET {V1}/classes": Sample("staff"),
    f"GET {V1}/classes/{{class_id}}": Sample("staff", "not_found", CLASS),
    f"GET {V1}/classes/{{class_id}}/roster": Sample("staff", "not_found", CLASS),
    f"GET {V1}/classes/{{class_id}}/hours": Sample("staff", "not_found", CLASS),
    f"GET {V1}/classes/{{class_id}}/ledger.xlsx": Sample("staff", "not_found", CLASS),
    f"GET {V1}/classes/{{class_id}}/ledger.csv": Sample("staff", "not_found", CLASS),
    f"GET {V1}/classes/{{class_id}}/trainees/{{person_id}}": Sample(
        "regulator", "not_found", CLASS | {"person_id": "{jia_id}"}
    ),
    f"GET {V1}/classes/{{class_id}}/settlements": Sample("staff", "not_found", CLASS),
    f"GET {V1}/lessons/{{lesson_id}}/evidence.json": Sample("regulator", "not_found", LESSON),
    f"GET {V1}/classes/{{class_id}}/ledger.zip": Sample("staff", "not_found", CLASS),
    f"GET {V1}/roster-template.xlsx": Sample("staff"),
    f"GET {V1}/roster-template.csv": Sample("staff"),
    f"GET {V1}/lessons": Sample("staff"),
    f"GET {V1}/lessons/{{lesson_id}}": Sample("jia", "not_found", LESSON, beside={"stranger": "not_found"}),
    f"GET {V1}/lessons/{{lesson_id}}/strips": Sample("jia", "not_found", LESSON, beside={"stranger": "not_found"}),
    f"GET {V1}/lessons/{{lesson_id}}/acts": Sample("jia", "not_found", LESSON, beside={"stranger": "not_found"}),
    f"GET {V1}/lessons/{{lesson_id}}/replay": Sample("jia", "not_found", LESSON, beside={"stranger": "not_found"}),
    f"GET {V1}/lessons/{{lesson_id}}/replay/{{rendition}}.m3u8": Sample(
        "jia", "not_found", LESSON | PICTURE, beside={"stranger": "not_found"}
    ),
    f"GET {V1}/lessons/{{lesson_id}}/replay/{{rendition}}/{{take}}/{{start}}/{{size}}.mp4": Sample(
        "jia",
        "not_found",
        LESSON | PICTURE | {"take": "1", "start": "0", "size": "4"},
        beside={"stranger": "not_found"},
    ),
    f"GET {V1}/lessons/{{lesson_id}}/replay/guests/{{guest}}/{{rendition}}.m3u8": Sample(
        "jia", "not_found", LESSON | PICTURE | {"guest": "1"}, beside={"stranger": "not_found"}
    ),
    f"GET {V1}/lessons/{{lesson_id}}/replay/guests/{{guest}}/{{rendition}}/{{take}}/{{start}}/{{size}}.mp4": Sample(
        "jia",
        "not_found",
        LESSON | PICTURE | {"guest": "1", "take": "1", "start": "0", "size": "4"},
        beside={"stranger": "not_found"},
    ),
    f"GET {V1}/lessons/{{lesson_id}}/polls": Sample("teacher", "not_found", LESSON, beside={"spare": "not_found"}),
    f"GET {V1}/lessons/{{lesson_id}}/polls.{{form}}": Sample(
        "teacher", "not_found", LESSON | {"form": "csv"}, beside={"spare": "not_found"}
    ),
    f"GET {V1}/today": Sample("jia"),
    f"POST {V1}/check": Sample("teacher", "self"),
    f"GET {V1}/lessons/{{lesson_id}}/appeals": Sample("jia", "not_found", TAUGHT, beside={"stranger": "not_found"}),
    f"GET {V1}/corrections": Sample("staff"),
    f"GET {V1}/challenges/notable": Sample("staff"),
    f"GET {V1}/schemes": Sample("staff", "self"),
    f"GET {V1}/lessons/{{lesson_id}}/looks": Sample("jia", "not_found", LESSON, beside={"stranger": "not_found"}),
    f"GET {V1}/lessons/{{lesson_id}}/receipt": Sample("jia", "not_found", TAUGHT, beside={"stranger": "not_found"}),
    f"GET {V1}/lessons/{{lesson_id}}/questions": Sample("jia", "not_found", LESSON, beside={"stranger": "not_found"}),
    f"GET {V1}/answers": Sample("jia"),
    f"GET {V1}/oversight/lessons": Sample("regulator"),
    f"GET {V1}/lessons/{{lesson_id}}/files/{{file_id}}": Sample(
        "jia", "not_found", {**LESSON, "file_id": "{note_id}"}, beside={"stranger": "not_found"}
    ),
    f"GET {V1}/lessons/{{lesson_id}}/slides": Sample("teacher", "not_found", LESSON, beside={"spare": "not_found"}),
    f"GET {V1}/lessons/{{lesson_id}}/slides/{{file_id}}": Sample(
        "jia", "not_found", SLIDES, beside={"stranger": "not_found"}
    ),
    f"GET {V1}/lessons/{{lesson_id}}/slides/{{file_id}}/{{page}}": Sample(
        "jia", "not_found", {**SLIDES, "page": "1"}, beside={"stranger": "not_found"}
    ),
    f"GET {V1}/lessons/{{lesson_id}}/slides/{{file_id}}/{{page}}/{{width}}.webp": Sample(
        "jia", "not_found", {**SLIDES, "page": "1", "width": "960"}, beside={"stranger": "not_found"}
    ),
    f"POST {V1}/lessons/{{lesson_id}}/files": Sample(
        "teacher", "not_found", LESSON, {"use": "chat", "name": "a.txt"}, content=b"hello", beside=OUR_TEACHERS
    ),
    # a lesson from beginning to end
    "lesson:join": Sample("jia", "not_found", body=JOIN, beside={"stranger": "not_found"}),
    "lesson:start": Sample("teacher", "not_found", body=LESSON, beside=OUR_TEACHERS),
    "beat": Sample("jia", "lease_lost", body=BEAT, beside={"yi": "lease_lost", "stranger": "lease_lost"}),
    "challenge:verify": Sample(
        "jia", "lease_lost", body={**LESSON, "epoch": 1}, beside={"yi": "lease_lost", "stranger": "lease_lost"}
    ),
    "challenge:answer": Sample(
        "jia",
        "lease_lost",
        body={**LESSON, "epoch": 1, "number": 2, "answer": "?"},
        beside={"yi": "lease_lost", "stranger": "lease_lost"},
    ),
    **SPOKEN,
    "lesson:media": Sample("teacher", "not_found", body=LESSON, beside={"yi": "not_joined", "stranger": "not_found"}),
    "poll:open": Sample("teacher", "not_found", body=POLL, beside=OUR_TEACHERS),
    "poll:answer": Sample(
        "jia", "not_found", body=POLL | {"choices": [0]}, beside={"yi": "not_joined", "stranger": "not_found"}
    ),
    "poll:close": Sample("teacher", "not_found", body=POLL, beside=OUR_TEACHERS),
    "poll:show": Sample("teacher", "not_found", body=POLL, beside=OUR_TEACHERS),
    "poll:withdraw": Sample("teacher", "not_found", body=POLL | {"poll_id": "{draft_id}"}, beside=OUR_TEACHERS),
    "poll:prepare": Sample("teacher", "not_found", body=LESSON | {"question": QUESTION}, beside=OUR_TEACHERS),
    "sign_in:here": Sample("jia", "not_found", body=SIGN_IN, beside={"yi": "not_joined", "stranger": "not_found"}),
    "sign_in:close": Sample("teacher", "not_found", body=SIGN_IN, beside=OUR_TEACHERS),
    "sign_in:open": Sample("teacher", "not_found", body=LESSON | {"seconds": 60}, beside=OUR_TEACHERS),
    "lesson:network": Sample("teacher", "not_found", body=LESSON, beside=OUR_TEACHERS),
    "lesson:since": Sample("teacher", "not_found", body={**LESSON, "seq": 0}, beside={"yi": "not_joined"}),
    "order:switch": Sample("teacher", "not_found", body={**LESSON, "what": "text", "on": True}, beside=OUR_TEACHERS),
    "order:silence": Sample("teacher", "not_found", body={**LESSON, "on": False}, beside=OUR_TEACHERS),
    "order:remove": Sample("teacher", "not_found", body={**LESSON, **SPARE}, beside=OUR_TEACHERS),
    "order:readmit": Sample("teacher", "not_found", body={**LESSON, **SPARE}, beside=OUR_TEACHERS),
    "order:lobby": Sample("teacher", "not_found", body={**LESSON, "on": False}, beside=OUR_TEACHERS),
    "order:admit": Sample("teacher", "not_found", body={**LESSON, **SPARE}, beside=OUR_TEACHERS),
    "lesson:strips": Sample(
        "teacher",
        "not_found",
        body={**LESSON, "person_ids": ["{jia_id}"], "since_slot": 0},
        beside={"spare": "not_found"},
    ),
    "board:show": Sample("teacher", "not_found", body={**LESSON, "deck": "", "page": 1}, beside=OUR_TEACHERS),
    "board:draw": Sample(
        "teacher",
        "not_found",
        body={**LESSON, **STROKE, "shape": "line", "points": [0, 0, 10_000, 10_000]},
        beside=OUR_TEACHERS | {"yi": "not_joined"},
    ),
    "board:move": Sample(
        "teacher",
        "not_found",
        body={**LESSON, **STROKE, "tool": "pointer", "points": [5_000, 5_000]},
        beside=OUR_TEACHERS | {"yi": "not_joined"},
    ),
    "board:undo": Sample("teacher", "not_found", body=LESSON, beside=OUR_TEACHERS | {"yi": "not_joined"}),
    "board:redo": Sample("teacher", "not_found", body=LESSON, beside=OUR_TEACHERS | {"yi": "not_joined"}),
    "board:clear": Sample("teacher", "not_found", body=LESSON, beside=OUR_TEACHERS),
    "stage:raise": Sample("jia", "not_found", body=LESSON, beside=NOT_IN),
    "stage:lower": Sample("jia", "not_found", body=LESSON, beside=NOT_IN),
    "stage:invite": Sample("teacher", "not_found", body={**LESSON, "person_id": "{jia_id}"}, beside=OUR_TEACHERS),
    "stage:accept": Sample("jia", "not_found", body={**GUEST, "picture": True}, beside=NOT_IN),
    "stage:media": Sample("jia", "not_found", body=GUEST, beside=NOT_IN),
    "stage:switch": Sample("jia", "not_found", body={**LESSON, "voice": True, "picture": False}, beside=NOT_IN),
    "stage:silence": Sample(
        "teacher", "not_found", body={**LESSON, "person_id": "{jia_id}", "on": True}, beside=OUR_TEACHERS
    ),
    "stage:leave": Sample("jia", "not_found", body=GUEST, beside=NOT_IN),
    "stage:take_down": Sample("teacher", "not_found", body={**LESSON, "person_id": "{jia_id}"}, beside=OUR_TEACHERS),
    "lesson:pause": Sample("teacher", "not_found", body=LESSON, beside=OUR_TEACHERS),
    "lesson:break": Sample("teacher", "not_found", body=LESSON, beside=OUR_TEACHERS),
    "lesson:resume": Sample("teacher", "not_found", body=LESSON, beside=OUR_TEACHERS),
    "lesson:leave": Sample("jia", "lease_lost", body={**LESSON, "epoch": 1}, beside={"yi": "lease_lost"}),
    "lesson:stream_key": Sample("teacher", "not_found", body=LESSON, beside=OUR_TEACHERS),
    "lesson:stream_look": Sample("teacher", "not_found", body=LESSON, beside=OUR_TEACHERS),
    "lesson:stream_revoke": Sample("teacher", "not_found", body=LESSON, beside=OUR_TEACHERS),
    "lesson:end": Sample("teacher", "not_found", body=LESSON, beside=OUR_TEACHERS),
    # writing
    f"POST {V1}/lessons/{{lesson_id}}/answers/read": Sample(
        "jia", "not_found", LESSON, body={"read": 1}, beside={"stranger": "not_found"}
    ),
    f"POST {V1}/lessons/{{lesson_id}}/appeals": Sample(
        "jia", "not_found", TAUGHT, body={**MINUTE, "text": "手机来电"}, beside={"stranger": "not_found"}
    ),
    f"POST {V1}/appeals/{{appeal_id}}/refuse": Sample("staff", "not_found", APPEAL, body={"text": "未见"}),
    f"POST {V1}/lessons/{{lesson_id}}/corrections": Sample("staff", "not_found", TAUGHT, body=CORRECTION),
    f"POST {V1}/lessons/{{lesson_id}}/notable": Sample(
        "staff", "not_found", LESSON, body={"person_id": "{jia_id}", "why": "too_fast", "times": 1, "text": "误触"}
    ),
    f"POST {V1}/corrections/{{correction_id}}/decide": Sample(
        "admin", "not_found", PROPOSED, body={"verdict": "approved", "text": "已核对"}, beside={"staff": SECOND}
    ),
    f"POST {V1}/corrections/{{correction_id}}/reverse": Sample("staff", "not_found", APPROVED, body={"text": "误操作"}),
    f"POST {V1}/corrections/{{correction_id}}/object": Sample(
        "regulator", "not_found", APPROVED, body={"text": "存疑"}
    ),
    f"POST {V1}/institutions": Sample("admin", "self", body={"name": "第三学校", "area": "371500"}),
    f"POST {V1}/classes": Sample("staff", "institution_unknown", body=NEW_CLASS),
    f"POST {V1}/classes/{{class_id}}/lessons": Sample("staff", "not_found", CLASS, body=NEW_LESSON),
    f"POST {V1}/classes/{{class_id}}/roster": Sample(
        "staff", "not_found", CLASS, {"filename": "a.csv"}, content=ROSTER.encode()
    ),
    f"POST {V1}/classes/{{class_id}}/settlements": Sample(
        "staff", "not_found", {"class_id": "{over_id}"}, body={"scheme": None}
    ),
    f"POST {V1}/classes/{{class_id}}/slips": Sample("staff", "not_found", CLASS, body={"person_ids": None}),
    f"POST {V1}/people": Sample("staff", "not_found", body=NEW_PERSON),
    f"POST {V1}/people/{{person_id}}/place": Sample(
        "admin", "self", SPARE, body={"role": "staff", "institution_id": "{school_id}", "area": None}
    ),
    f"POST {V1}/people/{{person_id}}/deactivate": Sample("admin", "not_found", SPARE),
    f"POST {V1}/people/{{person_id}}/reactivate": Sample("admin", "not_found", SPARE),
    f"POST {V1}/invitations/open": Sample("", "self", body={"secret": "{secret}"}),
    f"POST {V1}/invitations/redeem": Sample("", "self", body={"secret": "{secret}", "password": "long enough a word"}),
    f"POST {V1}/people/{{person_id}}/reset": Sample("admin", "not_found", SPARE),
    f"POST {V1}/login": Sample("", "self", body={"login": "yi", "password": "a long enough password"}),
    f"POST {V1}/me/password": Sample(
        "admin", "self", body={"old": "a long enough password", "new": "another long password"}
    ),
    f"POST {V1}/logout/others": Sample("staff", "self"),
    f"POST {V1}/logout": Sample("staff", "self"),
}
