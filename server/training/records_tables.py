"""Tables of training: platform, institutions, schemes, classes, lessons, enrolments. Schemes are append-only."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from server.accounts.records import person
from server.core.database import RETAIN, column, metadata

#: the only row of `platform`
ONLY: Final = 1
DEFAULT_SCHEME: Final = "default/2"
APPEND_ONLY: Final = ("scheme",)

platform: Final = Table(
    "platform",
    metadata,
    column("id", Integer, RETAIN, primary_key=True, autoincrement=False),
    column("operator", String(100), RETAIN),
    column("record_number", String(60), RETAIN),
    column("demo", Boolean, RETAIN),
    column("created_ms", BigInteger, RETAIN),
)

institution: Final = Table(
    "institution",
    metadata,
    column("id", String(16), RETAIN, primary_key=True),
    column("name", String(100), RETAIN, unique=True),
    column("area", String(6), RETAIN),
    column("created_ms", BigInteger, RETAIN),
)

scheme: Final = Table(
    "scheme",
    metadata,
    column("id", String(48), RETAIN, primary_key=True),
    column("name", String(40), RETAIN),
    column("version", Integer, RETAIN),
    column("title", String(100), RETAIN),
    column("parameters", Text, RETAIN),
    column("published_ms", BigInteger, RETAIN),
    CheckConstraint("id = name || '/' || version", name="ck_scheme_id"),
    sqlite_with_rowid=False,
)

training_class: Final = Table(
    "training_class",
    metadata,
    column("id", String(16), RETAIN, primary_key=True),
    column("code", String(40), RETAIN),
    column("name", String(100), RETAIN),
    column("institution_id", String(16), RETAIN, ForeignKey(institution.c.id)),
    column("occupation", String(100), RETAIN),
    column("level", String(40), RETAIN),
    column("starts_on", String(10), RETAIN),
    column("ends_on", String(10), RETAIN),
    column("required_hours", Integer, RETAIN),
    column("scheme_id", String(48), RETAIN, ForeignKey(scheme.c.id)),
    column("token", String(32), RETAIN, unique=True),
    column("created_ms", BigInteger, RETAIN),
    UniqueConstraint("institution_id", "code"),
)

lesson: Final = Table(
    "lesson",
    metadata,
    column("id", String(16), RETAIN, primary_key=True),
    column("class_id", String(16), RETAIN, ForeignKey(training_class.c.id)),
    column("number", Integer, RETAIN),
    column("title", String(100), RETAIN),
    column("subject_kind", String(16), RETAIN),
    column("planned_start_ms", BigInteger, RETAIN),
    column("planned_end_ms", BigInteger, RETAIN),
    column("instructor_id", String(16), RETAIN, ForeignKey(person.c.id), index=True),
    column("state", String(16), RETAIN, index=True),
    column("started_ms", BigInteger, RETAIN, nullable=True),
    column("ended_ms", BigInteger, RETAIN, nullable=True),
    UniqueConstraint("class_id", "number"),
)

enrolment: Final = Table(
    "enrolment",
    metadata,
    column("class_id", String(16), RETAIN, ForeignKey(training_class.c.id), primary_key=True),
    column("person_id", String(16), RETAIN, ForeignKey(person.c.id), primary_key=True, index=True),
    column("seat", Integer, RETAIN),
    column("enrolled_ms", BigInteger, RETAIN),
    UniqueConstraint("class_id", "seat"),
)
