import { z } from 'zod'

/** A JSON Schema of a configuration's keys, as zod writes it. */
export interface KeySchema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, KeySchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | KeySchema
  readonly propertyNames?: KeySchema
  readonly items?: KeySchema
  readonly prefixItems?: readonly KeySchema[]
  readonly anyOf?: readonly KeySchema[]
  readonly oneOf?: readonly KeySchema[]
  readonly allOf?: readonly KeySchema[]
  readonly not?: KeySchema
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly exclusiveMaximum?: number
  readonly minItems?: number
  readonly minLength?: number
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, KeySchema>>
  readonly [more: string]: unknown
}

/** What a user may write for a schema: keys with a default need not be given, `hidden` ones are left out. */
export function keySchema(schema: z.ZodType): KeySchema {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      if (zodSchema._zod.def.type === 'undefined') jsonSchema.not = {}
    },
  })
  return tidy(json as KeySchema)
}

/** Without limits that are those of all numbers; what a variant is for stands at the key that chooses it. */
function tidy(node: KeySchema): KeySchema {
  // A format that JSON Schema does not have stands beside its pattern.
  const { maximum, minimum, exclusiveMinimum, oneOf, format: _, ...rest } = mapSchema(node, tidy)
  const isPositive = exclusiveMinimum === 0 && rest.type === 'integer'
  const least = isPositive ? 1 : minimum
  return {
    ...rest,
    ...(least !== undefined && least !== Number.MIN_SAFE_INTEGER && { minimum: least }),
    ...(exclusiveMinimum !== undefined && !isPositive && { exclusiveMinimum }),
    ...(maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER && { maximum }),
    ...(oneOf && { oneOf: oneOf.map(withPurpose) }),
  }
}

function withPurpose(variant: KeySchema): KeySchema {
  const { properties, description } = variant
  const [name, chosen] =
    Object.entries(properties ?? {}).find(([, { const: value }]) => value !== undefined) ?? []
  if (name === undefined || chosen?.description !== undefined || description === undefined) return variant
  return { ...variant, properties: { ...properties, [name]: { ...chosen, description } } }
}

/** A schema with another one in the place of each that it is made of. */
export function mapSchema(node: KeySchema, change: (inner: KeySchema) => KeySchema): KeySchema {
  const { properties, additionalProperties, items, prefixItems, anyOf, oneOf, allOf } = node
  const list = (schemas: readonly KeySchema[] | undefined) => schemas?.map(change)
  return {
    ...node,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).flatMap(([key, inner]) =>
          inner.hidden === true ? [] : [[key, change(inner)] as const],
        ),
      ),
    }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: change(additionalProperties) }),
    ...(items && { items: change(items) }),
    ...(prefixItems && { prefixItems: list(prefixItems) }),
    ...(anyOf && { anyOf: list(anyOf) }),
    ...(oneOf && { oneOf: list(oneOf) }),
    ...(allOf && { allOf: list(allOf) }),
  }
}

/** The key by whose value the variants of a union are told apart; undefined where there is none. */
export function chooserOf(variants: readonly KeySchema[]): string | undefined {
  return Object.keys(variants.at(-1)?.properties ?? {}).find((key) =>
    variants.every(
      ({ properties }) => properties?.[key]?.const !== undefined || properties?.[key]?.not !== undefined,
    ),
  )
}
