/** Decides what each finding of the check before a lesson means for somebody, and that it is said what to do. Pure. */
import type { CaptureFault } from '../media/capture'
import type { Looped } from '../media/loop'
import type { Pace, Reached } from '../media/reach'
import type { Params } from '../ui/catalogue'

/** What is known so far; what is not yet is null. */
export interface Facts {
  teaches: boolean
  secure: boolean
  /** Whether WebRTC receives H.264 here, and whether parts can be played; null: a browser that cannot tell. */
  h264: boolean | null
  parts: boolean
  device: 'ok' | CaptureFault | null
  heard: boolean
  udp: Reached | null
  tcp: Reached | null
  pace: Pace | null
  loop: Looped | null
}

/** `later`: not known, and not needed to take part. */
export type Level = 'ok' | 'look' | 'bad' | 'waiting' | 'later'
/** The words for it, and for what to do where it is not well, are in the catalogue under name and word. */
export interface Item { name: Name; level: Level; word: string; params: Params }
export type Name = 'secure' | 'device' | 'voice' | 'codecs' | 'udp' | 'tcp' | 'socket' | 'down' | 'up' | 'loop'

/** kbit/s: a whole picture, and enough to be worth it. */
const PICTURE_KBPS = 1_300
const LEAST_KBPS = 400
const SENDING_KBPS = 1_600
const LEAST_SENDING_KBPS = 500
const LOOP_LOSS = 0.05
const LOOP_PICTURES = 8

const item = (name: Name, level: Level, word: string, params: Params = {}): Item => ({ name, level, word, params })
const waiting = (name: Name): Item => item(name, 'waiting', '')

function device({ device: found, teaches }: Facts): Item {
  if (found === null) return teaches ? waiting('device') : item('device', 'later', 'later')
  return item('device', found === 'ok' ? 'ok' : teaches ? 'bad' : 'look', found)
}

function codecs({ h264, parts }: Facts): Item {
  if (h264 !== false && parts) return item('codecs', 'ok', 'ok')
  if (h264 !== false) return item('codecs', 'look', 'peer')
  return parts ? item('codecs', 'look', 'parts') : item('codecs', 'bad', 'none')
}

/** No WebSocket either. */
const cutOff = (pace: Pace | null) => pace !== null && 'code' in pace && pace.code === 'shut'

function udp(facts: Facts): Item {
  const found = facts.udp
  if (!found) return waiting('udp')
  return found.way === 'open' ? item('udp', 'ok', 'open', { ms: found.ms }) : shutUdp(facts, found.way === 'shut' ? found.port : 0)
}

function shutUdp({ tcp: other, teaches, pace }: Facts, port: number): Item {
  if (other?.way === 'open') return item('udp', 'look', 'tcp', { port: String(port) })
  if (teaches) return item('udp', 'bad', 'teach', { port: String(port) })
  return cutOff(pace) ? item('udp', 'bad', 'none', { port: String(port) }) : item('udp', 'look', 'parts', { port: String(port) })
}

function tcp({ tcp: found, udp: other }: Facts): Item {
  if (!found) return waiting('tcp')
  if (found.way === 'open') return item('tcp', 'ok', 'open', { ms: found.ms })
  if (found.way === 'unoffered') return item('tcp', 'ok', 'unoffered')
  return other?.way === 'open' ? item('tcp', 'ok', 'spare') : item('tcp', 'look', 'shut', { port: String(found.port) })
}

function socket({ pace }: Facts): Item {
  if (!pace) return waiting('socket')
  return cutOff(pace) ? item('socket', 'bad', 'shut') : item('socket', 'ok', 'open')
}

function speed(name: 'down' | 'up', { pace, teaches }: Facts): Item {
  if (!pace) return waiting(name)
  if ('code' in pace) return item(name, 'look', pace.code === 'shut' ? 'unknown' : 'busy')
  const kbps = pace[name]
  const params = { mbps: Math.round(kbps / 100) / 10 }
  const [most, least] = name === 'down' ? [PICTURE_KBPS, LEAST_KBPS] : teaches ? [SENDING_KBPS, LEAST_SENDING_KBPS] : [0, 0]
  if (kbps >= most) return item(name, 'ok', 'ok', params)
  return kbps >= least ? item(name, 'look', 'small', params) : item(name, 'bad', 'little', params)
}

function loop({ loop: found, udp: open, tcp: other }: Facts): Item {
  if (!found) return waiting('loop')
  if (!found.frames) return item('loop', 'bad', [open, other].some((each) => each?.way === 'open') ? 'none' : 'shut')
  const params = { width: found.width, height: found.height, codec: found.codec, pictures: Math.round(found.frames / Math.max(0.1, found.seconds)), loss: Math.round(found.lost * 1_000) / 10 }
  if (found.codec.toUpperCase() !== 'H264') return item('loop', 'look', 'codec', params)
  return found.lost > LOOP_LOSS || params.pictures < LOOP_PICTURES ? item('loop', 'look', 'weak', params) : item('loop', 'ok', 'ok', params)
}

/** Everything in the order in which things depend on each other. */
export function verdict(facts: Facts): Item[] {
  const mine = facts.device === 'ok' ? [item('voice', facts.heard ? 'ok' : 'look', facts.heard ? 'heard' : 'silent')] : []
  return [
    facts.secure ? item('secure', 'ok', 'ok') : item('secure', facts.teaches ? 'bad' : 'look', 'not'),
    device(facts), ...mine, codecs(facts), udp(facts), tcp(facts), socket(facts), speed('down', facts), speed('up', facts),
    ...(facts.teaches && facts.device === 'ok' ? [loop(facts)] : []),
  ]
}

/** The worst of them; waiting until all are known that are needed. */
export function overall(items: readonly Item[]): Level {
  const order: Level[] = ['waiting', 'bad', 'look']
  return order.find((level) => items.some((each) => each.level === level)) ?? 'ok'
}
