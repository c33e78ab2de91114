/**
 * Draws the captions that bench/data/coco-phrases.tsv annotates: of the lines of COCO's val2017 captions
 * (`image_id<TAB>caption`), shuffled by a seed, the first 300 of different pictures. The first half is for
 * development, the second for the final figure only.
 *
 *     npx tsx bench/draw-captions.ts captions.tsv
 */
import { readFile } from 'node:fs/promises'
import { random } from '../src/base/random.js'

const lines = (await readFile(process.argv[2]!, 'utf8')).split(/\r?\n/).filter((line) => line !== '')
const pictures = new Set<string>()
const drawn = random('coco-phrases', 1)
  .shuffle(lines)
  .filter((line) => {
    const [picture = ''] = line.split('\t')
    return pictures.size < 300 && !pictures.has(picture) && pictures.add(picture)
  })
process.stdout.write(`${drawn.join('\n')}\n`)
