"""Appeals, corrections by two people, objections of regulators: append-only; what they wrote lies apart."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import drop_append_only, make_append_only

revision = "0010_corrections"
down_revision = "0009_record_hints"
branch_labels = None
depends_on = None

TABLES = (
    ("appeal", ("id",)),
    ("appeal_answer", ("appeal_id",)),
    ("correction", ("id",)),
    ("correction_verdict", ("correction_id",)),
    ("correction_objection", ("correction_id",)),
    ("correction_entry", ("lesson_id", "seq")),
)


def _said(key: str, table: str, *more: "sa.Column[str]") -> None:
    op.create_table(
        table,
        sa.Column(key, sa.String(16), nullable=False),
        sa.Column("person_id", sa.String(16), nullable=False),
        *more,
        sa.Column("text_digest", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(key, name=f"pk_{table}"),
        sqlite_with_rowid=False,
    )


def upgrade() -> None:
    op.create_table(
        "appeal",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("lesson_id", sa.String(16), nullable=False),
        sa.Column("person_id", sa.String(16), nullable=False),
        sa.Column("first_slot", sa.Integer, nullable=False),
        sa.Column("last_slot", sa.Integer, nullable=False),
        sa.Column("text_digest", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_appeal"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_appeal_lesson_id", "appeal", ["lesson_id"])
    _said("appeal_id", "appeal_answer")
    op.create_table(
        "correction",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("lesson_id", sa.String(16), nullable=False),
        sa.Column("person_id", sa.String(16), nullable=False),
        sa.Column("measure", sa.String(16), nullable=False),
        sa.Column("text_digest", sa.String(64), nullable=False),
        sa.Column("appeal_id", sa.String(16), nullable=False),
        sa.Column("reverses", sa.String(16), nullable=False),
        sa.Column("lines", sa.LargeBinary, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_correction"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_correction_lesson_id", "correction", ["lesson_id"])
    _decisions()
    for table, key in TABLES:
        make_append_only(table, *key)


def _decisions() -> None:
    _said("correction_id", "correction_verdict", sa.Column("verdict", sa.String(16), nullable=False))
    _said("correction_id", "correction_objection")
    op.create_table(
        "correction_entry",
        sa.Column("lesson_id", sa.String(16), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("correction_id", sa.String(16), nullable=False),
        sa.Column("lines", sa.LargeBinary, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("lesson_id", "seq", name="pk_correction_entry"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "remark",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("salt", sa.String(32), nullable=False),
        sa.Column("text", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_remark"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table, _ in reversed(TABLES):
        drop_append_only(table)
        op.drop_table(table)
    op.drop_table("remark")
