import { describe, expect, it } from 'vitest'
import { homeOf, mayEdit, mayExport, placesOf } from './places'

describe('a role', () => {
  it.each([['instructor', '/lessons'], ['staff', '/classes'], ['regulator', '/oversight'], ['administrator', '/institutions'], ['trainee', '/login']] as const)('%s begins at %s', (role, path) => {
    expect(homeOf(role)).toBe(path)
  })
  it('sees only its own places', () => {
    expect(placesOf('regulator').map((p) => p.path)).toEqual(['/oversight', '/classes', '/corrections'])
    expect(placesOf('trainee')).toEqual([])
  })
  it('edits or exports only where it may', () => {
    expect([mayEdit('staff'), mayEdit('regulator'), mayEdit(undefined)]).toEqual([true, false, false])
    expect([mayExport('regulator'), mayExport('instructor')]).toEqual([true, false])
  })
})
