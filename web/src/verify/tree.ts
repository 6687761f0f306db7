/**
 * Decides what a tree of hashes proves: RFC 6962 (section 2.1). The same as server/verify/tree.py, written a second time
 * so that the platform's own program need not be believed.
 */
import { sha256 } from '@noble/hashes/sha2.js'

export type Bytes = Uint8Array

/** A file, note or proof that proves nothing. */
export class Refused extends Error {}

export const EMPTY = sha256(new Uint8Array())

export function joined(...parts: readonly Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, one) => sum + one.length, 0))
  let at = 0
  for (const one of parts) {
    all.set(one, at)
    at += one.length
  }
  return all
}

export function same(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

export const leafHash = (data: Bytes): Bytes => sha256(joined(LEAF, data))
export const nodeHash = (left: Bytes, right: Bytes): Bytes => sha256(joined(NODE, left, right))

/** The root over hashes of leaves: a last one without a neighbour goes up as it is. */
export function root(hashes: readonly Bytes[]): Bytes {
  let level = [...hashes]
  while (level.length > 1) {
    const above: Bytes[] = []
    for (let at = 0; at < level.length; at += 2) {
      const left = level[at] as Bytes
      const right = level[at + 1]
      above.push(right ? nodeHash(left, right) : left)
    }
    level = above
  }
  return level[0] ?? EMPTY
}

const odd = (n: number): boolean => n % 2 === 1
const half = (n: number): number => Math.floor(n / 2)

function checkHashes(hashes: readonly Bytes[]): void {
  if (hashes.some((one) => one.length !== 32)) throw new Refused('a hash has 32 bytes')
}

/** Where a proof stands: the node on the path, and the last one of its level. */
type Place = readonly [fn: number, sn: number]

const up = ([fn, sn]: Place): Place => [half(fn), half(sn)]
/** A hash of the proof stands to the left of the path here. */
const fromLeft = ([fn, sn]: Place): boolean => odd(fn) || fn === sn

/** One step of a proof: whether its hash joins from the left, and where the next one stands. */
function step(place: Place): { left: boolean; next: Place } {
  if (place[1] === 0) throw new Refused('the proof is too long')
  const left = fromLeft(place)
  let at = place
  if (left) while (!odd(at[0]) && at[0] !== 0) at = up(at)
  return { left, next: up(at) }
}

/** The leaf of this hash stands at `index` of the tree with this root (RFC 9162, 2.1.3.2). Throws Refused. */
export function checkInclusion(hashed: Bytes, index: number, size: number, proof: readonly Bytes[], expected: Bytes): void {
  if (!(index >= 0 && index < size)) throw new Refused('no such leaf')
  checkHashes([hashed, ...proof])
  let [place, found]: [Place, Bytes] = [[index, size - 1], hashed]
  for (const one of proof) {
    const { left, next } = step(place)
    found = left ? nodeHash(one, found) : nodeHash(found, one)
    place = next
  }
  if (place[1] !== 0 || !same(found, expected)) throw new Refused('the proof does not lead to the root')
}

/** The tree of `old` leaves is the beginning of that of `size` (RFC 9162, 2.1.4.2). Throws Refused. */
export function checkConsistency(old: number, size: number, proof: readonly Bytes[], oldRoot: Bytes, newRoot: Bytes): void {
  if (!(old >= 0 && old <= size)) throw new Refused('a tree only grows')
  if (old === size) {
    checkSame(proof, oldRoot, newRoot)
    return
  }
  if (old === 0) throw new Refused('nothing is proven of an empty tree')
  checkHashes([oldRoot, newRoot, ...proof])
  const [first, second] = rootsOf(old, size, Number.isInteger(Math.log2(old)) ? [oldRoot, ...proof] : proof)
  if (!same(first, oldRoot) || !same(second, newRoot)) throw new Refused('the proof does not lead from one root to the other')
}

function checkSame(proof: readonly Bytes[], oldRoot: Bytes, newRoot: Bytes): void {
  if (proof.length || !same(oldRoot, newRoot)) throw new Refused('the same size has another root')
}

function rootsOf(old: number, size: number, path: readonly Bytes[]): [Bytes, Bytes] {
  const [start, ...rest] = path
  if (!start) throw new Refused('the proof is empty')
  let place: Place = [old - 1, size - 1]
  while (odd(place[0])) place = up(place)
  let [before, after] = [start, start]
  for (const one of rest) {
    const { left, next } = step(place)
    if (left) before = nodeHash(one, before)
    after = left ? nodeHash(one, after) : nodeHash(after, one)
    place = next
  }
  if (place[1] !== 0) throw new Refused('the proof is too short')
  return [before, after]
}

export function pieces(raw: Bytes, size: number): Bytes[] {
  return Array.from({ length: Math.ceil(raw.length / size) }, (_, at) => raw.subarray(at * size, (at + 1) * size))
}

export const TILE = 256

/** Size and root of a log out of the hashes of each whole 256 leaves and of the leaves after. Throws Refused. */
export function summit(tiles: Bytes, rest: Bytes): { size: number; root: Bytes } {
  if (tiles.length % 32 || rest.length % 32 || rest.length >= TILE * 32) throw new Refused("the hashes of a log's tiles are cut off")
  const above = pieces(tiles, 32)
  const below = pieces(rest, 32)
  const size = above.length * TILE + below.length
  return { size, root: topOf(above, below) }
}

/** MTH of a log: like RFC 6962, with whole tiles as they are. */
function topOf(above: readonly Bytes[], below: readonly Bytes[]): Bytes {
  if (above.length === 0) return root(below)
  const whole = 2 ** Math.floor(Math.log2(above.length))
  if (whole === above.length) return below.length === 0 ? root(above) : nodeHash(root(above), root(below))
  return nodeHash(root(above.slice(0, whole)), topOf(above.slice(whole), below))
}
