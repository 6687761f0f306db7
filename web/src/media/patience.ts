/** Decides how long pictures are held back before they are shown: longer on a line on which they freeze, until it is calm again. Pure. */
const STEP_MS = 200
const MOST_MS = 600
/** One freeze is an accident (another address, another source); so many within so long are the line. */
const MANY = 2
const WITHIN_MS = 10_000
const CALM_MS = 60_000

export class Patience {
  #held = 0
  #counted = 0
  #freezes: number[] = []
  #calm = 0

  /** Milliseconds now, freezes so far by the browser's own count; gives the milliseconds to hold back, null: as the browser likes. */
  look(now: number, counted: number): number | null {
    const more = Math.max(0, counted - this.#counted)
    this.#counted = counted
    if (more > 0) this.#calm = now
    this.#freezes = [...this.#freezes, ...new Array<number>(more).fill(now)].filter((at) => now - at <= WITHIN_MS)
    if (this.#freezes.length >= MANY) this.#hold(now, STEP_MS)
    else if (this.#held > 0 && now - this.#calm >= CALM_MS) this.#hold(now, -STEP_MS)
    return this.#held || null
  }

  #hold(now: number, more: number): void {
    this.#held = Math.min(MOST_MS, this.#held + more)
    this.#freezes = []
    this.#calm = now
  }
}
