import { describe, expect, it } from 'vitest'
import { CHOICES_MOST, addChoice, isWhole, markRight, removeChoice, template } from './draft'

describe('a poll that is composed', () => {
  it('begins with what its kind needs', () => {
    expect([template('single').choices, template('multiple').most, template('judgement').choices, template('text').choices]).toEqual([['', ''], 2, [], []])
  })

  it('is whole with a question and different choices', () => {
    const one = { ...template('single'), text: '?', choices: ['a', 'b'] }
    expect(isWhole(one)).toBe(true)
    expect([isWhole({ ...one, text: ' ' }), isWhole({ ...one, choices: ['a', ''] }), isWhole({ ...one, choices: ['a', 'a '] })]).toEqual([false, false, false])
    expect(isWhole({ ...template('multiple'), text: '?', choices: ['a', 'b', 'c'], right: [0, 1, 2] })).toBe(false)
  })

  it('has ten choices at most, and two at least', () => {
    let one = template('multiple')
    for (let n = 0; n < 20; n += 1) one = addChoice(one)
    expect([one.choices.length, one.most]).toEqual([CHOICES_MOST, CHOICES_MOST])
    for (let n = 0; n < 20; n += 1) one = removeChoice(one, 0)
    expect([one.choices.length, one.most]).toEqual([2, 2])
  })

  it('keeps the right answer where it was when a choice before it goes', () => {
    const one = markRight({ ...template('single'), choices: ['a', 'b', 'c'] }, 2)
    expect(removeChoice(one, 0).right).toEqual([1])
    expect(removeChoice(one, 2).right).toEqual([])
  })

  it('has one right answer, or several where several are chosen; once more is none', () => {
    const single = markRight(markRight(template('single'), 0), 1)
    expect([single.right, markRight(single, 1).right]).toEqual([[1], []])
    expect(markRight(markRight(template('multiple'), 1), 0).right).toEqual([0, 1])
  })
})
