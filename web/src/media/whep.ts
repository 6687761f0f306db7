/** Watches a room: receives its picture and voice, again and again until told to stop. */
import { Peer, type AskGrant, type PeerState } from './peer'

export class Viewer extends Peer {
  readonly #onStream: (stream: MediaStream) => void

  constructor(grant: AskGrant, onState: (state: PeerState) => void, onStream: (stream: MediaStream) => void) {
    super(grant, onState)
    this.#onStream = onStream
  }

  protected override prepare(connection: RTCPeerConnection): void {
    const stream = new MediaStream()
    connection.addTransceiver('video', { direction: 'recvonly' })
    connection.addTransceiver('audio', { direction: 'recvonly' })
    connection.ontrack = ({ track }) => {
      stream.addTrack(track)
      this.#onStream(stream)
    }
  }
}
