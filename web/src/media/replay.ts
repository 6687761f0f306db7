/**
 * A recorded lesson: the camera with the voice leads, the screen and whoever is on stage follow it by absolute time, each in an
 * element of its own. What was not recorded is gone over. While the lesson goes on, more is added.
 */
import { Beside, END_S, HAVE_CURRENT, READ_MS } from './beside'
import { ListDeck, SourceDeck, type Deck } from './deck'
import { hasPicture, pieceAt, readPlaylist, type Listed } from './playlist'
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
  #screen: Beside | null = null
  readonly #guests = new Set<Beside>()
  #list: Listed = { pieces: [], over: true }
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
    if (!this.#list.pieces[0]) throw new Refusal('not_found')
    if (screen) {
      this.#screen = this.#beside(this.#stage.screen, 'screen')
      await this.#screen.read()
    }
    this.#lead = this.#deck(this.#stage.video, this.#list, this.#rendition())
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

  /** Somebody on stage is heard and seen in an element, by the number of their invitation, until what is returned is called. */
  guest(number: number, video: HTMLVideoElement): () => void {
    const guest = this.#beside(video, `guests/${number}/${this.#rendition()}`)
    this.#guests.add(guest)
    return () => {
      this.#guests.delete(guest)
      guest.stop()
    }
  }

  stop(): void {
    clearInterval(this.#looks)
    for (const each of [this.#lead, this.#screen, ...this.#guests]) each?.stop()
    this.#guests.clear()
    this.#lead = this.#screen = null
  }

  #rendition(): string {
    return this.#maker ? renditionFor(this.#maker, 'picture') : 'picture_aac'
  }

  #beside(video: HTMLVideoElement, rendition: string): Beside {
    return new Beside(video, () => listed(this.#stage.lesson, rendition), (list) => this.#deck(video, list, rendition))
  }

  /** All elements count from the same moment. */
  #deck(video: HTMLVideoElement, list: Listed, rendition: string): Deck {
    const zero = this.#list.pieces[0]?.begins ?? 0
    return this.#maker ? new SourceDeck(this.#maker, video, list, zero) : new ListDeck(video, list, addressOf(this.#stage.lesson, rendition))
  }

  #look(): void {
    if (!this.#lead) return
    this.#lead.look(true)
    const shown = this.#shown()
    if (shown.ended && this.#list.over && !this.#stage.video.paused) this.#stage.video.pause()
    const lead = { moment: shown.moment, rate: this.#stage.video.playbackRate, still: shown.paused || shown.waiting }
    for (const each of [this.#screen, ...this.#guests]) each?.follow(lead)
    this.#stage.onChange(this.#shown())
    void this.#read(shown)
  }

  #shown(): Shown {
    const { video } = this.#stage
    const [moment, pieces] = [this.moment, this.#list.pieces]
    const [first, last, here] = [pieces[0], pieces.at(-1), pieceAt(pieces, moment)]
    return {
      moment,
      begins: first ? first.begins : 0,
      ends: last ? last.ends : 0,
      paused: !this.#wanted || video.paused,
      ended: this.#lead !== null && this.#lead.ended,
      waiting: video.readyState < HAVE_CURRENT,
      sharing: this.#screen?.shows(moment) ?? false,
      seen: here !== undefined && hasPicture(here.reel),
    }
  }

  async #read(shown: Shown): Promise<void> {
    const now = performance.now()
    if (this.#list.over || shown.ends - shown.moment > END_S || now - this.#readAt < READ_MS) return
    this.#readAt = now
    try {
      this.#list = await listed(this.#stage.lesson, this.#rendition())
      this.#lead?.grow(this.#list)
    } catch {
      // the line is away: read again soon
    }
  }
}
