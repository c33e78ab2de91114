import { UserError } from '../base/user-error.js'
import { type Shape, sizeOf } from '../graph/ops/tensor.js'
import type { LazyArray } from '../weights/safetensors.js'
import type { StoredTensor, WeightFile } from '../weights/weight-file.js'
import { type KeyPlace, type Naming, namingOf, type Part, parts, reasonToIgnore } from './checkpoint-names.js'
import { fromTorch, type ParameterSpec } from './parameter-specs.js'

export interface Checkpoint {
  readonly path: string
  readonly file: WeightFile
}

/** What becomes of every weight of the files and of every parameter of the network. Shapes are PyTorch's. */
export interface ImportReport {
  readonly sources: readonly { readonly path: string; readonly source: string }[]
  readonly parts: readonly Part[]
  /** Parameters that a weight was found for. */
  readonly matched: readonly string[]
  /** Values in them. */
  readonly values: number
  /** Parameters that no weight was found for. */
  readonly missing: readonly { readonly name: string; readonly shape: Shape }[]
  readonly wrongShape: readonly {
    readonly name: string
    readonly key: string
    /** What the network needs. */
    readonly expected: Shape
    /** What the file has. */
    readonly found: Shape
  }[]
  /** Parameters that such files never have. */
  readonly absent: readonly { readonly name: string; readonly reason: string }[]
  /** Weights that nothing is known of. */
  readonly unused: readonly { readonly key: string; readonly shape: Shape }[]
  /** Weights that are left out on purpose. */
  readonly ignored: readonly { readonly key: string; readonly reason: string }[]
  /** What the files hold besides weights. */
  readonly others: readonly string[]
}

export interface ImportPlan {
  readonly report: ImportReport
  /** The matched parameters, read from the files when they are written. */
  readonly arrays: readonly LazyArray[]
}

/** A weight of a file that belongs to a parameter, or to a third of one. */
interface MatchedKey extends KeyPlace {
  readonly key: string
  readonly tensor: StoredTensor
}

/**
 * Finds the parameters of some parts of a network in files of weights.
 *
 * @throws UserError where a file is of no model that is known, or two weights are of one parameter
 */
export function planImport(
  specs: readonly ParameterSpec[],
  checkpoints: readonly Checkpoint[],
  wanted: readonly Part[],
): ImportPlan {
  const isWanted = (name: string) => wanted.some((part) => name.startsWith(parts[part]))
  const names = new Set(specs.map(({ name }) => name))
  const found = new Map<string, MatchedKey[]>()
  const unused: { key: string; shape: Shape }[] = []
  const ignored: { key: string; reason: string }[] = []
  const named = checkpoints.map(({ path, file }) => {
    return { path, file, naming: namingOf([...file.tensors.keys()], path) }
  })
  const namings = named.map(({ naming }) => naming)
  for (const { file, naming } of named) {
    const { prepare = (tensors) => tensors } = naming
    for (const [key, tensor] of prepare(file.tensors)) {
      const place = naming.place(key)
      const { parameter } = place
      const elsewhere = isWanted(parameter) ? undefined : 'of a part that was not asked for'
      const reason = reasonToIgnore(parameter) ?? elsewhere
      if (names.has(parameter) && isWanted(parameter))
        found.set(parameter, [...(found.get(parameter) ?? []), { ...place, key, tensor }])
      else if (reason) ignored.push({ key, reason })
      else unused.push({ key, shape: tensor.shape })
    }
  }

  const matched: string[] = []
  const missing: { name: string; shape: Shape }[] = []
  const wrongShape: { name: string; key: string; expected: Shape; found: Shape }[] = []
  const absent: { name: string; reason: string }[] = []
  const arrays: LazyArray[] = []
  for (const spec of specs.filter(({ name }) => isWanted(name))) {
    const { name, torchShape } = spec
    const keys = found.get(name) ?? []
    const pieces = piecesOf(name, keys)
    // Two thirds of a parameter are of no use without the other.
    if (pieces.length === 0) unused.push(...keys.map(({ key, tensor: { shape } }) => ({ key, shape })))
    const expected =
      pieces.length === 3 ? torchShape.map((size, axis) => (axis === 0 ? size / 3 : size)) : torchShape
    const wrong = pieces.find(({ tensor }) => tensor.shape.join() !== expected.join())
    if (wrong) wrongShape.push({ name, key: wrong.key, expected, found: wrong.tensor.shape })
    else if (pieces.length > 0) {
      matched.push(name)
      arrays.push(arrayOf(spec, pieces))
    } else {
      const reason = absenceOf(name, namings)
      if (reason) absent.push({ name, reason })
      else missing.push({ name, shape: torchShape })
    }
  }
  const sources = named.map(({ path, naming }) => ({ path, source: naming.source }))
  const values = arrays.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
  const others = checkpoints.flatMap(({ file }) => file.others)
  return {
    report: { sources, parts: wanted, matched, values, missing, wrongShape, absent, unused, ignored, others },
    arrays,
  }
}

/** The one weight of a parameter, or its thirds in order; none where a third is missing. */
function piecesOf(name: string, found: readonly MatchedKey[]): readonly MatchedKey[] {
  const whole = found.length === 1 && found.every(({ third }) => third === undefined)
  const thirds = [0, 1, 2].flatMap((third) => found.filter((one) => one.third === third))
  const isSplit =
    thirds.length === found.length && new Set(thirds.map(({ third }) => third)).size === thirds.length
  if (!whole && !isSplit)
    throw new UserError(
      `${found.map(({ key }) => key).join(' and ')} are both of the parameter ${name}: give one file for each part.`,
    )
  return whole || thirds.length === 3 ? found.toSorted((a, b) => (a.third ?? 0) - (b.third ?? 0)) : []
}

function absenceOf(name: string, namings: readonly Naming[]): string | undefined {
  return namings.find(({ absent }) => absent?.names.test(name))?.absent?.reason
}

function arrayOf(spec: ParameterSpec, pieces: readonly MatchedKey[]): LazyArray {
  return {
    name: spec.name,
    shape: spec.shape,
    async read() {
      const values = new Float32Array(sizeOf(spec.shape))
      let at = 0
      for (const { tensor, unfolded } of pieces) {
        const piece = await tensor.read()
        values.set(unfolded ? fromUnfolded(piece, spec.shape.at(-1) ?? 1) : piece, at)
        at += piece.length
      }
      return fromTorch(spec, values)
    },
  }
}

/**
 * Rows of patch merging with four neighbours' channels, from the order of `unfold` (a channel's four
 * neighbours together, row by row) to Swin's (a neighbour's channels together, column by column).
 */
function fromUnfolded(values: Float32Array, width: number): Float32Array {
  const result = new Float32Array(values.length)
  const channels = width / 4
  const neighbours = [0, 2, 1, 3]
  for (let row = 0; row < values.length; row += width) {
    neighbours.forEach((neighbour, place) => {
      for (let channel = 0; channel < channels; channel++)
        result[row + place * channels + channel] = values[row + channel * 4 + neighbour]!
    })
  }
  return result
}
