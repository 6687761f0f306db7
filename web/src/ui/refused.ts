/** A refusal in words: what happened, what was kept, what to do now. */
import type { RefusalData } from '../wire/refusal'
import { coded, type Params } from './catalogue'
import { hourMinute } from './time'

const isTime = (name: string) => ['at', 'since', 'from'].includes(name) || name.endsWith('_at')

export function refusalWords(refusal: { code: string; data: RefusalData }): string {
  const params: Params = {}
  for (const [name, value] of Object.entries(refusal.data)) {
    if (name === 'device' && typeof value === 'string') params[name] = coded('device', value)
    else if (isTime(name) && typeof value === 'string') params[name] = hourMinute(value)
    else if (typeof value === 'number') params[name] = Math.ceil(value)
    else if (typeof value === 'string') params[name] = value
  }
  return coded('error', refusal.code, params)
}
