/**
 * The class as whoever teaches looks at it: who is in front, whose time is not credited now, who is searched for. What
 * is said here helps and accuses nobody: it names what is not credited, and why, in the words of the record.
 */
import { coded, t } from '../ui/catalogue'
import type { NetworkRow, RosterRow } from '../wire/types'

export type Standing = 'front' | 'behind' | 'away'
export const FILTERS = ['all', 'front', 'uncounted', 'hand', 'quiet', 'weak'] as const
export type Filter = (typeof FILTERS)[number]
export type Order = 'attention' | 'seat'

/** What is known of people beside their rows. */
export interface Known {
  /** Whether the lesson is open now: only then anything is credited. */
  open: boolean
  /** Who holds up a hand. */
  hands: ReadonlySet<string>
  /** Who has taken part already: said, asked, answered, signed in, raised a hand; null: nothing is known of it. */
  spoke: Pick<ReadonlySet<string>, 'has'> | null
  lines: ReadonlyMap<string, NetworkRow['state']>
}

export const standing = (row: RosterRow): Standing => (row.present ? (row.visible ? 'front' : 'behind') : 'away')

/** Whether nothing is credited to them just now, though it could be. */
export const isUncounted = (row: RosterRow, open: boolean): boolean => open && (standing(row) !== 'front' || row.why !== null)

/** How somebody stands in a word or two. */
export function standingWords(row: RosterRow, open: boolean): string {
  const where = standing(row)
  if (!isUncounted(row, open)) return t(`roster.${where}`)
  if (where === 'away') return t('roster.uncounted', { why: row.came ? coded('reason', 'disconnected') : t('roster.away') })
  return t('roster.uncounted', { why: coded('reason', row.why ?? 'hidden') })
}

export interface Counters { front: number; behind: number; away: number; all: number }

export function count(roster: readonly RosterRow[]): Counters {
  const found = { front: 0, behind: 0, away: 0, all: roster.length }
  for (const row of roster) found[standing(row)] += 1
  return found
}

const isWeak = (state: NetworkRow['state'] | undefined) => state === 'weak' || state === 'none'

const FITS: Record<Filter, (row: RosterRow, known: Known) => boolean> = {
  all: () => true,
  front: (row) => standing(row) === 'front' && row.why === null,
  uncounted: (row, known) => isUncounted(row, known.open),
  hand: (row, known) => known.hands.has(row.person_id),
  quiet: (row, known) => row.present && known.spoke !== null && !known.spoke.has(row.person_id),
  weak: (row, known) => row.present && isWeak(known.lines.get(row.person_id)),
}

/** Whether a row is one of those that are asked for. */
export const fits = (row: RosterRow, filter: Filter, known: Known): boolean => FITS[filter](row, known)

/** How many each filter would show. */
export function counts(roster: readonly RosterRow[], known: Known): Record<Filter, number> {
  const found = { all: 0, front: 0, uncounted: 0, hand: 0, quiet: 0, weak: 0 }
  for (const row of roster) for (const filter of FILTERS) if (fits(row, filter, known)) found[filter] += 1
  return found
}

/** By seat (a number finds the seats that begin with it) or by any part of a name. */
export function search(roster: readonly RosterRow[], text: string): readonly RosterRow[] {
  const wanted = text.trim().toLowerCase()
  if (!wanted) return roster
  if (/^\d+$/.test(wanted)) return roster.filter((row) => String(row.seat).startsWith(wanted))
  return roster.filter((row) => row.name.toLowerCase().includes(wanted))
}

/** Who needs a look comes first: behind or not counted, then gone after having been here, then in front; who never came is last. */
function concern(row: RosterRow): number {
  if (row.present) return row.visible && row.why === null ? 2 : 0
  return row.came ? 1 : 3
}

export function byAttention(roster: readonly RosterRow[], hands: ReadonlySet<string> = new Set()): RosterRow[] {
  const of = (row: RosterRow) => (hands.has(row.person_id) ? -1 : concern(row))
  return [...roster].sort((a, b) => of(a) - of(b) || a.seat - b.seat)
}

/** The rows of a long list that stand in sight, and some more on both sides: [from, to). */
export function inSight(top: number, height: number, rowHeight: number, total: number, spare = 4): { from: number; to: number } {
  const first = Math.floor(Math.max(0, top) / rowHeight)
  const last = Math.ceil((Math.max(0, top) + height) / rowHeight)
  const to = Math.min(total, last + spare)
  return { from: Math.max(0, Math.min(first - spare, to)), to }
}
