/** Decides in which stretches of the page's monotonic clock something was so, since what was told of it last. */
import type { BeatRequest } from '../wire/types'

type Span = BeatRequest['spans'][number]

/** The newest spans that one beat carries; flicker beyond that is too short to matter. */
export const SPANS_PER_BEAT = 40

export class Track {
  #closed: Span[] = []
  #since: number | null

  constructor(on: boolean, mono: number) {
    this.#since = on ? mono : null
  }

  /** Notes how it is from now on. Answers whether that was a change. */
  turn(on: boolean, mono: number): boolean {
    if (on === (this.#since !== null)) return false
    if (this.#since !== null && mono > this.#since) this.#closed.push([this.#since, mono])
    this.#since = on ? mono : null
    this.#closed = this.#closed.slice(-SPANS_PER_BEAT)
    return true
  }

  get on(): boolean {
    return this.#since !== null
  }

  until(mono: number): Span[] {
    const open: Span[] = this.#since !== null && mono > this.#since ? [[this.#since, mono]] : []
    return [...this.#closed, ...open].slice(-SPANS_PER_BEAT)
  }

  /** What lies before was told. */
  forget(told: number): void {
    this.#closed = this.#closed.filter(([, end]) => end > told).map(([start, end]): Span => [Math.max(start, told), end])
    if (this.#since !== null) this.#since = Math.max(this.#since, told)
  }
}
