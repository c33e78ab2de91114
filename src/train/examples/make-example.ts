import type { Random } from '../../base/random.js'
import { clipBox, type Xyxy } from '../../boxes/xyxy.js'
import { type EncodedPrompt, encodePrompt, tokensOf } from '../../model/encode-prompt.js'
import { type Placement, placeBox, plainPlacement } from '../../model/image-input.js'
import { boxEdgesOf, type GlipConfig } from '../../model/network/config.js'
import type { Tokenizer } from '../../model/word-piece.js'
import type { Picture } from '../../pictures/picture.js'
import type { Span } from '../../words/name-prompt.js'
import type { AugmentConfig } from './augment-config.js'
import { drawPrompt, type ShownSample } from './draw-prompt.js'
import type { PromptPhrase } from './grounded-text.js'
import { maskSpans, maskWords } from './mask-words.js'
import { type TargetBox, targetBoxes, type VisiblePart } from './target-boxes.js'

/** One sample as the network and its loss read it. */
export interface Example {
  readonly picture: Picture
  readonly placement: Placement
  readonly prompt: EncodedPrompt
  /** [L], 1 for the tokens that count in the losses. */
  readonly words: Float32Array
  readonly boxes: readonly TargetBox[]
  /** Tokens that do not count where there is no box, since what they name may be there without one. */
  readonly partial: readonly number[]
  /** Where boxes are weighed, how much tokens count where there is no box, 0 to 1; 1 of those that are not listed. */
  readonly elsewhere?: ReadonlyMap<number, number>
}

/** What an example is drawn from. */
export interface ExampleSource extends ShownSample {
  readonly picture: Picture
  readonly draw: Random
}

/** How all examples of a training are drawn. */
export interface ExampleOptions {
  readonly tokenizer: Tokenizer
  readonly network: GlipConfig
  readonly config: {
    readonly augment: AugmentConfig
    /** Boxes of an example at most; see `targetBoxes`. */
    readonly max_boxes: number
  }
}

/** Draws one training example of a picture and one of its captions. */
export function makeExample(
  { picture, draw, ...shown }: ExampleSource,
  { tokenizer, network, config: { augment, max_boxes } }: ExampleOptions,
): Example {
  const placement = drawPlacement(picture, network, augment, draw)
  const { flipped } = placement
  const prompted = drawPrompt(shown, draw, { tokenizer, network, augment, flipped })
  const prompt = encodePrompt(prompted.text, tokenizer, network.text.max_tokens)
  const { boxes, ignored, partial } = targetBoxes(
    prompted.phrases,
    (span) => tokensOf(prompt, span),
    (box) => visiblePart(placeBox(box, picture, placement, boxEdgesOf(network)), network.image_size),
    max_boxes,
  )
  const elsewhere = elsewhereOf(prompted.phrases, (span) => tokensOf(prompt, span))
  const words = prompt.mask.slice()
  for (const span of [...prompted.ignored, ...ignored]) {
    for (const token of tokensOf(prompt, span)) words[token] = 0
  }
  const hidden = prompted.phrases.flatMap(({ hidden }) => (hidden ? [hidden] : []))
  const partly = maskSpans(prompt, tokenizer, hidden)
  return {
    picture,
    placement,
    prompt: maskWords(partly, tokenizer, augment.mask_words, draw),
    words,
    boxes,
    partial: [
      ...prompted.phrases.flatMap((phrase) => (phrase.partial ? [phrase.span] : [])),
      ...partial,
    ].flatMap((span) => tokensOf(prompt, span)),
    ...(elsewhere.size > 0 && { elsewhere }),
  }
}

/** Where a phrase's box is likely to be wrong, what it names is likely to be where there is no box. */
function elsewhereOf(
  phrases: readonly PromptPhrase[],
  tokens: (span: Span) => readonly number[],
): ReadonlyMap<number, number> {
  const least = new Map<number, number>()
  for (const { span, weights } of phrases) {
    const own = Math.min(1, ...(weights ?? []))
    if (own < 1) for (const token of tokens(span)) least.set(token, Math.min(own, least.get(token) ?? 1))
  }
  return least
}

function drawPlacement(
  picture: Picture,
  network: GlipConfig,
  augment: AugmentConfig,
  draw: Random,
): Placement {
  const plain = plainPlacement(picture, network)
  const flipped = draw.next() < augment.flip
  const gain = 1 + draw.between(-augment.colour, augment.colour)
  // Contrast turns around the middle grey, so that brightness is not changed twice.
  const offset = (1 - gain) / 2 + draw.between(-augment.colour, augment.colour) / 2
  const moves = draw.next() < augment.crop
  const scale = plain.scale * draw.between(...augment.scale)
  if (!moves) return { ...plain, flipped, gain, offset }
  const slack = (side: number) => network.image_size - side * scale
  // Where the picture is larger than the square the slack is negative, and the move cuts its edges.
  return {
    scale,
    dx: draw.next() * slack(picture.width),
    dy: draw.next() * slack(picture.height),
    flipped,
    gain,
    offset,
  }
}

/** The part of a box inside the square, `sliver` for less than a third of it, undefined for nothing. */
function visiblePart(box: Xyxy, size: number): VisiblePart {
  const inside = clipBox(box, { width: size, height: size })
  if (!inside) return undefined
  const [width, height] = [inside[2] - inside[0], inside[3] - inside[1]]
  const whole = (box[2] - box[0]) * (box[3] - box[1])
  return width * height < whole / 3 || width < 2 || height < 2 ? 'sliver' : inside
}
