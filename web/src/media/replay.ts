/**
 * A recorded lesson: the camera with the voice leads, the screen follows it by absolute time in an element of its own. What was not
 * recorded is gone over. While the lesson goes on, more is added.
 */
import { ListDeck, SourceDeck, type Deck } from './deck'
import { hasPicture, pieceAt, readPlaylist, there, type Listed } from './playlist'
import { renditionFor, sourceMaker, type SourceMaker } from './source'
import { getFile } from '../wire/http'
import { Refusal } from '../wire/refusal'

export interface Shown {
  /** Seconds since 1970: what is played, and from when to when there is something. */
  moment: number
  begins: number
  ends: number
  paused: boolean
  ended: boolean
  /** Nothing to show yet. */
  waiting: boolean
  /** There was a screen at this moment. */
  sharing: boolean
  /** A stretch in which there are pictures; else only the voice. */
  seen: boolean
}

export interface Stage {
  video: HTMLVideoElement
  screen: HTMLVideoElement
  lesson: string
  onChange: (shown: Shown) => void
}

const LOOK_MS = 250
/** A list that grows is read again when what is played comes so near to its end, so often at most. */
const NEAR_S = 60
const READ_MS = 5_000
/** The screen may be so far from the voice. */
const APART_S = 0.4
const HAVE_CURRENT = 2

async function listed(lesson: string, rendition: string): Promise<Listed> {
  const { content } = await getFile(pathOf(lesson, rendition))
  return readPlaylist(await content.text(), addressOf(lesson, rendition))
}

const pathOf = (lesson: string, rendition: string): string => `/lessons/${lesson}/replay/${rendition}.m3u8`
const addressOf = (lesson: string, rendition: string): string => new URL(`/api/v1${pathOf(lesson, rendition)}`, window.location.href).href

export class Replay {
  readonly #stage: Stage
  readonly #maker: SourceMaker | null
  #lead: Deck | null = null
  #beside: Deck | null = null
  #list: Listed = { pieces: [], over: true }
  #screens: Listed = { pieces: [], over: true }
  #looks: ReturnType<typeof setInterval> | undefined
  #wanted = false
  #readAt = 0

  constructor(stage: Stage, maker: SourceMaker | null = sourceMaker()) {
    this.#stage = stage
    this.#maker = maker
  }

  get moment(): number {
    return this.#lead?.moment ?? 0
  }

  /** Throws when there is nothing to play. `screen`: there are pictures of one as well. */
  async open(screen: boolean): Promise<void> {
    this.#list = await listed(this.#stage.lesson, this.#rendition())
    if (screen) this.#screens = await listed(this.#stage.lesson, 'screen')
    const first = this.#list.pieces[0]
    if (!first) throw new Refusal('not_found')
    const { video, screen: element } = this.#stage
    this.#lead = this.#deck(video, this.#list, this.#rendition(), first.begins)
    if (screen) this.#beside = this.#deck(element, this.#screens, 'screen', first.begins)
    this.#readAt = performance.now()
    this.#looks = setInterval(() => { this.#look() }, LOOK_MS)
    this.#look()
  }

  /** Rejects when the browser wants a tap first. */
  async play(): Promise<void> {
    this.#wanted = true
    if (this.#shown().ended) this.go(this.#list.pieces[0]?.begins ?? 0)
    await this.#stage.video.play()
    this.#look()
  }

  pause(): void {
    this.#wanted = false
    this.#stage.video.pause()
    this.#look()
  }

  go(moment: number): void {
    this.#lead?.go(moment)
    this.#look()
  }

  faster(rate: number): void {
    this.#stage.video.playbackRate = this.#stage.video.defaultPlaybackRate = rate
  }

  stop(): void {
    clearInterval(this.#looks)
    this.#lead?.stop()
    this.#beside?.stop()
    this.#lead = this.#beside = null
  }

  #rendition(): string {
    return this.#maker ? renditionFor(this.#maker, 'picture') : 'picture_aac'
  }

  #deck(video: HTMLVideoElement, list: Listed, rendition: string, zero: number): Deck {
    return this.#maker ? new SourceDeck(this.#maker, video, list, zero) : new ListDeck(video, list, addressOf(this.#stage.lesson, rendition))
  }

  #look(): void {
    if (!this.#lead) return
    this.#lead.look(true)
    const shown = this.#shown()
    if (shown.ended && this.#list.over && !this.#stage.video.paused) this.#stage.video.pause()
    this.#follow(this.#beside, shown)
    this.#stage.onChange(this.#shown())
    void this.#read(shown)
  }

  /** The screen goes where the voice is. */
  #follow(beside: Deck | null, shown: Shown): void {
    const { video, screen } = this.#stage
    if (!beside) return
    screen.playbackRate = video.playbackRate
    if (there(this.#screens, shown.moment)) {
      if (!screen.seeking && Math.abs(beside.moment - shown.moment) > APART_S) beside.go(shown.moment)
      beside.look(false)
    }
    if (shown.paused || shown.waiting || !shown.sharing) screen.pause()
    else void screen.play().catch(() => undefined)
  }

  #shown(): Shown {
    const { video, screen } = this.#stage
    const [moment, pieces] = [this.moment, this.#list.pieces]
    const [first, last, here] = [pieces[0], pieces.at(-1), pieceAt(pieces, moment)]
    return {
      moment,
      begins: first ? first.begins : 0,
      ends: last ? last.ends : 0,
      paused: !this.#wanted || video.paused,
      ended: this.#lead !== null && this.#lead.ended,
      waiting: video.readyState < HAVE_CURRENT,
      sharing: there(this.#screens, moment) && screen.readyState >= HAVE_CURRENT,
      seen: here !== undefined && hasPicture(here.reel),
    }
  }

  async #read(shown: Shown): Promise<void> {
    const now = performance.now()
    if (this.#list.over || shown.ends - shown.moment > NEAR_S || now - this.#readAt < READ_MS) return
    this.#readAt = now
    try {
      this.#list = await listed(this.#stage.lesson, this.#rendition())
      this.#lead?.grow(this.#list)
      if (!this.#beside) return
      this.#screens = await listed(this.#stage.lesson, 'screen')
      this.#beside.grow(this.#screens)
    } catch {
      // the line is away: read again soon
    }
  }
}
