/**
 * Decides whether the platform's log still is what this browser saw of it before: each trainee's page is a small witness.
 * It keeps the last checkpoint and the log's keys, and asks for the proof that what is there now begins with it.
 */
import { checkLog, decode, readCheckpoint, readKeys, readNote } from '../verify/notes'
import { checkConsistency, Refused } from '../verify/tree'

export interface Seen { note: string; keys: string[] }
export type Verdict = 'good' | 'rolled_back' | 'forked' | 'other_log' | 'unsigned'
/** Answers with the text of a file of the log, null when there is none, and fails when nobody answers. */
export type Ask = (path: string) => Promise<string | null>

const PLACE = 'keshi.log'

export async function askLog(path: string): Promise<string | null> {
  const answer = await fetch(`/log/${path}`, { cache: 'no-store' })
  const text = await answer.text() // an answer that nobody reads keeps its connection
  if (answer.status === 404) return null
  if (!answer.ok) throw new Error(`${answer.status}`)
  return text
}

export function recallSeen(): Seen | null {
  try {
    const seen = JSON.parse(localStorage.getItem(PLACE) ?? 'null') as Seen | null
    return seen && readCheckpoint(readNote(seen.note).text).size > 0 && Array.isArray(seen.keys) ? seen : null
  } catch {
    return null
  }
}

export function keepSeen(seen: Seen): void {
  try {
    localStorage.setItem(PLACE, JSON.stringify(seen))
  } catch {
    // Without storage this browser is no witness.
  }
}

/** What is there now, and how it goes with what was seen; null while the log has nothing and never had. */
export async function lookAtLog(ask: Ask, before: Seen | null): Promise<{ verdict: Verdict; now: Seen } | null> {
  const note = await ask('latest')
  const keys = note === null ? '' : (await ask('keys')) ?? ''
  const now = { note: note ?? '', keys: keys.split('\n').filter(Boolean) }
  const size = sizeSigned(now)
  if (size === 0) return before && { verdict: 'rolled_back', now }
  if (size === null) return { verdict: 'unsigned', now }
  return { verdict: before ? await compare(ask, before, now) : 'good', now }
}

/** How many leaves are signed for; null when nothing is. */
function sizeSigned({ note, keys }: Seen): number | null {
  if (note === '') return 0
  try {
    const read = readNote(note)
    const { size } = readCheckpoint(read.text)
    return size === 0 || checkLog(read, readKeys(keys.join('\n'))).length ? size : null
  } catch {
    return null
  }
}

async function compare(ask: Ask, before: Seen, now: Seen): Promise<Verdict> {
  const [old, fresh] = [readCheckpoint(readNote(before.note).text), readCheckpoint(readNote(now.note).text)]
  // A key that was changed leaves the earlier ones in the list; a log that was begun anew has none of them.
  if (old.origin !== fresh.origin || !before.keys.some((key) => now.keys.includes(key))) return 'other_log'
  if (fresh.size < old.size) return 'rolled_back'
  const proof = fresh.size === old.size ? '' : await ask(`consistency/${old.size}-${fresh.size}`)
  try {
    checkConsistency(old.size, fresh.size, (proof ?? '').split('\n').filter(Boolean).map(decode), old.root, fresh.root)
    return 'good'
  } catch (fault) {
    if (fault instanceof Refused) return 'forked'
    throw fault
  }
}
