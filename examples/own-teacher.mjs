/**
 * A teacher of one's own: boxes around patches of the colour that a phrase names. A pipeline names this file:
 *
 *     groundmill teach runs/photos/photos --phrases phrases --model ./own-teacher.mjs --as label
 *
 * In the place of `patches` stands whatever you have: a session of onnxruntime, a server that is asked over HTTP.
 *
 * @import { Picture, TeacherModule, Xyxy } from 'groundmill/teach'
 */

/** Red, green and blue of each colour, 0 to 255. */
const colours = {
  red: [220, 40, 40],
  green: [40, 160, 60],
  blue: [50, 80, 200],
  yellow: [240, 210, 50],
  black: [20, 20, 20],
  white: [245, 245, 245],
}

/** @type {TeacherModule} */
export const teacher = {
  name: 'colour-patches',
  // Files that decide the answers, weights and what is imported from here, are named so that a change of them is noticed.
  files: [],
  open: () => ({
    pictureSide: 256,
    detect: (queries) =>
      queries.map(({ picture, text, phrases }) =>
        phrases.flatMap(([start, end], phrase) => {
          // Spans count code points.
          const words = [...text].slice(start, end).join('').toLowerCase().split(/\W+/)
          const named = Object.entries(colours).find(([name]) => words.includes(name))
          return named ? patches(picture, named[1]).map((patch) => ({ phrase, ...patch })) : []
        }),
      ),
  }),
}

/**
 * Connected pixels that are near a colour, with the share of their box that they fill as a score.
 *
 * @param {Picture} picture
 * @param {readonly number[]} colour
 * @returns {{ xyxy: Xyxy, score: number }[]}
 */
function patches({ data, width, height }, colour) {
  const left = new Uint8Array(width * height).map((_, at) => {
    const distance = Math.hypot(...colour.map((value, channel) => value - (data[3 * at + channel] ?? 0)))
    return distance < 115 ? 1 : 0
  })
  const found = []
  for (let first = 0; first < left.length; first++) {
    if (!left[first]) continue
    let [x1, y1, x2, y2, pixels] = [width, height, 0, 0, 0]
    const open = [first]
    left[first] = 0
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const [x, y] = [at % width, Math.floor(at / width)]
      ;[x1, y1, x2, y2] = [Math.min(x1, x), Math.min(y1, y), Math.max(x2, x + 1), Math.max(y2, y + 1)]
      pixels++
      const around = [x > 0 && at - 1, x < width - 1 && at + 1, at - width, at + width]
      for (const next of around)
        if (next !== false && left[next]) {
          left[next] = 0
          open.push(next)
        }
    }
    if (pixels > 0.001 * left.length)
      found.push({ xyxy: /** @type {Xyxy} */ ([x1, y1, x2, y2]), score: pixels / ((x2 - x1) * (y2 - y1)) })
  }
  return found
}
