import type { Family } from '../rows/rows.js'
import type { CommittedFile, DatasetFiles } from './dataset-files.js'
import { itemsOf, quoted, rowsOf } from './sql.js'

/** A view over committed shards. */
export interface DatasetView {
  readonly name: string
  /** What a row of it is. */
  readonly rows: string
  readonly select: string
  /** Local paths of the files that it reads. */
  readonly paths: readonly string[]
}

const corners = ['x1', 'y1', 'x2', 'y2'].map((name, at) => `item.xyxy[${at + 1}] as ${name}`).join(', ')

const redrawn = ['x1', 'y1', 'x2', 'y2']
  .map((name, at) => `item.redrawn[${at + 1}] as redrawn_${name}`)
  .join(', ')

type StageFamily = Exclude<Family, 'images'>

/** What a row of each family's view is. */
const meanings: Readonly<Record<StageFamily, string>> = {
  selection: 'a picture and why it is dropped',
  phrases: "a phrase; `phrase` is its place in the picture's list",
  proposals: "a proposal; `phrase` is the phrase's place, -1 for negative prompts",
  verdicts: 'what a judge says of a box, or, without x1, of a phrase',
  grounding: 'a region, with the words that it grounds',
  negatives: 'a phrase that names nothing in the picture, and how that is known',
  rejects:
    'what a stage rejected for one reason: a row of its own, or of a filter `count` proposals of a picture; sum(count) is what stats says',
}

/**
 * Views of a dataset: `images` and `captions`; for each family with stages one of all its stages with a
 * column `stage` (`phrases`, `proposals`, `verdicts`, `grounding`, `rejects`, `selection`, `left_out` and
 * `ignored`), and one of
 * each stage, such as `grounding_round_1_filter`. Lists are unfolded: a row is a phrase or a box. Boxes are
 * x1, y1, x2, y2.
 *
 * @param withImages whether `images` has the column of the pictures' bytes
 */
export function datasetViews(files: DatasetFiles, withImages = false): DatasetView[] {
  const images = [...files.images.values()].flat()
  const views: DatasetView[] = []
  const usedNames = new Set<string>()
  const add = (name: string, rows: string, select: string, files: readonly CommittedFile[]) => {
    // Two stages may differ by a hyphen alone, which a view's name cannot have.
    let uniqueName = name
    for (let number = 2; usedNames.has(uniqueName); number++) uniqueName = `${name}_${number}`
    usedNames.add(uniqueName)
    views.push({ name: uniqueName, rows, select, paths: [...new Set(files.map(({ path }) => path))] })
  }
  if (images.length > 0) {
    const columns = withImages ? '*' : '* exclude (image)'
    add('images', 'a picture', `select ${columns} from ${rowsOf(images)}`, images)
    add(
      'captions',
      "a caption; `caption` is its place in the picture's list",
      `select key, place as caption, item.text, item.kind from ${itemsOf(images, 'captions')}`,
      images,
    )
  }
  const isFilter = (stage: string) => files.grounding.has(stage) && !files.images.has(stage)
  for (const family of Object.keys(meanings) as StageFamily[]) {
    const stages = [...files[family]].map(([stage, own]) => ({
      stage,
      own,
      select: family === 'rejects' ? rejectsOf(own, isFilter(stage)) : selectOf(family, own, images),
    }))
    addStages(family, meanings[family], stages)
  }
  const leftOut = [...files.phrases].map(([stage, own]) => ({
    stage,
    own,
    select: `select key, unnest(item) from ${itemsOf(own, 'left_out')}`,
  }))
  addStages('left_out', 'a phrase that is not asked for, and why', leftOut)
  const ignored = [...files.grounding].map(([stage, own]) => ({ stage, own, select: ignoredOf(own) }))
  addStages('ignored', 'a box that evaluation passes over: a crowd, or one that its source marks so', ignored)
  return views

  function addStages(
    name: string,
    rows: string,
    stages: readonly {
      readonly stage: string
      readonly own: readonly CommittedFile[]
      readonly select: string
    }[],
  ) {
    if (stages.length === 0) return
    const imageFiles = name === 'grounding' ? images : []
    const all = stages.map(({ stage, select }) => `select ${quoted(stage)} as stage, * from (${select})`)
    add(name, rows, all.join(' union all by name '), [...stages.flatMap(({ own }) => own), ...imageFiles])
    for (const { stage, own, select } of stages)
      add(`${name}_${stage.replace(/\W/g, '_')}`, `${name} of ${stage}`, select, [...own, ...imageFiles])
  }
}

function selectOf(
  family: StageFamily,
  files: readonly CommittedFile[],
  images: readonly CommittedFile[],
): string {
  switch (family) {
    case 'phrases':
      return `select key, place as phrase, unnest(item) from ${itemsOf(files, 'phrases')}`
    case 'proposals':
      return `select * exclude (xyxy) from (select key, unnest(item), ${corners}, teacher from ${itemsOf(files, 'proposals', 'teacher')})`
    case 'verdicts':
      return `select * exclude (xyxy, redrawn) from (select key, unnest(item), ${corners}, ${redrawn} from ${itemsOf(files, 'verdicts')})`
    case 'negatives':
      return `select key, unnest(item), exhaustive, teacher from ${itemsOf(files, 'negatives', 'exhaustive, teacher')}`
    case 'grounding':
      // A caption's words count in code points, as substring does.
      return `select r.* exclude (xyxy), substring(i.captions[r.caption + 1].text, r.start + 1, r."end" - r.start) as text
        from (select key, unnest(item), ${corners} from ${itemsOf(files, 'regions')}) r
        left join (select key, captions from ${rowsOf(images)}) i using (key)`
    default:
      return `select * from ${rowsOf(files)}`
  }
}

/** A filter stage leaves one row for all proposals of a picture that a rule drops, and says in it how many they were. */
const rejectsOf = (files: readonly CommittedFile[], isFilter: boolean) => {
  const said = isFilter
    ? String.raw`try_cast(regexp_extract(detail, '^(\d+) of \d+ (?:boxes|proposals)$', 1) as bigint)`
    : 'null'
  return `select key, url, reason, coalesce(${said}, 1) as count, detail from ${rowsOf(files)}`
}

/** Files of older versions have no such column: an empty list of its type stands beside them. */
const ignoredOf = (files: readonly CommittedFile[]) =>
  `select key, item.text, ${corners}, item.area, item.crowd from (select key, unnest(ignored) as item
    from (select * from ${rowsOf(files)} union all by name
      select null::struct(text varchar, xyxy float[], area double, crowd boolean)[] as ignored where false))`
