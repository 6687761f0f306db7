/** Decides whether a log continues what somebody saw of it: the 存证卡, a small file that its reader keeps. */
import type { Bundle } from './bundle'
import { decode, encode, readCheckpoint, readNote } from './notes'
import { Refused, same, summit, TILE } from './tree'

const VERSION = 'keshi-card/v1'

/** `size` leaves, whole tiles of them, had this root; `note` is the checkpoint as it was, `keys` those believed then. */
export interface Card { v: string; origin: string; size: number; root: string; note: string; keys: string[] }

export type Verdict = 'good' | 'bad' | 'older'

/** What to keep of a checked bundle; null while the log has no whole tile (about four hours). */
export function makeCard(bundle: Bundle, keys: readonly string[]): Card {
  const { origin } = readCheckpoint(readNote(bundle.checkpoint).text)
  const top = summit(bundle.tiles, new Uint8Array())
  return { v: VERSION, origin, size: top.size, root: encode(top.root), note: bundle.checkpoint, keys: [...keys] }
}

/** Throws Refused. */
export function readCard(text: string): Card {
  try {
    const card = JSON.parse(text) as Card
    if (card.v !== VERSION || !Number.isSafeInteger(card.size) || card.size % TILE || !Array.isArray(card.keys)) throw new Refused('not an evidence card')
    decode(card.root)
    return card
  } catch {
    throw new Refused('not an evidence card')
  }
}

/** Whether the log of a checked bundle begins with what the card saw. */
export function compare(card: Card, bundle: Bundle): Verdict {
  const { origin, size, root } = readCheckpoint(readNote(bundle.checkpoint).text)
  if (card.origin !== origin) return 'bad'
  const earlier = readCheckpoint(readNote(card.note).text)
  if (earlier.size > size) return 'older'
  if (earlier.size === size && !same(earlier.root, root)) return 'bad'
  const seen = summit(bundle.tiles.subarray(0, (card.size / TILE) * 32), new Uint8Array())
  return same(seen.root, decode(card.root)) ? 'good' : 'bad'
}
