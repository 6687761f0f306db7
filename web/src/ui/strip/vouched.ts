import type { Cell } from '../../wire/types'

/** What counts of a minute while nothing is corrected: recorded, and neither pending nor voided by a challenge. */
export const vouchedOf = (cell: Cell): number => cell.credit_ms - cell.pending_ms - cell.refused.reduce((sum, one) => sum + one.ms, 0)
