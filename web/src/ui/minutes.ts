/** Sentences and sums of a lesson's minutes: the same words for the same minute everywhere. They come with the strips. */
import type { Cell, ReasonMs } from '../wire/types'
import { t } from './catalogue'
import { duration, leftWords, reasonsOf, total, type Sums } from './say'
import { vouchedOf } from './strip/vouched'
import { clock, seconds } from './time'

export function minuteWords(slot: number, cell: Cell | undefined): string {
  const time = clock(slot)
  if (!cell) return t('strip.minute.none', { time })
  if (cell.open_ms === 0 || cell.reasons.some((r) => r.code === 'not_open' && r.ms >= cell.open_ms)) return t('strip.minute.notOpen', { time })
  const why = reasonsOf(cell.reasons)
  const credited = seconds(cell.credit_ms)
  const recorded = why ? t('strip.minute.partly', { time, seconds: credited, why }) : t('strip.minute.credited', { time, seconds: credited })
  const main = recorded + leftWords(cell)
  if (cell.corrected_ms !== null) return main + t('strip.minute.corrected', { seconds: seconds(cell.corrected_ms) })
  return cell.sealed ? main : main + t('strip.minute.unsealed')
}

export function cellsTotals(cells: readonly Cell[]): Sums {
  const reasons = new Map<ReasonMs['code'], number>()
  const refused = new Map<ReasonMs['code'], number>()
  const cut = new Map<ReasonMs['code'], number>()
  let credit_ms = 0
  let corrected_ms = 0
  let pending_ms = 0
  for (const cell of cells) {
    credit_ms += cell.credit_ms
    pending_ms += cell.pending_ms
    corrected_ms += (cell.corrected_ms ?? vouchedOf(cell)) - vouchedOf(cell)
    for (const [sums, parts] of [[reasons, cell.reasons], [refused, cell.refused], [cut, cell.cut]] as const)
      for (const r of parts) sums.set(r.code, (sums.get(r.code) ?? 0) + r.ms)
  }
  return { credit_ms, corrected_ms, pending_ms, refused: listed(refused), reasons: listed(reasons), cut: listed(cut) }
}

const listed = (sums: ReadonlyMap<ReasonMs['code'], number>): ReasonMs[] => [...sums].map(([code, ms]) => ({ code, ms })).sort((a, b) => b.ms - a.ms)

/** What challenges made of it so far: "已认定 5 分钟；待核验 30 秒；未认定：未应答抽查 2 分钟". */
export function countsWords(cells: readonly Cell[]): string {
  const sums = cellsTotals(cells)
  return t('room.confirmed', { duration: duration(sums.credit_ms - sums.pending_ms - total(sums.refused) - total(sums.cut)) }) + leftWords(sums)
}
