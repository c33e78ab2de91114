import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { Xyxy } from '../../src/boxes/xyxy.js'
import type { Picture } from '../../src/pictures/picture.js'
import { type OpenOptions, openTeacher } from '../../src/teacher/open-teacher.js'
import type { Query } from '../../src/teacher/teacher.js'

/** What the Python processors made of the same pictures: bench/parity/teacher_fixtures.py. */
export interface Expected {
  readonly score: number
  readonly xyxy: Xyxy
}

export const folder = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url))
export const expected = <T>(name: string): T => JSON.parse(readFileSync(`${folder(name)}.json`, 'utf8'))

/** Nothing is suppressed or left out, so that every answer can be seen. */
export const all = { floor: 0, nms: 1, max_boxes: 10_000 }
export const tolerance = 1e-3

/** A caption of these phrases and nothing else. */
export function ask(picture: Picture, phrases: readonly string[]): Query {
  let at = 0
  const spans = phrases.map((phrase) => {
    at += phrase.length + 2
    return [at - phrase.length - 2, at - 2] as const
  })
  return { picture, text: phrases.join(', '), phrases: spans }
}

export async function answers(name: string, queries: readonly Query[], options: OpenOptions = {}) {
  const teacher = await openTeacher(name.includes('/') ? name : folder(name), { threads: 1, ...options })
  try {
    return await teacher.detect(queries, all)
  } finally {
    await teacher.close()
  }
}

/** The share of the picture's sides, and the scores, by which two boxes differ. */
export function distance(a: Expected, b: Expected, { width, height }: Picture): number {
  const sides = a.xyxy.map((value, at) => Math.abs(value - b.xyxy[at]) / (at % 2 === 0 ? width : height))
  return Math.max(Math.abs(a.score - b.score), ...sides)
}

export function cut({ score, xyxy: [x1, y1, x2, y2] }: Expected, { width, height }: Picture): Expected {
  return { score, xyxy: [Math.max(0, x1), Math.max(0, y1), Math.min(width, x2), Math.min(height, y2)] }
}

/** Whether anything of a box is inside the picture: on OWLv2's square there is room beside it. */
export function isVisible(box: Expected, picture: Picture): boolean {
  const [x1, y1, x2, y2] = cut(box, picture).xyxy
  return x2 > x1 && y2 > y1
}

/** Every wanted box has one of the same place and score among those found. */
export function expectAmong(
  found: readonly Expected[],
  wanted: readonly Expected[],
  picture: Picture,
  within = tolerance,
) {
  for (const box of wanted.filter((one) => isVisible(one, picture))) {
    const nearest = Math.min(...found.map((other) => distance(other, cut(box, picture), picture)))
    expect(nearest, JSON.stringify(box)).toBeLessThan(within)
  }
}
