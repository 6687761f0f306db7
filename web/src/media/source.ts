/** Decides what this browser plays pictures with, parts or WebRTC: by what it has, never by its name. */
export type SourceMaker = new () => MediaSource

/** What this browser has to play parts with, if it plays H.264 with Opus. */
export function sourceMaker(around: typeof globalThis = globalThis): SourceMaker | null {
  const has = around as unknown as Record<'ManagedMediaSource' | 'MediaSource', (SourceMaker & { isTypeSupported?: (type: string) => boolean }) | undefined>
  const found = has.ManagedMediaSource ?? has.MediaSource
  return found?.isTypeSupported?.('video/mp4; codecs="avc1.42e01f,opus"') ? found : null
}

/** Whether WebRTC here receives H.264; null where a browser cannot tell. */
export function hasH264(): boolean | null {
  if (typeof RTCRtpReceiver === 'undefined' || !('getCapabilities' in RTCRtpReceiver)) return null
  const list = RTCRtpReceiver.getCapabilities('video')?.codecs
  return list ? list.some((c) => c.mimeType.toLowerCase() === 'video/h264') : null
}
