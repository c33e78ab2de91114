/**
 * Finds the phrases of a caption in a picture, and prints the best box of each:
 *
 *     npx tsx examples/ask-a-teacher.ts MODEL PICTURE "a red dolphin beside two owls"
 *
 * MODEL is the folder of a teacher, such as `runs/quickstart/models/round-1-student`.
 */
import { readFile } from 'node:fs/promises'
import { captionPhrases, chunkConfig } from 'groundmill/phrases'
import { decodePicture, openTeacher } from 'groundmill/teach'

const [model, file, text] = process.argv.slice(2)
if (!model || !file || !text) throw new Error('expected MODEL PICTURE CAPTION')

const { kept } = captionPhrases({ text, kind: 'web' }, chunkConfig.parse({}))
const teacher = await openTeacher(model)
try {
  const picture = await decodePicture(await readFile(file), teacher.pictureSide)
  const phrases = kept.map(({ start, end }) => [start, end] as const)
  const options = { floor: 0.2, nms: 0.5, max_boxes: 1 }
  const [found = []] = await teacher.detect([{ picture, text, phrases }], options)
  kept.forEach(({ text }, index) => {
    const best = found.find(({ phrase }) => phrase === index)
    // The picture may have been decoded smaller than it is stored.
    const box = best?.xyxy.map((side) => Math.round(side / picture.scale)).join(' ')
    console.log(best ? `${text}: ${box}, score ${best.score.toFixed(2)}` : `${text}: not found`)
  })
} finally {
  await teacher.close()
}
