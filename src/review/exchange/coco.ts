import { lengthBetween, shortFloat } from '../../export/float-text.js'
import type { ExchangeFormat, ExchangeOut } from './exchange-format.js'
import { shownBox } from './exported-picture.js'
import { readCoco } from './read-coco.js'

/**
 * COCO's JSON in MDETR's form, as `groundmill export` writes it: an image is a picture with one caption, a box has the
 * words that name it in `tokens_positive`, in code points.
 */
export const coco: ExchangeFormat = {
  saysWho: false,
  *write(out) {
    const { id, dataset, grounding } = out
    yield `{"info": ${JSON.stringify({ description: `${dataset}:${grounding}`, exchange: id })},\n`
    yield '"categories": [{"supercategory": "object", "id": 1, "name": "object"}],\n"images": [\n'
    yield* listed(imagesOf(out))
    yield '\n],\n"annotations": [\n'
    yield* listed(annotationsOf(out))
    yield '\n]}\n'
  },
  read: readCoco,
}

function* listed(values: Iterable<object>): Iterable<string> {
  let isFirst = true
  for (const value of values) {
    yield `${isFirst ? '' : ',\n'}${JSON.stringify(value)}`
    isFirst = false
  }
}

function* imagesOf({ id, pictures }: ExchangeOut): Iterable<object> {
  for (const { key, name, address, width, height, captions, firstCaption } of pictures)
    for (const [caption, text] of captions.entries())
      yield {
        id: firstCaption + caption,
        file_name: name,
        ...{ width, height, caption: text },
        ...(address !== name && { coco_url: address }),
        ...{ original_img_id: key, sentence_id: caption, exchange: id },
      }
}

function* annotationsOf({ pictures }: ExchangeOut): Iterable<object> {
  for (const picture of pictures)
    for (const [index, { phrase, xyxy, score }] of picture.boxes.entries()) {
      const { caption = 0, start, end } = picture.phrases[phrase] ?? {}
      const [x1, y1, x2, y2] = shownBox(picture, xyxy)
      const [width, height] = [lengthBetween(x1, x2), lengthBetween(y1, y2)]
      yield {
        id: picture.firstBox + index,
        image_id: picture.firstCaption + caption,
        category_id: 1,
        bbox: [shortFloat(x1), shortFloat(y1), width, height],
        area: width * height,
        iscrowd: 0,
        tokens_positive: [[start, end]],
        score: shortFloat(score),
      }
    }
}
