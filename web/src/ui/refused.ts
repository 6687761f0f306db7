/** A refusal in words: what happened, what was kept, what to do now. */
import type { RefusalData } from '../wire/refusal'
import { coded, type Params } from './catalogue'
import { duration } from './say'
import { dayTime, hourMinute } from './time'

const isTime = (name: string) => ['at', 'since', 'from'].includes(name) || name.endsWith('_at')

/** One value of a refusal as people read it: a time, a time span, a kind of device; nothing for what is no word. */
function said(name: string, value: unknown): string | number | undefined {
  if (typeof value === 'number') return name.endsWith('_s') ? duration(Math.ceil(value) * 1000) : Math.ceil(value)
  if (typeof value !== 'string') return undefined
  if (name === 'device') return coded('device', value)
  if (name === 'until') return dayTime(value)
  return isTime(name) ? hourMinute(value) : value
}

export function refusalWords(refusal: { code: string; data: RefusalData }): string {
  const params: Params = {}
  for (const [name, value] of Object.entries(refusal.data)) {
    const words = said(name, value)
    if (words !== undefined) params[name] = words
  }
  return coded('error', refusal.code, params)
}
