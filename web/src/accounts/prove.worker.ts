/** The proof of work's own thread. */
import { solve } from './sha'

self.onmessage = (event: MessageEvent<{ salt: string; challenge: string; maxNumber: number }>) => {
  self.postMessage(solve(event.data.salt, event.data.challenge, event.data.maxNumber))
}
