/**
 * Decides what this page can prove of itself: a key that cannot leave the browser, kept for each person, signs each join
 * and once a minute the chain of acknowledged beats; the same as server/verify/pages.py. Without Web Crypto (plain HTTP,
 * an old browser) there is none, and the page attends all the same.
 */
import type { BeatAnswer, BeatRequest, JoinRequest, Lease } from '../wire/types'

export type Shown = Pick<JoinRequest, 'key' | 'nonce' | 'proof'>
export interface Keys { pair: CryptoKeyPair; shown: string }
type Raw = Uint8Array<ArrayBuffer>
/** How far a lease's chain has come. */
interface Chain { seq: number; link: Promise<Raw> }

export const SIGN_EVERY_MS = 60_000
/** A browser that keeps us waiting for its store longer than this does without. */
const PATIENCE_MS = 2_000
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' } as const
const STORE = 'keys'
const utf8 = new TextEncoder()

const base64 = (raw: Uint8Array): string => btoa(String.fromCharCode(...raw))

export class PageProof {
  readonly #keys: Keys
  readonly #lesson: string
  #epoch = 0
  #nonce: string | null = null
  #chain: Chain | null = null
  /** What was sent under the number that is not acknowledged yet: only one of these was taken. */
  #tries: BeatRequest[] = []
  #ready: { seq: number; signature: string } | null = null
  #signedAt = Number.NEGATIVE_INFINITY
  #doubted = false
  #withheld = false

  constructor(keys: Keys, lesson: string) {
    this.#keys = keys
    this.#lesson = lesson
  }

  /** What a join shows; nothing when the browser will not sign. */
  async show(page: string): Promise<Shown | null> {
    if (this.#withheld) return null
    const nonce = this.#nonce
    const proof = await this.#sign(`keshi-join/v1\n${this.#lesson}\n${page}\n${nonce ?? ''}\n`).catch(() => null)
    return proof === null ? null : { key: this.#keys.shown, nonce, proof }
  }

  /** The answer to a join: a new chain begins. */
  joined({ epoch, seq, nonce }: Lease): void {
    this.#epoch = epoch
    this.#nonce = nonce
    this.#tries = []
    this.#ready = null
    this.#chain = { seq, link: digest(utf8.encode(`keshi-beats/v1\n${this.#lesson}\n${epoch}\n${seq}\n${nonce}\n`)) }
  }

  /** The beat as it is to be sent, with the signature that is due. */
  sent(beat: BeatRequest): BeatRequest {
    const signature = this.#ready?.seq === beat.seq - 1 ? this.#ready.signature : null
    const whole = { ...beat, signature }
    this.#tries = [...this.#tries.filter((one) => one.seq === beat.seq), whole]
    return whole
  }

  /** The server's answer names the try that it took; once a minute the chain is signed for the next beat. */
  heard(ack: BeatAnswer): void {
    const taken = this.#tries.find((one) => one.seq === ack.seq && one.mono === ack.mono)
    this.#nonce = ack.nonce
    this.#tries = []
    this.#ready = null
    const before = this.#chain
    this.#chain = before && taken ? { seq: ack.seq, link: before.link.then((link) => next(link, taken)) } : null
    if (taken?.signature) this.#signedAt = taken.mono
    if (this.#chain && !this.#doubted && ack.mono - this.#signedAt >= SIGN_EVERY_MS) void this.#prepare(this.#chain)
  }

  /** The server found a signature wrong: better none than a beat that is refused. */
  doubt(): void {
    this.#doubted = true
    this.#ready = null
  }

  /** The server cannot make out this key (a browser whose store is damaged): the page attends without one. */
  withhold(): void {
    this.#withheld = true
    this.doubt()
  }

  async #prepare(chain: Chain): Promise<void> {
    const text = `keshi-beats/v1\n${this.#lesson}\n${this.#epoch}\n${chain.seq}\n${base64(await chain.link)}\n`
    const signature = await this.#sign(text).catch(() => null)
    if (signature && this.#chain === chain && !this.#doubted) this.#ready = { seq: chain.seq, signature }
  }

  async #sign(text: string): Promise<string> {
    return base64(new Uint8Array(await crypto.subtle.sign(SIGNING, this.#keys.pair.privateKey, utf8.encode(text))))
  }
}

async function digest(raw: Raw): Promise<Raw> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', raw))
}

const told = (spans: BeatRequest['spans']): string => spans.map((span) => span.join('-')).join(',')

function next(link: Raw, { seq, nonce, mono, spans, attention }: BeatRequest): Promise<Raw> {
  const more = attention ? ` ${told(attention.focused)} ${told(attention.active)}` : ''
  const words = utf8.encode(`${seq} ${nonce} ${mono} ${told(spans)}${more}`)
  const both = new Uint8Array(link.length + words.length)
  both.set(link)
  both.set(words, link.length)
  return digest(both)
}

/** The page's proof, or null where the browser has no Web Crypto or does not answer. */
export async function openProof(person: string, lesson: string): Promise<PageProof | null> {
  if (!('subtle' in crypto)) return null
  const late = new Promise<null>((done) => { setTimeout(() => { done(null) }, PATIENCE_MS) })
  const keys = await Promise.race([openKeys(person).catch(() => null), late])
  return keys && new PageProof(keys, lesson)
}

/** The person's key in this browser; one that is lost, or cannot be kept, is made anew. */
async function openKeys(person: string): Promise<Keys> {
  const store = await openStore().catch(() => null)
  const kept = store && (await asked(keysOf(store).get(person) as IDBRequest<CryptoKeyPair | undefined>).catch(() => undefined))
  const pair = kept ?? (await crypto.subtle.generateKey(CURVE, false, ['sign', 'verify']))
  if (!kept && store) await asked(keysOf(store).put(pair, person)).catch(() => undefined)
  store?.close()
  return { pair, shown: base64(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))) }
}

const keysOf = (store: IDBDatabase): IDBObjectStore => store.transaction(STORE, 'readwrite').objectStore(STORE)

function openStore(): Promise<IDBDatabase> {
  const opening = indexedDB.open('keshi', 1)
  opening.onupgradeneeded = () => { opening.result.createObjectStore(STORE) }
  return asked(opening)
}

function asked<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((done, failed) => {
    request.onsuccess = () => { done(request.result) }
    request.onerror = () => { failed(request.error ?? new Error('the store does not answer')) }
  })
}
