import { z } from 'zod'
import { dedupConfig } from '../dedup/config.js'
import { evaluateConfig, evaluateNotHashed } from '../evaluate/config.js'
import { exportStageConfig } from '../export/config.js'
import { filterConfig, filterNotHashed } from '../filter/config.js'
import { ingestConfig, ingestNotHashed } from '../ingest/sources/config.js'
import { chunkConfig } from '../nlp/config.js'
import { teachConfig, teachNotHashed } from '../teacher/config.js'
import { trainConfig, trainNotHashed } from '../train/config.js'

const name = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'expected lower-case letters, digits and hyphens')
const needs = z.array(name).default([])

/** What promotes a student: its score on a held-out set must beat the teacher's by the margin. */
export const promoteConfig = z.strictObject({
  set: name.describe('the held-out set that decides'),
  metric: z.enum(['ap', 'ap50', 'ap75', 'recall1', 'recall5', 'recall10']).default('recall1'),
  margin: z.number().default(0).describe('the student must score this much higher, 0 to 1'),
  /** Filled in when rounds are laid out. */
  round: z.number().int().positive().default(1),
  student: name.optional(),
  sets: z.array(name).default([]),
})

export type PromoteConfig = z.infer<typeof promoteConfig>

/** Each use's configuration, and the keys of it that do not change what comes out. */
export const uses = {
  ingest: { schema: ingestConfig, notHashed: ingestNotHashed },
  // What the sets of `against` hold is among the inputs.
  dedup: { schema: dedupConfig, notHashed: ['against'] },
  chunk: { schema: chunkConfig, notHashed: [] },
  teach: { schema: teachConfig, notHashed: teachNotHashed },
  filter: { schema: filterConfig, notHashed: filterNotHashed },
  train: { schema: trainConfig, notHashed: trainNotHashed },
  evaluate: { schema: evaluateConfig, notHashed: evaluateNotHashed },
  // An export knows by itself what it was made of.
  export: { schema: exportStageConfig, notHashed: [] },
  promote: { schema: promoteConfig, notHashed: [] },
} as const

export type Use = keyof typeof uses

const stage = <U extends Use, S extends z.ZodType>(use: U, schema: S) =>
  z.strictObject({ name, uses: z.literal(use), needs, with: schema })

const stageSchema = z.discriminatedUnion('uses', [
  stage('ingest', ingestConfig),
  stage('dedup', dedupConfig.default(dedupConfig.parse({}))),
  stage('chunk', chunkConfig.default(chunkConfig.parse({}))),
  stage('teach', teachConfig.default(teachConfig.parse({}))),
  stage('filter', filterConfig.default(filterConfig.parse({}))),
  stage('train', trainConfig.default(trainConfig.parse({}))),
  stage('evaluate', evaluateConfig.default(evaluateConfig.parse({}))),
  stage('export', exportStageConfig),
  stage('promote', promoteConfig),
])

export type Stage = z.infer<typeof stageSchema>
export type StageOf<U extends Use> = Extract<Stage, { uses: U }>

/** Self-training: label with the current teacher, filter, train, evaluate, promote; then again. */
export const roundsSchema = z.strictObject({
  count: z.number().int().positive().default(1),
  teacher: name.describe('the train stage that teaches first'),
  phrases: name.describe('the chunk stage whose phrases are labelled'),
  gold: z.array(name).describe('ingest stages that every student also learns from'),
  held_out: z.array(name).min(1).describe('ingest stages to evaluate on'),
  start: z.enum(['teacher', 'scratch']).default('teacher').describe('what a student starts from'),
  teach: teachConfig.default(teachConfig.parse({})),
  filter: filterConfig.default(filterConfig.parse({})),
  train: trainConfig.default(trainConfig.parse({})),
  evaluate: z.record(name, evaluateConfig).default({}).describe('by held-out set'),
  promote: z.strictObject({
    set: promoteConfig.shape.set,
    metric: promoteConfig.shape.metric,
    margin: promoteConfig.shape.margin,
  }),
})

export type RoundsConfig = z.infer<typeof roundsSchema>

export const pipelineSchema = z.strictObject({
  name,
  description: z.string().optional(),
  vars: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe('what a name in dollar and braces in any string stands for'),
  stages: z.array(stageSchema).min(1),
  rounds: roundsSchema.optional(),
})

export type PipelineConfig = z.infer<typeof pipelineSchema>

/** A pipeline whose rounds are laid out as stages and whose stages are in an order that their needs allow. */
export interface Pipeline {
  readonly name: string
  readonly description?: string
  readonly stages: readonly Stage[]
  readonly rounds?: RoundsConfig
}
