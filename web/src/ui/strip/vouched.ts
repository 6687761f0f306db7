import type { Cell } from '../../wire/types'

const sum = (parts: readonly { ms: number }[]): number => parts.reduce((all, one) => all + one.ms, 0)

/** What the scheme takes of what counts. */
export const cutOf = (cell: Cell): number => sum(cell.cut)

/** What counts of a minute while nothing is corrected: recorded, and neither pending nor voided by a challenge. */
export const vouchedOf = (cell: Cell): number => cell.credit_ms - cell.pending_ms - sum(cell.refused)
