import type { ExchangeFormat, ExchangeOut, OutPicture } from './exchange-format.js'
import { boxName, labelOf, oneLine, shownBox } from './exported-picture.js'
import { boxesControl, labelStudioConfig, picture } from './label-studio-config.js'
import { percentBox } from './percent-box.js'
import { readLabelStudio } from './read-label-studio.js'

/** Label Studio's tasks with the boxes as predictions, and its configuration beside them. */
export const labelStudio: ExchangeFormat = {
  saysWho: true,
  beside: { ending: '.config.xml', text: () => labelStudioConfig },
  *write(out) {
    yield '[\n'
    for (const [at, one] of out.pictures.entries())
      yield `${at > 0 ? ',\n' : ''}${JSON.stringify(taskOf(out, one))}`
    yield '\n]\n'
  },
  read: readLabelStudio,
}

function taskOf({ id, grounding }: ExchangeOut, one: OutPicture) {
  const { key, width, height, captions, phrases, boxes, address } = one
  const scores = boxes.map(({ score }) => score)
  return {
    data: {
      image: address,
      key,
      exchange: id,
      caption: captions.map(oneLine).join('\n'),
      phrases: phrases.map((_, index) => ({ value: labelOf(one, index) })),
    },
    predictions: [
      {
        model_version: grounding,
        ...(scores.length > 0 && { score: Math.min(...scores) }),
        result: boxes.map(({ phrase, xyxy, score }, index) => {
          const { caption, start, end, text } = phrases[phrase] as (typeof phrases)[number]
          return {
            id: boxName(id, one, index),
            type: 'rectanglelabels',
            from_name: boxesControl,
            to_name: picture,
            original_width: width,
            original_height: height,
            image_rotation: 0,
            score,
            meta: { text: [`${oneLine(text)}: caption ${caption + 1}, ${start} to ${end}`] },
            value: {
              ...percentBox(shownBox(one, xyxy), one),
              rotation: 0,
              rectanglelabels: [labelOf(one, phrase)],
            },
          }
        }),
      },
    ],
  }
}
