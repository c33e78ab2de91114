/**
 * Writes test/boxes/fixtures/assignment.json: what scipy assigns in the matrix of
 * test/boxes/cheapest-assignment.test.ts, and in small ones of which several assignments are the cheapest.
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
const ties = Array.from({ length: 60 }, () => {
  const [rows, columns] = [1 + draw.integer(6), 1 + draw.integer(6)]
  return { rows, columns, costs: Array.from({ length: rows * columns }, () => -draw.integer(3) / 2) }
})
const script = `
import json, sys
import numpy as np
from scipy.optimize import linear_sum_assignment
def assigned(costs, rows, columns):
    costs = np.array(costs, dtype=float).reshape(rows, columns)
    chosen = linear_sum_assignment(costs)
    of = dict(zip(*(part.tolist() for part in chosen)))
    return float(costs[chosen].sum()), [of.get(row, -1) for row in range(rows)]
given = json.load(sys.stdin)
total, columns = assigned(given["costs"], 100, 60)
ties = [dict(tie, assigned=assigned(tie["costs"], tie["rows"], tie["columns"])[1]) for tie in given["ties"]]
print(json.dumps({"total": total, "columns": columns, "ties": ties}))
`
const answer = execFileSync(python, ['-c', script], {
  input: JSON.stringify({ costs, ties }),
  encoding: 'utf8',
})
writeFileSync(fileURLToPath(new URL('../../test/boxes/fixtures/assignment.json', import.meta.url)), answer)
