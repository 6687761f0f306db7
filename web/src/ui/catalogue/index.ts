/** The words people see, by key. Chinese comes in parts: first pages, lesson, desk; English is loaded when chosen. */
import { shallowRef } from 'vue'
import type { check } from './zh-CN.check'
import type { desk } from './zh-CN.desk'
import { words as zh } from './zh-CN'
import type { lesson } from './zh-CN.lesson'
import type { polls } from './zh-CN.polls'
import type { stage } from './zh-CN.stage'
import type { talk } from './zh-CN.talk'

export type Key = keyof typeof zh | keyof typeof lesson | keyof typeof check | keyof typeof polls | keyof typeof stage | keyof typeof talk | keyof typeof desk
export type Words = Partial<Record<Key, string>>
export type Params = Record<string, string | number>
export type Language = 'zh-CN' | 'en'

const REMEMBERED = 'keshi.language'
const chinese: Words = { ...zh }
let deskWords: { 'zh-CN': Words; en: () => Promise<Words> } | null = null

/** What is shown now: replaced whole, so that every text follows. */
const shown = shallowRef<{ language: Language; words: Words }>({ language: 'zh-CN', words: chinese })

/**
 * Puts params into the blanks of a text: `{name}` as it is, numbers as the language writes them; `{count:# lesson|# lessons}`
 * chooses by the language's plural, the last form for all that have none of their own.
 */
export function fill(text: string, params: Params, inLanguage: Language): string {
  return text.replace(/\{(\w+)(?::([^}]*))?\}/g, (whole, name: string, forms: string | undefined) => {
    const value = params[name]
    if (value === undefined) return whole
    const said = typeof value === 'number' ? new Intl.NumberFormat(inLanguage).format(value) : value
    return forms === undefined ? said : plural(forms.split('|'), Number(value), inLanguage).replace('#', said)
  })
}

function plural(forms: string[], count: number, inLanguage: Language): string {
  const one = new Intl.PluralRules(inLanguage).select(count) === 'one'
  return (one ? forms[0] : forms.at(-1)) ?? ''
}

export function t(key: Key, params: Params = {}): string {
  const text = shown.value.words[key] ?? chinese[key]
  return text === undefined ? key : fill(text, params, shown.value.language)
}

/** Words for a code that comes from the server: its own, or the general ones with the code in them. */
export function coded(prefix: string, code: string, params: Params = {}): string {
  const key = `${prefix}.${code}` as Key
  return key in chinese ? t(key, params) : t(`${prefix}.other` as Key, { ...params, code })
}

export function language(): Language {
  return shown.value.language
}

export async function choose(next: Language): Promise<void> {
  let words = chinese
  if (next === 'en') words = { ...(await import('./en')).words, ...(deskWords ? await deskWords.en() : {}) }
  shown.value = { language: next, words }
  document.documentElement.lang = next
  try {
    localStorage.setItem(REMEMBERED, next)
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}

export function addDesk(words: { 'zh-CN': Words; en: () => Promise<Words> }): void {
  deskWords = words
  addChinese(words['zh-CN'])
}

/** A part that comes later; English has all of the trainee's in one file. */
export function addChinese(part: Words): void {
  Object.assign(chinese, part)
}

function remembered(): string | null {
  try {
    return localStorage.getItem(REMEMBERED)
  } catch {
    return null
  }
}

/** The language of last time. */
export async function recall(): Promise<void> {
  if (remembered() === 'en') await choose('en')
}
