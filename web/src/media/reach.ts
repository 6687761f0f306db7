/** Decides what of a line can be found out before a lesson: whether media gets through by UDP or by TCP, and how much both ways. */
import { post, type Grant } from './peer'

export type Protocol = 'udp' | 'tcp'
/** `port`: the server's own, for whoever keeps the firewall. `unoffered`: this server has no such door. */
export type Reached = { way: 'open'; ms: number } | { way: 'shut'; port: number } | { way: 'unoffered' }
/** kbit/s each way, or why they could not be measured. */
export type Pace = { up: number; down: number } | { code: string }

const CONNECT_MS = 6_000
const MEASURE_MS = 35_000
/** As large as the server takes. */
const CHUNK_BYTES = 2_000
const MOST_WAITING_BYTES = 64_000
const PACE_MS = 20
/** What comes after this is no longer waited for: a slow line has then said enough. */
const DOWN_MS = 6_000

const CANDIDATE = /^a=candidate:\S+ \d+ (\w+) \d+ \S+ (\d+) .*$/gim

/** An answer with only the addresses of one protocol, and the port that they name (0: there are none). */
export function only(protocol: Protocol, answer: string): { answer: string; port: number } {
  let port = 0
  const left = answer.replace(CANDIDATE, (line: string, said: string, number: string) => {
    if (said.toLowerCase() !== protocol) return ''
    port ||= Number(number)
    return line
  })
  return { answer: left.replace(/(\r?\n){2,}/g, '\r\n'), port }
}

async function connected(connection: RTCPeerConnection): Promise<boolean> {
  return new Promise((done) => {
    const timer = setTimeout(() => { done(false) }, CONNECT_MS)
    connection.onconnectionstatechange = () => {
      if (connection.connectionState !== 'connected' && connection.connectionState !== 'failed') return
      clearTimeout(timer)
      done(connection.connectionState === 'connected')
    }
  })
}

async function roundTrip(connection: RTCPeerConnection): Promise<number> {
  let seconds = 0
  for (const each of (await connection.getStats()).values() as Iterable<{ type: string; nominated?: boolean; currentRoundTripTime?: number }>) {
    if (each.type === 'candidate-pair' && each.nominated) seconds = each.currentRoundTripTime ?? seconds
  }
  return Math.max(1, Math.round(seconds * 1_000))
}

/** Connects to a room as a viewer would, by one protocol alone: authenticated checks and a handshake, both ways. */
export async function reach(grant: Grant, protocol: Protocol): Promise<Reached> {
  const connection = new RTCPeerConnection()
  let ended: Grant | null = null
  try {
    connection.addTransceiver('audio', { direction: 'recvonly' })
    await connection.setLocalDescription(await connection.createOffer())
    const { resource, answer } = await post(grant, connection.localDescription?.sdp ?? '')
    ended = resource
    const offered = only(protocol, answer)
    if (!offered.port) return { way: 'unoffered' }
    const waiting = connected(connection)
    await connection.setRemoteDescription({ type: 'answer', sdp: offered.answer })
    return (await waiting) ? { way: 'open', ms: await roundTrip(connection) } : { way: 'shut', port: offered.port }
  } finally {
    connection.close()
    if (ended) void fetch(ended.url, { method: 'DELETE', headers: { authorization: `Bearer ${ended.token}` }, keepalive: true }).catch(() => undefined)
  }
}

interface Told { code?: string; up?: { bytes: number; kbps: number }; got?: number; ms?: number; sent?: number }

const pace = (bytes: number, ms: number) => (ms > 0 ? Math.round((bytes * 8) / ms) : 0)

/** One measurement: the server says how much, we send until it has had enough, then it sends. */
class Measuring {
  readonly #socket: WebSocket
  readonly #done: (pace: Pace) => void
  readonly #limit = setTimeout(() => { this.end() }, MEASURE_MS)
  #sending: ReturnType<typeof setInterval> | undefined
  #up: number | null = null
  #first = 0
  #last = 0
  #bytes = 0

  constructor(socket: WebSocket, token: string, done: (pace: Pace) => void) {
    this.#socket = socket
    this.#done = done
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => { socket.send(JSON.stringify({ token })) }
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === 'string') this.#told(JSON.parse(data) as Told)
      else this.#came(data.byteLength)
    }
    socket.onclose = () => { this.end() }
  }

  end(code = 'shut'): void {
    clearTimeout(this.#limit)
    clearInterval(this.#sending)
    this.#socket.onclose = null
    this.#socket.close()
    const enough = this.#up !== null && this.#bytes > 0
    this.#done(enough ? { up: this.#up ?? 0, down: pace(this.#bytes, this.#last - this.#first) } : { code })
  }

  #told(told: Told): void {
    if (told.code) this.end(told.code)
    else if (told.up) this.#send(told.up.bytes, told.up.kbps)
    else if (told.got !== undefined) {
      clearInterval(this.#sending)
      this.#up = pace(told.got, told.ms ?? 0)
      setTimeout(() => { this.end() }, DOWN_MS)
    } else if (told.sent !== undefined) this.end()
  }

  #send(most: number, kbps: number): void {
    const chunk = new Uint8Array(CHUNK_BYTES)
    const began = performance.now()
    let sent = 0
    this.#sending = setInterval(() => {
      const due = Math.min(most, ((performance.now() - began) * kbps) / 8)
      for (; sent < due && this.#socket.bufferedAmount < MOST_WAITING_BYTES; sent += CHUNK_BYTES) this.#socket.send(chunk)
      if (sent < most) return
      clearInterval(this.#sending)
      this.#socket.send('that is all')
    }, PACE_MS)
  }

  #came(bytes: number): void {
    this.#last = performance.now()
    if (this.#first) this.#bytes += bytes
    else this.#first = this.#last
  }
}

/** Measures the line both ways over a WebSocket, which also says whether there can be one. */
export async function measure(room: string, token: string): Promise<Pace> {
  const url = new URL(`/media/check/${room}`, window.location.href)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return new Promise((done) => { new Measuring(new WebSocket(url), token, done) })
}
