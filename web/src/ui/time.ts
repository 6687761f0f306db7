/** Times as people here read them: Asia/Shanghai, whatever the computer is set to. */
import { language } from './catalogue'

const ZONE = 'Asia/Shanghai'
/** No daylight saving time since 1991. */
const OFFSET_MS = 8 * 3_600_000
const MINUTE_MS = 60_000
const two = (n: number) => String(n).padStart(2, '0')

/** A unix minute as 10:14. */
export function clock(slot: number): string {
  const minutes = Math.floor((slot * MINUTE_MS + OFFSET_MS) / MINUTE_MS) % 1440
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

/** Minutes as 10:14–10:16; a single one as 10:14. */
export const minuteSpan = (first: number, last: number): string => (first === last ? clock(first) : `${clock(first)}–${clock(last)}`)

/** A moment (milliseconds since 1970) as 10:14:05. */
export function timeOfDay(ms: number): string {
  const seconds = Math.floor((ms + OFFSET_MS) / 1000) % 86_400
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}

export const slotOf = (iso: string): number => Math.floor(Date.parse(iso) / MINUTE_MS)
export const hourMinute = (iso: string): string => clock(slotOf(iso))

export function day(iso: string): string {
  return new Intl.DateTimeFormat(language(), { timeZone: ZONE, month: 'long', day: 'numeric', weekday: 'short' }).format(new Date(iso))
}

/** A calendar day ("2026-11-23") as people write it. */
export function date(day: string): string {
  return new Intl.DateTimeFormat(language(), { timeZone: 'UTC', dateStyle: 'long' }).format(new Date(`${day}T00:00:00Z`))
}

export function dayTime(iso: string): string {
  return `${day(iso)} ${hourMinute(iso)}`
}

export const span = (from: string, to: string): string => `${hourMinute(from)}–${hourMinute(to)}`

/** 2026-11-23 there, for a date field. */
export function isoDay(iso: string): string {
  return new Date(Date.parse(iso) + OFFSET_MS).toISOString().slice(0, 10)
}

/** What a local date-and-time field holds ("2026-11-23T09:00", meant there) as UTC. */
export function fromLocal(value: string): string {
  return new Date(Date.parse(`${value}:00Z`) - OFFSET_MS).toISOString()
}

export const minutes = (ms: number): number => Math.floor(ms / MINUTE_MS)
export const seconds = (ms: number): number => Math.round(ms / 1000)
