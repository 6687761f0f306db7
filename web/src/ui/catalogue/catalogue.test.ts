import { describe, expect, it } from 'vitest'
import { words as en } from './en'
import { desk as enDesk } from './en.desk'
import { words as zh } from './zh-CN'
import { desk as zhDesk } from './zh-CN.desk'

const texts = import.meta.glob<string>('../../**/*.{vue,ts}', { query: '?raw', import: 'default', eager: true })
// Neighbours are named without their folder: only the catalogue itself is.
const sources = Object.keys(texts).filter((name) => name.startsWith('../'))
const read = (name: string) => texts[name] ?? ''
const all: Record<string, string> = { ...zh, ...zhDesk }
const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort()
/** Comments may be in Chinese: they name the product's own words. */
const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '').replace(/<!--[\s\S]*?-->/g, '')

describe('the catalogue', () => {
  it('is looked for in all sources', () => { expect(sources.length).toBeGreaterThan(60) })
  it('has every text in both languages, with the same blanks', () => {
    const english: Record<string, string> = { ...en, ...enDesk }
    expect(Object.keys(english).sort()).toEqual(Object.keys(all).sort())
    for (const [key, text] of Object.entries(all)) expect([key, holes(english[key] ?? '')]).toEqual([key, holes(text)])
  })
  it('is the only place with Chinese in it', () => {
    const found = sources.filter((name) => !name.endsWith('.test.ts') && /[\u3400-\u9fff]/.test(withoutComments(read(name))))
    expect(found).toEqual([])
  })
  it('has no text that nothing shows', () => {
    const code = sources.map(read).join('\n')
    const built = [...code.matchAll(/`([a-zA-Z.]+\.)\$\{/g)].map((m) => m[1] ?? '')
    const spoken = [...code.matchAll(/coded\('(\w+)'/g)].map((m) => `${m[1] ?? ''}.`)
    const prefixes = [...new Set([...built, ...spoken])]
    const idle = Object.keys(all).filter((key) => !code.includes(`'${key}'`) && !prefixes.some((p) => key.startsWith(p)))
    expect(idle).toEqual([])
  })
})
