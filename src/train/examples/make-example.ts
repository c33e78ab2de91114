import type { Random } from '../../base/random.js'
import { type Placement, placeBox, plainPlacement } from '../../model/image-input.js'
import type { GlipConfig } from '../../model/network/config.js'
import { encodePrompt, type Prompt, type Span, tokensOf } from '../../model/prompt.js'
import type { Tokenizer } from '../../model/word-piece.js'
import type { Picture } from '../../pictures/picture.js'
import type { TrainConfig } from '../config.js'
import type { GroundedCaption, SampleStream } from '../samples/read-samples.js'
import { flipWords } from './flip-words.js'

/** One sample as the network and its loss read it. */
export interface Example {
  readonly picture: Picture
  readonly placement: Placement
  readonly prompt: Prompt
  /** [L], 1 for the tokens that count in the losses. */
  readonly words: Float32Array
  /** Boxes in pixels of the network's input, each with the tokens of its phrase. */
  readonly boxes: readonly {
    readonly xyxy: readonly [number, number, number, number]
    readonly tokens: readonly number[]
  }[]
}

interface PhraseText {
  readonly span: Span
  readonly boxes: readonly (readonly [number, number, number, number])[]
}

interface PromptText {
  readonly text: string
  readonly grounded: readonly PhraseText[]
  readonly ungrounded: readonly Span[]
}

/** Draws one training example of a picture and one of its captions. */
export function makeExample(
  picture: Picture,
  caption: GroundedCaption,
  stream: SampleStream,
  tokenizer: Tokenizer,
  config: GlipConfig,
  { augment, max_boxes }: TrainConfig,
  draw: Random,
): Example {
  const placement = drawPlacement(picture, config, augment, draw)
  const room = config.text.max_tokens - 2
  const written = config.prompt
    ? fixedPrompt(caption, config.prompt)
    : caption.kind === 'categories'
      ? categoryPrompt(caption, stream.categories, tokenizer, room, draw)
      : captionPrompt(caption, stream.captions, tokenizer, room, draw.next() < augment.negatives, draw)
  // A tuned prompt is what it is, whichever way the picture is turned.
  const { text, grounded, ungrounded } = placement.flipped && !config.prompt ? flipPrompt(written) : written
  const prompt = encodePrompt(text, tokenizer, config.text.max_tokens)

  const words = prompt.mask.slice()
  const ignore = (span: Span) => {
    for (const token of tokensOf(prompt, span)) words[token] = 0
  }
  for (const span of ungrounded) ignore(span)
  const boxes: { xyxy: [number, number, number, number]; tokens: number[] }[] = []
  for (const { span, boxes: own } of grounded) {
    const tokens = tokensOf(prompt, span)
    const seen = own.map((box) =>
      visiblePart(placeBox(scaleBox(box, picture.scale), picture, placement), config.image_size),
    )
    // What is cut to a sliver is neither a fair positive nor a fair negative.
    if (seen.some((part) => part === 'sliver')) ignore(span)
    for (const part of seen) if (Array.isArray(part) && tokens.length > 0) boxes.push({ xyxy: part, tokens })
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
  config: GlipConfig,
  augment: TrainConfig['augment'],
  draw: Random,
): Placement {
  const plain = plainPlacement(picture, config)
  const flipped = draw.next() < augment.flip
  const gain = 1 + draw.between(-augment.colour, augment.colour)
  // Contrast turns around the middle grey, so that brightness is not changed twice.
  const offset = (1 - gain) / 2 + draw.between(-augment.colour, augment.colour) / 2
  const moves = draw.next() < augment.crop
  const scale = plain.scale * draw.between(...augment.scale)
  if (!moves) return { ...plain, flipped, gain, offset }
  const slack = (side: number) => config.image_size - side * scale
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

const scaleBox = (box: PhraseText['boxes'][number], scale: number) =>
  box.map((value) => value * scale) as [number, number, number, number]

/** The part of a box inside the square; nothing where none is, `sliver` under a third of it. */
function visiblePart(
  [x1, y1, x2, y2]: readonly [number, number, number, number],
  size: number,
): [number, number, number, number] | 'sliver' | undefined {
  const inside: [number, number, number, number] = [
    Math.max(0, x1),
    Math.max(0, y1),
    Math.min(size, x2),
    Math.min(size, y2),
  ]
  const [width, height] = [inside[2] - inside[0], inside[3] - inside[1]]
  if (width <= 0 || height <= 0) return undefined
  return width * height < ((x2 - x1) * (y2 - y1)) / 3 || width < 2 || height < 2 ? 'sliver' : inside
}

/** The picture's categories and others that it lacks, in random order, joined by '. ' (GLIP's detection prompts). */
function categoryPrompt(
  caption: GroundedCaption,
  all: readonly string[],
  tokenizer: Tokenizer,
  room: number,
  draw: Random,
): PromptText {
  const points = [...caption.text]
  const present = new Map(
    caption.grounded.map((phrase) => [points.slice(phrase.start, phrase.end).join(''), phrase]),
  )
  const named = new Set(caption.text.split('. '))
  const absent = draw.shuffle(all.filter((name) => !named.has(name)))
  const chosen: string[] = []
  let length = 0
  for (const name of [
    ...draw.shuffle([...present.keys()]),
    ...absent.slice(0, draw.integer(absent.length + 1)),
  ]) {
    const tokens = tokenizer.encode(name).length - 1
    if (length + tokens > room) break
    length += tokens
    chosen.push(name)
  }
  let at = 0
  const grounded: PhraseText[] = []
  const shuffled = draw.shuffle(chosen)
  for (const name of shuffled) {
    const size = [...name].length
    const phrase = present.get(name)
    if (phrase) grounded.push({ span: [at, at + size], boxes: phrase.boxes })
    at += size + 2
  }
  return { text: shuffled.join('. '), grounded, ungrounded: [] }
}

/** All names that a network is prompt-tuned for, in their order; the words of those that the picture lacks are negatives. */
function fixedPrompt(caption: GroundedCaption, names: readonly string[]): PromptText {
  const points = [...caption.text]
  const present = new Map(
    caption.grounded.map(({ start, end, boxes }) => [points.slice(start, end).join(''), boxes]),
  )
  let at = 0
  const grounded = names.flatMap((name): PhraseText[] => {
    const span: Span = [at, at + [...name].length]
    at = span[1] + 2
    const boxes = present.get(name)
    return boxes ? [{ span, boxes }] : []
  })
  return { text: names.join('. '), grounded, ungrounded: [] }
}

/**
 * The caption, and with `pack` other captions before and after it as negatives (GLIP's packing). Words of those that
 * the caption has too are not negatives for it, so captions that share a content word with it are not packed.
 */
function captionPrompt(
  caption: GroundedCaption,
  all: readonly string[],
  tokenizer: Tokenizer,
  room: number,
  pack: boolean,
  draw: Random,
): PromptText {
  const before: string[] = []
  const after: string[] = []
  let length = tokenizer.encode(caption.text).length - 2
  const own = new Set(contentWords(caption.text))
  for (let tries = 0; pack && tries < 4; tries++) {
    const other = draw.pick(all)
    const tokens = tokenizer.encode(other).length - 1
    if (length + tokens > room) break
    if (contentWords(other).some((word) => own.has(word))) continue
    length += tokens
    ;(draw.next() < 0.5 ? before : after).push(other)
  }
  const lead = before.map((text) => `${text}. `).join('')
  const shift = [...lead].length
  const move = (start: number, end: number): Span => [start + shift, end + shift]
  return {
    text: lead + caption.text + after.map((text) => `. ${text}`).join(''),
    grounded: caption.grounded.map(({ start, end, boxes }) => ({ span: move(start, end), boxes })),
    ungrounded: caption.ungrounded.map(([start, end]) => move(start, end)),
  }
}

/** Words of four letters and more: short ones are mostly grammar, which every caption shares. */
const contentWords = (text: string) => text.toLowerCase().match(/\p{L}{4,}/gu) ?? []

function flipPrompt({ text, grounded, ungrounded }: PromptText): PromptText {
  const spans = [...grounded.map(({ span }) => span), ...ungrounded]
  const flipped = flipWords({ text, spans })
  return {
    text: flipped.text,
    grounded: grounded.map(({ boxes }, index) => ({ boxes, span: flipped.spans[index] })),
    ungrounded: flipped.spans.slice(grounded.length),
  }
}

/**
 * Hides words behind [MASK], as BERT's pre-training does, so that the network learns to find a thing whose name it
 * does not know by the rest of the phrase.
 */
function maskWords(prompt: Prompt, tokenizer: Tokenizer, share: number, draw: Random): Prompt {
  if (share === 0) return prompt
  const ids = prompt.ids.slice()
  let hidden = false
  prompt.pieces.forEach((piece, index) => {
    if (piece.end === 0) return
    // Pieces of one word are hidden together.
    if (index === 0 || prompt.pieces[index - 1].end !== piece.start) hidden = draw.next() < share
    if (hidden) ids[index] = BigInt(tokenizer.mask)
  })
  return { ...prompt, ids }
}
