import { describe, expect, it } from 'vitest'
import { deniedSignals, disallowedUses, usageReason } from '../../../src/ingest/fetch/usage-preferences.js'

describe('Content-Usage', () => {
  it.each<[string, string[]]>([
    ['train-ai=n', ['train-ai']],
    ['train-ai=y', []],
    ['train-ai=n, search=n', ['train-ai', 'search']],
    ['search=y,train-ai=n', ['train-ai']],
    // Of a use that is named twice the last one counts; its parameters count for nothing.
    ['train-ai=n, train-ai=y', []],
    ['train-ai=y, train-ai=n', ['train-ai']],
    ['train-ai;allow=n, train-ai=y', []],
    ['train-ai=n;why="a, b=n"', ['train-ai']],
    // Values that are no token n are unknown.
    ['train-ai=y, train-ai, search=n, search="n"', []],
    ['train-ai=no', []],
    ['train-ai=(n)', []],
    ['train-ai="n"', []],
    ['train-ai=?0', []],
    // So is all of what cannot be parsed.
    ['Train-AI=n', []],
    ['train-ai=n,', []],
    ['train-ai=n; search', ['train-ai']],
    ['train-ai = n', []],
    ['train-ai=n search=n', []],
    ['train-ai=ñ', []],
    ['', []],
    [`${'a=n, '.repeat(20_000)}train-ai=n`, ['a', 'train-ai']],
    ['('.repeat(20_000), []],
  ])('$# disallows $1', (value, uses) => {
    expect([...disallowedUses(value)]).toEqual(uses)
  })
})

it.each<[string, string[]]>([
  ['search=yes, ai-train=no', ['ai-train']],
  ['search=no,ai-input=no', ['search', 'ai-input']],
  ['AI-Train=No', ['ai-train']],
  // Whatever else is wrong with it.
  ['search=yes ai-train = no;', ['ai-train']],
  ['search=yes,, ai-train="no",', ['ai-train']],
  ['ai-train=no, ai-train=yes', ['ai-train']],
  ['(ai-train=no', ['ai-train']],
  ['ai-train=none, ai-train=no-one', []],
  [`${'ai-train='.repeat(50_000)}`, []],
  [`${'a'.repeat(500_000)}=no`, []],
  ['ai-train=n', []],
  ['ai-train: no', []],
])('Content-Signal: $# denies $1', (value, uses) => {
  expect([...deniedSignals(value)]).toEqual(uses)
})

it('names a reason by the use', () => {
  expect(['train-ai', 'tdm', 'a.b*c'].map(usageReason)).toEqual([
    'opt_out_train_ai',
    'opt_out_tdm',
    'opt_out_a_b_c',
  ])
})
