/** Decides how what does not hold is named, and in which order: where first, then what; as `Finding` of server/verify/report.py. */
import type { Bundle } from './bundle'
import type { WrongSettlement } from './settlements'
import type { WrongStep } from './steps'

export type Code =
  | 'leaf_changed' | 'leaf_moved' | 'group_changed' | 'record_changed' | 'records_changed' | 'records_erased' | 'evidence_changed' | 'minute_moved'
  | 'minute_doubled' | 'minute_missing' | 'two_lessons' | 'minute_wrong' | 'lease_wrong' | 'sum_wrong' | 'total_wrong' | 'sheet_differs'
  | 'challenge_wrong' | 'challenge_skipped' | 'challenge_shifted' | 'seed_wrong' | 'page_key_wrong' | 'page_signature_wrong' | 'correction_wrong' | 'receipt_differs'
  | 'seat_wrong' | 'name_wrong' | 'lesson_wrong' | 'scheme_wrong' | 'settlement_wrong' | 'settlement_missing' | 'settlement_unknown'
  | 'step_missing' | 'step_doubled' | 'step_moved'

/** Where first: unix minute, lesson number, seat; -1: not of one. `settlement`: the number of the one that is meant; `step`: that of an act. */
export interface Finding { slot: number; lesson: number; seat: number; code: Code; settlement?: number; step?: number }

/** By minute and lesson; what names a seat before what does not, what is of no minute last. */
export function byWorth(a: Finding, b: Finding): number {
  const last = (n: number): number => (n < 0 ? Number.MAX_SAFE_INTEGER : n)
  return last(a.slot) - last(b.slot) || last(a.lesson) - last(b.lesson) || last(a.seat) - last(b.seat) || (a.code === b.code ? (a.step ?? -1) - (b.step ?? -1) : a.code < b.code ? -1 : 1)
}

/** What was found so far, each thing once, by the numbers that people know. */
export class Findings {
  private readonly found = new Map<string, Finding>()
  private readonly numbers: ReadonlyMap<string, number>
  private readonly seats: ReadonlyMap<string, number>

  constructor(bundle: Bundle) {
    this.numbers = new Map(bundle.lessons.map((one) => [one.id, one.number]))
    this.seats = new Map(bundle.people.map((one) => [one.id, one.seat]))
  }

  add(code: Code, slot: number, lesson = '', person = ''): void {
    const found = this.named(code, slot, lesson, person)
    this.found.set(JSON.stringify(found), found)
  }

  named(code: Code, slot: number, lesson = '', person = ''): Finding {
    return { slot, lesson: this.number(lesson), seat: this.seat(person), code }
  }

  /** The same of a settlement. */
  addSettlement({ code, slot, number, person, lesson }: WrongSettlement): void {
    const found = { ...this.named(code, slot, lesson, person), settlement: number }
    this.found.set(JSON.stringify(found), found)
  }

  /** The same of an act. */
  addStep({ code, slot, lesson, step }: WrongStep): void {
    const found = { ...this.named(code, slot, lesson), step }
    this.found.set(JSON.stringify(found), found)
  }

  sorted(): Finding[] {
    return [...this.found.values()].sort(byWorth)
  }

  readonly number = (lesson: string): number => this.numbers.get(lesson) ?? -1
  readonly seat = (person: string): number => this.seats.get(person) ?? -1
  readonly knows = (lesson: string): boolean => this.numbers.has(lesson)
  readonly sits = (person: string): boolean => this.seats.has(person)

  /** A lesson and a trainee, as `lesson person`, by number and seat. */
  place(pair: string): string {
    const [lesson = '', person = ''] = pair.split(' ')
    return `${this.number(lesson)} ${this.seat(person)}`
  }
}
