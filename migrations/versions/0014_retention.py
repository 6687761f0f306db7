"""What is deleted once its time is over: ordered first, in the log, then deleted through one door of each table.

The door of a lesson's rows (or a class's) is open between two moments: when the order to delete just these was sealed
in the log and signed, and when it is marked as done. No right in the database opens it otherwise.
"""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import close_again, drop_append_only, make_append_only, open_for

revision = "0014_retention"
down_revision = "0013_challenges"
branch_labels = None
depends_on = None

#: to which lesson a row belongs
ROWS = {
    "lease_end": "(SELECT lesson_id FROM lease WHERE person_id = OLD.person_id AND epoch = OLD.epoch)",
    "lease": "OLD.lesson_id",
    "minute_journal": "OLD.lesson_id",
    "page_key": "OLD.lesson_id",
    "page_signature": "OLD.lesson_id",
    "challenge_event": "OLD.lesson_id",
    "appeal_answer": "(SELECT lesson_id FROM appeal WHERE id = OLD.appeal_id)",
    "appeal": "OLD.lesson_id",
    "correction_verdict": "(SELECT lesson_id FROM correction WHERE id = OLD.correction_id)",
    "correction_objection": "(SELECT lesson_id FROM correction WHERE id = OLD.correction_id)",
    "correction": "OLD.lesson_id",
    "correction_entry": "OLD.lesson_id",
}
OPEN = (
    "EXISTS (SELECT 1 FROM deletion JOIN ledger_sealed ON ledger_sealed.entry_id = deletion.id"
    " WHERE deletion.group_id = {group} AND deletion.outcome = 'ordered'"
    " AND EXISTS (SELECT 1 FROM ledger_checkpoint WHERE ledger_checkpoint.size > ledger_sealed.idx)"
    " AND NOT EXISTS (SELECT 1 FROM deletion_done WHERE deletion_done.deletion_id = deletion.id))"
)
#: a record may give way to its hash, which takes as many bytes; nothing else of an entry changes
SAME = (
    "NEW.id = OLD.id AND NEW.slot = OLD.slot AND NEW.group_id = OLD.group_id"
    " AND length(NEW.records) = length(OLD.records)"
)


def upgrade() -> None:
    op.create_table(
        "deletion",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("class_id", sa.String(16), nullable=False),
        sa.Column("group_id", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("n_records", sa.Integer, nullable=False),
        sa.Column("keep_until_ms", sa.BigInteger, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deletion"),
        sa.CheckConstraint("outcome <> 'ordered' OR at_ms >= keep_until_ms", name="ck_deletion_kept"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_deletion_group_id", "deletion", ["group_id"])
    op.create_table(
        "deletion_done",
        sa.Column("deletion_id", sa.String(16), nullable=False),
        sa.Column("done_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("deletion_id", name="pk_deletion_done"),
        sqlite_with_rowid=False,
    )
    make_append_only("deletion", "id")
    make_append_only("deletion_done", "deletion_id")
    for table, group in ROWS.items():
        open_for(table, "DELETE", OPEN.format(group=group))
    open_for("ledger_entry", "UPDATE", f"{SAME} AND {OPEN.format(group='OLD.group_id')}")


def downgrade() -> None:
    for table in ("deletion_done", "deletion"):
        drop_append_only(table)
    close_again("ledger_entry", "UPDATE")
    for table in ROWS:
        close_again(table, "DELETE")
    for table in ("deletion_done", "deletion"):
        op.drop_table(table)
