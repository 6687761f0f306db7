/** Hands a file from a page of the platform to the checking page that it opened; on another origin nobody listens. */
interface File { name: string; content: Blob }

const READY = 'keshi-checker-ready'

/** Give the checking page a file once both are there; when there is none to give, close the page again. */
export async function handOver(page: Window | null, coming: Promise<File>): Promise<void> {
  const ready = new Promise<void>((resolve) => {
    window.addEventListener('message', function heard(said) {
      if (said.origin !== location.origin || said.source !== page || said.data !== READY) return
      window.removeEventListener('message', heard)
      resolve()
    })
  })
  try {
    const file = await coming
    await ready
    page?.postMessage(file, location.origin)
  } catch (error) {
    page?.close()
    throw error
  }
}

/** In the checking page: take what the page that opened it hands over. */
export function takeOver(take: (file: globalThis.File) => void): void {
  if (!location.protocol.startsWith('http') || !window.opener) return
  window.addEventListener('message', (said: MessageEvent<Partial<File> | string>) => {
    if (said.origin !== location.origin || typeof said.data === 'string' || !(said.data.content instanceof Blob)) return
    take(new globalThis.File([said.data.content], said.data.name ?? '', { type: 'application/zip' }))
  })
  ;(window.opener as Window).postMessage(READY, location.origin)
}
