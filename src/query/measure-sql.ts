/** What `src/statistics/row-stats.ts` measures of rows, in SQL. */
import { hostPattern } from '../statistics/measures.js'
import type { CommittedFile } from './dataset-files.js'
import { itemsOf, quoted, rowsOf } from './sql.js'

type Files = readonly CommittedFile[]

/** What a stage's rows give: a query for each. */
export interface StageQueries {
  /** A row whose columns are counts. */
  readonly counts: readonly string[]
  /** Rows with one column, `v`, by the name of the measure. */
  readonly values: Readonly<Record<string, string>>
  /** Rows with one column, `word`, by the name of the tally. */
  readonly words: Readonly<Record<string, string>>
}

/** White space as JavaScript's `\s` has it. */
const space = String.raw`\s\v\x{00a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`
const wordsIn = (text: string) => `len(regexp_extract_all(${text}, ${quoted(`[^${space}]+`)}))`
/** As `src/words/same-text.ts`: JavaScript leaves the dot of a Turkish capital, DuckDB does not. */
const sameText = (text: string) =>
  `trim(regexp_replace(lower(replace(nfc_normalize(${text}), 'İ', 'i\u0307')), ${quoted(`[${space}]+`)}, ' ', 'g'))`

/** How often each value of a field occurs in the list of a row: one row for each value and list. */
const timesOf = (files: Files, list: string, field: string) =>
  `select unnest(map_values(list_histogram(list_transform(${list}, lambda x: x.${field}))))::bigint as v from ${rowsOf(files)}`

/**
 * The values, with a zero added for each item that occurs in no row: a caption without phrases, a phrase
 * without boxes.
 *
 * @param all how many items there are, a number or a query
 */
const withZeros = (values: string, all: string) =>
  `with found as (${values}) select v from found union all select 0 from range((${all}) - (select count(*) from found)::bigint)`

export function imageQueries(files: Files): StageQueries {
  const rows = rowsOf(files)
  const captions = itemsOf(files, 'captions')
  return {
    counts: [
      `select count(*) as images, coalesce(sum(len(captions)), 0) as captions, coalesce(sum(octet_length(image.bytes)), 0) as image_bytes from ${rows}`,
    ],
    values: {
      longer_side: `select greatest(width, height) as v from ${rows}`,
      picture_aspect: `select width::double / height as v from ${rows}`,
      image_bytes: `select octet_length(image.bytes) as v from ${rows}`,
      captions_an_image: `select len(captions) as v from ${rows}`,
      words_a_caption: `select ${wordsIn('item.text')} as v from ${captions}`,
    },
    words: {
      caption_kinds: `select item.kind as word from ${captions}`,
      hosts: `select lower(regexp_extract(url, ${quoted(hostPattern)}, 1, 'i')) as word from ${rows} where word <> ''`,
      licenses: `select license as word from ${rows} where license is not null`,
    },
  }
}

/** @param captions how many captions were looked at: a number, or a query that gives it */
export function phraseQueries(files: Files, captions: string): StageQueries {
  const phrases = itemsOf(files, 'phrases')
  const rows = rowsOf(files)
  return {
    counts: [`select coalesce(sum(len(phrases)), 0) as phrases from ${rows}`],
    values: {
      phrases_a_caption: withZeros(timesOf(files, 'phrases', 'caption'), captions),
      words_a_phrase: `select ${wordsIn('item.text')} as v from ${phrases}`,
    },
    words: {
      heads: `select item.head as word from ${phrases}`,
      phrase_texts: `select ${sameText('item.text')} as word from ${phrases}`,
    },
  }
}

/** What only the chunk stage counts. */
export function chunkQueries(files: Files, captions: number): StageQueries {
  const { words, ...rest } = phraseQueries(files, String(captions))
  return {
    ...rest,
    words: { ...words, left_out: `select item.reason as word from ${itemsOf(files, 'left_out')}` },
  }
}

export function verdictQueries(files: Files): StageQueries {
  const verdicts = itemsOf(files, 'verdicts')
  return {
    counts: [
      `select count(*) as verdicts, count(item.xyxy) as judged_boxes, count(*) - count(item.xyxy) as judged_phrases from ${verdicts}`,
    ],
    values: {
      probability: `select item.probability::double as v from ${verdicts} where item.xyxy is not null`,
    },
    words: {
      verdict_kinds: `select item.verdict as word from ${verdicts}`,
      judges: `select item.judge as word from ${verdicts}`,
    },
  }
}

export function negativeQueries(files: Files): StageQueries {
  const rows = rowsOf(files)
  const negatives = itemsOf(files, 'negatives')
  return {
    counts: [
      `select coalesce(sum(len(negatives)), 0) as negatives, count(*) filter (where exhaustive) as exhaustive_images from ${rows}`,
    ],
    values: {
      negatives_an_image: `select len(negatives) as v from ${rows}`,
      negative_score: `select item.score::double as v from ${negatives} where item.score is not null`,
    },
    words: { evidence: `select item.evidence as word from ${negatives}` },
  }
}

/** @param phrases how many phrases were asked for */
export function proposalQueries(files: Files, phrases: number): StageQueries {
  const proposals = itemsOf(files, 'proposals')
  const found = `select v from (select unnest(map_values(counts))::bigint as v from (select list_histogram(list_filter(list_transform(proposals, lambda x: x.phrase), lambda x: x >= 0)) as counts from ${rowsOf(files)}))`
  return {
    counts: [`select count(*) as proposals from ${proposals}`],
    values: {
      score: `select item.score::double as v from ${proposals}`,
      boxes_a_phrase: withZeros(found, String(phrases)),
    },
    words: {},
  }
}

/**
 * @param images the files of the pictures
 * @param phrases the files of the phrases that the regions point to; without them heads are not tallied
 */
export function groundingQueries(files: Files, images: Files, phrases?: Files): StageQueries {
  const rows = rowsOf(files)
  const regions = itemsOf(files, 'regions')
  const [x1, y1, x2, y2] = [1, 2, 3, 4].map((at) => `item.xyxy[${at}]::double`)
  const sizes = `(select key, width, height from ${rowsOf(images)})`
  return {
    counts: [
      `select coalesce(sum(len(regions)), 0) as regions, count(*) filter (where len(regions) > 0) as grounded_images from ${rows}`,
    ],
    values: {
      regions_an_image: `select len(regions) as v from ${rows}`,
      score: `select item.score::double as v from ${regions}`,
      area_share: `select least(1, greatest(0, ${x2} - ${x1}) * greatest(0, ${y2} - ${y1}) / (width::double * height)) as v from ${regions} join ${sizes} using (key)`,
      aspect: `select (${x2} - ${x1}) / (${y2} - ${y1}) as v from ${regions}`,
    },
    words: {
      ...(phrases && {
        heads: `select p.phrases[item.phrase + 1].head as word from ${regions} join (select key, phrases from ${rowsOf(phrases)}) p using (key)`,
      }),
      origins: `select item.origin as word from ${regions}`,
    },
  }
}
