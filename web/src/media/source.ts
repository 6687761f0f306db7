/** Decides what this browser plays pictures with, parts or WebRTC: by what it has, never by its name. */
export type SourceMaker = (new () => MediaSource) & { isTypeSupported?: (type: string) => boolean }

const PICTURE = 'avc1.42e01f'

/** What this browser has to play parts with, if it plays H.264 with Opus or with AAC. */
export function sourceMaker(around: typeof globalThis = globalThis): SourceMaker | null {
  const has = around as unknown as Record<'ManagedMediaSource' | 'MediaSource', SourceMaker | undefined>
  const found = has.ManagedMediaSource ?? has.MediaSource
  return found && (plays(found, 'opus') || plays(found, 'mp4a.40.2')) ? found : null
}

/** Which rendition of a lesson it plays: the voice as it came, or, where there is no Opus, made into AAC. */
export function renditionFor(maker: SourceMaker, what: 'picture' | 'voice'): string {
  return plays(maker, 'opus') ? what : `${what}_aac`
}

function plays(maker: SourceMaker, voice: string): boolean {
  return maker.isTypeSupported?.(`video/mp4; codecs="${PICTURE},${voice}"`) ?? false
}

/** Whether WebRTC here receives H.264; null where a browser cannot tell. */
export function hasH264(): boolean | null {
  if (typeof RTCRtpReceiver === 'undefined' || !('getCapabilities' in RTCRtpReceiver)) return null
  const list = RTCRtpReceiver.getCapabilities('video')?.codecs
  return list ? list.some((c) => c.mimeType.toLowerCase() === 'video/h264') : null
}

/** Whether this browser plays HLS by itself. */
export function hasHls(element: Pick<HTMLVideoElement, 'canPlayType'> = document.createElement('video')): boolean {
  return element.canPlayType('application/vnd.apple.mpegurl') !== ''
}
