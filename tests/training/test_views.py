"""What is shown of a class and a lesson."""

from dataclasses import replace

from server.core.clock import iso
from server.training.records import Counts, Institution, TrainingClass
from server.training.rules import Lesson, LessonState, Scheme, SubjectKind
from server.training.views import class_detail, class_view, lesson_view

SCHEME = Scheme("default/1", "default", 1, "默认", '{"class_hour_ms": 2700000}', 0)
HOME = TrainingClass(
    id="c1",
    code="演-1",
    name="班",
    occupation="养老护理员",
    level="五级",
    starts_on="2026-11-23",
    ends_on="2026-12-23",
    required_hours=40,
    token="secret-token",
    created_ms=0,
    institution=Institution("i1", "校", "371525"),
    scheme=SCHEME,
)
LESSON = Lesson("l1", "c1", 3, "课", SubjectKind.GENERAL, 1_000, 2_000, "p1", LessonState.LIVE, 1_500, None)


def test_a_lesson_with_what_stands_around_it() -> None:
    shown = lesson_view(LESSON, HOME, "师")
    assert (shown.class_code, shown.institution_name, shown.instructor_name) == ("演-1", "校", "师")
    assert (shown.planned_start, shown.planned_end) == (iso(1_000), iso(2_000))
    assert (shown.started_at, shown.ended_at, shown.state) == (iso(1_500), None, "live")
    ended = lesson_view(replace(LESSON, ended_ms=0, started_ms=None), HOME, "师")
    assert (ended.started_at, ended.ended_at) == (None, iso(0))


def test_a_class_in_a_list_and_by_itself() -> None:
    row = class_view(HOME, Counts(28, 10, 1))
    assert (row.trainees, row.lessons, row.live, row.area) == (28, 10, 1, "371525")
    assert (row.scheme.name, row.scheme.version) == ("default", 1)
    lessons = [lesson_view(LESSON, HOME, "师")]
    page = class_detail(HOME, Counts(28, 1, 1), lessons)
    assert page.lessons == lessons
    assert "secret-token" not in repr([row, page])
