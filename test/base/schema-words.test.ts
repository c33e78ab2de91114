import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { firstIssue, inWords } from '../../src/base/schema-words.js'
import { parsePipeline } from '../../src/pipeline/read-pipeline.js'

const said = (schema: z.ZodType, value: unknown): string => {
  const { error } = schema.safeParse(value, inWords)
  return error ? firstIssue(error) : 'nothing'
}

describe('what is wrong with a value', () => {
  const mode = z.enum(['phrases', 'ngrams'])
  const rule = z.discriminatedUnion('rule', [
    z.strictObject({ rule: z.literal('score'), min: z.number().max(1) }),
    z.strictObject({ rule: z.literal('nms'), iou: z.number() }),
  ])
  it.each<[string, z.ZodType, unknown, string]>([
    ['a kind', z.number(), 'many', 'expected a number, not "many"'],
    ['no number', z.number(), Number.NaN, 'expected a number, not NaN'],
    ['a fraction', z.number().int(), 1.5, 'expected a whole number, not 1.5'],
    ['a list', z.string(), [1, 2], 'expected a text, not a list'],
    ['an object', z.boolean(), { a: 1 }, 'expected true or false, not keys with values'],
    ['nothing', z.object({ a: z.string() }), {}, 'a: it is missing: a text is needed'],
    ['no object', z.object({ a: z.object({}) }), {}, 'a: it is missing: keys with values are needed'],
    ['a choice', mode, 'phrase', '"phrase" is not one of phrases, ngrams. Did you mean "phrases"?'],
    ['a far choice', mode, 7, '7 is not one of phrases, ngrams'],
    ['a literal', z.literal(2), 3, '3 is not 2'],
    ['a member', rule, { rule: 'scroe' }, 'rule: "scroe" is not one of score, nms. Did you mean "score"?'],
    ['no member', rule, {}, 'rule: it is missing, and must be one of score, nms'],
    ['no object of members', rule, 5, 'expected keys with values, not 5'],
    [
      'a key',
      rule,
      { rule: 'nms', iou: 1, iuo: 1 },
      'no such key: "iuo"; there are: rule, iou. Did you mean "iou"?',
    ],
    ['a bound', rule, { rule: 'score', min: 2 }, 'min: 2 is too large: it must be at most 1'],
    ['an open bound', z.number().positive(), 0, '0 is too small: it must be more than 0'],
    ['a short list', z.array(z.number()).min(1), [], 'the list needs at least 1 entry, and has 0'],
    ['a long list', z.array(z.number()).length(2), [1, 2, 3], 'the list may have 2 entries, and has 3'],
    ['a tuple', z.tuple([z.number(), z.number()]), [1], 'the list needs at least 2 entries, and has 1'],
    ['an empty text', z.string().min(1), '', 'it may not be empty'],
    ['a pattern', z.string().regex(/^a+$/), 'b', '"b" is not of the form /^a+$/'],
    ['either', z.union([z.string(), z.number()]), [], 'expected a text or a number, not a list'],
    [
      'inside of either',
      z.union([z.object({ a: z.number() }), z.null()]),
      { a: 'x' },
      'a: expected a number, not "x"',
    ],
    [
      'a list that may be a word too, and is too long',
      z.union([z.literal('best'), z.array(z.string()).max(1)]),
      ['a', 'b'],
      'the list may have at most 1 entry, and has 2',
    ],
    ['a custom check', z.custom(() => false), 'x', '"x" cannot be'],
    ['words of its own', z.string('say a name'), 5, 'say a name'],
    [
      'a key of a record',
      z.record(z.enum(['a']), z.number()),
      { b: 1 },
      'a: it is missing: a number is needed',
    ],
  ])('is said of %s', (_, schema, value, words) => {
    expect(said(schema, value)).toBe(words)
  })

  it('is bounded, however long what is given is', () => {
    const long = 'x'.repeat(1e6)
    for (const schema of [z.number(), z.enum(['a']), z.strictObject({}), z.literal(1), z.string().max(3)])
      for (const value of [long, { [long]: 1 }, [long]]) expect(said(schema, value).length).toBeLessThan(300)
  })

  it('is in no word of another program in a pipeline', async () => {
    const web = { name: 'web', uses: 'ingest', with: { format: 'tsv', path: 'p' } }
    const changes: readonly object[] = [
      { uses: 'ingst' },
      { uses: undefined },
      { name: 'A b' },
      { needs: 'x' },
      { with: 5 },
      { with: undefined },
      ...[
        { format: 'tvs' },
        { format: 7 },
        { format: 'tsv', pth: 1 },
        { format: 'tsv', columns: { url: [] } },
        { format: 'tsv', fetch: { allow_hosts: ['a b'], allow_ports: [0], opt_out: ['no'], user_agent: '' } },
        { format: 'tsv', image: { resize: 'x', quality: 101, transparency: null } },
      ].map((config) => ({ with: config })),
    ]
    for (const change of changes) {
      const { message } = await parsePipeline({ name: 'p', stages: [{ ...web, ...change }] }).then(
        () => new Error('it is taken'),
        (error: Error) => error,
      )
      expect(message).toMatch(/^the pipeline: /)
      expect(message).not.toMatch(
        /Invalid|Unrecognized|received|expected (string|number|object|array)\b|Too (big|small)|discriminator/,
      )
    }
  })
})
