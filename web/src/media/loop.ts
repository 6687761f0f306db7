/** Decides whether one's own picture gets to the server and back: published into a room of one's own and watched there. */
import type { Grant } from './peer'
import { Viewer } from './whep'
import { Publisher } from './whip'

export interface Looped { frames: number; seconds: number; width: number; height: number; codec: string; lost: number }

const CONNECT_MS = 10_000
const LOOK_MS = 3_000
const POLL_MS = 250

interface Stat { type: string; id: string; kind?: string; codecId?: string; mimeType?: string }
interface Inbound extends Stat { framesDecoded: number; frameWidth: number; frameHeight: number; packetsLost: number; packetsReceived: number }
const NOTHING: Omit<Looped, 'seconds'> = { frames: 0, width: 0, height: 0, codec: '', lost: 0 }
/** Before its first picture a browser has no width. */
const isPicture = (each: Stat): each is Inbound => each.type === 'inbound-rtp' && each.kind === 'video' && 'frameWidth' in each

async function seen(connection: RTCPeerConnection | null): Promise<Omit<Looped, 'seconds'>> {
  if (!connection) return NOTHING
  const all = [...(await connection.getStats()).values()] as Stat[]
  const picture = all.find(isPicture)
  if (!picture) return NOTHING
  const codec = all.find((each) => each.id === picture.codecId)?.mimeType?.split('/')[1] ?? ''
  const { framesDecoded: frames, frameWidth: width, frameHeight: height, packetsLost, packetsReceived } = picture
  return { frames, width, height, codec, lost: packetsLost / Math.max(1, packetsReceived + packetsLost) }
}

const pause = async (ms: number) => new Promise((done) => { setTimeout(done, ms) })

/** What came back in a few seconds; no frames: nothing did. */
export async function loop(send: Grant, back: Grant, stream: MediaStream, shown: (stream: MediaStream) => void): Promise<Looped> {
  const publisher = new Publisher(async () => Promise.resolve(send), () => undefined, () => stream)
  const viewer = new Viewer(async () => Promise.resolve(back), () => undefined, shown)
  publisher.start()
  viewer.start()
  try {
    const until = performance.now() + CONNECT_MS
    let first = await seen(viewer.connection)
    while (!first.frames && performance.now() < until) {
      await pause(POLL_MS)
      first = await seen(viewer.connection)
    }
    const began = performance.now()
    await pause(LOOK_MS)
    const last = await seen(viewer.connection)
    return { ...last, frames: last.frames - first.frames, seconds: (performance.now() - began) / 1_000 }
  } finally {
    publisher.stop()
    viewer.stop()
  }
}
