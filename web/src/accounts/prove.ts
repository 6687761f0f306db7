/** A proof of work (ALTCHA): finds the number whose SHA-256 behind the salt is the challenge, beside the page. */
import { solve } from './sha'

export interface Challenge { algorithm: string; challenge: string; maxNumber: number; salt: string; signature: string }

function inWorker({ salt, challenge, maxNumber }: Challenge): Promise<number | null> {
  const worker = new Worker(new URL('./prove.worker.ts', import.meta.url))
  return new Promise<number | null>((done, fail) => {
    worker.onmessage = (event: MessageEvent<number | null>) => { done(event.data) }
    worker.onerror = () => { fail(new Error('no worker')) }
    worker.postMessage({ salt, challenge, maxNumber })
  }).finally(() => { worker.terminate() })
}

/** Where a browser gives no worker: in pieces, between which the page can breathe. */
async function inPieces({ salt, challenge, maxNumber }: Challenge, piece = 5000): Promise<number | null> {
  for (let from = 0; from <= maxNumber; from += piece) {
    const found = solve(salt, challenge, Math.min(from + piece - 1, maxNumber), from)
    if (found !== null) return found
    await new Promise((done) => setTimeout(done))
  }
  return null
}

/** The solved challenge as the server takes it: base64 of JSON. */
export async function prove(challenge: Challenge): Promise<string> {
  const found = await (typeof Worker === 'undefined' ? inPieces(challenge) : inWorker(challenge).catch(() => inPieces(challenge)))
  const { algorithm, salt, signature } = challenge
  return btoa(JSON.stringify({ algorithm, challenge: challenge.challenge, number: found ?? 0, salt, signature }))
}
