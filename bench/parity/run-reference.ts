/** Runs a case of test/helpers/glip-cases.ts in PyTorch. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Value } from '../../src/graph/session.js'
import type { GlipConfig } from '../../src/model/network/config.js'
import type { Parameter } from '../../src/model/network/parameters.js'
import { torchLayout, toTorch } from '../../src/model/parameter-specs.js'
import { type NamedArray, readSafetensors, writeSafetensors } from '../../src/weights/safetensors.js'

const script = fileURLToPath(new URL('glip_cases.py', import.meta.url))

export interface ReferenceRequest {
  readonly name: string
  readonly config: GlipConfig
  readonly parameters: readonly { readonly parameter: Parameter; readonly data: Float32Array }[]
  readonly inputs: Readonly<Record<string, Value>>
  /** By output; gradients are computed where there are any. */
  readonly cotangents: readonly NamedArray[]
  readonly metadata?: Readonly<Record<string, string>>
}

/** What glip_cases.py gives: `output.*` and `gradient.*`, those of parameters in PyTorch's layout. */
export async function runReference(
  python: string,
  { name, config, parameters, inputs, cotangents, metadata }: ReferenceRequest,
): Promise<ReadonlyMap<string, NamedArray>> {
  const folder = mkdtempSync(join(tmpdir(), 'groundmill-parity-'))
  try {
    const given = parameters.map(({ parameter, data }) => {
      const spec = torchLayout(parameter)
      return { name: `parameter.${spec.name}`, shape: spec.torchShape, data: toTorch(spec, data) }
    })
    const fed = Object.entries(inputs).map(([key, { data, shape }]) => ({
      name: `input.${key}`,
      shape,
      data: Float32Array.from<number | bigint>(data as Float32Array, Number),
    }))
    const turned = cotangents.map((array) => ({ ...array, name: `cotangent.${array.name}` }))
    const [source, result] = [join(folder, 'in.safetensors'), join(folder, 'out.safetensors')]
    await writeSafetensors(source, [...given, ...fed, ...turned], {
      case: name,
      config: JSON.stringify(config),
      ...metadata,
    })
    execFileSync(python, [script, source, result], { stdio: 'inherit' })
    return (await readSafetensors(result)).tensors
  } finally {
    rmSync(folder, { recursive: true })
  }
}
