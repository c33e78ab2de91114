import sharp from 'sharp'
import { packaged } from '../base/files/packaged.js'

/** For SVG. Characters that the font lacks, such as emoji, come from what the machine has. */
export const fontFamily = 'Roboto Mono, monospace'

/** Pixels of one column of text for each pixel of font size: 1229 of 2048 units. */
export const columnWidth = 0.6001

const files = ['RobotoMono_400Regular.ttf', 'RobotoMono_700Bold.ttf']

let loading: Promise<void> | undefined

/**
 * Makes the font known to sharp's SVG renderer: a bare machine has none, and would draw an empty square a
 * letter.
 */
export function loadLabelFont(): Promise<void> {
  loading ??= load()
  return loading
}

async function load() {
  for (const file of files) {
    // Drawing any text with a font file adds it to the fonts that this process knows.
    const fontfile = packaged(`assets/fonts/${file}`)
    await sharp({ text: { text: 'a', font: fontFamily, fontfile } })
      .raw()
      .toBuffer()
  }
}
