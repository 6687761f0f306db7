/** Decides what this browser can do, by what it has and never by its name; the name only chooses the advice. */
import { hasH264, hasHls, sourceMaker } from '../media/source'
import type { JoinRequest } from '../wire/types'

export type Device = JoinRequest['device']

export interface Surroundings {
  secure: boolean
  peer: boolean
  socket: boolean
  camera: boolean
  h264: boolean | null
  /** Plays H.264 without WebRTC, in parts or as HLS. */
  parts: boolean
  agent: string
  shortSide: number
  coarse: boolean
}

export interface Ability { watch: boolean; publish: boolean; missing: ('peer' | 'socket' | 'h264' | 'secure' | 'camera')[]; wechat: boolean }

function missingToWatch(s: Surroundings): Ability['missing'] {
  const missing: Ability['missing'] = []
  if (!s.peer) missing.push('peer')
  if (!s.socket) missing.push('socket')
  if (s.peer && s.h264 === false) missing.push('h264')
  return missing
}

export function ability(s: Surroundings): Ability {
  const missing = missingToWatch(s)
  const watch = s.socket && (s.parts || missing.length === 0)
  if (!s.secure) missing.push('secure')
  else if (!s.camera) missing.push('camera')
  return { watch, publish: missing.length === 0, missing, wechat: /MicroMessenger/i.test(s.agent) }
}

export function deviceOf(s: Pick<Surroundings, 'shortSide' | 'coarse' | 'agent'>): Device {
  if (!s.coarse && !/Mobi|Android|iPhone|iPad/i.test(s.agent)) return 'desktop'
  return s.shortSide < 600 ? 'phone' : 'tablet'
}

export function surroundings(): Surroundings {
  return {
    secure: window.isSecureContext,
    peer: typeof RTCPeerConnection !== 'undefined',
    socket: typeof WebSocket !== 'undefined',
    camera: typeof (navigator.mediaDevices as MediaDevices | undefined)?.getUserMedia === 'function',
    h264: hasH264(),
    parts: sourceMaker() !== null || hasHls(),
    agent: navigator.userAgent,
    shortSide: Math.min(screen.width, screen.height),
    coarse: matchMedia('(pointer: coarse)').matches,
  }
}
