import type { About } from './about.js'
import { missingAbout } from './croissant.js'
import {
  auditText,
  countsOf,
  crawlerOf,
  knownLimits,
  lossesOf,
  mostOf,
  type NamedAudit,
  percent,
  rulesOf,
  stageOf,
  tallied,
  teachersOf,
} from './ledger.js'
import type { Lineage } from './lineage.js'
import { markdownTable } from './markdown-table.js'
import { code, codeBlock, inline, paragraphs } from './markdown-text.js'

export interface DataCardParts {
  readonly about: About
  readonly lineage: Lineage
  readonly audits: readonly NamedAudit[]
  /** Of how many boxes people have said something; absent where nobody asked. */
  readonly reviewed?: number
}

/** Licences, hosts and origins that a card names one by one. */
const mostNamed = 10

/** The title of a data card, as text. */
export const cardTitle = ({ about, lineage }: Pick<DataCardParts, 'about' | 'lineage'>): string =>
  about.title ?? lineage.dataset

/** The heading of a data card in Markdown. */
export const cardHeading = (parts: Pick<DataCardParts, 'about' | 'lineage'>): string =>
  `# ${inline(cardTitle(parts))}`

/**
 * A data card in Markdown, without its title: sources, the ledger of what came in and what was lost, who found the
 * boxes and by what rules they were kept, what audits say, known limits. All but what people have said in `about` is
 * of the commit records.
 */
export function dataCardText(parts: DataCardParts): string {
  const sections = [
    description(parts),
    sources(parts),
    content(parts),
    ledger(parts),
    labels(parts),
    audits(parts),
    limits(parts),
    uses(parts),
    made(parts),
  ]
  return `${sections.flat().join('\n\n')}\n`
}

function description({ about, lineage }: DataCardParts): string[] {
  const license = about.license ?? lineage.card?.license
  const facts = [
    ['licence', typeof license === 'string' ? license : undefined],
    ['creators', about.creators?.map(({ name }) => name).join(', ')],
    ['published', about.date_published],
    ['version', about.version],
    ['address', about.url],
    ['languages', about.languages?.join(', ')],
  ].flatMap(([what, value]) => (value === undefined ? [] : [`- ${what}: ${inline(value)}`]))
  return [
    ...(about.description === undefined ? [] : [paragraphs(about.description)]),
    ...(facts.length > 0 ? [facts.join('\n')] : []),
    ...(about.citation === undefined ? [] : [codeBlock(about.citation)]),
  ]
}

function sources({ about, lineage }: DataCardParts): string[] {
  const { card, dataset } = lineage
  const images = stageOf(lineage, 'images')
  const crawler = crawlerOf(lineage)
  const said = (key: string) => (typeof card?.[key] === 'string' ? inline(card[key] as string) : undefined)
  const lines = [
    card
      ? `- ${said('title') ?? dataset}${said('paper') === undefined ? '' : ` (${said('paper')})`}`
      : `- the source of "${dataset}", which has no card`,
    ...[said('homepage'), ...(about.derived_from ?? [])].flatMap((url) =>
      url === undefined ? [] : [`- ${inline(url)}`],
    ),
    ...(said('license') === undefined ? [] : [`- licence of the source: ${said('license')}`]),
    ...(images
      ? [
          `- ingested from ${day(images.startedAt)} to ${day(images.endedAt)}: ${images.out} of ${images.in} ${images.unit}`,
        ]
      : []),
    ...(crawler ? [`- pictures were fetched by ${code(crawler.user_agent)}`] : []),
    ...(about.data_collection === undefined ? [] : [`- ${inline(about.data_collection)}`]),
  ]
  return ['## Sources', lines.join('\n')]
}

const day = (instant: string) => instant.slice(0, 10)

function content({ lineage }: DataCardParts): string[] {
  const counts = countsOf(lineage)
  const images = stageOf(lineage, 'images')
  const grounding = stageOf(lineage, 'grounding') ?? images
  const rows = [
    ['pictures', counts.pictures],
    ['bytes of pictures', counts.pictureBytes],
    ['captions', counts.captions],
    ['phrases', counts.phrases],
    ['regions', counts.regions],
    ['pictures with a region', counts.groundedPictures],
  ].filter(([, value]) => value !== null)
  const listed = (what: string, name: string, stage: typeof images) => {
    const most = mostOf(stage, name, mostNamed)
    const total = tallied(stage, name) ?? 0
    const rest = total - most.reduce((sum, [, count]) => sum + count, 0)
    if (most.length === 0) return []
    const more = rest > 0 ? [['others', rest]] : []
    return [markdownTable([what, 'count'], [...most, ...more])]
  }
  return [
    '## What is in it',
    `The dataset, and grounding "${lineage.grounding}" of it.`,
    markdownTable(['what', 'count'], rows),
    ...listed('captions', 'caption_kinds', images),
    ...listed('licence of the picture', 'licenses', images),
    ...listed('host', 'hosts', images),
    ...listed('who gave the box', 'origins', grounding),
  ]
}

function ledger({ lineage }: DataCardParts): string[] {
  const stages = lineage.stages.map(({ stage, family, unit, in: input, out, files }) => [
    ...[stage, family, unit, input, out],
    input > 0 ? percent((input - out) / input) : '',
    files.bytes,
  ])
  const losses = lossesOf(lineage).map(({ stage, unit, reason, count, share }) => [
    ...[stage, reason, `${count} ${unit}`],
    percent(share),
  ])
  return [
    '## Ledger',
    'What came into each stage, what came out, and what was lost.',
    markdownTable(['stage', 'makes', 'counted', 'in', 'out', 'lost', 'bytes'], stages),
    ...(losses.length > 0
      ? [markdownTable(['stage', 'lost because', 'how many', 'of what came in'], losses)]
      : ['Nothing was lost.']),
  ]
}

function labels({ lineage }: DataCardParts): string[] {
  const teachers = teachersOf(lineage).map(({ stage, name, sha256 }) => [stage, name, sha256 ?? ''])
  const rules = rulesOf(lineage)
  if (teachers.length === 0 && rules.length === 0) return ['## Labels', 'The boxes are those of the source.']
  return [
    '## Labels',
    ...(teachers.length > 0 ? [markdownTable(['stage', 'teacher', 'SHA-256'], teachers)] : []),
    ...(rules.length > 0
      ? ['Boxes were kept by these rules:', rules.map((rule) => `- ${code(rule)}`).join('\n')]
      : []),
  ]
}

function audits({ audits, reviewed }: DataCardParts): string[] {
  const told = audits.map((audit) => `- ${auditText(audit)}`)
  if (reviewed !== undefined && reviewed > 0)
    told.push(`- people have said something of ${reviewed} boxes and phrases`)
  return ['## Audit', told.length > 0 ? told.join('\n') : 'No audit of these labels is recorded.']
}

function limits({ about, lineage, audits }: DataCardParts): string[] {
  const said = about.data_limitations === undefined ? [] : [about.data_limitations]
  return [
    '## Known limits',
    [...said, ...knownLimits(lineage, audits)].map((limit) => `- ${inline(limit)}`).join('\n'),
  ]
}

function uses({ about, lineage }: DataCardParts): string[] {
  const said = [
    ['Meant for', about.data_use_cases],
    ['Biases', about.data_biases],
    ['Personal and sensitive information', about.personal_sensitive_information],
    ['Social impact', about.data_social_impact],
    [
      'Synthetic data',
      about.has_synthetic_data === undefined
        ? undefined
        : about.has_synthetic_data
          ? 'some pictures or captions were made by a model'
          : 'no picture and no caption was made by a model',
    ],
    ['Maintenance', about.data_release_maintenance_plan],
  ].flatMap(([what, text]) => (text === undefined ? [] : [`- ${what}: ${inline(text)}`]))
  const missing = missingAbout(about, lineage).filter(({ property }) => property.startsWith('rai:'))
  const open =
    missing.length > 0
      ? [`Nobody has said: ${missing.map(({ key }) => key.replaceAll('_', ' ')).join(', ')}.`]
      : []
  return ['## Use', ...(said.length > 0 ? [said.join('\n')] : []), ...open]
}

function made({ lineage }: DataCardParts): string[] {
  const rows = lineage.stages.map(({ stage, startedAt, endedAt, software, configHashes, files }) => [
    ...[stage, startedAt, endedAt, software.join(', ')],
    ...[configHashes.map(short).join(', '), short(files.sha256)],
  ])
  return [
    '## How it was made',
    markdownTable(['stage', 'begun', 'done', 'program', 'configuration', 'files'], rows),
  ]
}

/** So many digits tell hashes apart for people. */
const short = (hash: string) => hash.slice(0, 12)
