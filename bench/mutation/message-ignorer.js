/**
 * A plugin of Stryker that leaves the texts of messages alone: of `new UserError('…')` and any other error, of
 * a schema's `.describe('…')` and of warnings. A test that holds every word of them would only be in the way of
 * a better wording; when an error comes, and of which class, is still mutated.
 */

/** @typedef {{ node: any, key: unknown, parentPath: Path | null, isStringLiteral(): boolean, isTemplateLiteral(): boolean }} Path */

/** Functions and methods whose arguments are messages. */
const told = new Set(['describe', 'warn', 'log'])

/**
 * Whether what stands here is written into a message: from the text out, over what puts texts together.
 *
 * @param {Path} path
 */
function isMessage(path) {
  for (let at = path; at.parentPath; at = at.parentPath) {
    const { node } = at.parentPath
    switch (node.type) {
      case 'BinaryExpression':
      case 'ConditionalExpression':
      case 'LogicalExpression':
      case 'TemplateLiteral':
        continue
      case 'NewExpression':
        return node.callee !== at.node && /Error$/.test(node.callee.name ?? '')
      case 'CallExpression':
        return node.callee !== at.node && told.has(node.callee.property?.name ?? node.callee.name)
      default:
        return false
    }
  }
  return false
}

export const strykerPlugins = [
  {
    kind: 'Ignore',
    name: 'messages',
    value: {
      /** @param {Path} path */
      shouldIgnore: (path) =>
        (path.isStringLiteral() || path.isTemplateLiteral()) && isMessage(path)
          ? 'The text of a message'
          : undefined,
    },
  },
]
