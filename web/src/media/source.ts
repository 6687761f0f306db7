/** Decides whether this browser plays parts of H.264 and Opus, and with what: by what it has, never by its name. */
export type SourceMaker = new () => MediaSource

/** What this browser has to play parts with, if it plays H.264 with Opus. */
export function sourceMaker(around: typeof globalThis = globalThis): SourceMaker | null {
  const has = around as unknown as Record<'ManagedMediaSource' | 'MediaSource', (SourceMaker & { isTypeSupported?: (type: string) => boolean }) | undefined>
  const found = has.ManagedMediaSource ?? has.MediaSource
  return found?.isTypeSupported?.('video/mp4; codecs="avc1.42e01f,opus"') ? found : null
}
