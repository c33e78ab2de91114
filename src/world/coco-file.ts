import type { Description } from './describe-scene.js'
import type { Scene } from './layout-scene.js'
import type { SizeName } from './plan-objects.js'
import type { Recipe, Split } from './recipe.js'

export interface CocoImage {
  readonly id: number
  readonly file_name: string
  readonly width: number
  readonly height: number
  readonly caption: string
  /** Phrases that are true of nothing in the picture; not on the web. */
  readonly negatives?: readonly string[]
}

export interface CocoAnnotation {
  readonly id: number
  readonly image_id: number
  readonly category_id: number
  /** x, y, width, height in pixels. */
  readonly bbox: readonly [number, number, number, number]
  readonly area: number
  readonly iscrowd: 0
  /**
   * As MDETR has it: spans in the caption, in code points, half open; none where no phrase names the object.
   */
  readonly tokens_positive: readonly (readonly [number, number])[]
  /** What it looks like, said or not; a size only where it is small or big. */
  readonly attributes: { readonly colour: string; readonly size: SizeName }
}

/** A COCO file of instances whose images have a caption, as MDETR reads it. */
export interface CocoFile {
  readonly info: {
    readonly description: string
    readonly license: string
    /** Every object is annotated: what a picture has no annotation of is not in it. */
    readonly exhaustive: true
  }
  readonly images: CocoImage[]
  readonly annotations: CocoAnnotation[]
  readonly categories: readonly { readonly id: number; readonly name: string }[]
}

/**
 * A file without images, with a category for each concept. Gold's has the known ones alone: a name that is a
 * category is known to be absent where it has no box, and gold must not know of the novel ones.
 */
export function emptyCocoFile({ title, license, concepts }: Recipe, split: Split): CocoFile {
  const named = split === 'gold' ? concepts.known : [...concepts.known, ...concepts.novel]
  return {
    info: { description: title, license, exhaustive: true },
    images: [],
    annotations: [],
    categories: named.map(({ name }, at) => ({ id: at + 1, name })),
  }
}

/**
 * Appends a scene. Image ids are scene numbers; annotation ids start at 1, as pycocotools takes 0 for none.
 */
export function addToCocoFile(
  coco: CocoFile,
  scene: Scene,
  words: Description,
  file_name: string,
  negatives?: readonly string[],
): void {
  const { index, size } = scene
  coco.images.push({
    id: index,
    file_name,
    width: size,
    height: size,
    caption: words.caption,
    ...(negatives ? { negatives } : {}),
  })
  scene.objects.forEach(({ box, concept, colour, size }, at) => {
    const x1 = hundredths(box[0])
    const y1 = hundredths(box[1])
    const width = hundredths(hundredths(box[2]) - x1)
    const height = hundredths(hundredths(box[3]) - y1)
    coco.annotations.push({
      id: coco.annotations.length + 1,
      image_id: index,
      category_id: coco.categories.find(({ name }) => name === concept.name)?.id as number,
      bbox: [x1, y1, width, height],
      area: hundredths(width * height),
      iscrowd: 0,
      tokens_positive: words.mentions
        .filter(({ objects }) => objects.includes(at))
        .map(({ start, end }) => [start, end] as const),
      attributes: { colour, size },
    })
  })
}

const hundredths = (value: number) => Math.round(value * 100) / 100
