/**
 * Plays one recorded stream by absolute time: its pieces go into a media source as they are needed, each where it was. Where there
 * is no media source, the browser plays the playlist itself. A deck never moves by itself but over what was not recorded.
 */
import { alike, hasPicture, JOINT_S, mediaTime, pieceAt, type Listed, type Piece, type Reel } from './playlist'
import type { SourceMaker } from './source'

/** So much is fetched ahead of what is played, and kept behind it. */
const AHEAD_S = 30
const BEHIND_S = 30
/** A picture that waits longer for what lies in the buffer already goes on there. */
const NUDGE_S = 1
/** Just behind where a piece begins, because its moment is rounded. */
const INTO_S = 0.02
/** With less than this ahead, a stretch is over. */
const LEFT_S = 0.1
const HAVE_FUTURE = 3

export interface Deck {
  /** Seconds since 1970. */
  readonly moment: number
  /** Nothing more is there to play. */
  readonly ended: boolean
  /** More was recorded meanwhile. */
  grow: (listed: Listed) => void
  go: (moment: number) => void
  /** Call it a few times a second. `alone`: nothing else leads it, so it goes over holes. */
  look: (alone: boolean) => void
  stop: () => void
}

export class SourceDeck implements Deck {
  readonly #maker: SourceMaker
  readonly #video: HTMLVideoElement
  /** Zero of the element's time. */
  readonly #zero: number
  readonly #fetched = new Set<Piece>()
  readonly #offsets = new Map<Reel, number>()
  #pieces: Piece[]
  #source: MediaSource | null = null
  #buffer: SourceBuffer | null = null
  /** What the source was made for, and whose init segment it has. */
  #kind: Reel | null = null
  #inside: Reel | null = null
  /** The buffer that is being filled: one that waits for a source of before holds up nobody. */
  #filling: SourceBuffer | null = null

  constructor(maker: SourceMaker, video: HTMLVideoElement, listed: Listed, zero: number) {
    this.#maker = maker
    this.#video = video
    this.#zero = zero
    this.#pieces = listed.pieces
    video.disableRemotePlayback = true
  }

  get moment(): number {
    return this.#zero + this.#video.currentTime
  }

  get ended(): boolean {
    const piece = pieceAt(this.#pieces, this.moment)
    return !piece || (!this.#after(piece) && this.#spent(piece))
  }

  /** What was there stays as it is: what could not be played is not tried again. */
  grow(listed: Listed): void {
    const until = this.#pieces.at(-1)?.ends ?? this.#zero
    this.#pieces = [...this.#pieces, ...listed.pieces.filter((piece) => piece.begins >= until - 0.001)]
  }

  go(moment: number): void {
    this.#video.currentTime = Math.max(0, moment - this.#zero)
  }

  look(alone: boolean): void {
    const piece = pieceAt(this.#pieces, this.moment)
    if (!piece) return
    if (this.#video.error) {
      this.#tear(piece)
      return
    }
    if (alone) this.#goOver(piece)
    if (!this.#source || (this.#kind && !alike(this.#kind, piece.reel))) this.#renew(piece)
    void this.#fill()
  }

  stop(): void {
    this.#source = this.#buffer = null
    this.#video.removeAttribute('src')
    this.#video.load()
  }

  /** Nothing was recorded here, or what is here is over and the next does not follow in the same source. */
  #goOver(piece: Piece): void {
    if (piece.begins > this.moment + JOINT_S) this.go(piece.begins + INTO_S)
    else if (this.#spent(piece)) {
      const next = this.#after(piece)
      if (next && (this.#fetched.has(next) || next.begins > piece.ends || !alike(next.reel, piece.reel))) this.go(next.begins + INTO_S)
    } else this.#nudge()
  }

  #after(piece: Piece): Piece | undefined {
    return this.#pieces[this.#pieces.indexOf(piece) + 1]
  }

  /** All of a piece is there and has been played: pictures and voice need not end together, and the shorter one counts. */
  #spent(piece: Piece): boolean {
    const { buffered, currentTime, readyState } = this.#video
    return readyState < HAVE_FUTURE && this.#fetched.has(piece) && !within(buffered, currentTime + LEFT_S)
  }

  /** A moment of which a file has nothing, by a hair: on to what it has. */
  #nudge(): void {
    const { buffered, currentTime } = this.#video
    if (within(buffered, currentTime)) return
    for (let index = 0; index < buffered.length; index += 1) {
      const begins = buffered.start(index)
      if (begins > currentTime && begins - currentTime < NUDGE_S) {
        this.#video.currentTime = begins + INTO_S
        return
      }
    }
  }

  #renew(piece: Piece): void {
    const video = this.#video
    const [at, paused, source] = [video.currentTime, video.paused, new this.#maker()]
    this.#source = source
    this.#kind = piece.reel
    this.#buffer = this.#inside = null
    this.#fetched.clear()
    this.#offsets.clear()
    source.addEventListener('sourceopen', () => { if (this.#source === source) this.#open(source, piece) }, { once: true })
    const url = URL.createObjectURL(source)
    video.srcObject = null
    video.src = url
    video.addEventListener('loadedmetadata', () => { URL.revokeObjectURL(url) }, { once: true })
    video.currentTime = at
    if (!paused) video.play().catch(() => undefined)
  }

  #open(source: MediaSource, piece: Piece): void {
    try {
      this.#buffer = source.addSourceBuffer(typeOf(piece.reel))
      source.duration = (this.#pieces.at(-1)?.ends ?? this.#zero) - this.#zero
      void this.#fill()
    } catch {
      this.#tear(piece)
    }
  }

  async #fill(): Promise<void> {
    const buffer = this.#buffer
    if (!buffer || this.#filling === buffer) return
    this.#filling = buffer
    try {
      for (let piece = this.#next(buffer); piece && buffer === this.#buffer; piece = this.#next(buffer)) await this.#add(buffer, piece)
    } catch {
      // the line is away, or the buffer is full: tried again at the next look
    } finally {
      if (this.#filling === buffer) this.#filling = null
    }
  }

  /** What is missing ahead, as far as this source takes it. */
  #next(buffer: SourceBuffer): Piece | null {
    const here = pieceAt(this.#pieces, this.moment)
    if (!here || !this.#kind) return null
    for (const piece of this.#pieces.slice(this.#pieces.indexOf(here))) {
      if (piece.begins > this.moment + AHEAD_S || !alike(piece.reel, this.#kind)) return null
      if (!this.#fetched.has(piece) || !this.#holds(buffer, piece)) return piece
    }
    return null
  }

  #holds(buffer: SourceBuffer, piece: Piece): boolean {
    return within(buffer.buffered, (piece.begins + piece.ends) / 2 - this.#zero)
  }

  async #add(buffer: SourceBuffer, piece: Piece): Promise<void> {
    const init = this.#inside === piece.reel ? null : await load(piece.reel.init)
    const data = await load(piece.url)
    if (buffer !== this.#buffer) return
    try {
      await this.#append(buffer, piece, init, data)
      if (buffer === this.#buffer && !this.#holds(buffer, piece)) throw new Error('nothing in it')
    } catch (fault) {
      this.#fail(buffer, piece, fault)
    }
  }

  /** A buffer that is full is tried again; what it does not take is torn. */
  #fail(buffer: SourceBuffer, piece: Piece, fault: unknown): void {
    if (fault instanceof DOMException && fault.name === 'QuotaExceededError') throw fault
    if (buffer === this.#buffer) this.#tear(piece)
  }

  async #append(buffer: SourceBuffer, piece: Piece, init: ArrayBuffer | null, data: ArrayBuffer): Promise<void> {
    const old = this.#video.currentTime - BEHIND_S
    if (old > 0) await settled(buffer, () => { buffer.remove(0, old) })
    if (init) {
      if ('changeType' in buffer) buffer.changeType(typeOf(piece.reel))
      await settled(buffer, () => { buffer.appendBuffer(init) })
      this.#inside = piece.reel
    }
    const offset = this.#offsets.get(piece.reel) ?? piece.begins - this.#zero - mediaTime(data)
    this.#offsets.set(piece.reel, offset)
    buffer.timestampOffset = offset
    await settled(buffer, () => { buffer.appendBuffer(data) })
    this.#fetched.add(piece)
  }

  /** What this browser cannot play is a hole; all begins anew behind it. */
  #tear(piece: Piece): void {
    this.#pieces = this.#pieces.filter((each) => each !== piece)
    this.#source = this.#buffer = null
  }
}

/** The browser plays the playlist: holes are no time to it, so its time is that of the pieces one behind the other. */
export class ListDeck implements Deck {
  readonly #video: HTMLVideoElement
  #pieces: Piece[]

  constructor(video: HTMLVideoElement, listed: Listed, url: string) {
    this.#video = video
    this.#pieces = listed.pieces
    video.src = url
  }

  get moment(): number {
    let left = this.#video.currentTime
    for (const piece of this.#pieces) {
      if (left < lengthOf(piece)) return piece.begins + left
      left -= lengthOf(piece)
    }
    return this.#pieces.at(-1)?.ends ?? 0
  }

  get ended(): boolean {
    return this.#video.ended
  }

  /** What is played is one file list to the browser: it reads it again by itself. */
  grow(listed: Listed): void {
    this.#pieces = listed.pieces
  }

  go(moment: number): void {
    const piece = pieceAt(this.#pieces, moment)
    const before = this.#pieces.slice(0, piece ? this.#pieces.indexOf(piece) : undefined)
    const inside = piece ? Math.max(0, moment - piece.begins) : 0
    this.#video.currentTime = before.reduce((sum, each) => sum + lengthOf(each), inside)
  }

  look(): void {
    // it loads by itself
  }

  stop(): void {
    this.#video.removeAttribute('src')
    this.#video.load()
  }
}

function within(ranges: TimeRanges, time: number): boolean {
  for (let index = 0; index < ranges.length; index += 1) if (ranges.start(index) <= time && time < ranges.end(index)) return true
  return false
}

const lengthOf = (piece: Piece): number => piece.ends - piece.begins

const typeOf = (reel: Reel): string => `${hasPicture(reel) ? 'video' : 'audio'}/mp4; codecs="${reel.codecs}"`

/** Waits until a buffer is done. Throws when it could not take what it was given. */
async function settled(buffer: SourceBuffer, begin: () => void): Promise<void> {
  const done = new Promise<void>((resolve, reject) => {
    buffer.addEventListener('error', () => { reject(new Error('torn')) }, { once: true })
    buffer.addEventListener('updateend', () => { resolve() }, { once: true })
    buffer.addEventListener('abort', () => { reject(new Error('torn')) }, { once: true })
  })
  begin()
  await done
}

async function load(url: string): Promise<ArrayBuffer> {
  const answer = await fetch(url, { credentials: 'same-origin' })
  if (!answer.ok) throw new Error(String(answer.status))
  return answer.arrayBuffer()
}
