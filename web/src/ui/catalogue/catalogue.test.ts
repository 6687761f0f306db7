import { describe, expect, it } from 'vitest'
import { fill } from '.'
import { checker as enChecker } from './checker.en'
import { checker as zhChecker } from './checker.zh-CN'
import { words as en } from './en'
import { desk as enDesk } from './en.desk'
import { words as zh } from './zh-CN'
import { check as zhCheck } from './zh-CN.check'
import { desk as zhDesk } from './zh-CN.desk'
import { lesson as zhLesson } from './zh-CN.lesson'
import { polls as zhPolls } from './zh-CN.polls'
import { stage as zhStage } from './zh-CN.stage'
import { talk as zhTalk } from './zh-CN.talk'

const texts = import.meta.glob<string>('../../**/*.{vue,ts}', { query: '?raw', import: 'default', eager: true })
const frames = import.meta.glob<string>('../../../*.html', { query: '?raw', import: 'default', eager: true })
// Neighbours are named without their folder: only the catalogue itself is.
const sources = Object.keys(texts).filter((name) => name.startsWith('../') && !name.endsWith('.test.ts'))
const read = (name: string) => texts[name] ?? ''
const all: Record<string, string> = { ...zh, ...zhLesson, ...zhCheck, ...zhPolls, ...zhStage, ...zhTalk, ...zhDesk, ...zhChecker }
const english: Record<string, string> = { ...en, ...enDesk, ...enChecker }
const HOLE = /\{(\w+)(?::([^}]*))?\}/g
const holes = (text: string) => [...text.matchAll(HOLE)].map((m) => m[1]).sort()
const CHINESE = /[\u3400-\u9fff\u3000-\u303f\uff00-\uffef]/
/** Comments may be in Chinese: they name the product's own words. */
const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '').replace(/<!--[\s\S]*?-->/g, '')
const code = sources.map((name) => withoutComments(read(name))).join('\n')
/** Where each source lies, whatever its name here is relative to. */
const HERE = 'file:///web/src/ui/catalogue/'
const lies = new Map(Object.keys(texts).map((name) => [new URL(name, HERE).pathname, name]))
/** All modules that a module brings at once, itself among them; what is only loaded later is not. */
function reach(path: string, into: Set<string>): void {
  const name = lies.get(path)
  if (name === undefined || into.has(name)) return
  into.add(name)
  for (const [, from] of read(name).matchAll(/^import (?!type )(?:.* from )?'(\.[^']+)'/gm)) {
    for (const ending of ['', '.ts', '/index.ts']) reach(new URL((from ?? '') + ending, `file://${path}`).pathname, into)
  }
}
/** Where a key is put together: `lesson.${state}`, coded('error', …). */
const prefixes = [
  ...[...code.matchAll(/\bt\(`([a-zA-Z.]+\.)\$\{/g)].map((m) => m[1] ?? ''),
  ...[...code.matchAll(/coded\('(\w+)'/g)].map((m) => `${m[1] ?? ''}.`),
]

describe('the catalogue', () => {
  it('is looked for in all sources', () => { expect([sources.length > 60, Object.keys(frames).length]).toEqual([true, 3]) })
  it('has every text in both languages, with the same blanks', () => {
    expect(Object.keys(english).sort()).toEqual(Object.keys(all).sort())
    for (const [key, text] of Object.entries(all)) expect([key, holes(english[key] ?? '')]).toEqual([key, holes(text)])
  })
  it('is asked for nothing that it does not have', () => {
    const asked = [...code.matchAll(/\bt\(\s*'([^']+)'/g)].map((m) => m[1] ?? '')
    expect(asked.length).toBeGreaterThan(150)
    expect(asked.filter((key) => !(key in all))).toEqual([])
    for (const prefix of prefixes) expect(Object.keys(all).filter((key) => key.startsWith(prefix)), prefix).not.toEqual([])
  })
  it('has at the first page whatever the first page says', () => {
    const first = new Set<string>()
    reach('/web/src/learn/main.ts', first)
    expect(first.size).toBeGreaterThan(20)
    const asked = [...first].filter((name) => !name.includes('zh-CN')).flatMap((name) => [...withoutComments(read(name)).matchAll(/'([a-z]\w*\.[\w.]+)'/g)].map((m) => m[1] ?? ''))
    expect(asked.filter((key) => key in zhLesson || key in zhCheck || key in zhPolls || key in zhStage || key in zhTalk)).toEqual([])
  })
  it('is the only place with Chinese in it', () => {
    expect(sources.filter((name) => CHINESE.test(withoutComments(read(name))))).toEqual([])
  })
  it('has no text that nothing shows', () => {
    const idle = Object.keys(all).filter((key) => !code.includes(`'${key}'`) && !prefixes.some((p) => key.startsWith(p)))
    expect(idle).toEqual([])
  })
  it('has no Chinese in English but the names of the language itself, and none left untranslated', () => {
    const chinese = Object.keys(english).filter((key) => CHINESE.test(english[key] ?? ''))
    expect(chinese).toEqual(['language.other', 'check.language'])
    const same = Object.keys(all).filter((key) => all[key] === english[key] && /\p{L}{2}/u.test((all[key] ?? '').replace(HOLE, '')))
    expect(same).toEqual([])
  })
  it('says numbers of things in the plural of English, and in no plural of Chinese', () => {
    const counted = Object.values(english).flatMap((text) => [...text.matchAll(HOLE)].map((m) => m[2])).filter((forms) => forms !== undefined)
    expect(counted.length).toBeGreaterThan(8)
    for (const forms of counted) expect(forms.split('|')).toHaveLength(2)
    for (const text of Object.values(all)) for (const m of text.matchAll(HOLE)) expect(m[2] ?? '').not.toContain('|')
  })
  it('names each page', () => {
    for (const router of ['../../learn/router.ts', '../../desk/router.ts']) {
      const routes = read(router).split('\n').filter((line) => line.includes('component:'))
      expect(routes.length).toBeGreaterThan(5)
      for (const route of routes) expect(all, route).toHaveProperty([/title: '([^']+)'/.exec(route)?.[1] ?? ''])
    }
  })
})

describe('a text', () => {
  it.each([
    [0, '0 lessons'], [1, '1 lesson'], [2, '2 lessons'], [1_200, '1,200 lessons'],
  ])('with %d of something reads %s', (count, words) => { expect(fill('{count:# lesson|# lessons}', { count }, 'en')).toBe(words) })
  it('needs no plural in Chinese', () => { expect(fill('{count} 课次', { count: 1 }, 'zh-CN')).toBe('1 课次') })
  it('keeps names as they are given', () => { expect(fill('{name}，您好', { name: 'Maria 李' }, 'zh-CN')).toBe('Maria 李，您好') })
  it('shows a blank that nobody filled', () => { expect(fill('{who}', {}, 'en')).toBe('{who}') })
})
