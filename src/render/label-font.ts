import { createRequire } from 'node:module'
import sharp from 'sharp'

/** For SVG. Characters that the font lacks, such as emoji, come from what the machine has. */
export const fontFamily = 'Roboto Mono, monospace'

/** Pixels of one column of text for each pixel of font size: 1229 of 2048 units. */
export const columnWidth = 0.6001

const files = ['400Regular/RobotoMono_400Regular.ttf', '700Bold/RobotoMono_700Bold.ttf']

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
  const { resolve } = createRequire(import.meta.url)
  for (const file of files) {
    // Drawing any text with a font file adds it to the fonts that this process knows.
    const fontfile = resolve(`@expo-google-fonts/roboto-mono/${file}`)
    await sharp({ text: { text: 'a', font: fontFamily, fontfile } })
      .raw()
      .toBuffer()
  }
}
