import { z } from 'zod'
import type { JudgeKind, JudgeSchema } from './judge/judge-kind.js'
import { clip } from './judges/clip.js'
import { endpoint } from './judges/endpoint.js'
import { network } from './judges/network.js'
import { people } from './judges/people.js'
import { views } from './judges/views.js'

/** Every judge. The schema of a verify stage and all else that is known of judges is derived from this list. */
export const judges = [network, views, clip, endpoint, people] as const

type Schemas<Judges extends readonly { readonly schema: JudgeSchema }[]> = {
  readonly [At in keyof Judges]: Judges[At]['schema']
}

/** Each judge's parameters by its name. */
export const judgeSchema = z.discriminatedUnion(
  'judge',
  judges.map(({ schema }) => schema) as unknown as Schemas<typeof judges>,
)

/** The keys of a judge. */
export type JudgeConfig = z.infer<typeof judgeSchema>

export const judgeNames: readonly JudgeConfig['judge'][] = judges.map(({ name }) => name)

/** Any judge of the list, as it is found by its name: its parameters are those of some judge. */
export type AnyJudge = Omit<JudgeKind, 'notHashed' | 'check' | 'inputs' | 'open'> & {
  readonly notHashed: readonly string[]
  check(config: JudgeConfig): ReturnType<JudgeKind['check']>
  inputs(config: JudgeConfig, shard: Parameters<JudgeKind['inputs']>[1]): ReturnType<JudgeKind['inputs']>
  open(config: JudgeConfig, tools: Parameters<JudgeKind['open']>[1]): ReturnType<JudgeKind['open']>
}

// The cast is safe because a judge is only given parameters with its own name.
const byName = new Map(judges.map((judge) => [judge.name as string, judge as unknown as AnyJudge]))

/** The judge that parameters are of. */
export const judgeOf = ({ judge }: JudgeConfig): AnyJudge => byName.get(judge) as AnyJudge
