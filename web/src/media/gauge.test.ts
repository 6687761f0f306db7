import { describe, expect, it } from 'vitest'
import { Gauge } from './gauge'

/** Looks once a second at these counts of pictures; the index of the first look that found too little. */
const judged = (frames: number[], times = frames.map((_, second) => second)) => {
  const gauge = new Gauge()
  return frames.findIndex((count, second) => gauge.look(second * 1_000, count, times[second] ?? 0))
}

describe('a picture', () => {
  it('that moves is good enough, also a slow one', () => { expect(judged([...Array(60).keys()].map((second) => 1 + second))).toBe(-1) })
  it('that stands still for four seconds is not', () => { expect(judged([10, 40, 70, 70, 70, 70, 70])).toBe(6) })
  it('that stops again and again is not', () => {
    expect(judged([...Array(30).keys()].map((second) => 1 + Math.floor(second / 2) * 30))).toBe(7)
  })
  it('may stop now and then', () => {
    expect(judged([...Array(60).keys()].map((second) => 1 + (second - Math.floor(second / 4)) * 30))).toBe(-1)
  })
  it('that never was is judged by the voice', () => {
    const none = Array<number>(30).fill(0)
    expect(judged(none)).toBe(-1)
    expect(judged(none, none.map((_, second) => Math.min(second, 5)))).toBe(9)
  })
  it('is judged anew after nobody looked', () => {
    const gauge = new Gauge()
    for (const second of [0, 1, 2, 3]) gauge.look(second * 1_000, 10, second)
    gauge.reset()
    expect(gauge.look(4_000, 10, 4)).toBe(false)
    expect(gauge.look(5_000, 10, 5)).toBe(false)
  })
})
