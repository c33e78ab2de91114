import type { KeyKind } from './key-kinds.js'
import { chooserOf, type KeySchema, mapSchema } from './key-schema.js'

/**
 * The JSON Schema of a kind, by which editors complete keys, show what they mean and underline wrong ones. Unions stand as
 * one object with a condition for each variant, which editors tell of better than of `oneOf`.
 */
export function editorSchema({ name, schema }: KeyKind, all: readonly KeyKind[]): KeySchema {
  const used = new Map<string, KeySchema>()
  const collect = (node: KeySchema): KeySchema => {
    const target = node.$ref && all.find((kind) => node.$ref === `#/$defs/${kind.name}`)
    if (target && !used.has(target.name)) {
      used.set(target.name, {})
      used.set(target.name, collect(target.schema))
    }
    const { $ref, ...rest } = mapSchema(node, collect)
    // What stands beside a reference counts for nothing before draft 2019.
    return conditional($ref ? { ...rest, allOf: [{ $ref }] } : rest)
  }
  const own = collect(schema)
  const $defs = Object.fromEntries([...used].sort(([a], [b]) => (a < b ? -1 : 1)))
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: `groundmill ${name}`,
    ...own,
    ...(used.size > 0 && { $defs }),
  }
}

/** Values that a variable may give are texts with `${…}`; draft 7 has `items` for the things of a tuple. */
function conditional({ oneOf, prefixItems, ...node }: KeySchema): KeySchema {
  if (node.enum && node.type === 'string') return withVariable(node)
  if (prefixItems) return { ...node, items: prefixItems as unknown as KeySchema }
  const chooser = oneOf && chooserOf(oneOf)
  if (!oneOf || chooser === undefined) return oneOf ? { ...node, oneOf } : node
  const names = oneOf.flatMap(({ properties }) => properties?.[chooser]?.const ?? [])
  const isOptional = names.length < oneOf.length
  const variants = oneOf.map((variant) => {
    const name = variant.properties?.[chooser]?.const
    const condition =
      name === undefined
        ? { not: { required: [chooser] } }
        : { required: [chooser], properties: { [chooser]: { const: name } } }
    return Object.fromEntries([
      ['if', condition],
      ['then', variant],
    ])
  })
  return {
    ...node,
    type: 'object',
    properties: { [chooser]: { enum: names, ...purposesOf(oneOf, chooser) } },
    ...(!isOptional && { required: [chooser] }),
    allOf: variants as unknown as KeySchema[],
  }
}

/** Some editors show what each value of a list is for. */
const purposesOf = (variants: readonly KeySchema[], chooser: string) => ({
  markdownEnumDescriptions: variants.flatMap(({ properties }) =>
    properties?.[chooser]?.const === undefined ? [] : [properties[chooser]?.description ?? ''],
  ),
})

function withVariable({ type: _, enum: values, ...node }: KeySchema): KeySchema {
  return {
    ...node,
    anyOf: [
      { type: 'string', enum: values },
      { type: 'string', pattern: '\\$\\{[\\w-]+\\}' },
    ],
  }
}
