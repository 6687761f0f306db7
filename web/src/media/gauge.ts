/** Decides whether a picture moves too little to go on this way: it stood still for a third of the last looks. Pure. */
const LOOKS = 12
const MOST_STILL = 4
/** Without pictures (only a voice to be heard): so much of the time between two looks must have been played. */
const LEAST = 0.5

export class Gauge {
  #before: { now: number; frames: number; time: number } | null = null
  #still: boolean[] = []

  /** Begins anew: another way, or nobody was looking. */
  reset(): void {
    this.#before = null
    this.#still = []
  }

  /** Milliseconds, pictures shown so far, the playing position in seconds; true: too little. */
  look(now: number, frames: number, time: number): boolean {
    const before = this.#before
    this.#before = { now, frames, time }
    if (!before) return false
    const seconds = (now - before.now) / 1000
    // a new source counts its pictures, and its time, from the beginning
    const moved = frames > 0 || before.frames > 0 ? frames !== before.frames : Math.abs(time - before.time) >= seconds * LEAST
    this.#still = [...this.#still, !moved].slice(-LOOKS)
    return this.#still.filter(Boolean).length >= MOST_STILL
  }
}
