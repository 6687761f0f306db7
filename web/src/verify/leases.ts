/** Decides whether minutes were earned under leases that held; the same as `Leases` in server/verify/bulk.py. */
import { LEASE, LEASE_END, type Rec } from './formats'

/** Lesson, trainee and epoch. */
const keyOf = (lesson: string, record: Rec): string => `${lesson} ${record.subject} ${record.session}`

export class Leases {
  private readonly granted = new Map<string, number>()
  private readonly ended = new Map<string, number>()
  private readonly earned = new Map<string, { first: number; last: number }>()

  /** Of records about leases: one was granted or ended; of two records that contradict each other the earlier one counts. */
  take(lesson: string, record: Rec): void {
    if (record.kind !== LEASE && record.kind !== LEASE_END) return
    const known = record.kind === LEASE ? this.granted : this.ended
    const key = keyOf(lesson, record)
    known.set(key, Math.min(record.slot, known.get(key) ?? record.slot))
  }

  /** A minute was earned; the one that names no lease had one older than the log. */
  earn(lesson: string, record: Rec): void {
    if (/^0*$/.test(record.session)) return
    const key = keyOf(lesson, record)
    const { first, last } = this.earned.get(key) ?? { first: record.slot, last: record.slot }
    this.earned.set(key, { first: Math.min(first, record.slot), last: Math.max(last, record.slot) })
  }

  /** Minutes that were earned under a lease that there was not, or not then. */
  wrong(): { slot: number; lesson: string; person: string }[] {
    return [...this.earned].flatMap(([key, { first, last }]) => {
      const [lesson = '', person = ''] = key.split(' ')
      const granted = this.granted.get(key)
      const slots = granted === undefined || first < granted ? [first] : []
      if (granted !== undefined && last > (this.ended.get(key) ?? last)) slots.push(last)
      return slots.map((slot) => ({ slot, lesson, person }))
    })
  }
}
