/** Decides whether what is deleted had to be kept no longer; as server/verify/deleted.py. */
import { DELETION, ERASED, MINUTE, type Rec } from './formats'
import { amount, of, plus, sumOf } from './sums'

/** Five years (R19) are never fewer minutes than these. */
const KEPT_MINUTES = (5 * 365 + 1) * 24 * 60
/** The mode of a deletion that was ordered; of any other one nothing came. */
const ORDERED = 1

/** An order to delete records of a lesson: when it was given, and how many it names. */
export interface Deleted { slot: number; lesson: string; records: number }

export class Erased {
  /** How many lay in each leaf, by lesson and minute. */
  private readonly counts = new Map<string, Map<number, number>>()
  /** How many were minutes of trainees, by lesson and the minute that is said to have been theirs. */
  private readonly minutes = new Map<string, number>()
  private readonly orders: Deleted[] = []

  /** What is left of a record, or an order, of the leaf of `slot`. */
  take(lesson: string, slot: number, record: Rec): void {
    if (record.kind === DELETION && record.mode === ORDERED) this.orders.push({ slot, lesson, records: record.creditMs })
    if (record.kind !== ERASED) return
    const counts = of(this.counts, lesson, () => new Map<number, number>())
    counts.set(slot, (counts.get(slot) ?? 0) + 1)
    if (record.mode === MINUTE) plus(this.minutes, `${lesson} ${record.slot}`, 1)
  }

  /** The lessons and classes of which something is gone. */
  readonly groups = (): Set<string> => new Set(this.counts.keys())

  readonly minutesOf = (lesson: string, slot: number): number => amount(this.minutes, `${lesson} ${slot}`)

  /** What nobody ordered, or was ordered before its time. */
  wrong(): { slot: number; lesson: string }[] {
    return [...this.counts].flatMap(([lesson, counts]) => {
      const orders = this.orders.filter((one) => one.lesson === lesson)
      const first = Math.min(...orders.map((one) => one.slot))
      const early = orders.length ? [...counts.keys()].filter((slot) => slot > first - KEPT_MINUTES) : [...counts.keys()]
      const more = sumOf([...counts.values()]) > sumOf(orders.map((one) => one.records))
      return (early.length || !more ? early : [Math.min(...counts.keys())]).map((slot) => ({ slot, lesson }))
    })
  }

  /** Each order that was carried out. */
  done(): Deleted[] {
    return this.orders.filter((one) => this.counts.has(one.lesson)).sort((a, b) => a.slot - b.slot)
  }
}
