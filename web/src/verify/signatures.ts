/**
 * Decides whether what pages signed in a lesson holds: each signature under the key of its lease; what it covers. The same
 * as server/verify/signatures.py. P-256 is the browser's own (Web Crypto): one that has none leaves signatures unchecked.
 */
import { RECORD_BYTES, type Bundle } from './bundle'
import type { Wrong } from './challenges'
import type { Finding } from './findings'
import { MINUTE, readRecord, type Rec } from './formats'
import { encode, hex } from './notes'
import { readPageKey } from './pagekey'
import { of } from './sums'
import { pieces, Refused, same, type Bytes } from './tree'

const MINUTE_MS = 60_000
/** No beat is worth more than a minute; a fault of the platform's beside it may be worth two more. */
const SPARE_BEATS = 2
const SIGNED_BYTES = 112
const NONE = 3
const SIGNED = 4
const KNOWN: Readonly<Record<number, string>> = { 1: 'fresh', 2: 'known', [NONE]: 'none' }
const utf8 = new TextEncoder()

interface Said { lesson: string; record: Rec }
/** With which key a lease was granted, null: without one; and the minute of it. */
interface Registered { slot: number; key: Bytes | null }
/** The newest signature of a lease in a minute: after beat `seq` the chain had come to `link`. */
interface Signed { person: string; epoch: number; seq: number; link: Bytes; signature: Bytes }

/** A signature that has still to be looked at, and what is said where it is false. */
export interface Claim { lease: string; slot: number; key: Bytes; text: Bytes; signature: Bytes; finding: Finding }

export class Pages {
  readonly claims: Claim[] = []
  private readonly keys: Said[] = []
  private readonly minutes: Said[] = []
  private readonly registered = new Map<string, Registered>()
  /** The credited minutes of a lease, in order. */
  private spent = new Map<string, { slot: number; ms: number }[]>()

  /** A PAGE_KEY record of this lesson. */
  take(lesson: string, record: Rec): void {
    if (record.mode === SIGNED) this.minutes.push({ lesson, record })
    else if (record.mode in KNOWN) this.keys.push({ lesson, record })
  }

  /** What does not hold without a look at signatures; those are `claims`. `named`: a finding by the numbers that people know. */
  wrong(bundle: Bundle, shown: ReadonlyMap<string, Bytes>, named: (wrong: Wrong) => Finding): Wrong[] {
    const found = this.keys.filter((one) => !this.isKey(one, shown)).map(({ lesson, record }): Wrong => ({ code: 'page_key_wrong', slot: record.slot, lesson, person: record.subject }))
    this.spent = spentOf(bundle, new Set(this.minutes.map((one) => one.lesson)))
    const ordered = [...this.minutes].sort((a, b) => a.record.slot - b.record.slot || (a.lesson < b.lesson ? -1 : Number(a.lesson > b.lesson)))
    const before = new Map<string, Signed>()
    for (const { lesson, record } of ordered) found.push(...this.minute(lesson, record, shown, before, named))
    return found
  }

  private isKey({ lesson, record }: Said, shown: ReadonlyMap<string, Bytes>): boolean {
    const lease = `${lesson} ${record.subject} ${record.session}`
    try {
      if (this.registered.has(lease)) return false
      this.registered.set(lease, readKey(lesson, record, shown.get(hex(record.evidence))))
      return true
    } catch (error) {
      if (error instanceof Refused) return false
      throw error
    }
  }

  private minute(lesson: string, record: Rec, shown: ReadonlyMap<string, Bytes>, before: Map<string, Signed>, named: (wrong: Wrong) => Finding): Wrong[] {
    const all = readMinute(record, shown.get(hex(record.evidence)))
    if (!all) return [{ code: 'page_signature_wrong', slot: record.slot, lesson, person: '' }]
    return all.flatMap((one) => {
      const lease = `${lesson} ${one.person} ${one.epoch.toString(16).padStart(16, '0')}`
      const wrong: Wrong = { code: 'page_signature_wrong', slot: record.slot, lesson, person: one.person }
      const last = before.get(lease)
      before.set(lease, one)
      const key = this.keyAt(lease, record.slot)
      if (!key || !goesOn(one, last) || !this.beatsEnough(lease, one, record.slot)) return [wrong]
      this.claims.push({ lease, slot: record.slot, key, text: headOf(lesson, one), signature: one.signature, finding: named(wrong) })
      return []
    })
  }

  /** The key that a lease had by then. */
  private keyAt(lease: string, slot: number): Bytes | null {
    const known = this.registered.get(lease)
    return known && known.slot <= slot ? known.key : null
  }

  /** Whether so many beats can have earned what was credited until the minute before the one before. */
  private beatsEnough(lease: string, one: Signed, slot: number): boolean {
    const earned = (this.spent.get(lease) ?? []).reduce((sum, each) => (each.slot < slot - 1 ? sum + each.ms : sum), 0)
    return earned <= (one.seq + SPARE_BEATS) * MINUTE_MS
  }

  /** How many credited minutes have one of these, of their lease, in themselves or in the next minute. */
  covered(good: readonly Claim[]): number {
    const signed = new Set(good.map((one) => `${one.lease} ${one.slot}`))
    const leases = [...new Set(good.map((one) => one.lease))]
    const has = (lease: string, slot: number): boolean => signed.has(`${lease} ${slot}`) || signed.has(`${lease} ${slot + 1}`)
    return leases.reduce((sum, lease) => sum + (this.spent.get(lease) ?? []).filter(({ slot }) => has(lease, slot)).length, 0)
  }
}

/** Which of these a key really signed; null where the browser cannot tell. `told` hears how many were looked at. */
export async function good(claims: readonly Claim[], told: (done: number) => Promise<void>): Promise<Claim[] | null> {
  const subtle = (globalThis.crypto as Partial<Crypto> | undefined)?.subtle
  if (!subtle) return claims.length ? null : []
  const keys = new Map<string, Promise<CryptoKey>>()
  const found: Claim[] = []
  for (const [at, one] of claims.entries()) {
    const key = await of(keys, one.lease, () => subtle.importKey('raw', buffer(one.key), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']))
    if (await subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, buffer(one.signature), buffer(one.text))) found.push(one)
    await told(at + 1)
  }
  return found
}

/** A copy of its own, as Web Crypto wants it. */
const buffer = (raw: Bytes): ArrayBuffer => Uint8Array.from(raw).buffer

const goesOn = (one: Signed, before: Signed | undefined): boolean => !before || (one.seq > before.seq && !same(one.link, before.link))

/** What a page signs once a minute (server/verify/pages.py). */
const headOf = (lesson: string, one: Signed): Bytes => utf8.encode(`keshi-beats/v1\n${lesson}\n${one.epoch}\n${one.seq}\n${encode(one.link)}\n`)

/** The key behind a lease's record, which must say the same. Throws Refused. */
function readKey(lesson: string, record: Rec, text: Bytes | undefined): Registered {
  const told = toldBy(text)
  const expected: Record<string, unknown> = { epoch: parseInt(record.session, 16), known: KNOWN[record.mode], lesson_id: lesson, person_id: record.subject }
  if (Object.entries(expected).some(([name, value]) => told[name] !== value)) throw new Refused('the key of another lease')
  const { public: key, granted_ms: granted } = told
  if (typeof key !== 'string' || !Number.isSafeInteger(granted) || Math.floor((granted as number) / MINUTE_MS) !== record.slot) throw new Refused('the key of another minute, or none')
  if ((key === '') !== (record.mode === NONE)) throw new Refused('a key where there is none, or none where there is one')
  return { slot: record.slot, key: key ? readPageKey(key) : null }
}

function toldBy(text: Bytes | undefined): Record<string, unknown> {
  let told: unknown
  try {
    told = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text))
  } catch {
    throw new Refused('no key of a page')
  }
  if (typeof told !== 'object' || told === null) throw new Refused('no key of a page')
  return told as Record<string, unknown>
}

/** The signatures behind a minute's record, each lease once; null: they are not shown, not so many, or out of order. */
function readMinute(record: Rec, text: Bytes | undefined): Signed[] | null {
  if (text?.length !== record.seq * SIGNED_BYTES) return null
  const found = pieces(text, SIGNED_BYTES).map(readSigned)
  const names = found.map((one) => `${one.person} ${one.epoch.toString(16).padStart(8, '0')}`)
  return names.every((name, at) => at === 0 || name > (names[at - 1] as string)) ? found : null
}

function readSigned(raw: Bytes): Signed {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length)
  return { person: hex(raw.subarray(0, 8)), epoch: view.getUint32(8), seq: view.getUint32(12), link: raw.subarray(16, 48), signature: raw.subarray(48) }
}

/** What was credited under each lease in these lessons. */
function spentOf(bundle: Bundle, lessons: ReadonlySet<string>): Map<string, { slot: number; ms: number }[]> {
  const found = new Map<string, { slot: number; ms: number }[]>()
  for (const part of bundle.leaves.flatMap((leaf) => leaf.groups)) {
    const lesson = hex(part.group.subarray(0, 8))
    if (!lessons.has(lesson)) continue
    for (const { kind, subject, session, slot, creditMs } of pieces(part.records, RECORD_BYTES).map(readRecord))
      if (kind === MINUTE && creditMs) of(found, `${lesson} ${subject} ${session}`, () => []).push({ slot, ms: creditMs })
  }
  return found
}
