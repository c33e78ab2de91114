import { z } from 'zod'
import { zip } from '../../base/zip.js'
import type { Phrase } from '../../rows/rows.js'
import { sameText } from '../../words/same-text.js'
import { type AskedPicture, boxVerdict, type Question } from '../judge/judge.js'
import { judgeKind } from '../judge/judge-kind.js'

const scorers = () => import('../../teacher/region-scorer.js')

/** What the cosines of a trained CLIP are multiplied with: it learned the scale, clipped at 100 (Radford et al., 2021). */
const logitScale = 100

/**
 * CLIP on what is cut out: a box is as right as its phrase is likely among the other phrases of its caption and
 * some neutral texts, by CLIP's softmax (zero-shot classification: Radford et al., 2021). As in ViLD (Gu et al., 2021),
 * what is cut out may be larger than the box.
 */
export const clip = judgeKind({
  name: 'clip',
  schema: z
    .strictObject({
      judge: z.literal('clip'),
      model: z.string().min(1).describe('folder of CLIP in ONNX'),
      template: z
        .string()
        .includes('{}')
        .default('a photo of {}')
        .describe('the text that is compared; {} is the phrase'),
      neutral: z
        .array(z.string().min(1))
        .min(1)
        .default(['something else', 'the background', 'a part of something'])
        .describe('what a box may hold as well, in the place of the phrase: the more, the stricter'),
      context: z
        .number()
        .min(0)
        .max(4)
        .default(0.2)
        .describe("share of a box's sides by which what is cut out for it is longer"),
      threads: z.number().int().min(0).default(0).describe('threads of a session; 0: as onnxruntime chooses'),
    })
    .describe(
      "CLIP on what is in the box: how likely its phrase is among those of its caption; one run of CLIP's encoder a box",
    ),
  model: 'clip',
  needsBoxes: true,
  notHashed: ['threads'],
  check: async ({ model }) => (await scorers()).checkRegionScorer(model),
  inputs: async () => ({}),
  async open({ template, neutral, context, threads }, { model }) {
    if (!model) throw new Error('the judge clip was given no model')
    const scorer = await (await scorers()).openRegionScorer(model.folder, { threads })
    const textOf = (text: string) => template.replaceAll('{}', () => text)
    return {
      name: model.name,
      parallel: 2,
      async judge({ key, bytes, phrases, questions }: AskedPicture) {
        const asked = questions.flatMap((question) => {
          const texts = [question.words.text, ...rivalsOf(question, phrases), ...neutral].map(textOf)
          return question.boxes.map((box) => ({ question, box, xyxy: box.xyxy, texts }))
        })
        if (asked.length === 0) return { verdicts: [] }
        const cosines = await scorer.cosines(bytes, asked, context, key)
        const verdicts = zip(asked, cosines).map(([{ question, box }, of]) =>
          boxVerdict(model.name, question.phrase, box, firstOf(of)),
        )
        return { verdicts }
      },
      close: () => scorer.close(),
    }
  },
})

/** Other phrases of the same caption: they name other things, unless they share the head or some words. */
function rivalsOf({ words }: Question, phrases: readonly Phrase[]): string[] {
  const others = phrases.filter(
    ({ caption, head, start, end }) =>
      caption === words.caption && head !== words.head && (end <= words.start || start >= words.end),
  )
  return [...new Map(others.map(({ text }) => [sameText(text), text])).values()]
}

/** Probability of the first text by the softmax over all. */
function firstOf(cosines: readonly number[]): number {
  const [first = 0] = cosines
  return 1 / cosines.reduce((sum, cosine) => sum + Math.exp(logitScale * (cosine - first)), 0)
}
