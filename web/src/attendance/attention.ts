/**
 * Decides when a page in front has its trainee's attention: its window has the focus, and somebody moved within the time
 * that the scheme gives. Kept always, told only where the scheme asks (server/attendance/attention.py).
 */
import type { AttentionRule, BeatRequest } from '../wire/types'
import { Track } from './track'

/** What the trainee is told now: nothing counts and why, or that it soon will not. */
export type Notice = 'blurred_now' | 'idle_now' | 'idle_soon' | null
/** So long before idle time begins to cost its trainee is warned, or half of a short time. */
const WARNED_MS = 60_000

export class Attention {
  readonly #rule: AttentionRule | null
  readonly #focus: Track
  readonly #active: Track
  #moved: number

  constructor(rule: AttentionRule | null, mono: number, moved: number) {
    this.#rule = rule
    this.#focus = new Track(true, mono)
    this.#active = new Track(true, mono)
    this.#moved = moved
  }

  /** How it is at this moment. Answers whether something changed that the scheme asks for. */
  look(focused: boolean, moved: boolean, mono: number): boolean {
    const due = this.#due()
    const slept = mono > due && this.#active.turn(false, due)
    if (moved) this.#moved = mono
    const woke = moved && this.#active.turn(true, mono)
    return (this.#focus.turn(focused, mono) && this.#rule?.focus === true) || slept !== woke
  }

  said(mono: number): BeatRequest['attention'] {
    return this.#rule && { focused: this.#focus.until(mono), active: this.#active.until(mono) }
  }

  notice(mono: number): Notice {
    if (this.#rule?.focus && !this.#focus.on) return 'blurred_now'
    if (!this.#active.on) return 'idle_now'
    const idle = this.#rule?.idle_ms ?? 0
    return this.#due() - mono <= Math.min(WARNED_MS, idle / 2) ? 'idle_soon' : null
  }

  forget(told: number): void {
    this.#focus.forget(told)
    this.#active.forget(told)
  }

  #due(): number {
    return this.#moved + (this.#rule?.idle_ms ?? Number.POSITIVE_INFINITY)
  }
}
