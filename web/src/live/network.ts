/** Decides how an instructor reads a trainee's line: good, weak, no picture; the figures are behind it, and it accuses nobody. */
import { t } from '../ui/catalogue'
import type { NetworkRow } from '../wire/types'

export interface Note { mark: NetworkRow['state']; label: string; more: string }

function figures(row: NetworkRow): string {
  if (!row.direct) return row.kbps ? t('network.parts', { kbps: row.kbps }) : ''
  if (row.loss_percent === null) return t('network.rate', { kbps: row.kbps })
  const known = { kbps: row.kbps, loss: row.loss_percent, jitter: row.jitter_ms ?? 0 }
  return row.round_trip_ms === null ? t('network.figures', known) : t('network.all', { ...known, trip: row.round_trip_ms })
}

export function noteOf(row: NetworkRow): Note {
  return { mark: row.state, label: t(`network.${row.state}`), more: [figures(row), t(`network.help.${row.state}`)].filter(Boolean).join(t('list.comma')) }
}

export type Counted = Record<NetworkRow['state'], number>

export function counted(rows: readonly NetworkRow[]): Counted {
  const found: Counted = { good: 0, weak: 0, none: 0 }
  for (const row of rows) found[row.state] += 1
  return found
}
