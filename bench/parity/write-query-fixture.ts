/**
 * Writes test/model/fixtures/query-parity.json: what PyTorch computes for each case of
 * test/helpers/query-cases.ts.
 *
 *     npx tsx bench/parity/write-query-fixture.ts [--python python3]        Python needs torch and torchvision
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { narrowQueries, queryCases, querySize } from '../../test/helpers/query-cases.js'
import { option } from '../report.js'
import { caseFixture } from './case-fixture.js'

const python = option('python', process.env.GROUNDMILL_PYTHON ?? 'python3')
const fixture = await caseFixture(python, narrowQueries, queryCases(narrowQueries, querySize, 2))
const path = fileURLToPath(new URL('../../test/model/fixtures/query-parity.json', import.meta.url))
writeFileSync(path, `${JSON.stringify(fixture)}\n`)
console.log(path, Object.keys(fixture))
