/** Decides how evidence travels: evidence.json, as server/verify/bundle.py writes it. Anything else is refused. */
import { parsed } from './json'
import { decode } from './notes'
import { Refused, type Bytes } from './tree'

export const FORMAT = 'keshi-evidence/v2'
/** The one before, which has no `shown`. */
const FIRST_FORMAT = 'keshi-evidence/v1'
export const RECORD_BYTES = 73
export const SALT_BYTES = 16
export const HINT_BYTES = 8

export interface GroupPart { at: number; group: Bytes; path: Bytes[]; records: Bytes; salts: Bytes; hints: Bytes; evidence: Bytes }
export interface LeafPart { index: number; leaf: Bytes; path: Bytes[]; groups: GroupPart[] }
export interface Claim { lesson_id: string; person_id: string; credit_ms: number }
export interface Bundle {
  format: string
  genesis: number
  checkpoint: string
  lessons: { id: string; number: number }[]
  people: { id: string; seat: number }[]
  claims: Claim[]
  leaves: LeafPart[]
  seen: { note: string; path: Bytes[] }[]
  tiles: Bytes
  rest: Bytes
  /** Further texts that digests of records are of, each found by its SHA-256 (docs/proof.md). */
  shown: Bytes[]
}

type Read<T> = (value: unknown) => T

const text: Read<string> = (value) => {
  if (typeof value !== 'string') throw new Refused('a text is expected')
  return value
}
const id: Read<string> = (value) => {
  if (!/^([0-9a-f]{2})*$/.test(text(value))) throw new Refused('an id is no hexadecimal number, or written in another way')
  return text(value)
}
const whole: Read<number> = (value) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new Refused('a whole number is expected')
  return value
}
const bytes: Read<Bytes> = (value) => decode(text(value))

function list<T>(each: Read<T>): Read<T[]> {
  return (value) => {
    if (!Array.isArray(value)) throw new Refused('a list is expected')
    return value.map(each)
  }
}

function object<T>(fields: { [K in keyof T]: Read<T[K]> }): Read<T> {
  const names = Object.keys(fields) as (keyof T & string)[]
  return (value) => {
    const found = value as Record<string, unknown> | null
    if (typeof found !== 'object' || found === null || Object.keys(found).join() !== names.join()) throw new Refused('other fields are expected')
    return Object.fromEntries(names.map((name) => [name, fields[name](found[name])])) as T
  }
}

const group = object<GroupPart>({ at: whole, group: bytes, path: list(bytes), records: bytes, salts: bytes, hints: bytes, evidence: bytes })
const leaf = object<LeafPart>({ index: whole, leaf: bytes, path: list(bytes), groups: list(group) })
const bundle = object<Bundle>({
  format: text,
  genesis: whole,
  checkpoint: text,
  lessons: list(object<{ id: string; number: number }>({ id, number: whole })),
  people: list(object<{ id: string; seat: number }>({ id, seat: whole })),
  claims: list(object<Claim>({ lesson_id: id, person_id: id, credit_ms: whole })),
  leaves: list(leaf),
  seen: list(object<{ note: string; path: Bytes[] }>({ note: text, path: list(bytes) })),
  tiles: bytes,
  rest: bytes,
  shown: list(bytes),
})

/** A file of the first format as one of this: it shows nothing further. */
function withShown(value: unknown): unknown {
  const found = value as Record<string, unknown> | null
  if (typeof found !== 'object' || found?.format !== FIRST_FORMAT) return value
  if ('shown' in found) throw new Refused('other fields are expected')
  return { ...found, shown: [] }
}

/** The bundle of a file. Throws Refused. */
export function readBundle(raw: string): Bundle {
  const found = bundle(withShown(parsed(raw)))
  if (![FORMAT, FIRST_FORMAT].includes(found.format)) throw new Refused('evidence of an unknown format')
  if (found.genesis < 0 || found.genesis >= 2 ** 32) throw new Refused('the log begins in no minute')
  for (const part of found.leaves.flatMap((one) => one.groups)) {
    const count = part.records.length / RECORD_BYTES
    if (part.salts.length !== count * SALT_BYTES || part.hints.length !== count * HINT_BYTES) throw new Refused('records, salts and hints are not of one number')
  }
  checkOnce(found.lessons.map((one) => [one.id, one.number]))
  checkOnce(found.people.map((one) => [one.id, one.seat]))
  return found
}

/** No two have one id or one number: one would hide behind the other. Throws Refused. */
function checkOnce(named: readonly (readonly [string, number])[]): void {
  const once = (words: readonly unknown[]): boolean => new Set(words).size === words.length
  if (!once(named.map(([id]) => id)) || !once(named.map(([, at]) => at)) || named.some(([, at]) => at < 0)) throw new Refused('two have one number, or one has none')
}

/** The `count` texts behind each other, each behind its length in two bytes. Throws Refused. */
export function evidenceOf(raw: Bytes, count: number): Bytes[] {
  const found: Bytes[] = []
  let at = 0
  while (at < raw.length) {
    const length = (raw[at] as number) * 256 + (raw[at + 1] ?? 0)
    found.push(raw.subarray(at + 2, at + 2 + length))
    at += 2 + length
  }
  if (at !== raw.length || found.length !== count) throw new Refused('evidence is not of as many records as there are')
  return found
}
