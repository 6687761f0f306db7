/**
 * What WHIP (RFC 9725) and WHEP have in common: one offer, one answer over plain HTTP, a resource to end, and coming back
 * by itself. The server is ICE-lite: it needs no candidates from us, so nothing is trickled.
 */
import { Refused, refusal, type Left } from './refused'

export type PeerState = 'idle' | 'connecting' | 'live' | 'retrying' | 'stopped'

/** Where to ask and with what right. */
export interface Grant { url: string; token: string; ice?: RTCIceServer[] }

/** Asked at each attempt; after one that failed (`again`) for a fresh token, because they live ten minutes at most. */
export type AskGrant = (again: boolean) => Promise<Grant | null>

const RETRY_FIRST_MS = 500
const RETRY_MOST_MS = 5_000
/** ICE may recover from `disconnected` by itself within this time. */
const PATIENCE_MS = 3_000
/** A connection that is not up by then is begun anew. */
const CONNECT_LIMIT_MS = 8_000

/** The resource that an offer made, and its answer. */
export async function post(grant: Grant, offer: string): Promise<{ resource: Grant | null; answer: string }> {
  const response = await fetch(grant.url, {
    method: 'POST',
    headers: { 'content-type': 'application/sdp', authorization: `Bearer ${grant.token}` },
    body: offer,
  })
  if (!response.ok) throw await refusal(response)
  const place = response.headers.get('location')
  return { resource: place ? { url: place, token: grant.token } : null, answer: await response.text() }
}

/** Servers that may help to get through, where there are any; before anything is gathered. */
function guide(connection: RTCPeerConnection, grant: Grant): void {
  if (grant.ice?.length) connection.setConfiguration({ bundlePolicy: 'max-bundle', iceServers: grant.ice })
}

export abstract class Peer {
  readonly #grant: AskGrant
  readonly #onState: (state: PeerState) => void
  /** Refused here; which other way is left. */
  readonly #onLeft: (left: Left) => void
  #connection: RTCPeerConnection | null = null
  #resource: Grant | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Attempts lie so far apart at most. */
  protected readonly retryMostMs: number = RETRY_MOST_MS
  #wait = RETRY_FIRST_MS
  #state: PeerState = 'idle'

  constructor(grant: AskGrant, onState: (state: PeerState) => void, onLeft: (left: Left) => void = () => undefined) {
    this.#grant = grant
    this.#onLeft = onLeft
    this.#onState = onState
  }

  /** Adds tracks or transceivers before the offer. */
  protected abstract prepare(connection: RTCPeerConnection): void

  get state(): PeerState {
    return this.#state
  }

  get connection(): RTCPeerConnection | null {
    return this.#connection
  }

  start(): void {
    if (this.#state === 'connecting' || this.#state === 'live') return
    this.#wait = RETRY_FIRST_MS
    void this.#attempt()
  }

  stop(): void {
    this.#say('stopped')
    clearTimeout(this.#timer)
    this.#drop()
  }

  /** The other side has lost us, and the browser does not know yet: begin anew at once. */
  renew(): void {
    if (this.#state === 'live') this.#later(0)
  }

  async #attempt(): Promise<void> {
    clearTimeout(this.#timer)
    this.#drop()
    const again = this.#state === 'retrying'
    this.#say(again ? 'retrying' : 'connecting')
    const connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
    this.#connection = connection
    connection.onconnectionstatechange = () => { this.#changed(connection) }
    try {
      await this.#negotiate(connection, again)
      if (this.#connection === connection && connection.connectionState !== 'connected') this.#later(CONNECT_LIMIT_MS)
    } catch (fault) {
      if (this.#connection === connection) this.#failed(fault)
    }
  }

  async #negotiate(connection: RTCPeerConnection, again: boolean): Promise<void> {
    const grant = await this.#grant(again)
    if (this.#connection !== connection) return
    if (!grant) throw new Error('no grant')
    guide(connection, grant)
    this.prepare(connection)
    await connection.setLocalDescription(await connection.createOffer())
    const { resource, answer } = await post(grant, connection.localDescription?.sdp ?? '')
    if (this.#connection !== connection) {
      if (resource) this.#end(resource)
      return
    }
    this.#resource = resource
    await connection.setRemoteDescription({ type: 'answer', sdp: answer })
  }

  #changed(connection: RTCPeerConnection): void {
    if (this.#connection !== connection) return
    switch (connection.connectionState) {
      case 'connected':
        clearTimeout(this.#timer)
        this.#wait = RETRY_FIRST_MS
        this.#say('live')
        break
      case 'disconnected':
        this.#later(PATIENCE_MS)
        break
      case 'failed':
      case 'closed':
        this.#again()
        break
      default:
    }
  }

  #failed(fault: unknown): void {
    if (fault instanceof Refused && fault.next) this.#onLeft(fault.next)
    this.#again()
  }

  #again(): void {
    this.#later(this.#wait)
    this.#wait = Math.min(this.#wait * 2, this.retryMostMs)
  }

  #later(ms: number): void {
    if (this.#state === 'stopped') return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      if (this.#state === 'stopped') return
      this.#say('retrying')
      void this.#attempt()
    }, ms)
  }

  #drop(): void {
    if (this.#resource) this.#end(this.#resource)
    this.#resource = null
    const connection = this.#connection
    this.#connection = null
    connection?.close()
  }

  #end(resource: Grant): void {
    void fetch(resource.url, { method: 'DELETE', headers: { authorization: `Bearer ${resource.token}` }, keepalive: true }).catch(() => undefined)
  }

  #say(state: PeerState): void {
    if (state === this.#state) return
    this.#state = state
    this.#onState(state)
  }
}
