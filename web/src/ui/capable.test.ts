import { describe, expect, it } from 'vitest'
import { ability, deviceOf, type Surroundings } from './capable'

const GOOD: Surroundings = { secure: true, peer: true, socket: true, camera: true, h264: true, parts: false, agent: 'Mozilla/5.0 Chrome/140', shortSide: 1080, coarse: false }

describe('a browser', () => {
  it('that has everything may do everything', () => { expect(ability(GOOD)).toMatchObject({ watch: true, publish: true, missing: [], wechat: false }) })
  it.each([
    [{ peer: false }, false, false],
    [{ socket: false }, false, false],
    [{ h264: false }, false, false],
    [{ h264: null }, true, true],
    [{ h264: false, parts: true }, true, false],
    [{ peer: false, parts: true }, true, false],
    [{ socket: false, parts: true }, false, false],
    [{ secure: false, camera: false }, true, false],
    [{ camera: false }, true, false],
  ])('with %o may watch %s and publish %s', (part, watch, publish) => {
    expect(ability({ ...GOOD, ...part })).toMatchObject({ watch, publish })
  })
  it('is known as WeChat only for its advice', () => { expect(ability({ ...GOOD, agent: 'x MicroMessenger/8' })).toMatchObject({ wechat: true, watch: true }) })
})

describe('a device', () => {
  it.each([
    [{ ...GOOD }, 'desktop'],
    [{ ...GOOD, coarse: true, shortSide: 390 }, 'phone'],
    [{ ...GOOD, agent: 'Mobi', shortSide: 800 }, 'tablet'],
  ])('is told apart', (given, device) => { expect(deviceOf(given)).toBe(device) })
})
