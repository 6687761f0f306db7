/**
 * What WHIP (RFC 9725) and WHEP have in common: one offer, one answer over plain HTTP, a resource to end, and coming back
 * by itself. The server is ICE-lite: it needs no candidates from us, so nothing is trickled.
 */
export type PeerState = 'idle' | 'connecting' | 'live' | 'retrying' | 'stopped'

/** Where to ask and with what right; asked anew at each attempt because tokens end. */
export interface Grant { url: string; token: string }

const RETRY_FIRST_MS = 500
const RETRY_MOST_MS = 5_000
/** ICE may recover from `disconnected` by itself within this time. */
const PATIENCE_MS = 3_000
/** A connection that is not up by then is begun anew. */
const CONNECT_LIMIT_MS = 8_000

export abstract class Peer {
  readonly #grant: () => Grant | null
  readonly #onState: (state: PeerState) => void
  #connection: RTCPeerConnection | null = null
  #resource: string | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #wait = RETRY_FIRST_MS
  #state: PeerState = 'idle'

  constructor(grant: () => Grant | null, onState: (state: PeerState) => void) {
    this.#grant = grant
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

  async #attempt(): Promise<void> {
    clearTimeout(this.#timer)
    this.#drop()
    this.#say(this.#state === 'retrying' ? 'retrying' : 'connecting')
    const connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' })
    this.#connection = connection
    connection.onconnectionstatechange = () => { this.#changed(connection) }
    try {
      await this.#negotiate(connection)
      if (this.#connection === connection && connection.connectionState !== 'connected') this.#later(CONNECT_LIMIT_MS)
    } catch {
      if (this.#connection === connection) this.#again()
    }
  }

  async #negotiate(connection: RTCPeerConnection): Promise<void> {
    const grant = this.#grant()
    if (!grant) throw new Error('no grant')
    this.prepare(connection)
    await connection.setLocalDescription(await connection.createOffer())
    const response = await fetch(grant.url, {
      method: 'POST',
      headers: { 'content-type': 'application/sdp', authorization: `Bearer ${grant.token}` },
      body: connection.localDescription?.sdp ?? '',
    })
    if (!response.ok) throw new Error(`refused ${response.status}`)
    const place = response.headers.get('location')
    const answer = await response.text()
    if (this.#connection !== connection) {
      if (place) this.#end(place, grant.token)
      return
    }
    this.#resource = place
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

  #again(): void {
    this.#later(this.#wait)
    this.#wait = Math.min(this.#wait * 2, RETRY_MOST_MS)
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
    const token = this.#grant()?.token
    if (this.#resource && token) this.#end(this.#resource, token)
    this.#resource = null
    const connection = this.#connection
    this.#connection = null
    connection?.close()
  }

  #end(place: string, token: string): void {
    void fetch(place, { method: 'DELETE', headers: { authorization: `Bearer ${token}` }, keepalive: true }).catch(() => undefined)
  }

  #say(state: PeerState): void {
    if (state === this.#state) return
    this.#state = state
    this.#onState(state)
  }
}
