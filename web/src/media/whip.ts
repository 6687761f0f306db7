/** Publishes voice, camera at two sizes and screen (a guest: one small camera) into a room, in the order of its slots: H.264 first (it can be recorded and packed as it is). */
import { Peer, type AskGrant, type PeerState } from './peer'

const VIDEO_MAX_BITRATE = 1_200_000
/** 720p becomes 360p. */
const SMALL = { maxBitrate: 350_000, scaleResolutionDownBy: 2 }
/** Of a guest: captured at 360p. */
const GUEST = { maxBitrate: 350_000 }
const SCREEN_MAX_BITRATE = 1_500_000
const AUDIO_MAX_BITRATE = 48_000

type Codec = RTCRtpCodecParameters | { mimeType: string; sdpFmtpLine?: string }

/** H.264 constrained baseline with whole frames first, other H.264 next, everything else after. */
export function preferH264<C extends Codec>(codecs: readonly C[]): C[] {
  const rank = (codec: C) => {
    if (codec.mimeType.toLowerCase() !== 'video/h264') return 2
    const line = codec.sdpFmtpLine ?? ''
    return line.includes('packetization-mode=1') && line.includes('42e01f') ? 0 : 1
  }
  return [...codecs].sort((a, b) => rank(a) - rank(b))
}

export class Publisher extends Peer {
  /** It is one in a lesson, and everybody waits for it. */
  protected override readonly retryMostMs = 1_000
  readonly #stream: () => MediaStream | null
  #screen: MediaStreamTrack | null = null
  #place: RTCRtpSender | null = null
  /** One picture, small, and no screen: somebody on stage. */
  readonly #guest: boolean
  #picture = true

  constructor(grant: AskGrant, onState: (state: PeerState) => void, stream: () => MediaStream | null, guest = false) {
    super(grant, onState)
    this.#stream = stream
    this.#guest = guest
  }

  protected override prepare(connection: RTCPeerConnection): void {
    const stream = this.#stream()
    if (!stream) throw new Error('no stream')
    const send = (track: MediaStreamTrack | null | undefined, kind: 'audio' | 'video', encoding: RTCRtpEncodingParameters) => {
      const transceiver = connection.addTransceiver(track ?? kind, { direction: 'sendonly', streams: [stream], sendEncodings: [encoding] })
      // Old WebKit has neither; it then offers its own order.
      const codecs = kind === 'video' && typeof RTCRtpReceiver.getCapabilities === 'function' ? RTCRtpReceiver.getCapabilities('video') : null
      if (codecs && typeof transceiver.setCodecPreferences === 'function') transceiver.setCodecPreferences(preferH264(codecs.codecs))
      return transceiver.sender
    }
    const [camera] = stream.getVideoTracks()
    send(stream.getAudioTracks()[0], 'audio', { maxBitrate: AUDIO_MAX_BITRATE })
    if (this.#guest) {
      this.#place = send(this.#picture ? camera : null, 'video', GUEST)
      return
    }
    send(camera, 'video', { maxBitrate: VIDEO_MAX_BITRATE })
    send(camera, 'video', SMALL)
    this.#place = send(this.#screen, 'video', { maxBitrate: SCREEN_MAX_BITRATE })
  }

  /** A screen beside the camera, or none any more; no new connection. */
  async share(screen: MediaStreamTrack | null): Promise<void> {
    this.#screen = screen
    await this.#place?.replaceTrack(screen)
  }

  /** A guest's camera is sent or not; no new connection. */
  async show(picture: boolean): Promise<void> {
    this.#picture = picture
    const [camera] = this.#stream()?.getVideoTracks() ?? []
    await this.#place?.replaceTrack(picture ? camera ?? null : null)
  }

  /** Another camera or microphone without a new connection. */
  async replace(stream: MediaStream): Promise<void> {
    for (const sender of this.connection?.getSenders().filter((each) => each !== this.#place) ?? []) {
      const track = stream.getTracks().find((t) => t.kind === sender.track?.kind)
      if (track) await sender.replaceTrack(track)
    }
  }
}
