/** Decides what a settlement (结算) says of a trainee's class, and whether the evidence gives just that; as server/verify/settlements.py. */
import { evidenceOf, RECORD_BYTES, type Bundle, type GroupPart } from './bundle'
import type { Said } from './corrections'
import type { Code } from './findings'
import { isKnown, LESSON_MINUTE, MINUTE, readRecord, SCHEME, SETTLEMENT, type Rec } from './formats'
import { MINUTE_MS, rulesOf, settle, type Attended, type Rules } from './hours'
import { parsed } from './json'
import { credited } from './minutes'
import { hex } from './notes'
import { amount, of, sumOf } from './sums'
import { pieces, Refused, type Bytes } from './tree'

/** What is younger was not in the log yet when a class was settled, and is none of it. */
const KNOWN_MINUTES = 2
const SUMS = ['class_hours', 'remainder_ms', 'confirmed_ms', 'capped_ms', 'short_ms', 'lessons'] as const

/** A trainee's settlement that follows from the evidence; `slot` is its minute. */
export interface Settlement { number: number; seat: number; slot: number; scheme: string; classHours: number; remainderMs: number; confirmedMs: number }
/** One that does not: its minute, its number, whose, and the lesson where it first differs. */
export interface WrongSettlement { code: Code; slot: number; number: number; person: string; lesson: string }

/** What the rest of the evidence says; minutes by lesson, what challenges left by lesson, trainee and minute. */
export interface Known {
  shown: ReadonlyMap<string, Bytes>
  left: ReadonlyMap<string, number>
  corrections: readonly Said[]
  minutes: ReadonlyMap<string, ReadonlyMap<number, unknown>>
  ends: ReadonlyMap<string, number>
  erased: ReadonlySet<string>
  home: (lesson: string) => string | undefined
}

/** A lesson as its records say. */
interface Taught { delivered: Map<number, number>; credits: Map<string, Map<number, number>>; firsts: Map<string, number> }
type Json = Readonly<Record<string, unknown>>
interface Text { said: Json; lessons: string[]; people: number }

/** The text behind the digest: keys in order, no blanks. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join()}]`
  if (typeof value !== 'object' || value === null) return value === undefined ? 'null' : JSON.stringify(value)
  const names = Object.keys(value).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${textOf((value as Json)[name])}`).join()}}`
}

/** What a text says. Throws Refused unless it is written as `textOf` writes. */
export function readText(raw: Bytes | undefined): Json {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(raw)
    const said = JSON.parse(text) as unknown
    if (typeof said === 'object' && said !== null && !Array.isArray(said) && textOf(said) === text) return said as Json
  } catch {
    throw new Refused('a settlement is no JSON')
  }
  throw new Refused('a settlement is written in another way')
}

/** When a lesson opened: so long before the end of the first minute in which anything was delivered. */
export function openedMs(delivered: ReadonlyMap<number, number>): number {
  const first = Math.min(...[...delivered].filter(([, ms]) => ms).map(([slot]) => slot))
  return first === Infinity ? 0 : (first + 1) * MINUTE_MS - (delivered.get(first) ?? 0)
}

/** What the rules make of a trainee's lessons, by id, as a settlement says it. */
export function workedOut(rules: Rules, lessons: ReadonlyMap<string, Attended>): Json {
  const found = settle(rules, [...lessons.values()])
  const ids = new Map([...lessons].map(([id, one]) => [one.number, { id, openMs: one.openMs }]))
  const each = found.lessons.map((one) => ({
    number: one.number, lesson_id: ids.get(one.number)?.id, open_ms: ids.get(one.number)?.openMs,
    confirmed_ms: one.confirmedMs, capped_ms: one.cappedMs, short_ms: one.shortMs, complete: one.complete, late: one.late,
  }))
  return { class_hours: found.classHours, remainder_ms: found.remainderMs, confirmed_ms: found.confirmedMs, capped_ms: found.cappedMs, short_ms: found.shortMs, lessons: each }
}

/** Taken record by record, then judged. */
export class Settlements {
  readonly wrong: WrongSettlement[] = []
  readonly held: Settlement[] = []
  /** The numbers of settlements that rest on lessons which are not, or not any more, in this evidence. */
  readonly unchecked = new Set<number>()
  /** By class, number and trainee. */
  private readonly records = new Map<string, Map<number, Map<string, Rec>>>()
  private readonly digests = new Set<string>()
  /** In which minute the log was told of a scheme, by its digest. */
  private readonly schemes = new Map<string, number>()

  /** What holds, by number and seat, and what could not be looked at. */
  told(): { settled: Settlement[]; unchecked: number[] } {
    return { settled: [...this.held].sort((a, b) => a.number - b.number || a.seat - b.seat), unchecked: [...this.unchecked].sort((a, b) => a - b) }
  }

  /** A record of a settlement or of a scheme; others are none of this. */
  take(home: string, record: Rec): void {
    if (record.kind === SCHEME) of(this.schemes, hex(record.evidence), () => record.slot)
    if (record.kind === SETTLEMENT) this.takeSettlement(home, record)
  }

  private takeSettlement(home: string, record: Rec): void {
    this.digests.add(hex(record.evidence))
    const records = of(of(this.records, home, () => new Map<number, Map<string, Rec>>()), record.seq, () => new Map<string, Rec>())
    const first = of(records, record.subject, () => record)
    if (first.slot !== record.slot || hex(first.evidence) !== hex(record.evidence)) this.find('settlement_wrong', record, record.subject)
  }

  /** Whether each follows from what was known in its minute, and none is left out. */
  judge(bundle: Bundle, known: Known): void {
    this.strangers(known.shown)
    if (!this.records.size) return
    const judge = new Judge(bundle, known, this.schemes)
    for (const [home, settled] of this.records) {
      let gap = 1
      while (settled.has(gap)) gap += 1
      if (gap < Math.max(...settled.keys())) this.wrong.push({ code: 'settlement_missing', slot: -1, number: gap, person: '', lesson: '' })
      for (const records of settled.values()) this.judgeOne(judge, home, records)
    }
  }

  private judgeOne(judge: Judge, home: string, records: ReadonlyMap<string, Rec>): void {
    const [people, missing] = [new Set<number>(), new Set<string>()]
    for (const [person, record] of records) {
      const text = judge.text(home, record)
      if (text) people.add(text.people)
      for (const one of this.judgeText(judge, home, record, text)) if (!records.has(one)) missing.add(one)
      if (!text) this.find('settlement_wrong', record, person)
    }
    this.complete(records, people, missing)
  }

  /** Nobody is left out of a settlement. */
  private complete(records: ReadonlyMap<string, Rec>, people: ReadonlySet<number>, missing: ReadonlySet<string>): void {
    const first = [...records.values()].reduce((one, other) => (other.slot < one.slot ? other : one))
    for (const one of missing) this.find('settlement_missing', first, one)
    if (!missing.size && [...people].some((count) => count !== records.size)) this.find('settlement_missing', first, '')
  }

  /** Whether a text follows; gives who was there in its lessons. */
  private judgeText(judge: Judge, home: string, record: Rec, text: Text | null): string[] {
    if (!text) return []
    if (judge.isPart(home, text.lessons)) {
      this.unchecked.add(record.seq)
      return []
    }
    const differs = judge.differing(record, text)
    if (differs === null) this.held.push(judge.held(record, text.said))
    else this.find('settlement_wrong', record, record.subject, differs)
    return judge.attending(text.lessons)
  }

  /** Texts of settlements that the log was not told of. */
  private strangers(shown: ReadonlyMap<string, Bytes>): void {
    for (const [digest, raw] of shown) {
      const said = this.digests.has(digest) ? null : settlementIn(raw)
      if (said) this.wrong.push({ code: 'settlement_unknown', slot: -1, number: said.number, person: said.person, lesson: '' })
    }
  }

  private find(code: Code, record: Rec, person: string, lesson = ''): void {
    this.wrong.push({ code, slot: record.slot, number: record.seq, person, lesson })
  }
}

/** Works settlements out again from the minutes, which are read once more: only where something was settled. */
class Judge {
  readonly there: ReadonlySet<string>
  private readonly numbers: ReadonlyMap<string, number>
  private readonly seats: ReadonlyMap<string, number>
  private readonly taught: ReadonlyMap<string, Taught>
  private readonly changes = new Map<string, Rec[]>()
  private readonly known: Known
  private readonly schemes: ReadonlyMap<string, number>

  constructor(bundle: Bundle, known: Known, schemes: ReadonlyMap<string, number>) {
    this.known = known
    this.schemes = schemes
    this.numbers = new Map(bundle.lessons.map((one) => [one.id, one.number]))
    this.seats = new Map(bundle.people.map((one) => [one.id, one.seat]))
    this.there = new Set([...this.numbers.keys()].filter((one) => !known.erased.has(one)))
    this.taught = taughtOf(bundle, this.there)
    for (const { lesson, record } of [...known.corrections].sort((a, b) => a.record.slot - b.record.slot)) of(this.changes, `${lesson} ${record.subject}`, () => []).push(record)
  }

  /** What stands behind a record; null where that is missing, or of somebody or something else. */
  text(home: string, record: Rec): Text | null {
    const said = textIn(this.known.shown.get(hex(record.evidence)))
    if (!said || !isOf(said, home, record)) return null
    const lessons = lessonsOf(said)
    return lessons && { said, lessons, people: said['people'] as number }
  }

  /** Whether not all of these lessons are in this evidence, though the log says that all are of this class. */
  readonly isPart = (home: string, lessons: readonly string[]): boolean =>
    lessons.some((one) => !this.there.has(one)) && lessons.every((one) => this.known.home(one) === home)

  /** Whoever has something credited in one of these lessons. */
  attending(lessons: readonly string[]): string[] {
    return lessons.flatMap((one) => [...(this.taught.get(one)?.credits ?? [])].filter(([, minutes]) => sumOf(minutes.values())).map(([person]) => person))
  }

  /** What a settlement that holds says. */
  held(record: Rec, said: Json): Settlement {
    const number = (name: string): number => said[name] as number
    return { number: record.seq, seat: this.seats.get(record.subject) ?? -1, slot: record.slot, scheme: String(said['scheme']), classHours: number('class_hours'), remainderMs: number('remainder_ms'), confirmedMs: number('confirmed_ms') }
  }

  /** Where a settlement says something else than the evidence gives: a lesson, or '' as a whole; null nowhere. */
  differing(record: Rec, { said, lessons }: Text): string | null {
    const rules = this.rules(said, record.slot)
    if (!rules) return ''
    const wrong = lessons.filter((one) => !this.there.has(one)).sort()[0] ?? this.outOfTime(record, lessons)
    if (wrong !== undefined) return wrong
    const made = workedOut(rules, new Map(lessons.map((one) => [one, this.attended(one, record)])))
    if (SUMS.every((name) => name in said && textOf(said[name]) === textOf(made[name]))) return null
    const told = new Map((said['lessons'] as Json[]).map((one) => [one['lesson_id'], textOf(one)]))
    return ((made['lessons'] as Json[]).find((one) => told.get(one['lesson_id']) !== textOf(one))?.['lesson_id'] as string | undefined) ?? ''
  }

  /** A lesson that went on, or one that is left out. */
  private outOfTime(record: Rec, lessons: readonly string[]): string | undefined {
    const inOrder = [...this.there].sort((a, b) => (this.numbers.get(a) ?? 0) - (this.numbers.get(b) ?? 0))
    return inOrder.find((one) => {
      const slots = [...(this.known.minutes.get(one)?.keys() ?? [])]
      const [first, last] = [Math.min(...slots), Math.max(...slots)]
      if (!lessons.includes(one)) return first < record.slot - KNOWN_MINUTES
      return !slots.length || Math.max(last, this.known.ends.get(one) ?? last) > record.slot
    })
  }

  /** By which it was settled: those of a scheme that the log was told of by then. */
  private rules(said: Json, slot: number): Rules | null {
    const digest = String(said['scheme_digest'])
    const raw = this.known.shown.get(digest)
    if (!raw || (this.schemes.get(digest) ?? Infinity) > slot) return null
    try {
      const scheme = parsed(new TextDecoder().decode(raw)) as Json
      return scheme['id'] === said['scheme'] ? rulesOf(parsed(String(scheme['parameters'])) as Json) : null
    } catch {
      return null
    }
  }

  private attended(lesson: string, record: Rec): Attended {
    const person = record.subject
    const { delivered, credits, firsts } = this.taught.get(lesson) as Taught
    const minutes = new Map([...(credits.get(person) ?? [])].map(([slot, ms]) => [slot, ms - amount(this.known.left, `${lesson} ${person} ${slot}`)]))
    for (const one of this.changes.get(`${lesson} ${person}`) ?? []) if (one.slot <= record.slot - KNOWN_MINUTES) minutes.set(one.seq, one.creditMs)
    return { number: this.numbers.get(lesson) ?? -1, minutes, openMs: sumOf(delivered.values()), openedMs: openedMs(delivered), firstMs: firsts.get(person) ?? null }
  }
}

/** What a text says; null where it is not written as `textOf` writes. */
function textIn(raw: Bytes | undefined): Json | null {
  try {
    return readText(raw)
  } catch (error) {
    if (error instanceof Refused) return null
    throw error
  }
}

/** Number and trainee of a text that is one of a settlement. */
function settlementIn(raw: Bytes): { number: number; person: string } | null {
  const said = raw[0] === '{'.charCodeAt(0) ? textIn(raw) : null
  const [number, person] = [said?.['number'], said?.['person_id']]
  return said?.['at_ms'] !== undefined && Number.isSafeInteger(number) && typeof person === 'string' ? { number: number as number, person } : null
}

/** Whether a text is of this trainee and settlement, and was made in this minute. */
function isOf(said: Json, home: string, record: Rec): boolean {
  const { at_ms: at, people } = said
  const about = [said['class_id'], said['person_id'], said['number'], record.resource].join() === [home, record.subject, record.seq, home].join()
  return about && Number.isSafeInteger(at) && Math.floor((at as number) / MINUTE_MS) === record.slot && Number.isSafeInteger(people)
}

/** The ids of a settlement's lessons, each once; null where they are none. */
function lessonsOf(said: Json): string[] | null {
  const lessons = said['lessons']
  if (!Array.isArray(lessons)) return null
  const ids = lessons.map((one: unknown) => (one as Json | null)?.['lesson_id'])
  const good = ids.every((one) => typeof one === 'string' && /^([0-9a-f]{2})*$/.test(one))
  return good && new Set(ids).size === ids.length ? ids as string[] : null
}

/** What the minutes of these lessons say. */
function taughtOf(bundle: Bundle, lessons: ReadonlySet<string>): Map<string, Taught> {
  const found = new Map([...lessons].map((one): [string, Taught] => [one, { delivered: new Map(), credits: new Map(), firsts: new Map() }]))
  for (const part of bundle.leaves.flatMap((leaf) => leaf.groups)) {
    const taught = found.get(hex(part.group.subarray(0, 8)))
    if (taught) readMinutes(part, taught)
  }
  return found
}

function readMinutes(part: GroupPart, taught: Taught): void {
  const raws = pieces(part.records, RECORD_BYTES)
  const texts = evidenceOf(part.evidence, raws.length)
  raws.forEach((raw, at) => {
    const record = readRecord(raw)
    if (!isKnown(record)) return
    if (record.kind === LESSON_MINUTE) taught.delivered.set(record.slot, record.creditMs)
    else if (record.kind === MINUTE) takeMinute(record, texts[at] as Bytes, taught)
  })
}

function takeMinute({ subject, slot, creditMs, flags }: Rec, text: Bytes, { credits, firsts }: Taught): void {
  const minutes = of(credits, subject, () => new Map<number, number>())
  minutes.set(slot, (minutes.get(slot) ?? 0) + creditMs)
  const base = slot * MINUTE_MS
  if (!creditMs || base >= (firsts.get(subject) ?? Infinity)) return
  const [span] = credited(flags, text)
  if (span) firsts.set(subject, Math.min(base + span[0], firsts.get(subject) ?? Infinity))
}
