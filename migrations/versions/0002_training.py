"""Platform, institutions, schemes, classes, lessons and who is enrolled. Schemes are append-only."""

import json

import sqlalchemy as sa
from alembic import op

from migrations.append_only import drop_append_only, make_append_only

revision = "0002_training"
down_revision = "0001_accounts"
branch_labels = None
depends_on = None

# The first scheme (学时认定规则). Numbers of R10 and of the crediting of live lessons; no challenge is asked for.
DEFAULT_SCHEME = {
    "class_hour_ms": 2_700_000,
    "rounding": "floor",
    "longest_gap_ms": 60_000,
    "challenges": "none",
}


def upgrade() -> None:
    """Make the tables and publish the default scheme."""
    op.create_table(
        "platform",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("operator", sa.String(100), nullable=False),
        sa.Column("record_number", sa.String(60), nullable=False),
        sa.Column("demo", sa.Boolean, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_platform"),
    )
    op.create_table(
        "institution",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("area", sa.String(6), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_institution"),
        sa.UniqueConstraint("name", name="uq_institution_name"),
    )
    _scheme()
    _classes()
    _lessons_and_enrolments()


def downgrade() -> None:
    """Drop the tables. Raises RuntimeError while an institution is recorded, or a scheme besides the first."""
    held = "SELECT 1 FROM institution UNION ALL SELECT 1 FROM platform LIMIT 1"
    if op.get_bind().exec_driver_sql(held).first() is not None:
        raise RuntimeError("training holds records: this downgrade is refused")
    for table in ("enrolment", "lesson", "training_class"):
        op.drop_table(table)
    drop_append_only("scheme", seeded=1)
    for table in ("scheme", "institution", "platform"):
        op.drop_table(table)


def _scheme() -> None:
    scheme = op.create_table(
        "scheme",
        sa.Column("id", sa.String(48), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("parameters", sa.Text, nullable=False),
        sa.Column("published_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scheme"),
        sa.CheckConstraint("id = name || '/' || version", name="ck_scheme_id"),
        # a hidden rowid would be a second key by which SQLite's INSERT OR REPLACE could swap a row
        sqlite_with_rowid=False,
    )
    op.bulk_insert(
        scheme,
        [
            {
                "id": "default/1",
                "name": "default",
                "version": 1,
                "title": "默认学时认定规则",
                "parameters": json.dumps(DEFAULT_SCHEME, sort_keys=True),
                "published_ms": 1_795_392_000_000,  # 2026-11-23 UTC
            }
        ],
    )
    make_append_only("scheme", "id")


def _classes() -> None:
    op.create_table(
        "training_class",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("institution_id", sa.String(16), nullable=False),
        sa.Column("occupation", sa.String(100), nullable=False),
        sa.Column("level", sa.String(40), nullable=False),
        sa.Column("starts_on", sa.String(10), nullable=False),
        sa.Column("ends_on", sa.String(10), nullable=False),
        sa.Column("required_hours", sa.Integer, nullable=False),
        sa.Column("scheme_id", sa.String(48), nullable=False),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_training_class"),
        sa.UniqueConstraint("institution_id", "code", name="uq_training_class_institution_id_code"),
        sa.UniqueConstraint("token", name="uq_training_class_token"),
        sa.ForeignKeyConstraint(["institution_id"], ["institution.id"], name="fk_training_class_institution_id"),
        sa.ForeignKeyConstraint(["scheme_id"], ["scheme.id"], name="fk_training_class_scheme_id"),
    )


def _lessons_and_enrolments() -> None:
    op.create_table(
        "lesson",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("class_id", sa.String(16), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("title", sa.String(100), nullable=False),
        sa.Column("subject_kind", sa.String(16), nullable=False),
        sa.Column("planned_start_ms", sa.BigInteger, nullable=False),
        sa.Column("planned_end_ms", sa.BigInteger, nullable=False),
        sa.Column("instructor_id", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_ms", sa.BigInteger, nullable=True),
        sa.Column("ended_ms", sa.BigInteger, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_lesson"),
        sa.UniqueConstraint("class_id", "number", name="uq_lesson_class_id_number"),
        sa.ForeignKeyConstraint(["class_id"], ["training_class.id"], name="fk_lesson_class_id"),
        sa.ForeignKeyConstraint(["instructor_id"], ["person.id"], name="fk_lesson_instructor_id"),
    )
    op.create_index("ix_lesson_instructor_id", "lesson", ["instructor_id"])
    op.create_index("ix_lesson_state", "lesson", ["state"])
    op.create_table(
        "enrolment",
        sa.Column("class_id", sa.String(16), nullable=False),
        sa.Column("person_id", sa.String(16), nullable=False),
        sa.Column("seat", sa.Integer, nullable=False),
        sa.Column("enrolled_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("class_id", "person_id", name="pk_enrolment"),
        sa.UniqueConstraint("class_id", "seat", name="uq_enrolment_class_id_seat"),
        sa.ForeignKeyConstraint(["class_id"], ["training_class.id"], name="fk_enrolment_class_id"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_enrolment_person_id"),
    )
    op.create_index("ix_enrolment_person_id", "enrolment", ["person_id"])
