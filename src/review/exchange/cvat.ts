import { shortFloat } from '../../export/float-text.js'
import { captionLabel, cvatLabel, cvatLabels } from './cvat-labels.js'
import type { ExchangeFormat, ExchangeOut, OutPicture } from './exchange-format.js'
import { boxName, oneLine, shownBox } from './exported-picture.js'
import { readCvat } from './read-cvat.js'

/**
 * "CVAT for images 1.1", with the labels of the task beside it. A task has one list of labels, and pictures have words
 * of their own: a label is the place of the phrase among those of its picture, `phrase 1`, and a tag of each picture
 * says which words these are.
 */
export const cvat: ExchangeFormat = {
  saysWho: false,
  beside: {
    ending: '.labels.json',
    text: (out) => `${JSON.stringify(cvatLabels(mostPhrases(out)), null, 1)}\n`,
  },
  *write(out) {
    yield '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n'
    yield metaOf(out)
    for (const [at, picture] of out.pictures.entries()) yield imageOf(out, picture, at)
    yield '</annotations>\n'
  },
  read: readCvat,
}

const mostPhrases = ({ pictures }: ExchangeOut): number =>
  pictures.reduce((most, { phrases }) => Math.max(most, phrases.length), 0)

function metaOf(out: ExchangeOut): string {
  const labels = cvatLabels(mostPhrases(out)).map(({ name, type, attributes }) => {
    const own = attributes.map(
      (one) =>
        `<attribute><name>${one.name}</name><mutable>False</mutable><input_type>text</input_type><default_value></default_value><values></values></attribute>`,
    )
    return `<label><name>${name}</name><type>${type}</type><attributes>${own.join('')}</attributes></label>`
  })
  return `  <meta><task><name>${escaped(`${out.dataset}:${out.grounding} ${out.id}`)}</name><size>${out.pictures.length}</size><mode>annotation</mode><labels>${labels.join('')}</labels></task></meta>\n`
}

function imageOf({ id }: ExchangeOut, picture: OutPicture, at: number): string {
  const { name, width, height, captions, phrases, boxes } = picture
  const attribute = (key: string, value: string | number) =>
    `<attribute name="${key}">${escaped(String(value))}</attribute>`
  const words = phrases.map(({ text }, index) => `${index + 1}: ${oneLine(text)}`).join('; ')
  const tag = `    <tag label="${captionLabel}" source="file">${attribute('export', id)}${attribute('caption', captions.map(oneLine).join(' / '))}${attribute('phrases', words)}</tag>\n`
  const own = boxes.map(({ phrase, xyxy }, index) => {
    const { caption, start, end, text } = phrases[phrase] as (typeof phrases)[number]
    const [xtl, ytl, xbr, ybr] = shownBox(picture, xyxy).map(shortFloat)
    const values = [
      attribute('id', boxName(id, picture, index)),
      attribute('phrase', oneLine(text)),
      attribute('caption', caption),
      attribute('start', start),
      attribute('end', end),
    ]
    return `    <box label="${cvatLabel(phrase)}" source="file" occluded="0" xtl="${xtl}" ytl="${ytl}" xbr="${xbr}" ybr="${ybr}" z_order="0">${values.join('')}</box>\n`
  })
  return `  <image id="${at}" name="${escaped(name)}" width="${width}" height="${height}">\n${tag}${own.join('')}  </image>\n`
}

const signs: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: string): string => oneLine(text).replace(/[&<>"]/g, (sign) => signs[sign] as string)
