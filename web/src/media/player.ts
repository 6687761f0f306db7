/**
 * The lesson by the best way that works here: WebRTC, else parts over a WebSocket (or plain HLS where there is no media source),
 * else the voice alone. Chosen by what the browser has; one step down when no picture comes or it moves too little, one step up
 * again after a while, and later each time that did not last. Where the server has no place it says which way is left: there at once.
 * Minutes count the same by every way.
 */
import type { MediaAccess } from '../wire/types'
import type { Place } from './again'
import { Gauge } from './gauge'
import { Tuner } from './hls'
import { Follower } from './live'
import type { PeerState } from './peer'
import type { Left } from './refused'
import { hasH264, hasHls, renditionFor, sourceMaker } from './source'
import { Viewer } from './whep'

export type Way = 'peer' | 'parts' | 'hls' | 'voice'

export interface Stage {
  grant: (again: boolean) => Promise<MediaAccess | null>
  video: () => HTMLVideoElement | null
  onState: (state: PeerState) => void
  onWay: (way: Way) => void
  /** There is something to play. */
  onSource: () => void
  /** Where a screen will be, if there comes one; null: nowhere, this way has none. */
  onScreen?: (screen: MediaStream | null) => void
  /** Where it is shown when it comes in parts or as HLS; null: nowhere. */
  screen?: () => HTMLVideoElement | null
  /** Whether the page is in the background, where pictures need not be shown. */
  hidden: () => boolean
}

/** No picture by then: the next way is tried. */
export const FIRST_PICTURE_MS = 5_000
/** Several segments of HLS have to be there first. */
const HLS_MS = 15_000
const LOOK_MS = 1_000
/** From the voice alone a picture is tried again after so long, twice as long each time that it did not last. */
export const CLIMB_FIRST_MS = 30_000
const CLIMB_MOST_MS = 480_000
/** What lasts so long has lasted. */
const LASTS_MS = 60_000
/** A picture is not interrupted as soon as silence is: one way up from it is tried so much later. */
const PICTURE_PATIENCE = 4

/** Whether WebRTC here receives what instructors send; a browser that cannot tell is given the chance. */
export function hasPeer(): boolean {
  if (typeof RTCPeerConnection === 'undefined') return false
  return hasH264() ?? true
}

export function waysHere(): Way[] {
  const ways: Way[] = hasPeer() ? ['peer'] : []
  if (sourceMaker()) return [...ways, 'parts', 'voice']
  return hasHls() ? [...ways, 'hls', 'voice'] : ways
}

export class Player {
  readonly #stage: Stage
  readonly #ways: Way[]
  readonly #gauge = new Gauge()
  /** The ways that have shown a picture in this page. */
  readonly #worked = new Set<Way>()
  #at = 0
  #only = false
  #player: Viewer | Follower | Tuner | null = null
  /** Over WebRTC the screen comes with the rest; else by itself. */
  #beside: Follower | Tuner | null = null
  #patience: ReturnType<typeof setTimeout> | undefined
  #climb: ReturnType<typeof setTimeout> | undefined
  #looks: ReturnType<typeof setInterval> | undefined
  #climbAfter = CLIMB_FIRST_MS
  #climbedAt = -Infinity
  /** Where the server had no place; asked for again later, rather than what lies between. */
  #refusedAt: number | null = null

  constructor(stage: Stage, ways: Way[] = waysHere()) {
    this.#stage = stage
    this.#ways = ways
  }

  /** Whether there is the voice alone to choose. */
  get hasVoice(): boolean {
    return this.#ways.length > 1 && this.#ways.includes('voice')
  }

  start(): void {
    if (this.#player) return
    this.#at = this.#only ? this.#ways.indexOf('voice') : 0
    this.#climbAfter = CLIMB_FIRST_MS
    this.#climbedAt = -Infinity
    this.#refusedAt = null
    this.#looks = setInterval(() => { this.#look() }, LOOK_MS)
    this.#go()
  }

  stop(): void {
    clearInterval(this.#looks)
    this.#end()
  }

  /** The trainee wants the voice alone, or the picture again. */
  choose(only: boolean): void {
    this.#only = only && this.hasVoice
    if (!this.#player) return
    this.stop()
    this.start()
  }

  /** The page shows a picture (or plays the voice). */
  shown(): void {
    clearTimeout(this.#patience)
    this.#patience = undefined
    const way = this.#ways[this.#at]
    if (way && this.#player) this.#worked.add(way)
  }

  /** The picture froze or was lost: if it does not come back in time, the next way is tried. */
  lost(): void {
    if (this.#player && this.#patience === undefined) this.#wait()
  }

  #end(): void {
    clearTimeout(this.#patience)
    clearTimeout(this.#climb)
    this.#player?.stop()
    this.#beside?.stop()
    this.#player = this.#beside = null
  }

  #go(): void {
    const way = this.#ways[this.#at]
    if (way === undefined) return
    this.#gauge.reset()
    this.#stage.onWay(way)
    this.#stage.onScreen?.(null)
    this.#player = this.#by(way)
    this.#player.start()
    this.#beside = way === 'parts' || way === 'hls' ? this.#screen() : null
    this.#beside?.start()
    this.#wait()
    if (this.#at > 0 && !this.#only) this.#plan(way)
  }

  #move(to: number): void {
    this.#end()
    this.#at = to
    this.#go()
  }

  /** Down, by one step where nothing else is known, from the last one to the top; a step up that did not last makes the next one later. */
  #fall(to = (this.#at + 1) % this.#ways.length, refusedAt: number | null = null): void {
    const lasted = performance.now() - this.#climbedAt > LASTS_MS
    this.#climbAfter = lasted ? CLIMB_FIRST_MS : Math.min(this.#climbAfter * 2, CLIMB_MOST_MS)
    this.#climbedAt = -Infinity
    this.#refusedAt = refusedAt
    this.#move(to)
  }

  /** The server has no place for this way and says which is left: there at once, if this browser has it. */
  #onLeft(left: Left): void {
    const to = this.#ways.findIndex((way) => way === left || (way === 'hls' && left === 'parts'))
    if (to > this.#at && !this.#only) this.#fall(to, this.#at)
  }

  #wait(): void {
    clearTimeout(this.#patience)
    if (this.#ways.length < 2 || this.#only) return
    this.#patience = setTimeout(() => {
      if (this.#stage.hidden()) this.#wait()
      else this.#fall()
    }, this.#ways[this.#at] === 'hls' ? HLS_MS : FIRST_PICTURE_MS)
  }

  /** A picture is given up only for a way that had one before. */
  #plan(way: Way): void {
    const above = this.#ways[this.#at - 1]
    if (above === undefined || (way !== 'voice' && !this.#worked.has(above))) return
    const after = this.#climbAfter * (way === 'voice' ? 1 : PICTURE_PATIENCE)
    this.#climb = setTimeout(() => {
      if (this.#stage.hidden()) {
        this.#plan(way)
        return
      }
      this.#climbedAt = performance.now()
      this.#move(this.#refusedAt ?? this.#at - 1)
    }, after)
  }

  #look(): void {
    const video = this.#stage.video()
    const way = this.#ways[this.#at]
    if (!video || this.#patience !== undefined || this.#stage.hidden() || video.paused || way === 'voice' || this.#ways.length < 2) {
      this.#gauge.reset()
      return
    }
    if (this.#gauge.look(performance.now(), video.getVideoPlaybackQuality().totalVideoFrames, video.currentTime)) this.#fall()
  }

  #by(way: Way): Viewer | Follower | Tuner {
    if (way === 'peer') return this.#peer()
    const maker = sourceMaker()
    const what = way === 'voice' ? 'voice' : 'picture'
    if (!maker) return new Tuner(this.#place((room) => `/media/hls/${room}/${what}_aac`))
    return new Follower(maker, renditionFor(maker, what), this.#place((room) => `/media/live/${room}`))
  }

  /** Nothing is lost with it: what there is of it is tried again by itself. */
  #screen(): Follower | Tuner | null {
    const { screen } = this.#stage
    if (!screen?.()) return null
    const quiet = { video: screen, onState: () => undefined, onLeft: () => undefined, onSource: () => { void screen()?.play().catch(() => undefined) } }
    const maker = sourceMaker()
    if (!maker) return new Tuner({ ...quiet, grant: this.#asks((access) => `/media/hls/${access.room}/screen`) })
    return new Follower(maker, 'screen', { ...quiet, grant: this.#asks((access) => `/media/live/${access.room}`) }, true)
  }

  #peer(): Viewer {
    const { video, onState, onSource, onScreen } = this.#stage
    return new Viewer(this.#asks((access) => access.whep), onState, (stream) => {
      const element = video()
      if (element && element.srcObject !== stream) element.srcObject = stream
      onSource()
    }, onScreen, (left) => { this.#onLeft(left) })
  }

  #place(where: (room: string) => string): Place {
    const { video, onState, onSource } = this.#stage
    return { grant: this.#asks((access) => where(access.room)), video, onState, onSource, onLeft: (left) => { this.#onLeft(left) } }
  }

  #asks(where: (access: MediaAccess) => string): Place['grant'] {
    return async (again) => {
      const access = await this.#stage.grant(again)
      return access && { url: where(access), token: access.token, ice: access.ice }
    }
  }
}
