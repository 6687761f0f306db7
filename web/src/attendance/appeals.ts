/** Decides which minutes a trainee may ask about, and how what was asked stands. */
import { vouchedOf } from '../ui/strip/vouched'
import type { AppealView, Cell } from '../wire/types'

/** What is left to ask for in a minute: sealed, open, and not all of it counts. */
export const missing = (cell: Cell): boolean => cell.sealed && (cell.corrected_ms ?? vouchedOf(cell) + cell.pending_ms) < cell.open_ms

export interface Stretch { first: number; last: number }

/** The whole stretch of such minutes around the picked one; null where there is nothing to ask for. */
export function stretchAround(cells: readonly Cell[], picked: number | null): Stretch | null {
  const wanted = new Set(cells.filter(missing).map((cell) => cell.slot))
  if (picked === null || !wanted.has(picked)) return null
  let first = picked
  let last = picked
  while (wanted.has(first - 1)) first -= 1
  while (wanted.has(last + 1)) last += 1
  return { first, last }
}

/** Whether it is still time, by the server's clock; a lesson that goes on has no end of it yet. */
export const inTime = (until: string | null, nowMs: number): boolean => until === null || nowMs <= Date.parse(until)

/** Whether some of these minutes are being asked about already. */
export function pending(appeals: readonly AppealView[], about: Stretch): boolean {
  return appeals.some((one) => (one.state === 'open' || one.state === 'proposed') && one.first_slot <= about.last && about.first <= one.last_slot)
}
