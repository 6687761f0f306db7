/** Decides whether each lesson has all its minutes, each once, and sums who earned what; as `Earned` of server/verify/bulk.py. */
import type { Claim } from './bundle'
import { Erased } from './deleted'
import type { Findings } from './findings'
import { isEmpty, type Rec } from './formats'
import { amount, of, plus, sumOf } from './sums'

const MINUTE_MS = 60_000

/** A lesson's minutes by unix minute: how many records, credited milliseconds. */
export type Minutes = Map<number, { records: number; creditMs: number }>

export class Earned {
  /** Credited milliseconds by lesson, minute and trainee. */
  readonly minutes = new Map<string, Map<number, Map<string, number>>>()
  /** Of how many trainees a lesson's minute has records, as the lesson itself said. */
  private readonly said = new Map<string, Map<number, number>>()
  /** What was delivered, by lesson and minute. */
  private readonly delivered = new Map<string, number>()
  /** What the details of each minute say was delivered in it. */
  private readonly told: { lesson: string; record: Rec; deliveredMs: number }[] = []
  private readonly ends = new Map<string, number>()
  /** What was deleted of all this. */
  readonly erased = new Erased()
  private readonly findings: Findings

  constructor(findings: Findings) {
    this.findings = findings
  }

  lessonMinute(record: Rec, lesson: string): void {
    const said = of(this.said, lesson, () => new Map<number, number>())
    if (said.has(record.slot)) this.findings.add('minute_doubled', record.slot, lesson)
    said.set(record.slot, record.seq)
    this.delivered.set(`${lesson} ${record.slot}`, record.creditMs)
  }

  minute(record: Rec, lesson: string): void {
    const people = of(of(this.minutes, lesson, () => new Map<number, Map<string, number>>()), record.slot, () => new Map<string, number>())
    if (people.has(record.subject)) this.findings.add('minute_doubled', record.slot, lesson, record.subject)
    plus(people, record.subject, record.creditMs)
    if (record.resource !== lesson || record.creditMs > MINUTE_MS || isEmpty(record.evidence)) this.findings.add('minute_wrong', record.slot, lesson, record.subject)
  }

  /** The details of a minute speak of so much delivered time. */
  tell(lesson: string, record: Rec, deliveredMs: number): void {
    this.told.push({ lesson, record, deliveredMs })
  }

  end(lesson: string, slot: number): void {
    this.ends.set(lesson, slot)
  }

  /** In which minute each lesson ended. */
  ended(): ReadonlyMap<string, number> {
    return this.ends
  }

  /** The minutes that lessons said themselves. */
  readonly saidMinutes = (): ReadonlyMap<string, ReadonlyMap<number, number>> => this.said

  /** What can only be told when everything was seen: missing minutes, and details that do not add up. */
  whole(): void {
    for (const lesson of new Set([...this.said.keys(), ...this.minutes.keys()])) this.holes(lesson)
    for (const one of this.erased.wrong()) this.findings.add('records_erased', one.slot, one.lesson)
    for (const { lesson, record, deliveredMs } of this.told)
      if (deliveredMs !== (this.delivered.get(`${lesson} ${record.slot}`) ?? deliveredMs)) this.findings.add('minute_wrong', record.slot, lesson, record.subject)
  }

  private holes(lesson: string): void {
    const [said, minutes] = [this.said.get(lesson), this.minutes.get(lesson)]
    const slots = [...new Set([...(said?.keys() ?? []), ...(minutes?.keys() ?? [])])].sort((a, b) => a - b)
    slots.forEach((slot, at) => {
      const before = at ? (slots[at - 1] as number) : slot - 1
      if (slot !== before + 1) this.findings.add('minute_missing', before + 1, lesson)
      if (said?.get(slot) !== (minutes?.get(slot)?.size ?? 0) + this.erased.minutesOf(lesson, slot)) this.findings.add('minute_missing', slot, lesson)
    })
  }

  /** What the file claims is the sum of its minutes. */
  totals(claims: readonly Claim[]): void {
    const claimed = new Map<string, number>()
    for (const one of claims) plus(claimed, `${one.lesson_id} ${one.person_id}`, one.credit_ms)
    const summed = this.sums()
    for (const pair of new Set([...claimed.keys(), ...summed.keys()])) this.total(pair, claimed, summed)
  }

  private total(pair: string, claimed: ReadonlyMap<string, number>, summed: ReadonlyMap<string, number>): void {
    const [lesson = '', person = ''] = pair.split(' ')
    const good = this.findings.sits(person) && amount(claimed, pair) === amount(summed, pair)
    if (!good || !this.findings.knows(lesson)) this.findings.add('total_wrong', -1, lesson, person)
  }

  private sums(): Map<string, number> {
    const found = new Map<string, number>()
    for (const [lesson, slots] of this.minutes)
      for (const people of slots.values())
        for (const [person, ms] of people) plus(found, `${lesson} ${person}`, ms)
    return found
  }

  /** Credited milliseconds by lesson number and seat. */
  creditBySeat(): Map<string, number> {
    return new Map([...this.sums()].map(([pair, ms]) => [this.findings.place(pair), ms]))
  }

  /** The first minute of all lessons. */
  first(): number {
    const slots = [...this.said.values(), ...this.minutes.values()].flatMap((one) => [...one.keys()])
    return slots.reduce((least, slot) => Math.min(least, slot), slots[0] ?? 0)
  }

  /** The first minute of each trainee. */
  firsts(): Map<string, number> {
    const found = new Map<string, number>()
    for (const slots of this.minutes.values())
      for (const [slot, people] of slots)
        for (const person of people.keys()) found.set(person, Math.min(slot, found.get(person) ?? slot))
    return found
  }

  /** Numbers of lessons of which no end follows the last minute. */
  unended(): number[] {
    const found = [...this.said].filter(([lesson, slots]) => {
      const after = (this.ends.get(lesson) ?? Infinity) - Math.max(...slots.keys())
      return after < 0 || after > 1
    })
    return found.map(([lesson]) => this.findings.number(lesson)).sort((a, b) => a - b)
  }

  lessonMinutes(): Map<number, Minutes> {
    const found = new Map<number, Minutes>()
    for (const [lesson, slots] of this.said) {
      const minutes = of(found, this.findings.number(lesson), () => new Map() as Minutes)
      const spent = this.minutes.get(lesson)
      for (const slot of slots.keys()) {
        const credits = [...(spent?.get(slot)?.values() ?? [])]
        minutes.set(slot, { records: credits.length, creditMs: sumOf(credits) })
      }
    }
    return found
  }
}
