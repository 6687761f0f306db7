/** Sentences built from evidence: the same words for the same minute everywhere. */
import type { Hours, ReasonMs, SchemeRef, Totals } from '../wire/types'
import { coded, t } from './catalogue'
import { minutes, seconds } from './time'

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

export function reasonsOf(reasons: readonly ReasonMs[]): string {
  return reasons
    .filter((r) => r.ms >= LEAST_MS && !COUNTED_APART.has(r.code))
    .map((r) => t('strip.reasonPart', { reason: coded('reason', r.code), duration: duration(r.ms) }))
    .join(t('list.comma'))
}

/** What challenges and the scheme left of what was recorded: "；待核验 30 秒；未认定：未应答抽查 2 分钟". */
export function leftWords(of: Pick<Totals, 'pending_ms' | 'refused' | 'cut'>): string {
  const waits = of.pending_ms >= LEAST_MS ? t('left.pending', { duration: duration(of.pending_ms) }) : ''
  const why = reasonsOf([...of.refused, ...of.cut])
  return why ? waits + t('left.refused', { why }) : waits
}

export type Sums = Pick<Totals, 'credit_ms' | 'corrected_ms' | 'pending_ms' | 'refused' | 'reasons' | 'cut'> & Partial<Pick<Totals, 'complete' | 'late'>>

export const total = (parts: readonly ReasonMs[]): number => parts.reduce((sum, one) => sum + one.ms, 0)

/** "已记录 88 分钟；2 分钟未计：页面切到后台 2 分钟；更正后计 90 分钟" */
export function totalsWords(totals: Sums): string {
  if (totals.credit_ms === 0 && totals.reasons.length === 0) return t('totals.nothing')
  const why = reasonsOf(totals.reasons)
  const credited = duration(totals.credit_ms)
  const main = (why ? t('totals.missing', { credited, why }) : t('totals.whole', { credited })) + leftWords(totals)
  const counted = totals.credit_ms - totals.pending_ms - total(totals.refused) - total(totals.cut) + totals.corrected_ms
  return (totals.corrected_ms === 0 ? main : main + t('totals.corrected', { counted: duration(counted) })) + markWords(totals)
}

/** What the scheme says of a lesson as a whole, where it says so: "；迟到；未达到完成课次的要求". */
function markWords({ late, complete }: Partial<Pick<Totals, 'complete' | 'late'>>): string {
  const lateness = late ? t('totals.late') : ''
  return typeof complete === 'boolean' ? lateness + t(complete ? 'totals.complete' : 'totals.incomplete') : lateness
}

/** The rules a class is bound to, and what they say: ours by name in the page's language, an own one as its publisher named it. */
export function schemeWords(scheme: SchemeRef): string {
  const { rules } = scheme
  const time = (ms: number): { time: string } => ({ time: duration(ms) })
  const said = [t(`rule.${rules.rounding}`, time(rules.class_hour_ms))]
  if (rules.daily_cap_ms !== null) said.push(t('rule.cap', time(rules.daily_cap_ms)))
  if (rules.shortest_ms !== null) said.push(t('rule.shortest', time(rules.shortest_ms)))
  if (rules.complete_percent !== null) said.push(t('rule.complete', { percent: rules.complete_percent }))
  if (rules.late_ms !== null) said.push(t('rule.late', time(rules.late_ms)))
  if (scheme.challenges) said.push(t('rule.challenges', { ...time(scheme.challenges.limit_ms), answer: duration(scheme.challenges.answer_ms) }))
  return t('rule.all', { scheme: `${coded('scheme', scheme.name, { title: scheme.title })} v${scheme.version}`, said: said.join(t('list.comma')) })
}

export function hoursWords(hours: Hours): string {
  return t('hours.words', { hours: hours.class_hours, minutes: minutes(hours.remainder_ms), required: hours.required_hours })
}
