/** How the checking page speaks: the catalogue's words for it, and findings as sentences. */
import { checker as en } from '../ui/catalogue/checker.en'
import { checker as zh } from '../ui/catalogue/checker.zh-CN'
import type { Finding } from './findings'
import type { Rules } from './hours'

export type Language = 'zh-CN' | 'en'
export type Word = keyof typeof zh
export type Say = (word: Word, values?: Record<string, string | number>) => string

const WORDS: Record<Language, typeof zh> = { 'zh-CN': zh, en }
const LOCAL_MS = 8 * 3_600_000

export const speaker = (language: Language): Say => (word, values = {}) =>
  WORDS[language][word].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))

/** The last minute of the year 9998. */
const LAST = 4_222_846_079

/** A unix minute as the clock on the wall showed it (China Standard Time); one that no calendar has as its number. */
export const moment = (slot: number): string => slot < 0 || slot > LAST ? String(slot) : new Date(slot * 60_000 + LOCAL_MS).toISOString().slice(0, 16).replace('T', ' ')

/** Whole seconds, as minutes and seconds. */
export function durationOf(ms: number, t: Say): string {
  const all = Math.floor(ms / 1000)
  const [minutes, seconds] = [Math.floor(all / 60), all % 60]
  if (!minutes) return t('check.seconds', { seconds })
  return seconds ? t('check.minutesSeconds', { minutes, seconds }) : t('check.wholeMinutes', { minutes })
}

/** Where it is, then what: lesson, minute, seat, as far as they are known. */
export function sentence(found: Finding, t: Say): string {
  const parts: string[] = []
  if (found.settlement !== undefined) parts.push(t('check.atSettlement', { n: found.settlement }))
  if (found.lesson >= 0) parts.push(t('check.atLesson', { n: found.lesson }))
  if (found.slot >= 0) parts.push(moment(found.slot))
  if (found.seat >= 0) parts.push(t('check.atSeat', { n: found.seat }))
  if (found.step !== undefined) parts.push(t('check.atStep', { n: found.step }))
  const what = t(`finding.${found.code}`)
  return parts.length ? t('check.found', { at: parts.join(t('check.between')), what }) : what
}

/** What a scheme says of class hours, one clause after the other. */
export function rulesWords(rules: Rules, t: Say): string {
  const time = (ms: number): { time: string } => ({ time: durationOf(ms, t) })
  const said = [t(rules.rounding === 'down' ? 'check.ruleDown' : 'check.ruleNearest', time(rules.classHourMs))]
  if (rules.dailyCapMs !== null) said.push(t('check.ruleCap', time(rules.dailyCapMs)))
  if (rules.shortestMs !== null) said.push(t('check.ruleShortest', time(rules.shortestMs)))
  if (rules.completePercent !== null) said.push(t('check.ruleComplete', { percent: rules.completePercent }))
  if (rules.lateMs !== null) said.push(t('check.ruleLate', time(rules.lateMs)))
  return said.join(t('check.comma'))
}
