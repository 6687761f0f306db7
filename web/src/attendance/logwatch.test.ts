import { getPublicKey, sign } from '@noble/ed25519'
import { sha256 } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import { encode, hex } from '../verify/notes'
import { joined, leafHash, root, type Bytes } from '../verify/tree'
import { lookAtLog, type Ask, type Seen } from './logwatch'

const utf8 = new TextEncoder()
const SECRET = new Uint8Array(32).fill(7)

/** A log of `size` leaves, each named after `history`, that answers as the server does. */
function log(size: number, history = 'a', secret = SECRET, name = 'keshi/log'): { seen: Seen; ask: Ask } {
  const hashes = Array.from({ length: size }, (_, at) => leafHash(utf8.encode(`${history}${at}`)))
  const material = joined(Uint8Array.of(1), getPublicKey(secret))
  const id = sha256(joined(utf8.encode(`${name}\n`), material)).subarray(0, 4)
  const text = `${name}\n${size}\n${encode(root(hashes))}\n`
  const note = `${text}\n\u2014 ${name} ${encode(joined(id, sign(utf8.encode(text), secret)))}\n`
  const keys = [`${name}+${hex(id)}+${encode(material)}`]
  const ask: Ask = async (path) => {
    await Promise.resolve()
    if (path === 'latest') return note
    if (path === 'keys') return `${keys.join('\n')}\n`
    const [old = 0, upto = 0] = path.replace('consistency/', '').split('-').map(Number)
    return upto > size ? null : proof(old, hashes.slice(0, upto), true).map((one) => `${encode(one)}\n`).join('')
  }
  return { seen: { note, keys }, ask }
}

/** RFC 6962, 2.1.2. */
function proof(old: number, hashes: Bytes[], whole: boolean): Bytes[] {
  if (old === hashes.length) return whole ? [] : [root(hashes)]
  const left = 2 ** Math.floor(Math.log2(hashes.length - 1))
  return old <= left
    ? [...proof(old, hashes.slice(0, left), whole), root(hashes.slice(left))]
    : [...proof(old - left, hashes.slice(left), false), root(hashes.slice(0, left))]
}

const verdict = async (ask: Ask, before: Seen | null) => (await lookAtLog(ask, before))?.verdict

describe('a page that saw the log before', () => {
  it('finds that it only grew', async () => {
    for (const old of [1, 2, 3, 7, 8, 9]) for (const size of [9, 10, 16, 33]) expect(await verdict(log(size).ask, log(old).seen)).toBe('good')
  })
  it('believes at first what it sees, when it is signed', async () => {
    expect(await verdict(log(5).ask, null)).toBe('good')
    const { seen, ask } = log(5)
    const forged: Ask = async (path) => (path === 'latest' ? seen.note.replace('\n5\n', '\n6\n') : ask(path))
    expect(await verdict(forged, null)).toBe('unsigned')
    expect(await verdict(async (path) => (path === 'keys' ? '' : ask(path)), null)).toBe('unsigned')
    expect(await verdict(async (path) => (path === 'latest' ? 'no note' : ask(path)), null)).toBe('unsigned')
  })
  it('names a log that was rolled back', async () => {
    expect(await verdict(log(6).ask, log(7).seen)).toBe('rolled_back')
    expect(await verdict(log(0).ask, log(7).seen)).toBe('rolled_back')
    expect(await verdict(async () => Promise.resolve(null), log(7).seen)).toBe('rolled_back')
  })
  it('names a log with another past, of any size', async () => {
    for (const size of [7, 8, 20]) expect(await verdict(log(size, 'b').ask, log(7).seen)).toBe('forked')
    const { ask } = log(20)
    expect(await verdict(async (path) => (path.startsWith('consistency') ? null : ask(path)), log(7).seen)).toBe('forked')
    expect(await verdict(async (path) => (path.startsWith('consistency') ? '?' : ask(path)), log(7).seen)).toBe('forked')
  })
  it('names a log that was begun anew under another key or name', async () => {
    expect(await verdict(log(9, 'a', new Uint8Array(32).fill(8)).ask, log(7).seen)).toBe('other_log')
    expect(await verdict(log(9, 'a', SECRET, 'keshi/other').ask, log(7).seen)).toBe('other_log')
  })
  it('says nothing of a log that never had anything, and nothing when nobody answers', async () => {
    expect(await lookAtLog(async () => Promise.resolve(null), null)).toBeNull()
    expect(await lookAtLog(log(0).ask, null)).toBeNull()
    await expect(lookAtLog(async () => Promise.reject(new Error('offline')), log(7).seen)).rejects.toThrow('offline')
  })
})
