/** What ways of watching over plain HTTP have in common: attempts that come again by themselves until told to stop, and a look now and then. */
import type { AskGrant, Grant, PeerState } from './peer'
import { Refused, type Left } from './refused'

const RETRY_FIRST_MS = 500
const RETRY_MOST_MS = 5_000
const LOOK_MS = 250

/** Where and for whom something is played. */
export interface Place {
  grant: AskGrant
  onState: (state: PeerState) => void
  video: () => HTMLVideoElement | null
  /** There is something to play. */
  onSource: () => void
  /** Refused here; what is left. */
  onLeft: (left: Left) => void
}

export abstract class Again {
  protected readonly place: Place
  #retry: ReturnType<typeof setTimeout> | undefined
  #looks: ReturnType<typeof setInterval> | undefined
  #wait = RETRY_FIRST_MS
  #attempt = 0
  #state: PeerState = 'idle'

  constructor(place: Place) {
    this.place = place
  }

  /** Begins to play by this grant; `current` says whether this attempt is still the one that counts. */
  protected abstract open(grant: Grant, current: () => boolean): Promise<void> | void
  /** Ends what was opened. */
  protected abstract drop(): void
  /** Called four times a second. */
  protected abstract look(): void

  start(): void {
    if (this.#state === 'connecting' || this.#state === 'live') return
    this.#wait = RETRY_FIRST_MS
    this.#looks ??= setInterval(() => { this.look() }, LOOK_MS)
    void this.#try()
  }

  stop(): void {
    this.#say('stopped')
    clearTimeout(this.#retry)
    clearInterval(this.#looks)
    this.#looks = undefined
    this.drop()
  }

  /** It plays. */
  protected plays(): void {
    this.#wait = RETRY_FIRST_MS
    this.#say('live')
  }

  /** It does not begin: another way, if the server says one, else another attempt. */
  protected failed(fault: unknown): void {
    if (fault instanceof Refused && fault.next) this.place.onLeft(fault.next)
    this.again()
  }

  /** It does not, or no longer: another attempt, a little later each time. */
  protected again(): void {
    this.drop()
    if (this.#state === 'stopped') return
    this.#say('retrying')
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => { void this.#try() }, this.#wait)
    this.#wait = Math.min(this.#wait * 2, RETRY_MOST_MS)
  }

  async #try(): Promise<void> {
    this.drop()
    const number = ++this.#attempt
    const current = () => number === this.#attempt && this.#state !== 'stopped'
    const again = this.#state === 'retrying'
    this.#say(again ? 'retrying' : 'connecting')
    try {
      const grant = await this.place.grant(again)
      if (!grant) throw new Error('no grant')
      if (current()) await this.open(grant, current)
    } catch (fault) {
      if (current()) this.failed(fault)
    }
  }

  #say(state: PeerState): void {
    if (state === this.#state) return
    this.#state = state
    this.place.onState(state)
  }
}
