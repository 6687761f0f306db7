import { describe, expect, it } from 'vitest'
import { Patience } from './patience'

describe('how long pictures are held back', () => {
  it('a single freeze changes nothing', () => {
    const patience = new Patience()
    expect([0, 1, 1].map((counted, at) => patience.look(at * 2_000, counted))).toEqual([null, null, null])
    expect(patience.look(20_000, 2)).toBeNull()
  })

  it('freezes that come again hold them longer, 600 ms at most', () => {
    const patience = new Patience()
    expect([0, 2, 3, 4, 6, 9].map((counted, at) => patience.look(at * 2_000, counted))).toEqual([null, 200, 200, 400, 600, 600])
  })

  it('a calm minute holds them less, one step each', () => {
    const patience = new Patience()
    patience.look(0, 2)
    patience.look(1_000, 4)
    expect([60_000, 61_000, 120_000, 121_000].map((now) => patience.look(now, 4))).toEqual([400, 200, 200, null])
  })
})
