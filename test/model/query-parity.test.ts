import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { glipInputs } from '../../src/model/network/glip.js'
import { glipQueries } from '../../src/model/network/glip-queries.js'
import { parametersOf } from '../../src/model/network/parameters.js'
import { checkParity, type ExpectedCase } from '../helpers/check-parity.js'
import { narrowQueries, queryCases, querySize } from '../helpers/query-cases.js'

/** What PyTorch computed for the same parameters and inputs: bench/parity/write-query-fixture.ts. */
const fixture = JSON.parse(
  readFileSync(new URL('./fixtures/query-parity.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, ExpectedCase>>

describe('the network with queries, narrow, against PyTorch', () => {
  for (const [name, parityCase] of Object.entries(queryCases(narrowQueries, querySize, 2)))
    it(`${name}: outputs and gradients`, () => checkParity(name, parityCase, narrowQueries, fixture[name]))

  it('freezes the norms of its backbone and nothing else', () => {
    const { logits, boxes } = glipQueries(narrowQueries, glipInputs(narrowQueries, 1))
    for (const { name, frozen } of parametersOf([logits, boxes]))
      expect(frozen, name).toBe(/^backbone\.body\..*(bn\d|downsample\.1)\.(weight|bias)$/.test(name))
  })
})
