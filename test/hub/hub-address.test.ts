import { expect, test } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { hubText, isHub, parseHub } from '../../src/hub/hub-address.js'

test.each([
  ['hf://org/model', { type: 'model', id: 'org/model', path: '' }],
  ['hf://models/org/model@v1.0', { type: 'model', id: 'org/model', revision: 'v1.0', path: '' }],
  ['hf://org/model@feature%2Fx', { type: 'model', id: 'org/model', revision: 'feature/x', path: '' }],
  ['hf://org/model@refs/pr/12', { type: 'model', id: 'org/model', revision: 'refs/pr/12', path: '' }],
  ['hf://datasets/org/set', { type: 'dataset', id: 'org/set', path: '' }],
  [
    'hf://datasets/org/set@refs/convert/parquet/default/train/*.parquet',
    { type: 'dataset', id: 'org/set', revision: 'refs/convert/parquet', path: 'default/train/*.parquet' },
  ],
  [
    'hf://datasets/org/set@main/data/{00..03}.tar',
    { type: 'dataset', id: 'org/set', revision: 'main', path: 'data/{00..03}.tar' },
  ],
])('%s', (text, address) => {
  expect(isHub(text)).toBe(true)
  expect(parseHub(text)).toEqual(address)
  expect(parseHub(hubText(parseHub(text)))).toEqual(address)
})

test.each([
  ['hf://model', 'does not name a repository'],
  ['hf://org/model@', 'is no revision'],
  ['hf://org/model@..%2F..', 'is no revision'],
  ['hf://org/../model', 'does not name a repository'],
  ['hf://datasets/org/set/../../x.parquet', 'is none within the repository'],
  ['hf://models/datasets/set', 'does not name a repository'],
  ['hf://buckets/org/bucket/x', 'buckets of the Hub are not read'],
  ['hf://spaces/org/space', 'spaces of the Hub are not read'],
])('%s is refused', (text, why) => {
  expect(() => parseHub(text)).toThrow(UserError)
  expect(() => parseHub(text)).toThrow(why)
})

test('a token in an address is refused and not repeated', () => {
  for (const text of [
    'hf://hf_secret@org/model',
    'hf://me:hf_secret@org/model',
    'hf://org/model?token=hf_secret',
  ]) {
    expect(() => parseHub(text)).toThrow('HF_TOKEN')
    expect(() => parseHub(text)).not.toThrow('hf_secret')
  }
})
