/** Decides whether what happened in a lesson (互动记录) is all there; the same as server/verify/steps.py. */
import { LESSON_EVENT, type Rec } from './formats'
import { of } from './sums'

export interface WrongStep { code: 'step_missing' | 'step_doubled' | 'step_moved'; slot: number; lesson: string; step: number }

/** No single minute. */
const ANY = -1

export class Steps {
  /** By lesson and step the first minute that was said of it. */
  private readonly slots = new Map<string, Map<number, number>>()
  private readonly doubled: WrongStep[] = []
  /** How many there were when the lesson ended. */
  private readonly byEnd = new Map<string, number>()

  /** An act, or the end of a lesson. */
  take(lesson: string, record: Rec): void {
    if (record.kind === LESSON_EVENT) {
      this.byEnd.set(lesson, Math.max(record.creditMs, this.byEnd.get(lesson) ?? 0))
      return
    }
    const { slot, seq: step } = record
    const slots = of(this.slots, lesson, () => new Map<number, number>())
    if (slots.has(step)) this.doubled.push({ code: 'step_doubled', slot, lesson, step })
    slots.set(step, Math.min(slot, slots.get(step) ?? slot))
  }

  /** How many steps each lesson has, of which there are some. */
  counts(erased: ReadonlySet<string>): Map<string, number> {
    return new Map([...this.slots].filter(([lesson]) => !erased.has(lesson)).map(([lesson, slots]) => [lesson, slots.size]))
  }

  /** Of each hole the first step, steps that stand twice, and steps of a minute before that of an earlier one; nothing of lessons of which something was erased. */
  wrong(erased: ReadonlySet<string>): WrongStep[] {
    const lessons = [...new Set([...this.slots.keys(), ...this.byEnd.keys()])].filter((one) => !erased.has(one))
    return [...this.doubled, ...lessons.flatMap((lesson) => this.ofLesson(lesson))]
  }

  private ofLesson(lesson: string): WrongStep[] {
    const slots = [...(this.slots.get(lesson) ?? [])].sort(([a], [b]) => a - b)
    const found: WrongStep[] = []
    let [before, newest] = [0, 0]
    for (const [step, slot] of slots) {
      if (step !== before + 1) found.push({ code: 'step_missing', slot: ANY, lesson, step: before + 1 })
      if (slot < newest) found.push({ code: 'step_moved', slot, lesson, step });
      [before, newest] = [step, Math.max(newest, slot)]
    }
    if (before < (this.byEnd.get(lesson) ?? 0)) found.push({ code: 'step_missing', slot: ANY, lesson, step: before + 1 })
    return found
  }
}
