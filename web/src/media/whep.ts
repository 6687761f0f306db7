/** Watches a room: receives its picture, its voice and the screen, again and again until told to stop. */
import { Peer, type AskGrant, type PeerState } from './peer'
import type { Left } from './refused'

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
    connection.addTransceiver('video', { direction: 'recvonly' })
    connection.addTransceiver('audio', { direction: 'recvonly' })
    const screen = connection.addTransceiver('video', { direction: 'recvonly' })
    connection.ontrack = ({ track, transceiver }) => {
      if (transceiver === screen) {
        this.#onScreen(new MediaStream([track]))
        return
      }
      stream.addTrack(track)
      this.#onStream(stream)
    }
  }
}
