import { formatTable } from './format-table.js'

/** What a score is called, of what it is, and why it may have no value. */
interface ScoreName {
  readonly title: string
  readonly of: string
  readonly none: string
}

const noBox = (size: string) => `no ${size}`
const size = (name: string) => noBox(`${name} boxes`)
const noPhrase = 'no phrase of a caption has a box'
const known = 'of no category is it known which pictures show it'

const range = 'mean over IoU 0.5 to 0.95'

/** The scores of evaluations and of benchmarks by their names in JSON. */
const names: Readonly<Record<string, ScoreName>> = {
  ap: { title: 'AP', of: `average precision by category, ${range}`, none: noBox('boxes') },
  ap50: { title: 'AP50', of: 'at IoU 0.5', none: noBox('boxes') },
  ap75: { title: 'AP75', of: 'at IoU 0.75', none: noBox('boxes') },
  ap_small: { title: 'AP small', of: 'of boxes under 32² pixels', none: size('small') },
  ap_medium: { title: 'AP medium', of: 'of boxes of 32² to 96² pixels', none: size('medium') },
  ap_large: { title: 'AP large', of: 'of boxes over 96² pixels', none: size('large') },
  ap_rare: { title: 'AP rare', of: 'of categories in 1 to 10 pictures', none: 'no rare categories' },
  ap_common: { title: 'AP common', of: 'of categories in 11 to 100 pictures', none: 'no common categories' },
  ap_frequent: { title: 'AP frequent', of: 'of categories in more pictures', none: 'no frequent categories' },
  ar: { title: 'AR', of: `average recall, ${range}`, none: noBox('boxes') },
  ar1: { title: 'AR@1', of: `average recall, ${range}, 1 box a picture and category`, none: noBox('boxes') },
  ar10: { title: 'AR@10', of: '10 boxes', none: noBox('boxes') },
  ar100: { title: 'AR@100', of: '100 boxes', none: noBox('boxes') },
  ar_small: { title: 'AR small', of: 'of boxes under 32² pixels', none: size('small') },
  ar_medium: { title: 'AR medium', of: 'of boxes of 32² to 96² pixels', none: size('medium') },
  ar_large: { title: 'AR large', of: 'of boxes over 96² pixels', none: size('large') },
  cgf1: {
    title: 'cgF1',
    of: "SAM 3's score of finding and of saying what is there: pmF1 x IL_MCC",
    none: known,
  },
  pmf1: { title: 'pmF1', of: 'F1 of boxes, of categories that are in the picture', none: known },
  il_mcc: {
    title: 'IL_MCC',
    of: 'correlation of "has a box" and "is in the picture", -100 to 100',
    none: known,
  },
  false_presence: {
    title: 'false presence',
    of: 'absent categories that get a box: low is good',
    none: 'nothing is known to be absent',
  },
  recall1: {
    title: 'recall@1',
    of: 'phrases whose best box is right: IoU 0.5 with a true one',
    none: noPhrase,
  },
  recall5: { title: 'recall@5', of: 'one of the best 5 boxes', none: noPhrase },
  recall10: { title: 'recall@10', of: 'one of the best 10 boxes', none: noPhrase },
}

/** A score in percent; `-` where it has no value, or where an older version did not record it. */
export const percentScore = (value: number | null | undefined): string =>
  value === undefined || value === null || value === -1 ? '-' : (100 * value).toFixed(1)

/** Scores, a line each: in percent, what it is, or why it has no value. */
export function scoreTable(scores: Readonly<Record<string, number | null>>): string {
  const rows = Object.entries(scores).map(([name, value]) => {
    const { title, of, none } = Object.hasOwn(names, name)
      ? (names[name] as ScoreName)
      : { title: name, of: '', none: 'nothing to find' }
    const text = percentScore(value)
    return [title, text, text === '-' ? none : of]
  })
  return formatTable(['score', 'percent', 'of what'], rows)
}
