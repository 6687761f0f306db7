/**
 * What plays beside a recording that leads, by the same time of day: a screen, or somebody on stage. It goes where the lead is and is
 * still when the lead is; what is a little apart goes faster or slower, because a jump is heard. Its list comes when it is first needed.
 */
import type { Deck } from './deck'
import { there, type Listed } from './playlist'

/** Where what leads is, in seconds since 1970, and how fast. `still`: it does not move. */
export interface Lead { moment: number; rate: number; still: boolean }

/** So far apart, it jumps; so far, it catches up by so much. */
const APART_S = 0.4
const NEAR_S = 0.08
const CATCH_UP = 0.1
/** A list that grows is read again when what is played comes so near to its end, so often at most. */
export const END_S = 60
export const READ_MS = 5_000
export const HAVE_CURRENT = 2

export class Beside {
  readonly #video: HTMLVideoElement
  readonly #ask: () => Promise<Listed>
  readonly #make: (list: Listed) => Deck
  #list: Listed = { pieces: [], over: false }
  #deck: Deck | null = null
  #readAt = Number.NEGATIVE_INFINITY
  #stopped = false

  /** `make` is called once there is something to play. */
  constructor(video: HTMLVideoElement, ask: () => Promise<Listed>, make: (list: Listed) => Deck) {
    this.#video = video
    this.#ask = ask
    this.#make = make
  }

  /** Something was recorded at this moment, and is here. */
  shows(moment: number): boolean {
    return there(this.#list, moment) && this.#video.readyState >= HAVE_CURRENT
  }

  /** Reads the list. Throws a Refusal. */
  async read(): Promise<void> {
    this.#readAt = performance.now()
    const list = await this.#ask()
    if (this.#stopped) return
    this.#list = list
    if (this.#deck) this.#deck.grow(list)
    else if (list.pieces.length > 0) this.#deck = this.#make(list)
  }

  /** Call it a few times a second. */
  follow(lead: Lead): void {
    this.#keepUp(lead.moment)
    const [deck, video] = [this.#deck, this.#video]
    if (!deck) return
    const apart = there(this.#list, lead.moment) ? this.#near(deck, lead.moment) : 0
    video.playbackRate = lead.rate * (1 + apart * CATCH_UP)
    if (lead.still || !this.shows(lead.moment)) video.pause()
    else void video.play().catch(() => undefined)
  }

  stop(): void {
    this.#stopped = true
    this.#deck?.stop()
    this.#deck = null
  }

  /** Goes there if it is far; else 1 or -1 when it is a little behind or ahead. */
  #near(deck: Deck, moment: number): number {
    const apart = moment - deck.moment
    const far = Math.abs(apart) > APART_S
    if (far && !this.#video.seeking) deck.go(moment)
    deck.look(false)
    return far || Math.abs(apart) < NEAR_S ? 0 : Math.sign(apart)
  }

  /** A line that is away is tried again soon. */
  #keepUp(moment: number): void {
    const { pieces, over } = this.#list
    if (over || performance.now() - this.#readAt < READ_MS || (pieces.at(-1)?.ends ?? 0) - moment > END_S) return
    void this.read().catch(() => undefined)
  }
}
