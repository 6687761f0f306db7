/**
 * Watches a room: receives its picture, its voice and the screen, again and again until told to stop. On a line on which the
 * picture freezes the browser is asked to hold pictures and voice back longer.
 */
import { Patience } from './patience'
import { Peer, type AskGrant, type PeerState } from './peer'
import type { Left } from './refused'

const LOOK_MS = 2_000

async function freezes(receiver: RTCRtpReceiver): Promise<number> {
  const found = [...(await receiver.getStats()).values()] as { type: string; freezeCount?: number }[]
  return found.find((each) => each.type === 'inbound-rtp')?.freezeCount ?? 0
}

/** Looks after a connection until it is closed; in the background nobody sees a picture freeze. */
function steady(connection: RTCPeerConnection, picture: RTCRtpReceiver): void {
  const patience = new Patience()
  const looks = setInterval(() => {
    if (connection.signalingState === 'closed') clearInterval(looks)
    else if (!document.hidden) look().catch(() => undefined)
  }, LOOK_MS)
  async function look(): Promise<void> {
    const held = patience.look(performance.now(), await freezes(picture))
    for (const receiver of connection.getReceivers()) receiver.jitterBufferTarget = held
  }
}

export class Viewer extends Peer {
  readonly #onStream: (stream: MediaStream) => void
  readonly #onScreen: (screen: MediaStream) => void

  constructor(grant: AskGrant, onState: (state: PeerState) => void, onStream: (stream: MediaStream) => void, onScreen: (screen: MediaStream) => void = () => undefined, onLeft: (left: Left) => void = () => undefined) {
    super(grant, onState, onLeft)
    this.#onStream = onStream
    this.#onScreen = onScreen
  }

  protected override prepare(connection: RTCPeerConnection): void {
    const stream = new MediaStream()
    const picture = connection.addTransceiver('video', { direction: 'recvonly' })
    connection.addTransceiver('audio', { direction: 'recvonly' })
    const screen = connection.addTransceiver('video', { direction: 'recvonly' })
    connection.ontrack = ({ track, transceiver }) => {
      if (transceiver === screen) {
        this.#onScreen(new MediaStream([track]))
        return
      }
      if (transceiver === picture) steady(connection, picture.receiver)
      stream.addTrack(track)
      this.#onStream(stream)
    }
  }
}
