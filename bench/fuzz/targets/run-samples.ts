/** What stages leave in a run, in small. */

/** The record of a stage. */
export const recordOf = (result: object) => ({
  stage: 'm',
  configHash: 'c',
  inputs: { set: 'a' },
  files: { 'models/m/README.md': 'b'.repeat(64) },
  result,
  seconds: 1.5,
  order: 2,
  createdAt: '2026-01-02T03:04:05.000Z',
})

export const evaluation = {
  ...{ ap: 0.5, ap50: 0.6, ap75: 0.4, recall1: 0.3, recall5: 0.4, recall10: 0.5 },
  ...{ cgf1: 0.2, il_mcc: 0.1, false_presence: 0.05, images: 12, phrases: 20, categories: 4 },
  attributes: {
    ...{ colour: { phrases: 3, auc: 0.7 }, size: { phrases: 2, auc: 0.6 } },
    ...{ number: { phrases: 0, auc: -1 }, place: { phrases: 1, auc: 1 } },
  },
}

const comparison = {
  ...{ set: 'gold', metric: 'ap', teacher: 0.4, candidate: 0.5, difference: 0.1, level: 0.95 },
  ...{ interval: [0.05, 0.15], above: 0.99, images: 12, differing: 5 },
}
const [teacher, student] = [
  { name: 't', hash: 'a'.repeat(64) },
  { name: 'm', hash: 'b'.repeat(64) },
]

/** A decision, typed as it is read back. */
export const promotion = {
  ...{ round: 1, promoted: true, reason: 'm is better by 10.0', metric: 'ap', set: 'gold', margin: 0 },
  ...{ level: 0.95, resamplings: 1000, seed: 0 },
  teacher: { ...teacher, score: 0.4 },
  student: { ...student, score: 0.5 },
  next: student,
  candidates: [
    {
      ...student,
      ...comparison,
      guards: [{ ...comparison, lower_by: 0.01, by_interval: false, holds: true }],
      passes: true,
    },
  ],
  scores: { gold: { teacher: evaluation, student: evaluation, means: { mean: evaluation } } },
  lineage: {},
} as never

const kind = {
  ...{ dimension: 'head', kind: 'all', labels: 10, judged: 8, right: 6, precision: 0.75 },
  ...{ interval: [0.5, 0.9], chance: 0.2, score: 0.6, phrases: 5, recall: 0.5, recallInterval: [0.3, 0.7] },
  ...{ phraseRecall: 0.6, phraseRecallInterval: null, ece: 0.1, eceInterval: [0, 0.2] },
}

export const auditResult = {
  ...{ pictures: 12, picturesWithTruth: 10, unaskedMentions: 1, unnamed: [{ head: 'idea', labels: 2 }] },
  kinds: [kind, { ...kind, dimension: 'known', kind: 'known/none' }],
  calibration: [{ from: 0, to: 0.1, labels: 3, score: 0.05, precision: 0.1, interval: [0, 0.2] }],
}

const counts = { truePresent: [1, 0], falseAbsent: [0, 1], falsePresent: [0, 0], trueAbsent: [1, 1] }
const byThreshold = [Array.from({ length: 10 }, () => 1), Array.from({ length: 10 }, () => 0)]

export const outcomes = {
  images: 2,
  phrases: { image: [0, 1, 1], rank: [0, -1, 4] },
  categories: [{ truths: [0, 1], image: [0, 1], score: [0.9, 0.2], matched: [1023, 0], ignored: [0, 0] }],
  pairs: { ...counts, matched: byThreshold, missed: byThreshold, wrongOfPresent: byThreshold },
}

export const plan = {
  card: null,
  rows: 20,
  sourceHash: 'c'.repeat(64),
  shards: [
    { shard: '00000', mark: { at: 0, line: 1 }, rows: 12, hash: 'd'.repeat(64) },
    { shard: '00001', mark: { at: 480, line: 13 }, rows: 8, hash: 'e'.repeat(64) },
  ],
}
