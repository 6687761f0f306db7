/** Decides how a player of parts stays near the live edge: a little faster or slower, and a jump where that takes too long. */
const JUMP_S = 3
const TARGET_S = 0.45
const FAR_S = 0.9
const NEAR_S = 0.25
const FASTER = 1.08
const SLOWER = 0.95

/** From the playing position and the newest stretch that is there, in seconds. `jump`: where to go at once. */
export function edge(now: number, start: number, end: number): { jump: number | null; rate: number } {
  const ahead = end - now
  if (now < start || ahead < -0.05 || ahead > JUMP_S) return { jump: Math.max(start, end - TARGET_S), rate: 1 }
  if (ahead > FAR_S) return { jump: null, rate: FASTER }
  return { jump: null, rate: ahead < NEAR_S ? SLOWER : 1 }
}
