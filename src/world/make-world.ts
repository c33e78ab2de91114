import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { writeFileAtomic } from '../write-file-atomic.js'
import { describeScene } from './describe-scene.js'
import { drawScene } from './draw-scene.js'
import { layoutScene } from './layout-scene.js'
import { measureInk } from './measure-ink.js'
import type { Recipe, Split } from './recipe.js'

export interface WorldProgress {
  readonly split: Split
  readonly done: number
  readonly total: number
}

export interface MakeWorldOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: WorldProgress) => void
}

/** Raised when what `makeWorld` writes for the same recipe changes. */
const generation = 1

/**
 * Writes a world: `gold/`, `known/` and `novel/` as COCO folders with captions and MDETR's `tokens_positive`, and
 * `web/` as pictures with `pairs.tsv` (url, caption) and, for measuring only, `truth.json` in the same form as gold.
 * A split that is already there from the same recipe is left as it is.
 */
export async function makeWorld(
  recipe: Recipe,
  folder: string,
  options: MakeWorldOptions = {},
): Promise<void> {
  const ink = await measureInk(recipe)
  for (const split of Object.keys(recipe.splits) as Split[]) {
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([generation, recipe, split]))
      .digest('hex')
    const done = join(folder, split, 'made.json')
    const made = await readFile(done, 'utf8').catch(() => '')
    if (made.includes(fingerprint)) continue
    await rm(join(folder, split), { recursive: true, force: true })
    await writeSplit(recipe, ink, join(folder, split), split, options)
    await writeFileAtomic(done, `${JSON.stringify({ recipe: recipe.name, split, fingerprint })}\n`)
  }
}

/** How a web address that does not work fails. */
const failures = ['gone', 'page', 'cut'] as const

async function writeSplit(
  recipe: Recipe,
  ink: Awaited<ReturnType<typeof measureInk>>,
  folder: string,
  split: Split,
  { signal, onProgress }: MakeWorldOptions,
) {
  await mkdir(join(folder, 'images'), { recursive: true })
  const total = recipe.splits[split]
  const limit = pLimit(4)
  const broken = split === 'web' && recipe.web.broken_share > 0 ? Math.round(1 / recipe.web.broken_share) : 0
  const pairs = ['url\tcaption']
  const coco = emptyCoco(recipe)
  let done = 0
  const pending: Promise<void>[] = []
  for (let index = 0; index < total; index++) {
    const scene = layoutScene(recipe, ink, split, index)
    const { caption, mentions } = describeScene(recipe, scene)
    const name = `${String(index).padStart(6, '0')}.jpg`
    const failure =
      broken > 0 && index % broken === broken - 1 ? failures[Math.floor(index / broken) % 3] : undefined
    pairs.push(`images/${failure === 'page' ? name.replace('.jpg', '.html') : name}\t${caption}`)
    coco.images.push({ id: index, file_name: name, width: scene.size, height: scene.size, caption })
    scene.objects.forEach(({ box, concept }, at) => {
      const [x1, y1, x2, y2] = box
      coco.annotations.push({
        id: coco.annotations.length,
        image_id: index,
        category_id: coco.categories.findIndex(({ name: own }) => own === concept),
        bbox: [x1, y1, x2 - x1, y2 - y1].map((value) => Math.round(value * 100) / 100),
        area: (x2 - x1) * (y2 - y1),
        iscrowd: 0,
        tokens_positive: mentions
          .filter(({ objects }) => objects.includes(at))
          .map(({ start, end }) => [start, end]),
      })
    })
    pending.push(
      limit(async () => {
        signal?.throwIfAborted()
        const bytes = await drawScene(scene, ink, recipe.scene.jpeg_quality)
        const path = join(folder, 'images', name)
        if (failure === 'page')
          await writeFile(path.replace('.jpg', '.html'), '<!doctype html><title>Sold</title>')
        else if (failure === 'cut') await writeFile(path, bytes.subarray(0, bytes.length >> 1))
        else if (failure === undefined) await writeFile(path, bytes)
        done++
        onProgress?.({ split, done, total })
      }),
    )
  }
  await Promise.all(pending)
  if (split === 'web') await writeFileAtomic(join(folder, 'pairs.tsv'), `${pairs.join('\n')}\n`)
  await writeFileAtomic(
    join(folder, split === 'web' ? 'truth.json' : 'annotations.json'),
    JSON.stringify(coco),
  )
}

function emptyCoco(recipe: Recipe) {
  return {
    info: { description: recipe.title, license: recipe.license },
    images: [] as { id: number; file_name: string; width: number; height: number; caption: string }[],
    annotations: [] as {
      id: number
      image_id: number
      category_id: number
      bbox: number[]
      area: number
      iscrowd: 0
      tokens_positive: number[][]
    }[],
    categories: Object.keys({ ...recipe.known, ...recipe.novel }).map((name, id) => ({ id, name })),
  }
}
