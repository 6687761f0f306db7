/**
 * The classroom's line to the server: every request is acknowledged or fails with a Refusal, nothing is buffered while
 * the line is down (the room decides itself what is sent again), and the line comes back by itself.
 */
import type { Socket } from 'socket.io-client'
import { get } from './http'
import { Refusal, type RefusalData } from './refusal'
import type { Commands, Pushes, Who } from './types'

export type LineState = 'connected' | 'lost' | 'refused'

export interface Line {
  request<E extends keyof Commands>(event: E, payload: Commands[E]['request']): Promise<Commands[E]['response']>
  on<E extends keyof Pushes>(event: E, heard: (payload: Pushes[E]) => void): void
  onState(heard: (state: LineState, refusal?: Refusal) => void): void
  open(): void
  close(): void
}

/** An unanswered request fails after this long; the beat is then sent again with a fresh clock. */
const ACK_TIMEOUT_MS = 8_000
const RETRY_MIN_MS = 500
const RETRY_MAX_MS = 5_000
/** A server that is frozen takes a connection and says nothing: try another one soon, yet wait for a slow network. */
const CONNECT_TIMEOUT_MS = 8_000

/** The server refuses a connection by a code of its own; the transport's faults are prose. */
const CODE = /^[a-z]+(_[a-z]+)+$/

type Answer = ({ ok: true } & object) | { ok: false; code: string; data?: RefusalData }

class SocketLine implements Line {
  readonly #socket: Socket
  constructor(socket: Socket) {
    this.#socket = socket
  }

  async request<E extends keyof Commands>(event: E, payload: Commands[E]['request']): Promise<Commands[E]['response']> {
    if (!this.#socket.connected) throw new Refusal('offline')
    let answer: Answer
    try {
      answer = (await this.#socket.timeout(ACK_TIMEOUT_MS).emitWithAck(event, payload)) as Answer
    } catch {
      throw new Refusal('offline')
    }
    if (!answer.ok) throw new Refusal(answer.code, answer.data)
    return answer as unknown as Commands[E]['response']
  }

  on<E extends keyof Pushes>(event: E, heard: (payload: Pushes[E]) => void): void {
    this.#socket.on<string>(event, (payload: unknown, answer?: unknown) => {
      heard(payload as Pushes[E])
      // The server may ask whether this page still lives: having heard it is the answer.
      if (typeof answer === 'function') (answer as (alive: boolean) => void)(true)
    })
  }

  onState(heard: (state: LineState, refusal?: Refusal) => void): void {
    this.#socket.on('connect', () => { heard('connected') })
    this.#socket.on('disconnect', (reason) => {
      heard('lost')
      // The library stays silent after a close by the server; a restart or a fenced socket must come back too.
      if (reason === 'io server disconnect') setTimeout(() => { this.#socket.connect() }, RETRY_MIN_MS)
    })
    this.#socket.on('connect_error', (fault) => {
      if (CODE.test(fault.message)) heard('refused', new Refusal(fault.message))
      else {
        heard('lost')
        // A handshake that was refused looks like a dead line to a page; who is signed out would try for ever.
        void get<Who>('/me').then(
          ({ me }) => { if (me === null) heard('refused', new Refusal('not_signed_in')) },
          () => undefined, // the line is dead indeed
        )
      }
    })
  }

  open(): void {
    this.#socket.connect()
  }

  close(): void {
    this.#socket.removeAllListeners()
    this.#socket.disconnect()
  }
}

/** Loads the socket library with the room: the first page stays small. */
export async function makeLine(): Promise<Line> {
  const { io } = await import('socket.io-client')
  return new SocketLine(
    io({
      transports: ['websocket'],
      autoConnect: false,
      forceNew: true,
      timeout: CONNECT_TIMEOUT_MS,
      reconnectionDelay: RETRY_MIN_MS,
      reconnectionDelayMax: RETRY_MAX_MS,
    }),
  )
}
