/**
 * Writes test/train/fixtures/assignment.json: what scipy assigns in the matrix of
 * test/train/hungarian.test.ts.
 *
 *     npx tsx bench/parity/write-assignment-fixture.ts [--python python3]        Python needs scipy
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { random } from '../../src/base/random.js'
import { option } from '../report.js'

const python = option('python', process.env.GROUNDMILL_PYTHON ?? 'python3')
const draw = random('assignment')
const costs = Array.from({ length: 6000 }, () => Math.round(draw.next() * 1e6) / 1e3)
const script = `
import json, sys
import numpy as np
from scipy.optimize import linear_sum_assignment
costs = np.array(json.load(sys.stdin)).reshape(100, 60)
rows, columns = linear_sum_assignment(costs)
of = dict(zip(rows.tolist(), columns.tolist()))
print(json.dumps({"total": float(costs[rows, columns].sum()), "columns": [of.get(row, -1) for row in range(100)]}))
`
const answer = execFileSync(python, ['-c', script], { input: JSON.stringify(costs), encoding: 'utf8' })
writeFileSync(fileURLToPath(new URL('../../test/train/fixtures/assignment.json', import.meta.url)), answer)
