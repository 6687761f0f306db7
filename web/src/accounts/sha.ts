/**
 * SHA-256 (FIPS 180-4) of many short texts that begin alike. Own, because `crypto.subtle` is missing without HTTPS and
 * waits for a promise with every text, which takes longer than the digest.
 */
const BLOCK = 64
const LENGTH_BYTES = 8
const WORDS = 64

/** The first 32 bits of the fractional part. */
const fraction = (x: number): number => ((x - Math.floor(x)) * 2 ** 32) | 0

function primes(count: number): number[] {
  const found: number[] = []
  for (let n = 2; found.length < count; n++) if (found.every((p) => n % p !== 0)) found.push(n)
  return found
}

const K = Int32Array.from(primes(WORDS), (p) => fraction(Math.cbrt(p)))
const START = Int32Array.from(primes(8), (p) => fraction(Math.sqrt(p)))
const turn = (x: number, by: number): number => (x >>> by) | (x << (32 - by))

/** Takes one block into the state. */
function absorb(state: Int32Array, bytes: Uint8Array, at: number, w: Int32Array): void {
  const word = (i: number): number => w[i] as number
  for (let i = 0; i < 16; i++) {
    const b = at + i * 4
    w[i] = ((bytes[b] as number) << 24) | ((bytes[b + 1] as number) << 16) | ((bytes[b + 2] as number) << 8) | (bytes[b + 3] as number)
  }
  for (let i = 16; i < WORDS; i++) {
    const x = word(i - 15)
    const y = word(i - 2)
    w[i] = (word(i - 16) + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + word(i - 7) + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10))) | 0
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number]
  for (let i = 0; i < WORDS; i++) {
    const s = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + (K[i] as number) + word(i)) | 0
    const m = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g; g = f; f = e; e = (d + s) | 0
    d = c; c = b; b = a; a = (s + m) | 0
  }
  const after = [a, b, c, d, e, f, g, h]
  for (let i = 0; i < 8; i++) state[i] = ((state[i] as number) + (after[i] as number)) | 0
}

/** The end of a text in whole blocks: a one, zeros, the length in bits. `done`: bytes absorbed before. */
function padded(rest: Uint8Array, done: number): Uint8Array {
  const blocks = new Uint8Array(Math.ceil((rest.length + 1 + LENGTH_BYTES) / BLOCK) * BLOCK)
  blocks.set(rest)
  blocks[rest.length] = 0x80
  new DataView(blocks.buffer).setUint32(blocks.length - 4, (done + rest.length) * 8)
  return blocks
}

/** A function that gives the digest, in hex, of `start` followed by a text; what `start` fills is worked out once. */
export function digester(start: string): (end: string) => string {
  const encoder = new TextEncoder()
  const head = encoder.encode(start)
  const w = new Int32Array(WORDS)
  const state = START.slice()
  const whole = head.length - (head.length % BLOCK)
  for (let at = 0; at < whole; at += BLOCK) absorb(state, head, at, w)
  const rest = start.slice(whole) // the server's salt is ASCII
  return (end) => {
    const blocks = padded(encoder.encode(rest + end), whole)
    const now = state.slice()
    for (let at = 0; at < blocks.length; at += BLOCK) absorb(now, blocks, at, w)
    return Array.from(now, (x) => (x >>> 0).toString(16).padStart(8, '0')).join('')
  }
}

/** The number from `from` to `most` whose digest behind the salt is the challenge; null when there is none. */
export function solve(salt: string, challenge: string, most: number, from = 0): number | null {
  const digest = digester(salt)
  for (let n = from; n <= most; n++) if (digest(String(n)) === challenge) return n
  return null
}
