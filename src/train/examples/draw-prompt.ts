import type { Random } from '../../base/random.js'
import type { GlipConfig } from '../../model/network/config.js'
import type { Tokenizer } from '../../model/word-piece.js'
import type { GroundedCaption, Sample, SampleStream } from '../samples/sample.js'
import { absentPrompt } from './absent-prompt.js'
import type { AugmentConfig } from './augment-config.js'
import { categoryPrompt, tunedPrompt } from './category-prompt.js'
import { flipText, type GroundedText } from './grounded-text.js'
import { hideHeads } from './hide-heads.js'
import { markPartial } from './mark-partial.js'
import { packedCaption } from './packed-caption.js'
import { phrasePrompt } from './phrase-prompt.js'
import { type PictureTruth, pictureTruth } from './picture-truth.js'
import { weighBoxes } from './weigh-boxes.js'

export interface PromptOptions {
  readonly tokenizer: Tokenizer
  readonly network: GlipConfig
  readonly augment: AugmentConfig
  /**
   * Whether the picture is mirrored: then left and right change places, except in a tuned prompt, whose text
   * is fixed.
   */
  readonly flipped: boolean
}

/** What is shown: a picture, and one of its captions with boxes where it has any. */
export interface ShownSample {
  readonly sample: Sample
  readonly caption: GroundedCaption | undefined
  /** Where it comes from, and other captions and names with it. */
  readonly stream: Pick<SampleStream, 'captions' | 'categories'>
}

/**
 * Draws what a picture is shown with: all names of a prompt-tuned network, names of which none is there,
 * category names with absent ones between them, phrases beside others of other attributes, or the written
 * caption with others around it.
 */
export function drawPrompt(
  shown: ShownSample,
  draw: Random,
  { tokenizer, network, augment, flipped }: PromptOptions,
): GroundedText {
  const { sample, stream } = shown
  if (network.prompt) return weighBoxes(markPartial(tunedPrompt(sample, network.prompt), sample), sample)
  // Not every prompt asks for it, and a source may have thousands of names to look through.
  let known: PictureTruth | undefined
  const truth = () => {
    known ??= pictureTruth(sample, stream.categories)
    return known
  }
  const limit = { tokenizer, maxTokens: network.text.max_tokens - 2 }
  const drawn = markPartial(drawText(shown, truth, draw, { augment, limit }), sample)
  const written = weighBoxes(drawn, sample)
  const hides = augment.mask_heads > 0 && sample.exhaustive
  const partly = hides ? hideHeads(written, truth(), augment.mask_heads, draw) : written
  return flipped ? flipText(partly) : partly
}

/** Nothing is drawn for a share of 0, so that a setting of today changes no batch of a run without it. */
function drawText(
  { sample, caption, stream }: ShownSample,
  truth: () => PictureTruth,
  draw: Random,
  { augment, limit }: { readonly augment: AugmentConfig; readonly limit: Parameters<typeof absentPrompt>[3] },
): GroundedText {
  const { captions, categories: all } = stream
  if (!caption || (augment.absent > 0 && draw.next() < augment.absent)) {
    const absent = absentPrompt(sample, { truth: truth(), all }, draw, limit)
    if (absent) return absent
    // A picture of which nothing can be said teaches nothing.
    if (!caption) return { text: '', phrases: [], ignored: [] }
  }
  const most = augment.hard_negatives
  const stored = most > 0 ? storedNegatives(sample, truth()) : []
  if (caption.kind === 'categories') {
    const hard =
      most > 0 ? draw.shuffle(stored).slice(0, draw.integer(Math.min(most, stored.length) + 1)) : []
    return categoryPrompt(caption, sample, { all, hard }, draw, limit)
  }
  if (augment.attributes > 0 && draw.next() < augment.attributes) {
    const phrases = phrasePrompt(
      caption,
      { truth: truth(), all, stored, most, share: augment.names },
      draw,
      limit,
    )
    if (phrases) return phrases
  }
  const others = draw.next() < augment.negatives ? captions : []
  return packedCaption(caption, { sample, others, assumed: augment.packed_negatives }, draw, limit)
}

/** The negatives that are stored of a picture, each once. */
const storedNegatives = ({ negatives }: Sample, truth: PictureTruth) =>
  [...new Set(negatives.map(({ text }) => text))].filter(truth.isAbsent)
