import { describe, expect, it } from 'vitest'
import type { OrderView, Switches } from '../wire/types'
import { removed, taken, waiting, whole, whyNot } from './order'
import { START, type TalkView } from './talk'

const ON: Switches = { text: true, voice: true, video: true, screen: false, drawing: false, files: true }
const NONE: Switches = { text: null, voice: null, video: null, screen: null, drawing: null, files: null }
const order = (id: string, more: Partial<OrderView> = {}): OrderView => ({ id, name: id, switches: id === 'all' ? ON : NONE, silence: false, lobby: false, removed: false, waiting: false, ...more })
const talk = (orders: OrderView[], mine: OrderView | null = null): TalkView =>
  ({ ...START, views: { ...START.views, order: new Map(orders.map((one) => [one.id, one])) }, mine: { ...START.mine, order: mine } })

describe('the order of a lesson', () => {
  it('takes nothing away before anything is known', () => {
    expect(whole(START)).toBeNull()
    expect(whyNot(START, 'text')).toBeNull()
    expect(taken(START)).toEqual({ silence: false, off: [] })
  })
  it('is as for everybody, unless this person has an own one', () => {
    const off = talk([order('all', { switches: { ...ON, text: false } })])
    expect(whyNot(off, 'text')).toBe('switched_off')
    expect(whyNot(off, 'files')).toBeNull()
    expect(taken(off)).toEqual({ silence: false, off: ['text'] })
    const given = talk([order('all', { switches: { ...ON, text: false } })], order('me', { switches: { ...NONE, text: true, files: false, drawing: true } }))
    expect(whyNot(given, 'text')).toBeNull()
    expect(whyNot(given, 'drawing')).toBeNull()
    expect(taken(given)).toEqual({ silence: false, off: ['files'] })
  })
  it('says nothing of what is only ever given', () => { expect(taken(talk([order('all')])).off).toEqual([]) })
  it('puts silence above all that was given', () => {
    const silent = talk([order('all', { silence: true })], order('me', { switches: { ...NONE, text: true } }))
    expect(whyNot(silent, 'text')).toBe('silenced')
    expect(taken(silent)).toEqual({ silence: true, off: [] })
  })
  it('knows who waits and who was removed', () => {
    const known = talk([order('all'), order('a', { waiting: true }), order('b', { removed: true }), order('c', { waiting: true })])
    expect(waiting(known).map((one) => one.id)).toEqual(['a', 'c'])
    expect(removed(known).map((one) => one.id)).toEqual(['b'])
  })
})
