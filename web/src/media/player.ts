/**
 * The lesson's picture by the best way that works here: WebRTC, else parts over a WebSocket, else plain HLS. Chosen by what the
 * browser has, stepped down when no picture comes, tried from the top again whenever it is started anew.
 */
import type { MediaAccess } from '../wire/types'
import type { Place } from './again'
import { hasHls, Tuner } from './hls'
import { Follower } from './live'
import type { PeerState } from './peer'
import { hasH264, sourceMaker } from './source'
import { Viewer } from './whep'

export type Way = 'peer' | 'parts' | 'hls'

export interface Stage {
  grant: (again: boolean) => Promise<MediaAccess | null>
  video: () => HTMLVideoElement | null
  onState: (state: PeerState) => void
  onWay: (way: Way) => void
  /** There is something to play. */
  onSource: () => void
  /** Where a screen will be, if there comes one; null: nowhere, this way has none. */
  onScreen?: (screen: MediaStream | null) => void
  /** Whether the page is in the background, where pictures need not be shown. */
  hidden: () => boolean
}

/** No picture by then: the next way is tried. */
export const FIRST_PICTURE_MS = 5_000
/** Two segments of HLS have to be there first. */
const PATIENCE_MS: Record<Way, number> = { peer: FIRST_PICTURE_MS, parts: FIRST_PICTURE_MS, hls: 15_000 }

/** Whether WebRTC here receives what instructors send; a browser that cannot tell is given the chance. */
export function hasPeer(): boolean {
  if (typeof RTCPeerConnection === 'undefined') return false
  return hasH264() ?? true
}

export function waysHere(): Way[] {
  const ways: Way[] = hasPeer() ? ['peer'] : []
  if (sourceMaker()) ways.push('parts')
  else if (hasHls()) ways.push('hls')
  return ways
}

export class Player {
  readonly #stage: Stage
  readonly #ways: Way[]
  #at = 0
  #player: Viewer | Follower | Tuner | null = null
  #patience: ReturnType<typeof setTimeout> | undefined

  constructor(stage: Stage, ways: Way[] = waysHere()) {
    this.#stage = stage
    this.#ways = ways
  }

  start(): void {
    if (this.#player) return
    this.#at = 0
    this.#go()
  }

  stop(): void {
    clearTimeout(this.#patience)
    this.#player?.stop()
    this.#player = null
  }

  /** The page shows a picture (or plays the voice). */
  shown(): void {
    clearTimeout(this.#patience)
    this.#patience = undefined
  }

  /** The picture froze or was lost: if it does not come back in time, the next way is tried. */
  lost(): void {
    if (this.#player && this.#patience === undefined) this.#wait()
  }

  #go(): void {
    const way = this.#ways[this.#at]
    if (way === undefined) return
    this.#stage.onWay(way)
    this.#stage.onScreen?.(null)
    this.#player = this.#by(way)
    this.#player?.start()
    this.#wait()
  }

  #by(way: Way): Viewer | Follower | Tuner | null {
    if (way === 'peer') return this.#peer()
    return way === 'parts' ? this.#parts() : this.#hls()
  }

  #wait(): void {
    clearTimeout(this.#patience)
    const way = this.#ways[this.#at]
    if (this.#ways.length < 2 || way === undefined) return
    this.#patience = setTimeout(() => {
      if (this.#stage.hidden()) {
        this.#wait()
        return
      }
      this.stop()
      this.#at = (this.#at + 1) % this.#ways.length
      this.#go()
    }, PATIENCE_MS[way])
  }

  #peer(): Viewer {
    const { grant, video, onState, onSource } = this.#stage
    const ask = async (again: boolean) => {
      const access = await grant(again)
      return access && { url: access.whep, token: access.token, ice: access.ice }
    }
    return new Viewer(ask, onState, (stream) => {
      const element = video()
      if (element && element.srcObject !== stream) element.srcObject = stream
      onSource()
    }, this.#stage.onScreen)
  }

  #parts(): Follower | null {
    const maker = sourceMaker()
    return maker && new Follower(maker, this.#place((room) => `/media/live/${room}`))
  }

  #hls(): Tuner {
    return new Tuner(this.#place((room) => `/media/hls/${room}/picture_aac`))
  }

  #place(where: (room: string) => string): Place {
    const { grant, video, onState, onSource } = this.#stage
    const ask = async (again: boolean) => {
      const access = await grant(again)
      return access && { url: where(access.room), token: access.token }
    }
    return { grant: ask, video, onState, onSource }
  }
}
