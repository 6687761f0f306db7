/** Decides how a minute's details are told: what took the page from the front, and when; what was odd. */
import type { Cell } from '../wire/types'
import { coded, t } from './catalogue'
import { duration } from './say'
import { clock } from './time'

const SILENT = new Set(['credited', 'closed'])
const two = (n: number): string => String(n).padStart(2, '0')
/** An offset in a minute as 10:14:20; the end of a minute is the beginning of the next. */
const second = (slot: number, ms: number): string => `${clock(slot + Math.floor(ms / 60_000))}:${two(Math.floor(ms / 1000) % 60)}`

/** "10:14:20–10:14:26 页面切到后台；拒收 2 次检测"; nothing of a minute without details. */
export function wentWords(slot: number, cell: Cell | undefined): string {
  const detail = cell?.detail
  if (!detail) return ''
  const spells = detail.spells.filter((one) => !SILENT.has(one.state))
  const told = spells.map((one) => t('went.spell', { from: second(slot, one.start_ms), to: second(slot, one.end_ms), what: coded('reason', one.state) }))
  if (detail.refused) told.push(t('went.refused', { count: detail.refused }))
  if (detail.lagged_ms) told.push(t('went.lagged', { duration: duration(detail.lagged_ms) }))
  if (detail.surplus_ms) told.push(t('went.surplus', { duration: duration(detail.surplus_ms) }))
  return told.join(t('list.comma'))
}
