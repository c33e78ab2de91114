import { z } from 'zod'
import { auditConfig } from '../../audit/config.js'
import { evaluateConfig } from '../../evaluate/config.js'
import { filterConfig } from '../../filter/config.js'
import { stageName as name } from '../../rows/stage-name.js'
import { teachConfig } from '../../teacher/config.js'
import { trainConfig } from '../../train/config.js'
import { verifyConfig } from '../../verify/config.js'
import { judgeConfig } from '../../verify/network/config.js'
import { promoteRule } from '../promotion/promote-config.js'
import { kinds } from './kinds.js'
import type { StageKind } from './stage-kind.js'

type Kind = (typeof kinds)[number]
type Use = Kind['name']

/** A stage of that kind. */
type StageUsing<U extends Use> = {
  readonly name: string
  readonly uses: U
  readonly needs: string[]
  readonly with: z.infer<Extract<Kind, { name: U }>['schema']>
}

export type Stage = { [U in Use]: StageUsing<U> }[Use]

/** The kind of a stage. */
export function kindOf({ uses }: Stage): StageKind {
  return kinds.find((kind) => kind.name === uses) as StageKind
}

const schemaOf = ({ name: uses, schema, optional }: StageKind) =>
  z.strictObject({
    name: name.describe('what the stage is called: lower-case letters, digits and hyphens'),
    uses: z.literal(uses).describe(schema.description ?? ''),
    needs: z.array(name).default([]).describe('names of the stages whose results it takes'),
    with: optional ? schema.default(schema.parse({})) : schema,
  })

const [firstKind, ...otherKinds] = kinds

// Of a list that is mapped the compiler no longer knows which schema belongs to which name.
const stageSchema = z.discriminatedUnion('uses', [
  schemaOf(firstKind),
  ...otherKinds.map(schemaOf),
]) as unknown as z.ZodType<Stage>

/** Self-training: label with the current teacher, verify, filter, train, evaluate, promote; then again. */
export const roundsSchema = z
  .strictObject({
    count: z.number().int().positive().default(1).describe('rounds to make'),
    teacher: z
      .string()
      .min(1)
      .describe(
        'what teaches first: a stage that makes a model, the folder of any teacher, or a file of your own',
      ),
    phrases: name.describe('the chunk stage whose phrases are labelled'),
    gold: z.array(name).default([]).describe('ingest stages with boxes that every student also learns from'),
    held_out: z.array(name).default([]).describe('ingest stages with boxes to evaluate on'),
    start: z.enum(['teacher', 'scratch']).default('teacher').describe('what a student starts from'),
    teach: teachConfig.default(teachConfig.parse({})).describe('how the teacher of a round is asked'),
    judge: judgeConfig
      .optional()
      .describe('trains a judge `network` of each round, on gold and what its teacher finds there'),
    verify: z
      .record(name, verifyConfig)
      .default({})
      .describe(
        'judges that are asked about its proposals, by the names that rules (`by`) and `weigh_by` call them',
      ),
    filter: filterConfig.default(filterConfig.parse({})).describe('what is kept of its proposals'),
    train: trainConfig.default(trainConfig.parse({})).describe('how a student is trained'),
    evaluate: z
      .record(name, evaluateConfig)
      .default({})
      .describe('how models are evaluated, by the name of the held-out set'),
    audit: auditConfig.optional().describe('what the regions of each round are held against'),
    promote: promoteRule.describe('what promotes a student'),
  })
  .describe('self-training: label with the teacher, verify, filter, train, evaluate, promote; then again')

export type RoundsConfig = z.infer<typeof roundsSchema>

export const pipelineSchema = z
  .strictObject({
    name: name.describe('what the pipeline is called; a run lies in runs/ under it'),
    description: z.string().optional().describe('what it does, for people'),
    vars: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .default({})
      .describe(
        'variables: what a name in dollar and braces in any text stands for; `--set NAME=VALUE` gives others',
      ),
    stages: z
      .array(stageSchema)
      .min(1)
      .describe(
        'what is made: each a `name`, what it `uses`, the stages that it `needs`, and `with`, its keys',
      ),
    rounds: roundsSchema.optional().describe('rounds of self-training, laid out behind the stages'),
  })
  .describe('a pipeline: a YAML file that `groundmill run` runs')

/** What a run keeps of a pipeline. */
export const laidOutSchema = z.strictObject({ name, stages: z.array(stageSchema).min(1) })

export type PipelineConfig = z.infer<typeof pipelineSchema>

/** A pipeline whose rounds are laid out as stages and whose stages are in an order that their needs allow. */
export interface Pipeline {
  readonly name: string
  readonly description?: string
  readonly stages: readonly Stage[]
  readonly rounds?: RoundsConfig
}
