/** The browser as a live lesson needs it: a clock that only runs forward, visibility, memories, a lit screen. */
import { keepNote } from '../attendance/notes'
import type { Page } from '../live/state'
import { get } from '../wire/http'
import type { Strips } from '../wire/types'

function random(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export const browserPage: Page = {
  id: random(),
  mono: () => Math.round(performance.now()),
  visible: () => document.visibilityState === 'visible',
  focused: () => document.hasFocus(),
  remember(key, value) {
    try {
      if (value === null) sessionStorage.removeItem(key)
      else sessionStorage.setItem(key, value)
    } catch {
      // Without storage a reload joins anew; the server sees the old socket gone.
    }
  },
  recall(key) {
    try {
      return sessionStorage.getItem(key)
    } catch {
      return null
    }
  },
  keep: keepNote,
  judged: async (lesson) => (await get<Strips>(`/lessons/${lesson}/strips`)).rows[0]?.cells ?? [],
}

/** Tells each change of visibility, also when the browser freezes or hides the page without saying more. */
export function watchVisibility(changed: (visible: boolean) => void): () => void {
  const stop = new AbortController()
  const { signal } = stop
  const now = () => { changed(document.visibilityState === 'visible') }
  const gone = () => { changed(false) }
  document.addEventListener('visibilitychange', now, { signal })
  document.addEventListener('resume', now, { signal })
  document.addEventListener('freeze', gone, { signal })
  window.addEventListener('pagehide', gone, { signal })
  window.addEventListener('pageshow', now, { signal })
  return () => { stop.abort() }
}

/** Tells each sign of a person, and each change of the window's focus. */
export function watchPerson(seen: (moved: boolean) => void): () => void {
  const stop = new AbortController()
  const listen = (moved: boolean, names: string) => {
    for (const name of names.split(' ')) window.addEventListener(name, () => { seen(moved) }, { signal: stop.signal, capture: true, passive: true })
  }
  listen(true, 'focus pointerdown pointermove keydown touchstart wheel scroll input')
  listen(false, 'blur')
  return () => { stop.abort() }
}

/** Keeps the screen lit while the page is in front; silently does nothing where that cannot be. */
export function keepAwake(): () => void {
  let held: WakeLockSentinel | null = null
  let over = false
  const ask = async () => {
    const lock = (navigator as { wakeLock?: WakeLock }).wakeLock
    if (over || !lock || document.visibilityState !== 'visible') return
    held = await lock.request('screen').catch(() => null)
  }
  const again = () => { void ask() }
  document.addEventListener('visibilitychange', again)
  again()
  return () => {
    over = true
    document.removeEventListener('visibilitychange', again)
    void held?.release()
  }
}
