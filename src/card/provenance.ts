import type { Lineage, LineageStage } from './lineage.js'

/** What an export is to its provenance. */
export interface ExportMade {
  readonly format: string
  readonly configHash: string
  /** Name and version of the program. */
  readonly software: string
}

/** What stages of a family do, as people call it. */
const deeds: Readonly<Partial<Record<LineageStage['family'], string>>> = {
  images: 'ingest',
  selection: 'dedup',
  phrases: 'chunk',
  proposals: 'teach',
  verdicts: 'verify',
  grounding: 'filter',
  negatives: 'mine',
}

const isHash = (value: string) => /^[0-9a-f]{64}$/.test(value)

/**
 * Where a dataset comes from, in the words of PROV-O (W3C, 2013): each stage of its making is an activity with its
 * times, its program and the hash of its configuration; what went in and what came out are entities with theirs. All of
 * it stands in the commit records.
 */
export function provenance(lineage: Lineage, made: ExportMade): Readonly<Record<string, unknown>> {
  const { stages, card, dataset } = lineage
  const source = {
    '@id': `source/${dataset}`,
    '@type': 'prov:Entity',
    'prov:label': typeof card?.title === 'string' ? card.title : `the source of "${dataset}"`,
    ...(typeof card?.homepage === 'string' && { url: card.homepage }),
    ...(typeof card?.license === 'string' && { license: card.license }),
    ...(stages[0]?.given.source?.length === 1 && { sha256: stages[0].given.source[0] }),
  }
  const activities = stages.map((stage) => activityOf(stage, `source/${dataset}`))
  const last = stages.at(-1)
  const exported = {
    ...{ '@type': 'prov:Activity', '@id': 'activity/export', 'prov:label': `export as ${made.format}` },
    'prov:used': stages.map((stage) => ({ '@id': outputId(stage) })),
    ...(last && { 'prov:wasInformedBy': [{ '@id': activityId(last) }] }),
    'prov:wasAssociatedWith': [agent(made.software)],
    identifier: `configuration sha256:${made.configHash}`,
  }
  return {
    'prov:wasDerivedFrom': [source],
    'prov:wasGeneratedBy': [...activities, exported],
  }
}

const placeOf = ({ family, stage }: Pick<LineageStage, 'family' | 'stage'>) => `${family}/${stage}`
const activityId = (stage: Pick<LineageStage, 'family' | 'stage'>) => `activity/${placeOf(stage)}`
const outputId = (stage: Pick<LineageStage, 'family' | 'stage'>) => `output/${placeOf(stage)}`

const agent = (software: string) => ({ '@type': 'prov:SoftwareAgent', 'prov:label': software })

function activityOf(stage: LineageStage, sourceId: string): object {
  const { family, from, given, files } = stage
  const deed = deeds[family] ?? family
  const models = Object.entries(given).flatMap(([name, values]) =>
    name === 'source' || name === 'card'
      ? []
      : values.filter(isHash).map((hash, at) => ({
          ...{ '@type': 'prov:Entity', 'prov:label': labelOf(name, given, at) },
          sha256: hash,
        })),
  )
  const used = [
    ...(family === 'images' ? [{ '@id': sourceId }] : []),
    ...from.map((place) => ({ '@id': `output/${place}` })),
    ...models,
  ]
  return {
    ...{ '@type': 'prov:Activity', '@id': activityId(stage), 'prov:label': `${deed}: ${stage.stage}` },
    'prov:startedAtTime': stage.startedAt,
    'prov:endedAtTime': stage.endedAt,
    ...(used.length > 0 && { 'prov:used': used }),
    ...(from.length > 0 && { 'prov:wasInformedBy': from.map((place) => ({ '@id': `activity/${place}` })) }),
    'prov:generated': {
      ...{ '@type': 'prov:Entity', '@id': outputId(stage) },
      'prov:label': `${stage.out} of ${stage.in} ${stage.unit}, ${files.count} files of ${files.bytes} bytes`,
      sha256: files.sha256,
    },
    ...(stage.software.length > 0 && { 'prov:wasAssociatedWith': stage.software.map(agent) }),
    identifier: stage.configHashes.map((hash) => `configuration sha256:${hash}`),
  }
}

/** A model is called by the teacher's name, where the records have one for each. */
function labelOf(name: string, given: LineageStage['given'], at: number): string {
  const teacher = name === 'model' ? given.teacher?.[at] : undefined
  return teacher === undefined ? name : `model ${teacher}`
}
