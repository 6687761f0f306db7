"""随机互动核验: when each answer to a challenge came, append-only; a published scheme that challenges by prompts."""

import json

import sqlalchemy as sa
from alembic import op

from migrations.append_only import close_again, drop_append_only, make_append_only, open_for

revision = "0019_prompts"
down_revision = "0018_acts"
branch_labels = None
depends_on = None

#: when the rows of a lesson may go, see migration 0014
OPEN = (
    "EXISTS (SELECT 1 FROM deletion JOIN ledger_sealed ON ledger_sealed.entry_id = deletion.id"
    " WHERE deletion.group_id = OLD.lesson_id AND deletion.outcome = 'ordered'"
    " AND EXISTS (SELECT 1 FROM ledger_checkpoint WHERE ledger_checkpoint.size > ledger_sealed.idx)"
    " AND NOT EXISTS (SELECT 1 FROM deletion_done WHERE deletion_done.deletion_id = deletion.id))"
)

ID = "prompts/1"
#: as the default scheme, and two passes no further apart than fifteen minutes, each answered within one
PARAMETERS = {
    "class_hour_ms": 2_700_000,
    "rounding": "down",
    "daily_cap_ms": 28_800_000,
    "longest_gap_ms": 60_000,
    "challenges": {"limit_ms": 900_000, "answer_ms": 60_000},
}
SCHEME = sa.table(
    "scheme",
    *(sa.column(name) for name in ("id", "name", "version", "title", "parameters", "published_ms")),
)


def upgrade() -> None:
    """Make the table; publish the scheme, unless somebody published one of this name."""
    op.create_table(
        "challenge_answer",
        sa.Column("lesson_id", sa.String(16), nullable=False),
        sa.Column("person_id", sa.String(16), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("delay_ms", sa.BigInteger, nullable=False),
        sa.Column("taken", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("lesson_id", "person_id", "at_ms", name="pk_challenge_answer"),
        sqlite_with_rowid=False,
    )
    make_append_only("challenge_answer", "lesson_id", "person_id", "at_ms")
    open_for("challenge_answer", "DELETE", OPEN)
    if _holds("SELECT 1 FROM scheme WHERE name = 'prompts'"):
        return
    row = {
        "id": ID,
        "name": "prompts",
        "version": 1,
        "title": "随机互动核验规则",
        "parameters": json.dumps(PARAMETERS, sort_keys=True),
        "published_ms": 1_795_737_600_000,  # 2026-11-27 UTC
    }
    op.bulk_insert(SCHEME, [row])


def downgrade() -> None:
    """Take both back. Raises RuntimeError while the table holds anything, or a class is bound to the scheme."""
    if _holds(f"SELECT 1 FROM training_class WHERE scheme_id = '{ID}'"):
        raise RuntimeError("a class is bound to the scheme with prompts: this downgrade is refused")
    drop_append_only("challenge_answer")
    op.drop_table("challenge_answer")
    open_for("scheme", "DELETE", f"OLD.id = '{ID}'")
    op.execute(f"DELETE FROM scheme WHERE id = '{ID}'")
    close_again("scheme", "DELETE")


def _holds(query: str) -> bool:
    return op.get_bind().exec_driver_sql(query).first() is not None
