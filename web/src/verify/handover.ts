/**
 * Decides when a log is signed by another key, or goes on under another name; the same as server/verify/handover.py.
 * Only a changed key is trusted for the sake of the old one; a successor counts for those who were given its own key.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { evidenceOf, RECORD_BYTES, type Bundle } from './bundle'
import { checkLog, decode, hex, readCheckpoint, readKey, readNote, type Checkpoint, type Key, type Note } from './notes'
import { of } from './sums'
import { Refused } from './tree'

const GROUP = hex(sha256(new TextEncoder().encode('log')).subarray(0, 8))
const KEY_ROTATION = 12
const SUCCESSOR = 18
const FORM = /^keshi-handover\/v1\nfrom (?<from>\S+)\nto (?<to>\S+)\nseen (?<seen>\S+)\n$/
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** From one key to another, starting from the `size` leaves that were seen last; of another name: a successor. */
export interface Handover { before: Key; after: Key; size: number; succeeds: boolean }

/** A note that both keys signed. Throws Refused. */
export function readHandover(raw: string): Handover {
  const note = readNote(raw)
  const said = FORM.exec(note.text)?.groups as Record<'from' | 'to' | 'seen', string> | undefined
  if (!said) throw new Refused('not a handover')
  const before = readKey(said.from)
  const after = readKey(said.to)
  if (said.from === said.to || !signedBy(note, before) || !signedBy(note, after)) throw new Refused('a handover that its keys did not sign')
  return { before, after, size: said.seen === '-' ? 0 : sizeOf(said.seen, before), succeeds: before.name !== after.name }
}

function sizeOf(seen: string, before: Key): number {
  const note = readNote(utf8.decode(decode(seen)))
  const last = readCheckpoint(note.text)
  if (last.origin !== before.name || !signedBy(note, before)) throw new Refused('a handover from what the old key did not sign')
  return last.size
}

const signedBy = (note: Note, key: Key): boolean => checkLog(note, [key]).length > 0

/** The handovers behind the log's own records; what is none is found where records are looked at. */
export function shownBy(bundle: Bundle): Handover[] {
  const parts = bundle.leaves.flatMap((leaf) => leaf.groups).filter((part) => hex(part.group.subarray(0, 8)) === GROUP)
  return parts.flatMap((part) => {
    const texts = evidenceOf(part.evidence, part.records.length / RECORD_BYTES)
    return texts.filter((text, at) => text.length > 0 && [KEY_ROTATION, SUCCESSOR].includes(part.records[at * RECORD_BYTES] as number))
  }).flatMap((text) => {
    try {
      return [readHandover(utf8.decode(text))]
    } catch {
      return []
    }
  })
}

/** These keys, and those to which they were changed; never a successor's. */
export function reached(keys: readonly Key[], handovers: readonly Handover[]): Key[] {
  const changes = new Map<string, Key[]>()
  for (const { before, after, succeeds } of handovers) if (!succeeds) of(changes, before.line, () => []).push(after)
  const [found, known] = [[...keys], new Set(keys.map((one) => one.line))]
  for (const key of found)
    for (const after of changes.get(key.line) ?? []) {
      if (!known.has(after.line)) found.push(after)
      known.add(after.line)
    }
  return found
}

/** Which keys count as signers of a checkpoint: an old one signs nothing after it was changed. Throws Refused. */
export function signersOf(note: Note, said: Checkpoint, keys: readonly Key[], handovers: readonly Handover[]): Key[] {
  const replaced = (key: Key): boolean => handovers.some((one) => one.before.line === key.line && !one.succeeds && said.size > one.size)
  return checkLog(note, keys).filter((key) => key.name === said.origin && !replaced(key))
}
