/** Tries one's line before a lesson, step by step, and keeps what was found; nothing is kept or told beyond this page. */
import { loop, type Looped } from '../media/loop'
import { measure, reach, type Pace, type Protocol, type Reached } from '../media/reach'
import { Store } from '../ui/store'
import { asRefusal, type RefusalData } from '../wire/refusal'
import type { CheckAnswer, MediaAccess } from '../wire/types'

export interface Found {
  running: boolean
  udp: Reached | null
  tcp: Reached | null
  pace: Pace | null
  loop: Looped | null
  refusal: { code: string; data: RefusalData } | null
}

const NOTHING: Found = { running: false, udp: null, tcp: null, pace: null, loop: null, refusal: null }
const SHUT: Reached = { way: 'shut', port: 0 }
const NO_LOOP: Looped = { frames: 0, seconds: 1, width: 0, height: 0, codec: '', lost: 0 }

/** The doors of media, as a test may replace them. */
export interface Doors { ask: () => Promise<CheckAnswer>; reach: typeof reach; measure: typeof measure; loop: typeof loop }

export class LineCheck {
  readonly found = new Store<Found>(NOTHING)
  readonly #doors: Doors

  constructor(ask: Doors['ask'], doors: Omit<Doors, 'ask'> = { reach, measure, loop }) {
    this.#doors = { ask, ...doors }
  }

  /** One after the other: they share one line. With a stream (an instructor's) also the own picture's way and back. */
  async run(stream: MediaStream | null, shown: (stream: MediaStream) => void): Promise<void> {
    if (this.found.value.running) return
    this.found.set({ ...NOTHING, running: true })
    try {
      const { common, send, back } = await this.#doors.ask()
      this.found.patch({ udp: await this.#reach(common, 'udp') })
      this.found.patch({ tcp: await this.#reach(common, 'tcp') })
      this.found.patch({ pace: await this.#doors.measure(common.room, common.token) })
      if (stream && send?.whip && back) {
        const there = { url: send.whip, token: send.token }
        this.found.patch({ loop: await this.#doors.loop(there, { url: back.whep, token: back.token }, stream, shown).catch(() => NO_LOOP) })
      }
    } catch (fault) {
      this.found.patch({ refusal: asRefusal(fault) })
    }
    this.found.patch({ running: false })
  }

  async #reach(common: MediaAccess, protocol: Protocol): Promise<Reached> {
    return this.#doors.reach({ url: common.whep, token: common.token }, protocol).catch(() => SHUT)
  }
}
