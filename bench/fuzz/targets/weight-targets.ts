import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../../src/base/user-error.js'
import { causeOf } from '../../../src/parquet/open-parquet.js'
import { openWeightFile } from '../../../src/weights/open-weight-file.js'
import { readPlainPickle } from '../../../src/weights/read-plain-pickle.js'
import { parquetFixtures, parquetRows } from '../../../test/helpers/parquet-fixtures.js'
import type { FuzzTarget } from '../target.js'

/** Parquet of pyarrow, of all its types and codecs. */
export async function parquetTargets(): Promise<FuzzTarget[]> {
  const samples = (await parquetFixtures()).map(({ bytes }) => bytes)
  return [
    {
      name: 'parquet of pyarrow',
      samples: samples.filter(({ length }) => length < 20_000),
      read: async (bytes) => {
        try {
          await parquetRows(bytes)
        } catch (error) {
          // Whoever reads a file says which it is, and that it is damaged, for this reason.
          throw new UserError(causeOf(error))
        }
      },
    },
  ]
}

/** Weights of torch and safetensors: all names, and the values of all that are small. */
async function readWeights(path: string): Promise<void> {
  const file = await openWeightFile(path)
  try {
    for (const tensor of file.tensors.values()) await tensor.read()
  } finally {
    await file.close()
  }
}

export async function weightTargets(folder: string): Promise<FuzzTarget[]> {
  const torch = new URL('../../../test/weights/fixtures/torch/', import.meta.url)
  const names = (await readdir(torch)).filter((name) => /\.(pth|pt|bin)$/.test(name))
  const checkpoints = await Promise.all(names.map((name) => readFile(new URL(name, torch))))
  const header = Buffer.from(
    JSON.stringify({
      __metadata__: { format: 'pt' },
      a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
      b: { dtype: 'BF16', shape: [4], data_offsets: [24, 32] },
    }),
  )
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  const safetensors = Buffer.concat([length, header, Buffer.alloc(32, 1)])
  const [torchPath, safePath] = [join(folder, 'model.pth'), join(folder, 'model.safetensors')]
  const pickles = JSON.parse(
    await readFile(new URL('../../../test/weights/fixtures/pickles.json', import.meta.url), 'utf8'),
  ) as unknown
  const plain = [...base64In(pickles)].filter((bytes) => bytes[0] === 0x80)
  return [
    {
      name: 'torch checkpoint',
      samples: checkpoints,
      file: torchPath,
      read: () => readWeights(torchPath),
    },
    { name: 'safetensors', samples: [safetensors], file: safePath, read: () => readWeights(safePath) },
    {
      name: 'plain pickle',
      samples: plain,
      read: async (bytes) => void readPlainPickle(bytes, 'refs.p'),
    },
  ]
}

/** All texts of a value that are base64 of bytes. */
function* base64In(value: unknown): Generator<Uint8Array> {
  if (typeof value === 'string') yield Buffer.from(value, 'base64')
  else if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) yield* base64In(part)
}
