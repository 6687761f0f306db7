/** Decides which minutes an outside witness saw in time; the same as server/verify/witnessed.py. */
import type { Bundle } from './bundle'
import { shownBy } from './handover'
import { checkLog, checkWitnesses, readCheckpoint, readNote, WITNESS, type Checkpoint, type Key, type Note } from './notes'
import { checkConsistency, Refused } from './tree'

const SEEN_S = 900
const SKEW_S = 30

/** So many leaves were seen, and when. */
export interface Seen { size: number; atS: number }

/** When given witnesses saw how much of the log. Throws Refused where an earlier checkpoint is none of it. */
export function timesOf(bundle: Bundle, last: Note, keys: readonly Key[], checkpoint: Checkpoint): Seen[] {
  const names = new Set([checkpoint.origin, ...shownBy(bundle).map((one) => one.before.name)])
  const earlier = bundle.seen.flatMap((seen) => {
    const note = readNote(seen.note)
    const said = readCheckpoint(note.text)
    if (!names.has(said.origin)) throw new Refused('a checkpoint of another log')
    checkLog(note, keys)
    checkConsistency(said.size, checkpoint.size, seen.path, said.root, checkpoint.root)
    return checkWitnesses(note, keys).map((one) => ({ size: said.size, atS: one.atS }))
  })
  const latest = checkWitnesses(last, keys).map((one) => ({ size: checkpoint.size, atS: one.atS }))
  return [...earlier, ...latest].sort((a, b) => a.atS - b.atS)
}

/** Whether a witness saw the leaf after its minute, and soon; `times` are in order. */
export function seenInTime(slot: number, genesis: number, times: readonly Seen[]): boolean {
  const endS = (slot + 1) * 60
  for (let at = firstFrom(times, endS - SKEW_S); at < times.length; at++) {
    const { size, atS } = times[at] as Seen
    if (atS > endS + SEEN_S) return false
    if (genesis + size > slot) return true
  }
  return false
}

/** The place of the first that was seen at this time or later. */
function firstFrom(times: readonly Seen[], atS: number): number {
  let [low, high] = [0, times.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((times[middle] as Seen).atS < atS) low = middle + 1
    else high = middle
  }
  return low
}

/** How many of these minutes no witness of the reader's has seen at all, if the reader named any. */
export function neverSeen(slots: readonly number[], genesis: number, times: readonly Seen[], keys: readonly Key[]): number {
  if (keys.every((key) => key.kind !== WITNESS)) return 0
  const until = genesis + times.reduce((most, one) => Math.max(most, one.size), 0)
  return slots.filter((slot) => slot >= until).length
}
