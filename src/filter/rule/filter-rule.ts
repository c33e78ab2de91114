import type { z } from 'zod'
import type { BoxRule, BoxSource, Disagreement, ModelRule, Rule } from './rule.js'
import type { modelTools, NamedTools, RuleTools } from './rule-tools.js'

/**
 * Parameters of a rule, and first, under `rule`, its name. A `strictObject`: a key that a rule does not know
 * is an error.
 */
export type RuleSchema = z.ZodObject<{ rule: z.ZodLiteral<string> }, z.core.$strict>

/**
 * Which boxes of a picture decide about one: `itself` alone, `better` ones as well, of at least its score, or
 * `all`. A threshold on scores before a rule that does not look at `all` cuts off the end of what that rule
 * keeps, nothing else.
 */
export type LooksAt = 'itself' | 'better' | 'all'

/** What a rule asks for besides its parameters. */
export type ToolRequest<Config> =
  | { readonly tools: 'frequency' }
  | { [Kind in keyof NamedTools]: NamedToolRequest<Config, Kind> }[keyof NamedTools]

interface NamedToolRequest<Config, Kind extends keyof NamedTools> {
  readonly tools: Kind
  /** The file or folder that the parameters name; undefined where they name none: then it gets no tool. */
  path(config: Config): string | undefined
  /**
   * Throws a UserError where the tool does not fit the proposals of a teacher; null where it fits those of
   * any. There is one source where one stage's boxes are candidates.
   */
  readonly checkTeacher:
    | ((config: Config, tool: NamedTools[Kind], sources: readonly BoxSource[]) => void)
    | null
}

type ToolOf<Request> = Request extends { readonly tools: 'frequency' }
  ? NonNullable<RuleTools['frequency']>
  : Request extends { readonly tools: infer Kind extends keyof NamedTools }
    ? NamedTools[Kind]
    : undefined

type CreatedRule<Request> = Request extends { readonly tools: (typeof modelTools)[number] }
  ? ModelRule
  : Rule | BoxRule

/**
 * Everything that is known of a rule. Nothing has a default, so that a new rule has to state what it looks
 * at.
 *
 * @see `filterRule`, which infers the types
 */
export interface FilterRule<
  Schema extends RuleSchema,
  Request extends ToolRequest<z.infer<Schema>> | null = ToolRequest<z.infer<Schema>> | null,
> {
  /** Also the reason under which what it drops is counted. */
  readonly name: z.infer<Schema>['rule']
  readonly schema: Schema
  readonly looksAt: LooksAt | ((config: z.infer<Schema>) => LooksAt)
  /** Whether it changes scores: what it keeps is put in order again. */
  readonly rescores: boolean
  /**
   * What it reads that is not read for every rule: the labels of a detector with a fixed list, the stored
   * picture, what a teacher answered to other attributes, what judges said, the boxes of several stages.
   */
  readonly reads: readonly ('labels' | 'pictures' | 'contrast' | 'verdicts' | 'sources')[]
  readonly asks: Request
  /** Of a rule that compares the boxes of several stages: how far they disagree on what it is given. */
  readonly disagreement?: (config: z.infer<Schema>) => Disagreement
  /** The rule, from its parameters and the tool that it asks for. */
  create(config: z.infer<Schema>, tool: ToolOf<Request>): CreatedRule<Request>
}

/**
 * Checks the types of a rule: its name is that of its schema, and `create` takes the tool that it asks for.
 */
export const filterRule = <
  Schema extends RuleSchema,
  const Request extends ToolRequest<z.infer<Schema>> | null,
>(
  rule: FilterRule<Schema, Request>,
): FilterRule<Schema, Request> => rule
