import { mkdir } from 'node:fs/promises'
import { modelCard } from '../src/model/model-card.js'
import { writeModelFolder } from '../src/model/model-folder.js'
import type { GlipConfig } from '../src/model/network/config.js'
import { glip, glipInputs } from '../src/model/network/glip.js'
import { initialValue, parametersOf } from '../src/model/network/parameters.js'

/** Writes the folder of a model of random weights: what a network costs does not depend on them. */
export async function writeRandomModel(
  folder: string,
  name: string,
  config: GlipConfig,
  vocabulary: ReadonlyMap<string, number>,
  size?: { readonly height: number; readonly width: number },
): Promise<void> {
  const { contrastive: _, ...outputs } = glip(config, glipInputs(config, 1, size))
  const parameters = parametersOf(Object.values(outputs)).map((parameter) => ({
    name: parameter.name,
    shape: parameter.shape,
    read: async () => initialValue(parameter, 1),
  }))
  await mkdir(folder, { recursive: true })
  const lineage = 'Random weights, for a benchmark.\n'
  const card = modelCard({ name, config, license: 'unknown', lineage })
  await writeModelFolder(folder, { config, vocabulary, parameters, card, batch: 1 })
}
