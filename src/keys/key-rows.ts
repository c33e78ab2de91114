import { type KeyKind, referred } from './key-kinds.js'
import { chooserOf, type KeySchema } from './key-schema.js'

/** A key as a reader of the reference sees it. */
export interface KeyRow {
  /** Of keys within a key with dots between; `[]` where they are of each thing of a list. */
  readonly key: string
  /** Its type and range in words. */
  readonly type: string
  /** As JSON; undefined where there is none. */
  readonly default: string | undefined
  readonly required: boolean
  /** What it means, with its unit. */
  readonly meaning: string
  /** The kind whose keys it has. */
  readonly keysOf?: string
}

/** The keys of a kind, those within a key behind it; of a union those that all its variants have. */
export function keyRows({ schema }: Pick<KeyKind, 'schema'>): KeyRow[] {
  const { oneOf = [] } = schema
  const [first] = oneOf
  if (!first) return rowsOf(schema, '')
  const shared = Object.entries(first.properties ?? {}).filter(([key]) =>
    oneOf.every(({ properties }) => Object.hasOwn(properties ?? {}, key)),
  )
  const chooser = chooserOf(oneOf)
  const names = oneOf.flatMap(({ properties }) => properties?.[chooser ?? '']?.const ?? [])
  const said = new Set(oneOf.flatMap(({ properties }) => properties?.[chooser ?? '']?.description ?? []))
  // What one of them is for does not tell what the choice is.
  const purpose = said.size === 1 ? [...said][0] : 'which of these; each has keys of its own'
  const common = Object.fromEntries(
    shared.map(([key, inner]) => [
      key,
      key === chooser ? { ...inner, const: undefined, enum: names, description: purpose } : inner,
    ]),
  )
  const required = first.required?.filter((key) => oneOf.every((one) => one.required?.includes(key)))
  return rowsOf({ properties: common, required }, '')
}

function rowsOf({ properties = {}, required = [] }: KeySchema, before: string): KeyRow[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const key = before + name
    const keysOf = referred(schema) ?? referred(itemOf(schema))
    const [inner, mark] = schema.properties ? [schema, '.'] : [itemOf(schema), '[].']
    const { default: value } = schema
    // A part shows the defaults of its keys one by one.
    const isPart = inner.properties !== undefined || keysOf !== undefined
    return [
      {
        key,
        type: typeText(schema),
        default: value === undefined || (isPart && !Array.isArray(value)) ? undefined : JSON.stringify(value),
        required: required.includes(name),
        meaning: schema.description ?? '',
        ...(keysOf !== undefined && { keysOf }),
      },
      ...(inner.properties ? rowsOf(inner, key + mark) : []),
    ]
  })
}

/** What a list or a map has in it. */
const itemOf = ({ items, additionalProperties }: KeySchema): KeySchema =>
  items ?? (typeof additionalProperties === 'object' ? additionalProperties : {})

/** A type and its range in words: `whole number, 1 to 100`, `list of texts`. */
export function typeText(schema: KeySchema): string {
  const { type, anyOf, oneOf, items, prefixItems, properties, additionalProperties } = schema
  if (schema.$ref) return 'keys'
  if (schema.const !== undefined) return String(schema.const)
  if (schema.enum) return schema.enum.map(String).join(' | ')
  if (schema.not) return 'left out'
  if (anyOf) return anyOf.map(typeText).join(' or ')
  if (oneOf) return 'keys'
  if (prefixItems) return `[${prefixItems.map(typeText).join('; ')}]`
  if (Array.isArray(type)) return type.map((one) => typeText({ ...schema, type: one })).join(' or ')
  switch (type) {
    case 'boolean':
      return 'true | false'
    case 'null':
      return 'null'
    case 'integer':
    case 'number':
      return rangeText(type === 'integer' ? 'whole number' : 'number', schema)
    case 'array':
      return `list of ${manyText(items ?? {})}`
    case 'object':
      if (properties) return 'keys'
      return `names with ${typeof additionalProperties === 'object' ? manyText(additionalProperties) : 'values'}`
    case 'string':
      return 'text'
    default:
      return 'any'
  }
}

/** Several things of a type. */
function manyText(schema: KeySchema): string {
  const one = typeText(schema)
  if (one === 'text') return 'texts'
  if (one.includes(' or ')) return `(${one})`
  return one.replace(/^(whole )?number/, '$1numbers')
}

function rangeText(
  what: string,
  { minimum, maximum, exclusiveMinimum, exclusiveMaximum }: KeySchema,
): string {
  const low = minimum === undefined ? exclusiveMinimum : minimum
  const high = maximum === undefined ? exclusiveMaximum : maximum
  const over = minimum === undefined && exclusiveMinimum !== undefined
  const under = maximum === undefined && exclusiveMaximum !== undefined
  if (low === undefined && high === undefined) return what
  if (high === undefined) return `${what}, ${over ? `over ${low}` : `${low} or more`}`
  if (low === undefined) return `${what}, ${under ? `under ${high}` : `up to ${high}`}`
  if (!over && !under) return `${what}, ${low} to ${high}`
  return `${what}, ${over ? 'over' : 'from'} ${low} and ${under ? 'under' : 'up to'} ${high}`
}
