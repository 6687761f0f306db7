/**
 * Watches a room as plain live HLS, which the browser plays by itself: for browsers that have nothing better. The picture is some
 * seconds late. A player that stands still, or has lost its session, begins anew.
 */
import type { AskGrant, PeerState } from './peer'

const RETRY_FIRST_MS = 500
const RETRY_MOST_MS = 5_000
/** Longer than any segment: a picture that has not moved for so long will not by itself. */
const STILL_MS = 12_000
const LOOK_MS = 1_000

/** Whether this browser plays HLS by itself. */
export function hasHls(element: Pick<HTMLVideoElement, 'canPlayType'> = document.createElement('video')): boolean {
  return element.canPlayType('application/vnd.apple.mpegurl') !== ''
}

/** The address of a playlist of one's own. */
async function opened(ask: AskGrant, again: boolean): Promise<string> {
  const grant = await ask(again)
  if (!grant) throw new Error('no grant')
  const answer = await fetch(grant.url, { method: 'POST', headers: { authorization: `Bearer ${grant.token}` } })
  const place = answer.headers.get('location')
  if (!answer.ok || !place) throw new Error(`refused ${answer.status}`)
  return place
}

function left(place: string): void {
  void fetch(place, { method: 'DELETE', keepalive: true }).catch(() => undefined)
}

export class Tuner {
  readonly #grant: AskGrant
  readonly #onState: (state: PeerState) => void
  readonly #video: () => HTMLVideoElement | null
  readonly #onSource: () => void
  readonly #failed = () => { this.#again() }
  readonly #playing = () => { this.#moves() }
  #place: string | null = null
  #retry: ReturnType<typeof setTimeout> | undefined
  #look: ReturnType<typeof setInterval> | undefined
  #wait = RETRY_FIRST_MS
  #moved = { at: 0, time: 0 }
  #attempts = 0
  #state: PeerState = 'idle'

  constructor(grant: AskGrant, onState: (state: PeerState) => void, video: () => HTMLVideoElement | null, onSource: () => void) {
    this.#grant = grant
    this.#onState = onState
    this.#video = video
    this.#onSource = onSource
  }

  start(): void {
    if (this.#state === 'connecting' || this.#state === 'live') return
    this.#wait = RETRY_FIRST_MS
    this.#look ??= setInterval(() => { this.#watch() }, LOOK_MS)
    void this.#attempt()
  }

  stop(): void {
    this.#say('stopped')
    clearTimeout(this.#retry)
    clearInterval(this.#look)
    this.#look = undefined
    this.#drop()
  }

  async #attempt(): Promise<void> {
    this.#drop()
    const attempt = ++this.#attempts
    const again = this.#state === 'retrying'
    this.#say(again ? 'retrying' : 'connecting')
    const place = await opened(this.#grant, again).catch(() => null)
    const video = this.#video()
    const late = attempt !== this.#attempts || this.#stopped()
    if (place && video && !late) {
      this.#tune(place, video)
      return
    }
    if (place) left(place)
    if (!late) this.#again()
  }

  #tune(place: string, video: HTMLVideoElement): void {
    this.#place = place
    this.#moved = { at: performance.now(), time: 0 }
    video.addEventListener('error', this.#failed)
    video.addEventListener('playing', this.#playing)
    video.srcObject = null
    video.src = place
    this.#onSource()
  }

  #moves(): void {
    this.#wait = RETRY_FIRST_MS
    this.#say('live')
  }

  /** Notices a picture that stands still; one that was paused, or waits for a tap, does so on purpose. */
  #watch(): void {
    const video = this.#video()
    if (!video || !this.#place) return
    const now = performance.now()
    if (video.paused || video.currentTime !== this.#moved.time) this.#moved = { at: now, time: video.currentTime }
    else if (now - this.#moved.at > STILL_MS) this.#again()
  }

  #again(): void {
    this.#drop()
    if (this.#stopped()) return
    this.#say('retrying')
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => { void this.#attempt() }, this.#wait)
    this.#wait = Math.min(this.#wait * 2, RETRY_MOST_MS)
  }

  #drop(): void {
    const place = this.#place
    if (!place) return
    this.#place = null
    left(place)
    const video = this.#video()
    if (!video) return
    video.removeEventListener('error', this.#failed)
    video.removeEventListener('playing', this.#playing)
    video.removeAttribute('src')
    video.load()
  }

  #stopped(): boolean {
    return this.#state === 'stopped'
  }

  #say(state: PeerState): void {
    if (state === this.#state) return
    this.#state = state
    this.#onState(state)
  }
}
