import { describe, expect, it } from 'vitest'
import { Store } from '../ui/store'
import type { Line } from '../wire/socket'
import type { BoardMoving, BoardPage, BoardShown, BoardStroke, OrderView } from '../wire/types'
import { Board, Hand, MOVE_MS, NO_BOARD, PLAIN, POINTER_MS, WHOLE, mayDraw, moved, pathOf, standing, tapped, zoomed } from './board'
import { START, type Talk, type TalkView, type Views } from './talk'

const L = 'a'.repeat(16)
const ABOUT = { deck: '', page: 1, colour: 'red', width: 20 } as const
const stroke = (seq: number, more: Partial<BoardStroke> = {}): BoardStroke => ({ id: String(seq), what: 'stroke', seq, ...ABOUT, by: 'jia', shape: 'line', points: [0, 0, 9, 9], text: '', gone: false, ...more })
const boardOf = (page: number, cleared: number, ...strokes: BoardStroke[]): Views => ({
  ...START.views,
  board: new Map<string, BoardPage | BoardShown | BoardStroke>([['shown', { id: 'shown', what: 'shown', deck: '', page }], [`p:${page}`, { id: `p:${page}`, what: 'page', deck: '', page, cleared }], ...strokes.map((one) => [one.id, one] as const)]),
})
const order = (drawing: boolean | null, silence = false): OrderView => ({ id: 'all', name: '', silence, lobby: false, removed: false, waiting: false, switches: { text: true, voice: true, video: true, screen: false, drawing, files: true } })

class Room {
  now = 0
  asked: unknown[] = []
  heard: (moving: BoardMoving) => void = () => undefined
  readonly talk = new Store<TalkView>(START)
  readonly line = {
    on: (event: string, heard: (moving: BoardMoving) => void) => { if (event === 'board:moving') this.heard = heard },
    request: (_event: string, asked: unknown) => { this.asked.push(asked); return Promise.reject(new Error('lost')) },
  } as unknown as Line
  readonly board = new Board({ view: this.talk } as unknown as Talk, this.line, L, () => this.now)
  views(views: Views): void { this.talk.patch({ views }) }
  moves(more: Partial<BoardMoving>): void { this.heard({ lesson_id: L, by: 'jia', ...ABOUT, tool: 'pen', points: [1, 1], begins: false, ...more }) }
}

describe('what stands on the board', () => {
  it('is nothing before a page is shown, and after it was put away', () => {
    expect(standing(START.views)).toEqual({ deck: null, page: 0, strokes: [] })
    expect(standing(boardOf(0, 0)).deck).toBeNull()
  })
  it('is what is drawn on the shown page, not undone and not cleared, in order', () => {
    const views = boardOf(1, 4, stroke(9), stroke(5), stroke(4), stroke(7, { gone: true }), stroke(8, { page: 2 }), stroke(6, { deck: 'd' }))
    expect(standing(views).strokes.map((one) => one.seq)).toEqual([5, 9])
  })
})

describe('who may draw', () => {
  const may = (all: OrderView | null, own: OrderView | null): boolean => mayDraw({ views: { ...START.views, order: new Map(all ? [['all', all]] : []) }, mine: { ...START.mine, order: own } })
  it.each([
    [null, null, false],
    [order(true), null, true],
    [order(false), null, false],
    [order(false), order(true), true],
    [order(true), order(false), false],
    [order(true), order(null), true],
    [order(true, true), order(true), false],
  ])('%#', (all, own, allowed) => { expect(may(all, own)).toBe(allowed) })
})

describe('what moves', () => {
  it('grows piece by piece, and goes when the stroke is done', () => {
    const room = new Room()
    room.views(boardOf(1, 0))
    room.moves({ points: [1, 1], begins: true })
    room.moves({ points: [2, 2] })
    expect(room.board.view.value.moving.get('jia')?.points).toEqual([1, 1, 2, 2])
    room.moves({ points: [5, 5], begins: true })
    expect(room.board.view.value.moving.get('jia')?.points).toEqual([5, 5])
    room.views(boardOf(1, 0, stroke(2, { by: 'yi' })))
    expect(room.board.view.value.moving.size).toBe(1)
    room.views(boardOf(1, 0, stroke(2, { by: 'yi' }), stroke(3)))
    expect(room.board.view.value.moving.size).toBe(0)
  })
  it('of a pointer the newest place counts, until it leaves or rests', () => {
    const room = new Room()
    room.views(boardOf(1, 0))
    room.moves({ tool: 'pointer', points: [1, 1] })
    room.moves({ tool: 'pointer', points: [2, 2] })
    expect(room.board.view.value.moving.get('jia')?.points).toEqual([2, 2])
    room.views(boardOf(1, 0, stroke(3)))
    expect(room.board.view.value.moving.size).toBe(1)
    room.moves({ tool: 'pointer', points: [] })
    expect(room.board.view.value.moving.size).toBe(0)
    room.moves({ tool: 'pointer', points: [2, 2] })
    room.now += POINTER_MS - 1
    room.board.tick()
    expect(room.board.view.value.moving.size).toBe(1)
    room.now += 1
    room.board.tick()
    expect(room.board.view.value.moving.size).toBe(0)
  })
  it('is of the page that is shown, and ends with it', () => {
    const room = new Room()
    expect(room.board.view.value).toEqual(NO_BOARD)
    room.views(boardOf(1, 0))
    room.moves({ page: 2 })
    room.moves({ lesson_id: 'b' })
    expect(room.board.view.value.moving.size).toBe(0)
    room.moves({})
    room.views(boardOf(2, 0))
    expect(room.board.view.value.moving.size).toBe(0)
  })
  it('is told so often at most, and a lost piece disturbs nobody', () => {
    const room = new Room()
    const piece = { ...ABOUT, tool: 'pen', points: [1, 1], begins: true } as const
    expect(room.board.move(piece as never)).toBe(true)
    room.now += MOVE_MS - 1
    expect(room.board.move(piece as never)).toBe(false)
    room.now += 1
    expect(room.board.move(piece as never)).toBe(true)
    expect(room.asked).toHaveLength(2)
  })
})

describe('a stroke under the hand', () => {
  it('keeps each place once, within the page, and no more than may be', () => {
    const hand = new Hand({ ...ABOUT, shape: 'pen' })
    for (const [x, y] of [[1.4, 2], [1, 2], [-5, WHOLE + 9]] as const) hand.add(x, y)
    expect(hand.points).toEqual([1, 2, 0, WHOLE])
    for (let at = 0; at < 3_000; at += 1) hand.add(at % 9_000, 5)
    expect(hand.points).toHaveLength(4_000)
    expect(hand.done()?.points).toHaveLength(4_000)
  })
  it('tells others only what they do not know', () => {
    const hand = new Hand({ ...ABOUT, shape: 'pen' })
    hand.add(1, 1)
    expect(hand.piece()).toMatchObject({ points: [1, 1], begins: true, tool: 'pen' })
    hand.told()
    hand.add(2, 2)
    expect(hand.piece()).toMatchObject({ points: [2, 2], begins: false })
    for (let at = 0; at < 500; at += 1) hand.add(at, 7)
    expect(hand.piece().points).toHaveLength(256)
  })
  it('of a line keeps begin and end, and nothing without an extent', () => {
    const hand = new Hand({ ...ABOUT, shape: 'arrow' })
    hand.add(1, 1)
    expect(hand.done()).toBeNull()
    hand.add(5, 5)
    hand.add(9, 9)
    expect(hand.done()?.points).toEqual([1, 1, 9, 9])
  })
})

describe('paths', () => {
  it('are in the measure of the page, as high as it is', () => {
    expect(pathOf({ shape: 'line', width: 20, points: [0, 0, 10_000, 10_000] }, 0.5)).toBe('M0 0L10000 5000')
    expect(pathOf({ shape: 'rectangle', width: 20, points: [10, 20, 30, 40] }, 1)).toBe('M10 20H30V40H10Z')
    expect(pathOf({ shape: 'ellipse', width: 20, points: [0, 0, 100, 50] }, 1)).toContain('A50 25 0 1 0 100 25')
    expect(pathOf({ shape: 'arrow', width: 20, points: [0, 0, 100, 0] }, 1).match(/M/g)).toHaveLength(2)
    expect(pathOf({ shape: 'line', width: 20, points: [7, 7] }, 1)).toBe('M7 7L7 7')
  })
  it('of a pen are an outline, also of a single dot', () => {
    expect(pathOf({ shape: 'pen', width: 40, points: [0, 0, 500, 500, 900, 100] }, 1)).toMatch(/^M-?\d+ -?\d+L.*Z$/)
    expect(pathOf({ shape: 'highlighter', width: 40, points: [50, 50] }, 1)).toMatch(/Z$/)
    expect(pathOf({ shape: 'pen', width: 40, points: [] }, 1)).toBe('')
  })
})

describe('a page under two fingers', () => {
  it('grows around where they are and never leaves its frame', () => {
    const twice = zoomed(PLAIN, 2, 0.5, 0.5)
    expect(twice).toEqual({ scale: 2, x: -0.5, y: -0.5 })
    expect(zoomed(twice, 0.1, 0, 0)).toEqual({ scale: 1, x: 0, y: 0 })
    expect(zoomed(PLAIN, 99, 0, 1).scale).toBe(5)
    expect(moved(twice, 9, -9)).toEqual({ scale: 2, x: 0, y: -1 })
  })
  it('is large or plain after a double tap', () => {
    expect(tapped(PLAIN, 0, 0).scale).toBe(2.5)
    expect(tapped(tapped(PLAIN, 0.3, 0.3), 0.5, 0.5)).toEqual(PLAIN)
  })
})
