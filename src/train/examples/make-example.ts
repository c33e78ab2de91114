import type { Random } from '../../base/random.js'
import { clipBox, scaleBox, type Xyxy } from '../../boxes/xyxy.js'
import { type EncodedPrompt, encodePrompt, tokensOf } from '../../model/encode-prompt.js'
import { type Placement, placeBox, plainPlacement } from '../../model/image-input.js'
import type { GlipConfig } from '../../model/network/config.js'
import type { Tokenizer } from '../../model/word-piece.js'
import type { Picture } from '../../pictures/picture.js'
import type { Span } from '../../words/name-prompt.js'
import type { GroundedCaption, SampleStream } from '../samples/sample.js'
import type { AugmentConfig } from './augment-config.js'
import { drawPrompt } from './draw-prompt.js'

/** One sample as the network and its loss read it. */
export interface Example {
  readonly picture: Picture
  readonly placement: Placement
  readonly prompt: EncodedPrompt
  /** [L], 1 for the tokens that count in the losses. */
  readonly words: Float32Array
  /** Boxes in pixels of the network's input, each with the tokens of its phrase. */
  readonly boxes: readonly { readonly xyxy: Xyxy; readonly tokens: readonly number[] }[]
}

/** What an example is drawn from. */
export interface ExampleSource {
  readonly picture: Picture
  readonly caption: GroundedCaption
  /** Where the picture comes from, and other captions and names with it. */
  readonly stream: Pick<SampleStream, 'captions' | 'categories'>
  readonly draw: Random
}

/** How all examples of a training are drawn. */
export interface ExampleOptions {
  readonly tokenizer: Tokenizer
  readonly network: GlipConfig
  readonly config: {
    readonly augment: AugmentConfig
    /** Boxes of an example; more are dropped. */
    readonly max_boxes: number
  }
}

/** Draws one training example of a picture and one of its captions. */
export function makeExample(
  { picture, caption, stream, draw }: ExampleSource,
  { tokenizer, network, config: { augment, max_boxes } }: ExampleOptions,
): Example {
  const placement = drawPlacement(picture, network, augment, draw)
  const { flipped } = placement
  const { negatives } = augment
  const prompted = drawPrompt(caption, stream, draw, { tokenizer, network, negatives, flipped })
  const prompt = encodePrompt(prompted.text, tokenizer, network.text.max_tokens)

  const words = prompt.mask.slice()
  const ignore = (span: Span) => {
    for (const token of tokensOf(prompt, span)) words[token] = 0
  }
  for (const span of prompted.ungrounded) ignore(span)
  const boxes: Example['boxes'][number][] = []
  for (const { span, boxes: phraseBoxes } of prompted.grounded) {
    const tokens = tokensOf(prompt, span)
    const visible = phraseBoxes.map((box) =>
      visiblePart(placeBox(scaleBox(box, picture.scale), picture, placement), network.image_size),
    )
    // A box of which a sliver is left is neither a fair positive nor a fair negative.
    if (visible.some((part) => part === 'sliver')) ignore(span)
    for (const part of visible)
      if (part !== undefined && part !== 'sliver' && tokens.length > 0) boxes.push({ xyxy: part, tokens })
  }
  return {
    picture,
    placement,
    prompt: maskWords(prompt, tokenizer, augment.mask_words, draw),
    words,
    boxes: boxes.slice(0, max_boxes),
  }
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
function visiblePart(box: Xyxy, size: number): Xyxy | 'sliver' | undefined {
  const inside = clipBox(box, { width: size, height: size })
  if (!inside) return undefined
  const [width, height] = [inside[2] - inside[0], inside[3] - inside[1]]
  const whole = (box[2] - box[0]) * (box[3] - box[1])
  return width * height < whole / 3 || width < 2 || height < 2 ? 'sliver' : inside
}

/**
 * Hides words behind [MASK], as BERT's pre-training does, so that the network learns to find a thing whose
 * name it does not know by the rest of the phrase.
 */
function maskWords(prompt: EncodedPrompt, tokenizer: Tokenizer, share: number, draw: Random): EncodedPrompt {
  if (share === 0) return prompt
  const ids = prompt.ids.slice()
  let hidden = false
  let before: number | undefined
  prompt.pieces.forEach(({ start, end }, index) => {
    const follows = before === start
    before = end
    if (end === 0) return
    // Pieces of one word are hidden together.
    if (!follows) hidden = draw.next() < share
    if (hidden) ids[index] = BigInt(tokenizer.mask)
  })
  return { ...prompt, ids }
}
