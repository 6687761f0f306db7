"""Decides how anything is refused: one exception, and one catalogue of stable codes with their HTTP status.

A code never changes its meaning. Its words stand in the web's catalogue (`error.<code>`), not here.
"""

from collections.abc import Mapping
from typing import Any, Final

CODES: Final[Mapping[str, int]] = {
    # any door
    "bad_request": 400,
    "origin_refused": 403,
    "not_signed_in": 401,
    "not_found": 404,
    "forbidden": 403,
    "too_large": 413,
    "too_many_tries": 429,
    "too_many_connections": 429,
    "unsupported_file": 415,
    "file_too_large": 413,
    "file_kind_refused": 415,
    "file_damaged": 415,
    "file_empty": 400,
    "file_lost": 500,
    "files_full": 409,
    "slides_need_pdf": 415,
    "slides_damaged": 500,
    "slides_too_long": 400,
    "slides_locked": 400,
    "internal_error": 500,
    "disk_full": 507,
    "ledger_damaged": 500,
    "ledger_key_changed": 500,
    "ledger_behind_witness": 500,
    "ledger_forked": 500,
    "store_unavailable": 503,
    "store_refused": 500,
    "closing": 503,
    "owner_changing": 503,
    # accounts
    "login_refused": 401,
    "proof_needed": 429,
    "account_guarded": 429,
    "waiting": 503,
    "own_account": 409,
    "login_taken": 409,
    "login_malformed": 400,
    "password_weak": 400,
    "password_wrong": 403,
    "invitation_unknown": 404,
    "invitation_expired": 410,
    "invitation_used": 410,
    "name_missing": 400,
    "role_refused": 403,
    "institution_needed": 400,
    "area_malformed": 400,
    "id_number_malformed": 400,
    "phone_malformed": 400,
    "already_set_up": 409,
    # training
    "class_code_taken": 409,
    "class_code_malformed": 400,
    "dates_reversed": 400,
    "hours_out_of_range": 400,
    "lesson_number_taken": 409,
    "lesson_times_reversed": 400,
    "lesson_too_long": 400,
    "instructor_unknown": 400,
    "institution_unknown": 400,
    "name_taken": 409,
    # exchange
    "roster_empty": 400,
    "roster_columns_missing": 400,
    "roster_too_long": 400,
    "roster_unreadable": 400,
    # live
    "lesson_too_early": 409,
    "lesson_over": 409,
    "lesson_ended": 409,
    "lesson_not_live": 409,
    "lesson_already_live": 409,
    "start_failed": 503,
    "clock_wrong": 503,
    "media_unavailable": 503,
    "check_busy": 503,
    "not_joined": 409,
    "poll_open": 409,
    "poll_over": 409,
    "poll_answered": 409,
    "poll_changed": 409,
    "polls_limit": 409,
    "sign_in_open": 409,
    "sign_in_over": 409,
    "sign_ins_limit": 409,
    "removed_from_lesson": 403,
    "in_lobby": 403,
    "silenced": 403,
    "switched_off": 403,
    "slow_down": 429,
    "question_closed": 409,
    "question_own": 409,
    "questions_open": 429,
    "answer_too_late": 409,
    "line_hidden": 409,
    "board_full": 409,
    "stage_full": 409,
    "not_invited": 409,
    "not_on_stage": 409,
    # attendance
    "lease_held": 409,
    "lease_lost": 409,
    "take_over_limit": 429,
    "beat_refused": 409,
    "page_key_wrong": 403,
    "challenge_over": 409,
    "challenge_too_fast": 429,
    "challenge_too_soon": 429,
    "challenges_unavailable": 503,
    "minute_not_sealed": 409,
    "text_missing": 400,
    "appeal_too_late": 409,
    "appeal_open": 409,
    "appeal_limit": 429,
    "appeal_answered": 409,
    "correction_empty": 409,
    "correction_stale": 409,
    "notable_changed": 409,
    "correction_decided": 409,
    "correction_not_approved": 409,
    "second_person_needed": 403,
    "objection_too_late": 409,
    "scheme_unknown": 404,
    "appeals_open": 409,
    "settlement_empty": 409,
    # demo
    "demo_running": 409,
    "not_a_demo": 409,
    "is_a_demo": 409,
    # start and command line
    "config_unreadable": 500,
    "config_invalid": 500,
    "address_refused": 500,
    "tls_needed": 500,
    "certificate_unreadable": 500,
    "certificate_mismatch": 500,
    "certificate_expired": 500,
    "certificate_host": 500,
    "acme_failed": 500,
    "port_in_use": 500,
    "data_folder_busy": 500,
    "second_server_refused": 500,
    "servers_running": 500,
    "key_damaged": 500,
    "database_damaged": 500,
    "database_newer": 500,
    "spool_damaged": 500,
    "media_embedded": 500,
    # backup and restore
    "file_exists": 409,
    "lesson_not_sealed": 409,
    "copy_refused": 409,
    "nothing_lost": 409,
    "data_folder_empty": 409,
    "data_folder_used": 409,
    "database_not_empty": 409,
    "database_older": 409,
    "passphrase_weak": 400,
    "passphrase_missing": 400,
    "passphrase_wrong": 403,
    "keys_of_another": 409,
    "other_store": 409,
    "backup_damaged": 500,
    "backup_newer": 409,
    # retention
    "retention_early": 409,
    "retention_empty": 409,
    "retention_differs": 500,
}


class DomainError(Exception):
    """A refusal with a stable `code` (a key of CODES) and `data` that may be shown to whoever asked."""

    def __init__(self, code: str, **data: Any) -> None:
        if code not in CODES:
            raise ValueError(f"unknown error code {code!r}: add it to server/core/errors.py")
        super().__init__(code)
        self.code = code
        self.data = data

    @property
    def status(self) -> int:
        """The HTTP status of this code."""
        return CODES[self.code]

    def __str__(self) -> str:
        return f"{self.code} {self.data}" if self.data else self.code
