import { counted } from '../base/counted.js'
import type { About } from './about.js'
import { fileSets, type RecordLayout, recordSets } from './croissant-records.js'
import {
  countsOf,
  crawlerOf,
  knownLimits,
  lossesOf,
  type NamedAudit,
  percent,
  rulesOf,
  stageOf,
  teachersOf,
} from './ledger.js'
import type { Lineage } from './lineage.js'
import { type ExportMade, provenance } from './provenance.js'

/** A file of an export that is described on its own. */
export interface DescribedFile {
  /** From the folder on, with forward slashes. */
  readonly name: string
  readonly bytes: number
  readonly sha256: string
  readonly encodingFormat: string
}

export interface CroissantParts {
  readonly about: About
  readonly lineage: Lineage
  readonly audits: readonly NamedAudit[]
  readonly made: ExportMade
  readonly files: readonly DescribedFile[]
  readonly layout: RecordLayout
}

/** Name of the file in every export. */
export const croissantName = 'croissant.json'

/** Properties that NeurIPS 2026 asks for, and the key of `card` that gives each; null where the records do. */
const required: readonly (readonly [property: string, key: keyof About | null])[] = [
  ['rai:dataLimitations', null],
  ['rai:dataBiases', 'data_biases'],
  ['rai:personalSensitiveInformation', 'personal_sensitive_information'],
  ['rai:dataUseCases', 'data_use_cases'],
  ['rai:dataSocialImpact', 'data_social_impact'],
  ['rai:hasSyntheticData', 'has_synthetic_data'],
  ['prov:wasDerivedFrom', null],
  ['prov:wasGeneratedBy', null],
  ['license', 'license'],
  ['creator', 'creators'],
  ['url', 'url'],
  ['version', 'version'],
  ['datePublished', 'date_published'],
  ['citeAs', 'citation'],
]

/** What is still to be said: properties that are asked for, and the key of `card` that says each. */
export const missingAbout = (
  about: About,
  { card }: Pick<Lineage, 'card'>,
): { readonly property: string; readonly key: string }[] =>
  required.flatMap(([property, key]) =>
    key === null || about[key] !== undefined || (key === 'license' && typeof card?.license === 'string')
      ? []
      : [{ property, key }],
  )

/**
 * A description of an export in Croissant 1.1 (mlcommons.org/croissant/1.1) with its responsible-AI extension 1.0. What
 * nobody has said and no record shows is left out.
 */
export function croissantText(parts: CroissantParts): string {
  const { about, lineage, made, files, layout } = parts
  const license = about.license ?? lineage.card?.license
  const description = about.description ?? describe(lineage)
  const whole = {
    '@context': context,
    '@type': 'sc:Dataset',
    name: about.title ?? lineage.dataset,
    description,
    conformsTo: ['http://mlcommons.org/croissant/1.1', 'http://mlcommons.org/croissant/RAI/1.0'],
    ...(typeof license === 'string' && { license }),
    ...(about.url !== undefined && { url: about.url }),
    ...(about.creators && {
      creator: about.creators.map(({ type, ...creator }) => ({
        '@type': type === 'person' ? 'sc:Person' : 'sc:Organization',
        ...creator,
      })),
    }),
    ...(about.version !== undefined && { version: about.version }),
    ...(about.date_published !== undefined && { datePublished: about.date_published }),
    ...(lineage.stages.length > 0 && { dateCreated: lastDay(lineage) }),
    ...(about.citation !== undefined && { citeAs: about.citation }),
    ...(about.keywords && { keywords: about.keywords }),
    ...(about.languages && { inLanguage: about.languages }),
    isLiveDataset: false,
    ...responsible(parts),
    ...withDerived(provenance(lineage, made), about.derived_from ?? []),
    distribution: [
      ...files.map(({ name, bytes, sha256, encodingFormat }) => ({
        ...{ '@type': 'cr:FileObject', '@id': name, name, contentUrl: name },
        ...{ contentSize: `${bytes} B`, encodingFormat, sha256 },
      })),
      ...fileSets(layout.fileSets),
    ],
    recordSet: recordSets(layout.records),
  }
  return `${JSON.stringify(whole, null, 1)}\n`
}

function withDerived(known: ReturnType<typeof provenance>, urls: readonly string[]) {
  const others = urls.map((url) => ({ '@id': url, '@type': 'prov:Entity', url }))
  return { ...known, 'prov:wasDerivedFrom': [...(known['prov:wasDerivedFrom'] as object[]), ...others] }
}

function describe(lineage: Lineage): string {
  const { pictures, captions, regions } = countsOf(lineage)
  const parts = [
    pictures === null ? [] : counted(pictures, 'picture'),
    captions === null ? [] : counted(captions, 'caption'),
    regions === null ? [] : counted(regions, 'region'),
  ].flat()
  return `Grounding "${lineage.grounding}" of the groundmill dataset "${lineage.dataset}": which words of a caption name which box of its picture. The dataset has ${parts.join(', ')}.`
}

const lastDay = ({ stages }: Lineage) =>
  stages
    .map(({ endedAt }) => endedAt)
    .sort()
    .at(-1)
    ?.slice(0, 10)

/** The responsible-AI properties: what people said, and what the records show. */
function responsible({ about, lineage, audits }: CroissantParts): Readonly<Record<string, unknown>> {
  const images = stageOf(lineage, 'images')
  const sentences = (...parts: readonly (string | undefined)[]) =>
    parts.filter((part) => part !== undefined && part !== '').join(' ')
  const tools = teachersOf(lineage).map(({ name, sha256 }) =>
    sha256 === undefined ? name : `${name} (sha256 ${sha256})`,
  )
  const losses = lossesOf(lineage).map(
    ({ stage, unit, reason, count, share }) => `${stage}: ${reason} ${count} ${unit} (${percent(share)})`,
  )
  const values: Readonly<Record<string, unknown>> = {
    'rai:dataCollection': sentences(about.data_collection, collected(lineage)),
    'rai:dataCollectionTimeframe': images && [images.startedAt, images.endedAt],
    'rai:dataPreprocessingProtocol':
      losses.length > 0 ? [`Left out by the stages, by reason: ${losses.join('; ')}.`] : undefined,
    'rai:dataAnnotationProtocol': annotated(lineage),
    'rai:machineAnnotationTools': tools.length > 0 ? tools : undefined,
    'rai:dataLimitations': [
      ...(about.data_limitations === undefined ? [] : [about.data_limitations]),
      ...knownLimits(lineage, audits),
    ],
    'rai:dataBiases': about.data_biases,
    'rai:personalSensitiveInformation': about.personal_sensitive_information,
    'rai:dataUseCases': about.data_use_cases,
    'rai:dataSocialImpact': about.data_social_impact,
    'rai:hasSyntheticData': about.has_synthetic_data,
    'rai:dataReleaseMaintenancePlan': about.data_release_maintenance_plan,
  }
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== ''))
}

function collected(lineage: Lineage): string | undefined {
  const images = stageOf(lineage, 'images')
  if (!images) return undefined
  const crawler = crawlerOf(lineage)
  const by = crawler ? ` Pictures were fetched by ${crawler.user_agent}.` : ''
  return `${images.out} of ${images.in} ${images.unit} of the source came in.${by}`
}

function annotated(lineage: Lineage): string | undefined {
  const teachers = [...new Set(teachersOf(lineage).map(({ name }) => name))]
  if (teachers.length === 0) return undefined
  const rules = rulesOf(lineage)
  const kept = rules.length > 0 ? ` Boxes were kept by these rules: ${rules.join('; ')}.` : ''
  return `Phrases of the captions were found by groundmill, and boxes for them by ${teachers.join(' and ')}.${kept}`
}

/** The context of Croissant 1.1 as mlcroissant writes it, and the namespace of PROV-O. */
const context = {
  '@language': 'en',
  '@vocab': 'https://schema.org/',
  annotation: 'cr:annotation',
  arrayShape: 'cr:arrayShape',
  citeAs: 'cr:citeAs',
  column: 'cr:column',
  conformsTo: 'dct:conformsTo',
  containedIn: 'cr:containedIn',
  cr: 'http://mlcommons.org/croissant/',
  data: { '@id': 'cr:data', '@type': '@json' },
  dataType: { '@id': 'cr:dataType', '@type': '@vocab' },
  dct: 'http://purl.org/dc/terms/',
  description: { '@container': '@language' },
  equivalentProperty: 'cr:equivalentProperty',
  examples: { '@id': 'cr:examples', '@type': '@json' },
  excludes: 'cr:excludes',
  extract: 'cr:extract',
  field: 'cr:field',
  fileObject: 'cr:fileObject',
  fileProperty: 'cr:fileProperty',
  fileSet: 'cr:fileSet',
  format: 'cr:format',
  includes: 'cr:includes',
  isArray: 'cr:isArray',
  isLiveDataset: 'cr:isLiveDataset',
  jsonPath: 'cr:jsonPath',
  key: 'cr:key',
  md5: 'cr:md5',
  name: { '@container': '@language' },
  parentField: 'cr:parentField',
  path: 'cr:path',
  prov: 'http://www.w3.org/ns/prov#',
  rai: 'http://mlcommons.org/croissant/RAI/',
  readLines: 'cr:readLines',
  recordSet: 'cr:recordSet',
  references: 'cr:references',
  regex: 'cr:regex',
  repeated: 'cr:repeated',
  replace: 'cr:replace',
  samplingRate: 'cr:samplingRate',
  sc: 'https://schema.org/',
  sdVersion: 'cr:sdVersion',
  separator: 'cr:separator',
  source: 'cr:source',
  subField: 'cr:subField',
  transform: 'cr:transform',
  unArchive: 'cr:unArchive',
  value: 'cr:value',
} as const
