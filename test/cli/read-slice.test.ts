import { expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import { readSlice } from '../../src/cli/options/read-slice.js'

const array = (id: number, min: number, count: number) => ({
  SLURM_ARRAY_TASK_ID: String(id),
  SLURM_ARRAY_TASK_MIN: String(min),
  SLURM_ARRAY_TASK_COUNT: String(count),
})

it('counts the places of an array from its first task', () => {
  expect(readSlice('auto', array(10, 1, 10))).toEqual({ index: 9, count: 10 })
  expect(readSlice('auto/10', array(1, 1, 10))).toEqual({ index: 0, count: 10 })
})

it('keeps the numbers of tasks that are submitted again by themselves', () => {
  expect(readSlice('auto/8', array(3, 3, 2))).toEqual({ index: 3, count: 8 })
  expect(() => readSlice('auto', array(7, 3, 2))).toThrow('no slice 4 of 2')
})

it('takes the index of an Indexed Job, and refuses what is no slice', () => {
  expect(readSlice('auto/4', { JOB_COMPLETION_INDEX: '2' })).toEqual({ index: 2, count: 4 })
  expect(() => readSlice('4/4', {})).toThrow('no slice 4 of 4')
  expect(() => readSlice('half', {})).toThrow(UserError)
})
