/**
 * What is on the board, as a page knows it: the page that is shown, what stands on it, and what moves over it just now.
 * Drawing is in the page's own measure, 0 to 10,000 each way; how large that is on a screen is the components' business.
 */
import { getStroke } from 'perfect-freehand'
import { Store } from '../ui/store'
import type { Line } from '../wire/socket'
import type { BoardDraw, BoardMove, BoardMoving, BoardStroke, Done, OrderView } from '../wire/types'
import type { Talk, TalkView, Views } from './talk'

export const WHOLE = 10_000
export type Shape = BoardStroke['shape']
export type Colour = BoardStroke['colour']
export type Tool = BoardMove['tool']
export const COLOURS: readonly Colour[] = ['ink', 'red', 'amber', 'green', 'blue', 'violet']
export const SHAPES: readonly Shape[] = ['pen', 'highlighter', 'line', 'arrow', 'rectangle', 'ellipse', 'text']
/** A whiteboard is as wide as a screen. */
export const BLANK_RATIO = 9 / 16
/** What moves is told so often at most; the server takes ten events a second of one page in all. */
export const MOVE_MS = 200
/** A pointer that is not moved any more is gone; so is a stroke whose end was lost. */
export const POINTER_MS = 4_000
const MOST_POINTS = 2_000
const MOST_PIECE = 128
const FREE = new Set<Tool>(['pen', 'highlighter'])

export interface Moving { tool: Tool; colour: Colour; width: number; points: number[]; at: number }

export interface BoardNow {
  /** null: there is no board. */
  deck: string | null
  page: number
  strokes: readonly BoardStroke[]
  /** By person: a stroke that is being drawn, or where they point. */
  moving: ReadonlyMap<string, Moving>
}

/** A board as it is seen; where somebody may draw, with what that takes. */
export type Seen = Pick<Board, 'view'> & Partial<Pick<Board, 'draw' | 'move' | 'tick'>>

export const NO_BOARD: BoardNow = { deck: null, page: 0, strokes: [], moving: new Map() }

/** What stands on the page that is shown. */
export function standing(views: Views): Omit<BoardNow, 'moving'> {
  const shown = views.board.get('shown')
  if (shown?.what !== 'shown' || shown.page === 0) return { deck: null, page: 0, strokes: [] }
  const { deck, page } = shown
  const about = views.board.get(`p${deck}:${page}`)
  const cleared = about?.what === 'page' ? about.cleared : 0
  const here = (one: BoardStroke): boolean => !one.gone && one.deck === deck && one.page === page && one.seq > cleared
  const strokes = [...views.board.values()].filter((one): one is BoardStroke => one.what === 'stroke').filter(here)
  return { deck, page, strokes: strokes.sort((a, b) => a.seq - b.seq) }
}

const all = (views: Views): OrderView | undefined => views.order.get('all')

/** Whether a trainee may draw now: off for all and on for one, or the other way round; silence is above both. */
export function mayDraw({ views, mine }: Pick<TalkView, 'views' | 'mine'>): boolean {
  const order = all(views)
  if (!order || order.silence) return false
  return mine.order?.switches.drawing ?? order.switches.drawing ?? false
}

export class Board {
  readonly view = new Store<BoardNow>(NO_BOARD)
  readonly #talk: Talk
  readonly #line: Line
  readonly #lesson: string
  readonly #now: () => number
  #told = -MOVE_MS

  constructor(talk: Talk, line: Line, lesson: string, now: () => number = () => performance.now()) {
    this.#talk = talk
    this.#line = line
    this.#lesson = lesson
    this.#now = now
    talk.view.subscribe(({ views }) => { this.#stand(views) })
    line.on('board:moving', (moving) => { if (moving.lesson_id === lesson) this.#move(moving) })
    this.#stand(talk.view.value.views)
  }

  show(deck: string, page: number): Promise<Done> {
    return this.#talk.do('board:show', { deck, page })
  }

  hide(): Promise<Done> {
    return this.#talk.do('board:show', { deck: '', page: 0 })
  }

  undo(): Promise<Done> {
    return this.#talk.do('board:undo', {})
  }

  redo(): Promise<Done> {
    return this.#talk.do('board:redo', {})
  }

  clear(): Promise<Done> {
    return this.#talk.do('board:clear', {})
  }

  draw(drawn: Omit<BoardDraw, 'lesson_id'>): Promise<Done> {
    return this.#talk.do('board:draw', drawn)
  }

  /** Tell others what moves, if it is time again; whether it was told. What is lost is not said again. */
  move(move: Omit<BoardMove, 'lesson_id'>, last = false): boolean {
    if (!last && this.#now() - this.#told < MOVE_MS) return false
    this.#told = this.#now()
    void this.#line.request('board:move', { ...move, lesson_id: this.#lesson }).catch(() => undefined)
    return true
  }

  /** Forget pointers and strokes that nobody has moved for some time. */
  tick(): void {
    const { moving } = this.view.value
    const left = new Map([...moving].filter(([, one]) => this.#now() - one.at < POINTER_MS))
    if (left.size !== moving.size) this.view.patch({ moving: left })
  }

  #stand(views: Views): void {
    const before = this.view.value
    const now = standing(views)
    if (now.deck !== before.deck || now.page !== before.page) {
      this.view.set({ ...now, moving: new Map() })
      return
    }
    const known = new Set(before.strokes.map((one) => one.seq))
    const done = new Set(now.strokes.filter((one) => !known.has(one.seq)).map((one) => one.by))
    const moving = new Map([...before.moving].filter(([by, one]) => one.tool === 'pointer' || !done.has(by)))
    this.view.set({ ...now, moving })
  }

  #move({ by, deck, page, tool, colour, width, points, begins }: BoardMoving): void {
    const { moving, ...shown } = this.view.value
    if (deck !== shown.deck || page !== shown.page) return
    const next = new Map(moving)
    const before = moving.get(by)
    const more = before && !begins && before.tool === tool && FREE.has(tool) ? [...before.points, ...points].slice(-2 * MOST_POINTS) : points
    if (points.length === 0) next.delete(by)
    else next.set(by, { tool, colour, width, points: more, at: this.#now() })
    this.view.patch({ moving: next })
  }
}

/** A stroke under the hand: what it is so far, what of it others know, and what it becomes. */
export class Hand {
  readonly points: number[] = []
  #told = 0
  readonly #about: Pick<BoardDraw, 'deck' | 'page' | 'shape' | 'colour' | 'width'>
  constructor(about: Pick<BoardDraw, 'deck' | 'page' | 'shape' | 'colour' | 'width'>) {
    this.#about = about
  }

  /** Where the hand is now. Of a line and the like only begin and end count. */
  add(x: number, y: number): void {
    const at = [x, y].map((one) => Math.round(Math.min(WHOLE, Math.max(0, one))))
    const fixed = !FREE.has(this.#about.shape)
    if (fixed && this.points.length >= 4) this.points.splice(2, 2, ...at)
    else if (this.points.length < 2 * MOST_POINTS && !this.#same(at)) this.points.push(...at)
  }

  /** What others do not know yet. */
  piece(): Omit<BoardMove, 'lesson_id'> {
    const { shape, ...about } = this.#about
    const free = FREE.has(shape)
    const points = free ? this.points.slice(this.#told, this.#told + 2 * MOST_PIECE) : [...this.points]
    return { ...about, tool: shape, points, begins: this.#told === 0 }
  }

  /** They know it. */
  told(): void {
    this.#told = Math.min(this.points.length, this.#told + 2 * MOST_PIECE)
  }

  /** What is kept; null of a line or shape without an extent. */
  done(): Omit<BoardDraw, 'lesson_id'> | null {
    if (!FREE.has(this.#about.shape) && this.points.length !== 4) return null
    return this.points.length === 0 ? null : { ...this.#about, points: [...this.points], text: '' }
  }

  #same([x, y]: number[]): boolean {
    return this.points.at(-2) === x && this.points.at(-1) === y
  }
}

type Drawn = Pick<BoardStroke, 'shape' | 'width' | 'points'>
const HEAD = 4

/** A free stroke as the outline that perfect-freehand gives it; `ratio`: a page's height by its width. */
function outline(points: number[], width: number, ratio: number, thin: boolean): string {
  const pairs: [number, number][] = []
  for (let at = 0; at + 1 < points.length; at += 2) pairs.push([points[at] ?? 0, (points[at + 1] ?? 0) * ratio])
  const around = getStroke(pairs, { size: width, thinning: thin ? 0.4 : 0, smoothing: 0.5, streamline: 0.35, simulatePressure: thin, last: true })
  if (around.length === 0) return ''
  const path = around.map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${Math.round(x)} ${Math.round(y)}`)
  return `${path.join('')}Z`
}

/** A shape as a path; what is free is to be filled, all others are lines of their width. */
export function pathOf({ shape, points, width }: Drawn, ratio: number): string {
  if (shape === 'pen' || shape === 'highlighter') return outline(points, width, ratio, shape === 'pen')
  const [x, y, u, v] = corners(points, ratio)
  if (shape === 'rectangle') return `M${x} ${y}H${u}V${v}H${x}Z`
  if (shape === 'ellipse') return ellipse(x, y, u, v)
  return `M${x} ${y}L${u} ${v}${shape === 'arrow' ? head(x, y, u, v, width) : ''}`
}

/** Begin and end, in the measure of a page's width; what has no end yet ends where it begins. */
function corners(points: number[], ratio: number): [number, number, number, number] {
  const [x = 0, y = 0, u = x, v = y] = points
  return [x, Math.round(y * ratio), u, Math.round(v * ratio)]
}

function ellipse(x: number, y: number, u: number, v: number): string {
  const [rx, ry, my] = [Math.abs(u - x) / 2, Math.abs(v - y) / 2, (y + v) / 2]
  return `M${x} ${my}A${rx} ${ry} 0 1 0 ${u} ${my}A${rx} ${ry} 0 1 0 ${x} ${my}Z`
}

function head(x: number, y: number, u: number, v: number, width: number): string {
  const way = Math.atan2(v - y, u - x)
  const wing = (turn: number): string => `${Math.round(u - HEAD * width * Math.cos(way + turn))} ${Math.round(v - HEAD * width * Math.sin(way + turn))}`
  return `M${wing(0.5)}L${u} ${v}L${wing(-0.5)}`
}

/** How a page is enlarged under two fingers: by `scale`, moved by x and y of its own width and height. */
export interface Zoom { scale: number; x: number; y: number }
export const PLAIN: Zoom = { scale: 1, x: 0, y: 0 }
const LARGEST = 5
const TAPPED = 2.5

/** Enlarged by a factor around a point (0 to 1 each way of what is seen); the page never leaves its frame. */
export function zoomed({ scale, x, y }: Zoom, factor: number, atX: number, atY: number): Zoom {
  const next = Math.min(LARGEST, Math.max(1, scale * factor))
  const stay = (moved: number, at: number): number => at - (at - moved) * (next / scale)
  return within({ scale: next, x: stay(x, atX), y: stay(y, atY) })
}

export function moved(zoom: Zoom, dx: number, dy: number): Zoom {
  return within({ ...zoom, x: zoom.x + dx, y: zoom.y + dy })
}

/** A double tap: large where it was tapped, or plain again. */
export function tapped(zoom: Zoom, atX: number, atY: number): Zoom {
  return zoom.scale > 1 ? PLAIN : zoomed(zoom, TAPPED, atX, atY)
}

function within({ scale, x, y }: Zoom): Zoom {
  const hold = (one: number): number => Math.min(0, Math.max(1 - scale, one))
  return { scale, x: hold(x), y: hold(y) }
}
