/** Sentences built from evidence: the same words for the same minute everywhere. */
import type { Cell, Hours, ReasonMs, SchemeRef, Totals } from '../wire/types'
import { coded, t } from './catalogue'
import { vouchedOf } from './strip/vouched'
import { clock, minutes, seconds } from './time'

const COUNTED_APART = new Set(['not_open'])
/** Less than half a second is drawn, but no words are made of it. */
const LEAST_MS = 500

export function duration(ms: number): string {
  const all = seconds(ms)
  const whole = Math.floor(all / 60)
  const rest = all % 60
  if (whole === 0) return t('time.seconds', { seconds: rest })
  return rest === 0 ? t('time.minutes', { minutes: whole }) : t('time.minutesSeconds', { minutes: whole, seconds: rest })
}

function reasonsOf(reasons: readonly ReasonMs[]): string {
  return reasons
    .filter((r) => r.ms >= LEAST_MS && !COUNTED_APART.has(r.code))
    .map((r) => t('strip.reasonPart', { reason: coded('reason', r.code), duration: duration(r.ms) }))
    .join(t('list.comma'))
}

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

/** What challenges left of what was recorded: "；待核验 30 秒；未认定：未应答抽查 2 分钟". */
function leftWords(of: Pick<Totals, 'pending_ms' | 'refused'>): string {
  const waits = of.pending_ms >= LEAST_MS ? t('left.pending', { duration: duration(of.pending_ms) }) : ''
  const why = reasonsOf(of.refused)
  return why ? waits + t('left.refused', { why }) : waits
}

type Sums = Pick<Totals, 'credit_ms' | 'corrected_ms' | 'pending_ms' | 'refused' | 'reasons'>

/** "已记录 88 分钟；2 分钟未计：页面切到后台 2 分钟；更正后计 90 分钟" */
export function totalsWords(totals: Sums): string {
  if (totals.credit_ms === 0 && totals.reasons.length === 0) return t('totals.nothing')
  const why = reasonsOf(totals.reasons)
  const credited = duration(totals.credit_ms)
  const main = (why ? t('totals.missing', { credited, why }) : t('totals.whole', { credited })) + leftWords(totals)
  const counted = totals.credit_ms - totals.pending_ms - total(totals.refused) + totals.corrected_ms
  return totals.corrected_ms === 0 ? main : main + t('totals.corrected', { counted: duration(counted) })
}

export function cellsTotals(cells: readonly Cell[]): Sums {
  const reasons = new Map<ReasonMs['code'], number>()
  const refused = new Map<ReasonMs['code'], number>()
  let credit_ms = 0
  let corrected_ms = 0
  let pending_ms = 0
  for (const cell of cells) {
    credit_ms += cell.credit_ms
    pending_ms += cell.pending_ms
    corrected_ms += (cell.corrected_ms ?? vouchedOf(cell)) - vouchedOf(cell)
    for (const r of cell.reasons) reasons.set(r.code, (reasons.get(r.code) ?? 0) + r.ms)
    for (const r of cell.refused) refused.set(r.code, (refused.get(r.code) ?? 0) + r.ms)
  }
  return { credit_ms, corrected_ms, pending_ms, refused: listed(refused), reasons: listed(reasons) }
}

const total = (parts: readonly ReasonMs[]): number => parts.reduce((sum, one) => sum + one.ms, 0)
const listed = (sums: ReadonlyMap<ReasonMs['code'], number>): ReasonMs[] => [...sums].map(([code, ms]) => ({ code, ms })).sort((a, b) => b.ms - a.ms)

/** What challenges made of it so far: "已认定 5 分钟；待核验 30 秒；未认定：未应答抽查 2 分钟". */
export function countsWords(cells: readonly Cell[]): string {
  const sums = cellsTotals(cells)
  return t('room.confirmed', { duration: duration(sums.credit_ms - sums.pending_ms - total(sums.refused)) }) + leftWords(sums)
}

/** The rules a class is bound to: ours in the page's language, an own one as its publisher named it. */
export function schemeWords(scheme: SchemeRef): string {
  return `${coded('scheme', scheme.name, { title: scheme.title })} v${scheme.version}`
}

export function hoursWords(hours: Hours): string {
  return t('hours.words', { hours: hours.class_hours, minutes: minutes(hours.remainder_ms), required: hours.required_hours })
}
