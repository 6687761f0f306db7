/**
 * Watches a room as plain live HLS, which the browser plays by itself: for browsers that have nothing better. The picture is some
 * seconds late. A player that stands still, or has lost its session, begins anew.
 */
import { Again } from './again'
import type { Grant } from './peer'
import { refusal } from './refused'

/** Longer than any segment: a picture that has not moved for so long will not by itself. */
const STILL_MS = 12_000

function left(place: string): void {
  void fetch(place, { method: 'DELETE', keepalive: true }).catch(() => undefined)
}

export class Tuner extends Again {
  readonly #failed = () => { this.again() }
  readonly #playing = () => { this.plays() }
  #playlist: string | null = null
  #moved = { at: 0, time: 0 }

  protected override async open(grant: Grant, current: () => boolean): Promise<void> {
    const answer = await fetch(grant.url, { method: 'POST', headers: { authorization: `Bearer ${grant.token}` } })
    const playlist = answer.headers.get('location')
    const video = this.place.video()
    if (!answer.ok || !playlist) throw await refusal(answer)
    if (!current() || !video) {
      left(playlist)
      return
    }
    this.#playlist = playlist
    this.#moved = { at: performance.now(), time: 0 }
    video.addEventListener('error', this.#failed)
    video.addEventListener('playing', this.#playing)
    video.srcObject = null
    video.src = playlist
    this.place.onSource()
  }

  /** Notices a picture that stands still; one that was paused, or waits for a tap, does so on purpose. */
  protected override look(): void {
    const video = this.place.video()
    if (!video || this.#playlist === null) return
    const now = performance.now()
    if (video.paused || video.currentTime !== this.#moved.time) this.#moved = { at: now, time: video.currentTime }
    else if (now - this.#moved.at > STILL_MS) this.again()
  }

  protected override drop(): void {
    const playlist = this.#playlist
    if (playlist === null) return
    this.#playlist = null
    left(playlist)
    const video = this.place.video()
    video?.removeEventListener('error', this.#failed)
    video?.removeEventListener('playing', this.#playing)
    video?.removeAttribute('src')
    video?.load()
  }
}
