/**
 * Watches a room over a WebSocket: fragmented MP4 into a media source, kept at its live edge. For browsers and networks that
 * WebRTC does not reach. A new connection begins with a new media source; so does a change of what there is (pictures or not).
 */
import { Again, type Place } from './again'
import { Edge } from './edge'
import type { Grant } from './peer'
import { Refused, type Left } from './refused'
import type { SourceMaker } from './source'

/** The server sends five parts a second; without one for so long the line is taken for lost while the instructor is live. */
const SILENCE_MS = 8_000
/** What was played is kept for so long. */
const KEPT_S = 20

interface Told { codecs: string; code?: string; data?: { next?: Left | null } }

/** One media source and what waits to be put into it. */
class Reel {
  readonly #source: MediaSource
  readonly #video: HTMLVideoElement
  readonly #queue: ArrayBuffer[] = []
  readonly url: string
  readonly codecs: string
  readonly #failed: () => void
  #buffer: SourceBuffer | null = null

  constructor(maker: SourceMaker, video: HTMLVideoElement, codecs: string, failed: () => void) {
    this.codecs = codecs
    this.#failed = failed
    this.#source = new maker()
    this.#video = video
    this.url = URL.createObjectURL(this.#source)
    this.#source.addEventListener('sourceopen', () => { this.#open() }, { once: true })
    video.disableRemotePlayback = true
    video.srcObject = null
    video.src = this.url
  }

  /** Where what is there ends, while nothing is about to change that. */
  get end(): number | null {
    const buffer = this.#buffer
    if (!buffer || buffer.updating || this.#queue.length > 0) return null
    const { buffered } = this.#video
    return buffered.length > 0 ? buffered.end(buffered.length - 1) : null
  }

  add(data: ArrayBuffer): void {
    this.#queue.push(data)
    this.#next()
  }

  close(): void {
    this.#queue.length = 0
    this.#buffer = null
    URL.revokeObjectURL(this.url)
  }

  #open(): void {
    try {
      this.#buffer = this.#source.addSourceBuffer(`video/mp4; codecs="${this.codecs}"`)
      this.#buffer.addEventListener('updateend', () => { this.#next() })
      this.#next()
    } catch {
      this.#failed()
    }
  }

  #next(): void {
    const buffer = this.#buffer
    if (!buffer || buffer.updating || this.#source.readyState !== 'open') return
    try {
      const old = this.#video.currentTime - KEPT_S
      if (buffer.buffered.length > 0 && buffer.buffered.start(0) < old - KEPT_S) {
        buffer.remove(0, old)
        return
      }
      const data = this.#queue.shift()
      if (data) buffer.appendBuffer(data)
    } catch {
      this.#failed()
    }
  }
}

export class Follower extends Again {
  readonly #maker: SourceMaker
  readonly #rendition: string
  readonly #still: boolean
  #socket: WebSocket | null = null
  #reel: Reel | null = null
  #heard = 0
  readonly #edge = new Edge()

  /** `still`: often nothing comes for long, as of a screen that nobody shares. */
  constructor(maker: SourceMaker, rendition: string, place: Place, still = false) {
    super(place)
    this.#still = still
    this.#rendition = rendition
    this.#maker = maker
  }

  protected override open(grant: Grant): void {
    const url = new URL(grant.url, window.location.href)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    this.#socket = socket
    this.#heard = performance.now()
    socket.onopen = () => { socket.send(JSON.stringify({ token: grant.token, rendition: this.#rendition })) }
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => { if (this.#socket === socket) this.#take(data) }
    socket.onclose = () => { if (this.#socket === socket) this.again() }
  }

  #take(data: string | ArrayBuffer): void {
    this.#heard = performance.now()
    if (typeof data !== 'string') {
      const end = this.#reel?.end ?? null
      if (end !== null) this.#edge.mark(this.#heard, end)
      this.#reel?.add(data)
      this.plays()
      return
    }
    this.#tell(JSON.parse(data) as Told)
  }

  #tell(told: Told): void {
    const video = this.place.video()
    if (told.code !== undefined) this.failed(new Refused(told))
    else if (!video) this.again()
    else {
      // Always a new source: a browser that meets a hole in the voice throws pictures away up to the next keyframe.
      this.#reel?.close()
      this.#edge.reset()
      this.#reel = new Reel(this.#maker, video, told.codecs, () => { this.again() })
      this.place.onSource()
    }
  }

  get #dead(): boolean {
    return !this.#still && this.#socket !== null && performance.now() - this.#heard > SILENCE_MS
  }

  /** Keeps to the live edge; notices a line that is dead. */
  protected override look(): void {
    if (this.#dead) {
      this.again()
      return
    }
    const video = this.place.video()
    if (!video || !this.#reel || video.buffered.length === 0) return
    const last = video.buffered.length - 1
    const { jump, rate } = this.#edge.look(performance.now(), video.currentTime, video.buffered.start(last), video.buffered.end(last))
    if (jump !== null) video.currentTime = jump
    if (video.playbackRate !== rate) video.playbackRate = rate
  }

  protected override drop(): void {
    const socket = this.#socket
    this.#socket = null
    socket?.close()
    const video = this.place.video()
    if (this.#reel && video) {
      video.removeAttribute('src')
      video.playbackRate = 1
      video.load()
    }
    this.#reel?.close()
    this.#reel = null
  }
}
