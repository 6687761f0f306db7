/** Decides how the desk says who watches, by which way, and what is left of the uplink. */
import { t } from '../ui/catalogue'
import type { Audience } from '../wire/types'

const mbps = (kbps: number): string => String(Math.round(kbps / 100) / 10)

/** "31 人在看：实时 25（其中小画面 4）、分片 5、只听语音 1"; only the ways that somebody takes, nothing while nobody watches. */
export function watchWords(audience: Audience): string {
  const ways = [
    audience.peers ? t('audience.peers', { count: audience.peers }) + (audience.small ? t('audience.small', { count: audience.small }) : '') : '',
    audience.parts ? t('audience.parts', { count: audience.parts }) : '',
    audience.voices ? t('audience.voices', { count: audience.voices }) : '',
  ].filter(Boolean)
  const count = audience.peers + audience.parts + audience.voices
  return count ? t('audience.watch', { count, ways: ways.join(t('list.comma')) }) : ''
}

/** "上行 32.1 / 40 Mbit/s（80%）" */
export function uplinkWords(audience: Audience): string {
  const used = mbps(audience.used_kbps)
  if (audience.limit_kbps === null) return t('audience.uplink', { used })
  const percent = Math.round((100 * audience.used_kbps) / audience.limit_kbps)
  return t('audience.uplinkOf', { used, limit: mbps(audience.limit_kbps), percent })
}

/** What becomes of the next one, in words; nothing while there is room. */
export function spentWords(audience: Audience): string {
  if (audience.spent === null) return ''
  return t(audience.spent === 'cpu_spent' ? 'audience.cpuSpent' : 'audience.uplinkSpent')
}
