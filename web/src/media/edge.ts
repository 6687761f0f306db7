/**
 * Decides how a player of parts stays near the live edge without running dry. What is kept is measured where it is least, just
 * before a part arrives: a line that delivers evenly is played a moment behind it, an uneven one as far behind as its latest part
 * of the last while. Getting there is a little faster or slower, and a jump where that takes too long. Pure; milliseconds and seconds.
 */
/** So much is left when the latest part arrives. */
const LEAST_S = 0.12
const MOST_S = 2
/** Longer than a part. */
const PART_S = 0.2
const WINDOW_MS = 10_000
const JUMP_S = 3
/** Nothing left to play. */
const DRY_S = 0.03
/** What was longer is no line that a little more patience helps. */
const LONG_DRY_MS = 3_000
/** A beginning is not judged. */
const BEGINNING_MS = 3_000
/** One look to the next. */
const LOOK_S = 0.25
/** Where so long less than half of the patience learned was needed, half of it is given up. */
const CALM_MS = 20_000
/** Off by less is near enough. */
const NEAR_S = 0.04
/** So much faster for each second too far behind, within what nobody hears. */
const HASTE = 0.4
const FASTEST = 0.1
const SLOWEST = -0.1

export class Edge {
  #goal = LEAST_S
  /** What there was, in seconds ahead of the clock, at moments of the last while. */
  #marks: { at: number; lead: number }[] = []
  #drySince: number | null = null
  #calmSince = 0
  /** The least that was left since. */
  #spare = Infinity
  #begunAt: number | null = null

  /** How much is kept, at least. */
  get goal(): number {
    return this.#goal
  }

  /** Another source: its time begins elsewhere. What was learned of the line stays. */
  reset(): void {
    this.#marks = []
    this.#drySince = this.#begunAt = null
  }

  /** A part arrives, and the stretch that is there ends here without it. */
  mark(now: number, end: number): void {
    this.#marks = this.#marks.filter(({ at }) => now - at < WINDOW_MS)
    this.#marks.push({ at: now, lead: end - now / 1000 })
  }

  /** From the playing position and the newest stretch that is there. `jump`: where to go at once. */
  look(now: number, position: number, start: number, end: number): { jump: number | null; rate: number } {
    this.mark(now, end)
    const ahead = end - position
    const least = this.#least(now, position)
    this.#spare = Math.min(this.#spare, least)
    this.#learn(now, ahead)
    if (position < start || ahead < -0.05) return { jump: Math.max(start, end - this.#goal - PART_S), rate: 1 }
    const excess = least - this.#goal
    if (excess > JUMP_S) return { jump: position + excess, rate: 1 }
    const haste = Math.abs(excess) < NEAR_S ? 0 : Math.min(Math.max(excess * HASTE, SLOWEST), FASTEST)
    return { jump: null, rate: 1 + Math.round(haste * 100) / 100 }
  }

  /** What would have been left when the latest part of the last while arrived, had it been played as far behind as now. */
  #least(now: number, position: number): number {
    return Math.min(...this.#marks.map(({ lead }) => lead)) + now / 1000 - position
  }

  #learn(now: number, ahead: number): void {
    if (ahead > DRY_S) {
      this.#begunAt ??= this.#calmSince = now
      this.#plays(now)
    } else if (this.#begunAt !== null && now - this.#begunAt > BEGINNING_MS) this.#drySince ??= now
  }

  /** Patience grows by as long as there was nothing to play, now that it plays again, and is forgotten by and by. */
  #plays(now: number): void {
    const dry = this.#drySince === null ? 0 : now - this.#drySince
    if (dry === 0 && now - this.#calmSince < CALM_MS) return
    const half = LEAST_S + (this.#goal - LEAST_S) / 2
    if (dry === 0) this.#goal = this.#spare < half ? this.#goal : half
    else if (dry < LONG_DRY_MS) this.#goal = Math.min(MOST_S, this.#goal + dry / 1000 + LOOK_S)
    this.#drySince = null
    this.#calmSince = now
    this.#spare = Infinity
  }
}
