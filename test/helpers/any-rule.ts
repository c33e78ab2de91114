import fc from 'fast-check'
import type { Candidate, FilterImage } from '../../src/filter/rule/rule.js'
import type { RuleTools } from '../../src/filter/rule/rule-tools.js'
import type { RuleConfig } from '../../src/filter/rules.js'

/** A picture whose phrases repeat, lie within each other, say numbers, and are of two captions. */
export const anyImage: FilterImage = {
  width: 100,
  height: 100,
  phrases: ['a dog', 'a big dog', 'two cats', 'a dog'].map((text, index) => ({
    caption: index < 3 ? 0 : 1,
    text,
    start: index === 1 ? 0 : index,
    end: index + 1,
    head: index === 2 ? 'cat' : 'dog',
  })),
  negatives: [{ xyxy: [5, 5, 40, 40], score: 0.55 }],
  sources: [
    { stage: 'label', teacher: 'teacher' },
    { stage: 'label-b', teacher: 'another' },
  ],
  verdicts: [
    [0, [5, 5, 40, 40], 0.9],
    [1, [5, 5, 40, 40], 0.2],
    [2, [1, 1, 30, 30], 0.6],
    [2, null, 0.4],
    [3, null, 0.8],
  ].map(([phrase, xyxy, probability]) => ({
    ...{ phrase: phrase as number, xyxy: xyxy as [number, number, number, number] | null },
    ...{ probability: probability as number, verdict: xyxy ? 'accept' : 'complete', judge: 'judge' },
    ...{ redrawn: null, start: null, end: null, person: false, reason: null, at: null, stage: 'verified' },
  })),
}

const side = fc.integer({ min: 1, max: 60 })
const tenths = fc.integer({ min: 0, max: 10 }).map((value) => value / 10)
const most = fc.integer({ min: 1, max: 4 })

/** Proposals for that picture, in it and beyond its edge, with a label or none, and a contrast or none. */
export const anyCandidate = (label: fc.Arbitrary<string | null>): fc.Arbitrary<Candidate> =>
  fc
    .record({
      ...{ phrase: fc.integer({ min: 0, max: 3 }), score: fc.integer({ min: 0, max: 20 }), label },
      ...{ x: side, y: side, w: side, h: side, contrast: fc.option(tenths) },
      source: fc.integer({ min: 0, max: 1 }),
    })
    .map(({ phrase, score, x, y, w, h, label, contrast, source }) => ({
      ...{ phrase, score: score / 20, label, contrast, source },
      xyxy: [x, y, x + w, y + h],
    }))

const unit = (angle: number) => Float32Array.of(Math.cos(angle / 4), Math.sin(angle / 4))

/** What rules ask for; what is named is known by the name that `anyRule` gives it. */
export const anyTools: RuleTools = {
  frequency: new Map([
    ['dog', 200],
    ['cat', 5],
  ]),
  calibrations: new Map([
    ['calibration.json', { teacher: 'teacher', calibration: { method: 'temperature', temperature: 2 } }],
  ]),
  synonyms: new Map([['names', { dog: ['puppy'] }]]),
  // Texts of like length mean the same.
  embedders: new Map([['encoder', { embed: async (texts) => texts.map(({ length }) => unit(length)) }]]),
  scorers: new Map([
    ['clip', { score: async (_, regions) => regions.map(({ xyxy: [x, y] }) => (x + y) / 120) }],
  ]),
}

/** Parameters of every rule, by its name. */
export const anyRule: { readonly [Name in RuleConfig['rule']]: fc.Arbitrary<RuleConfig> } = {
  verdict: fc.record({
    rule: fc.constant('verdict' as const),
    ...{ min: tenths, as: fc.constantFrom('gate', 'score'), unjudged: fc.constantFrom('drop', 'keep') },
    iou: fc.constantFrom(0.2, 0.5),
    complete: fc.option(tenths, { nil: undefined }),
  }),
  consensus: fc.record({
    rule: fc.constant('consensus' as const),
    ...{ least: fc.integer({ min: 1, max: 2 }), iou: tenths, boxes: fc.constant('best' as const) },
    relative: fc.boolean(),
  }),
  calibrate: fc.constant({ rule: 'calibrate', file: 'calibration.json', any_teacher: false }),
  score: tenths.map((min) => ({ rule: 'score', min })),
  head_score: tenths.map((min) => ({ rule: 'head_score', min, heads: { dog: 0.3 } })),
  frequency_score: tenths.map((rare) => ({
    ...{ rule: 'frequency_score' as const, bounds: [10, 100] as [number, number] },
    ...{ rare, common: 0.5, frequent: 0.5 },
  })),
  ladder: tenths.map((iou) => ({
    ...{ rule: 'ladder' as const },
    passes: [
      { min: 0.6, iou },
      { min: 0.2, iou: 0.3 },
    ],
  })),
  image_gate: tenths.map((min) => ({ rule: 'image_gate', min })),
  area: tenths.map((min) => ({ rule: 'area', min: min / 10, max: 0.9 })),
  aspect: fc.constant({ rule: 'aspect', max: 2 }),
  border: fc.constant({ rule: 'border', margin: 1, sides: 1 }),
  label: fc.constant({ rule: 'label', synonyms: 'names', common: true }),
  agreement: fc.record({
    rule: fc.constant('agreement' as const),
    model: fc.constant('encoder'),
    min: tenths,
    best: fc.boolean(),
  }),
  clip: tenths.map((min) => ({ rule: 'clip', model: 'clip', template: 'a photo of {}', min })),
  contrast: fc.record({
    rule: fc.constant('contrast' as const),
    margin: tenths.map((margin) => margin / 3),
    else: fc.constantFrom('head' as const, 'drop' as const),
  }),
  negative: tenths.map((iou) => ({ rule: 'negative', iou, phrases: ['two cats'] })),
  nms: tenths.map((iou) => ({ rule: 'nms', iou })),
  soft_nms: fc.record({
    rule: fc.constant('soft_nms' as const),
    method: fc.constantFrom('gaussian' as const, 'linear' as const),
    sigma: fc.constantFrom(0.2, 0.5),
    iou: tenths,
    min: tenths.map((min) => min / 4),
  }),
  cross_phrase_nms: tenths.map((iou) => ({ rule: 'cross_phrase_nms', iou })),
  duplicate: tenths.map((iou) => ({ rule: 'duplicate', iou })),
  nested: fc.record({
    rule: fc.constant('nested' as const),
    iou: tenths,
    keep: fc.constantFrom('outer' as const, 'inner' as const),
  }),
  number: fc.record({
    rule: fc.constant('number' as const),
    fewer: fc.constantFrom('drop' as const, 'keep' as const),
    more: fc.constantFrom('best' as const, 'keep' as const),
    singular: fc.boolean(),
  }),
  phrase_recall: tenths.map((min) => ({ rule: 'phrase_recall', min: 0.9 * min, max: 0.9 })),
  max_boxes: most.map((phrase) => ({ rule: 'max_boxes', phrase })),
  max_boxes_image: most.map((image) => ({ rule: 'max_boxes_image', image })),
}
