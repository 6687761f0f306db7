/** Decides under which scheme a class's hours are counted, and what that scheme cuts; the same as server/verify/settled.py. */
import { sha256 } from '@noble/hashes/sha2.js'
import { TRAINING_CLASS, type Rec } from './formats'
import { dayOf, rulesOf, settle, type Rules } from './hours'
import { parsed } from './json'
import { hex } from './notes'
import { of, plus } from './sums'
import { Refused, same, type Bytes } from './tree'

type Row = Readonly<Record<string, unknown>>
/** Credited milliseconds by lesson, minute and trainee. */
export type ByMinute = ReadonlyMap<string, ReadonlyMap<number, ReadonlyMap<string, number>>>

const ID_BYTES = 8
/** A number that is not whole, as it is written. */
const FRACTION = /[:,[]\s*-?\d+[.eE]/

export class Schemes {
  private readonly classes = new Map<string, Rec[]>()
  private readonly schemes = new Map<string, Rec[]>()

  /** A record of a class or of a scheme. */
  take(group: string, record: Rec): void {
    of(record.kind === TRAINING_CLASS ? this.classes : this.schemes, group, () => [] as Rec[]).push(record)
  }

  /** Whether the log was told of this class, or of a scheme, in two ways: both never change. */
  doubted(home: string): boolean {
    return [this.classes.get(home) ?? [], ...this.schemes.values()].some((told) => told.some((one) => !same(one.evidence, (told[0] as Rec).evidence)))
  }

  /** Those of the class `home`, as they are shown; null where nobody told or showed them before `first`, the first minute. Throws Refused. */
  rules(home: string, shown: ReadonlyMap<string, Bytes>, first: number): Rules | null {
    const bound = rowOf(this.classes.get(home), shown, first)
    const name = bound['scheme_id']
    if (typeof name !== 'string' || bound['id'] !== home) return null
    const row = rowOf(this.schemes.get(hex(sha256(new TextEncoder().encode(name)).subarray(0, ID_BYTES))), shown, first)
    if (row['id'] !== name) return null
    const said = String(row['parameters'])
    const parameters = parsed(said)
    if (!isRow(parameters) || FRACTION.test(said)) throw new Refused('a scheme without parameters')
    return rulesOf(parameters)
  }
}

const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What was told first, as it is shown; nothing where it is not, or was told after this minute. */
function rowOf(told: readonly Rec[] | undefined, shown: ReadonlyMap<string, Bytes>, first: number): Row {
  const record = told && [...told].sort((a, b) => a.slot - b.slot)[0]
  const text = record && record.slot <= first ? shown.get(hex(record.evidence)) : undefined
  const row = text ? parsed(new TextDecoder().decode(text)) : {}
  return isRow(row) ? row : {}
}

/** What the scheme takes of what counts, by lesson and trainee; `changes` is what challenges and corrections make of single minutes. */
export function cutMs(rules: Rules, numbers: ReadonlyMap<string, number>, minutes: ByMinute, changes: ReadonlyMap<string, number>): Map<string, number> {
  const found = new Map<string, number>()
  for (const [person, mine] of counted(minutes, changes, touched(rules, minutes, changes))) {
    const lessons = [...mine].filter(([lesson]) => numbers.has(lesson))
    const attended = lessons.map(([lesson, known]) => ({ number: numbers.get(lesson) as number, minutes: known, openMs: 0, openedMs: 0, firstMs: null }))
    const settled = new Map(settle(rules, attended).lessons.map((one) => [one.number, one.cappedMs + one.shortMs]))
    for (const [lesson] of lessons) {
      const ms = settled.get(numbers.get(lesson) as number) ?? 0
      if (ms) found.set(`${lesson} ${person}`, ms)
    }
  }
  return found
}

/** What challenges and corrections make of a minute. */
interface Change { lesson: string; person: string; slot: number; ms: number }

const changesOf = (changes: ReadonlyMap<string, number>): Change[] => [...changes].map(([key, ms]) => {
  const [lesson = '', person = '', slot = ''] = key.split(' ')
  return { lesson, person, slot: Number(slot), ms }
})

/** Of whom the scheme may take something: of everybody where it wants a stretch to last, else of those who may have more in a day than its cap. */
function touched({ shortestMs, dailyCapMs }: Rules, minutes: ByMinute, changes: ReadonlyMap<string, number>): Set<string> {
  const least = shortestMs === null ? dailyCapMs : -1
  if (least === null) return new Set()
  const days = [...mostOf(minutes, changes).values()]
  return new Set(days.flatMap((day) => [...day].filter(([, ms]) => ms > least).map(([person]) => person)))
}

/** How much each may have by local day. */
function mostOf(minutes: ByMinute, changes: ReadonlyMap<string, number>): Map<number, Map<string, number>> {
  const days = new Map<number, Map<string, number>>()
  const dayWith = (slot: number): Map<string, number> => of(days, dayOf(slot), () => new Map<string, number>())
  for (const [slot, people] of [...minutes.values()].flatMap((slots) => [...slots])) {
    const day = dayWith(slot)
    for (const [person, ms] of people) plus(day, person, ms)
  }
  for (const { person, slot, ms } of changesOf(changes)) plus(dayWith(slot), person, Math.max(0, ms))
  return days
}

type Mine = Map<string, Map<number, number>>

/** What counts of these people's minutes, by trainee and lesson. */
function counted(minutes: ByMinute, changes: ReadonlyMap<string, number>, people: ReadonlySet<string>): Map<string, Mine> {
  const found = new Map([...people].map((person): [string, Mine] => [person, new Map<string, Map<number, number>>()]))
  const add = ({ lesson, person, slot, ms }: Change): void => {
    const mine = found.get(person)
    const known = mine && of(mine, lesson, () => new Map<number, number>())
    known?.set(slot, Math.max(0, (known.get(slot) ?? 0) + ms))
  }
  if (!people.size) return found
  for (const [lesson, slots] of minutes)
    for (const [slot, each] of slots) each.forEach((ms, person) => { add({ lesson, person, slot, ms }) })
  changesOf(changes).forEach(add)
  return found
}
