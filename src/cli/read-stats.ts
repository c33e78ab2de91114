import { isDataset, readDataset } from '../shards/dataset.js'
import { datasetFunnel, type FunnelStage } from '../shards/funnel.js'
import { openStorage } from '../shards/storage.js'
import { UserError } from '../user-error.js'
import { datasetsIn } from './open-dataset.js'

/** A stage's part of the funnel, with the dataset that it belongs to. */
export type DatasetStage = FunnelStage & { readonly dataset: string; readonly url: string }

/** The funnel of a dataset, or of every dataset in the folder of a run. */
export async function readStats(url: string): Promise<DatasetStage[]> {
  const storage = openStorage(url)
  if (await isDataset(storage)) return stagesOf(url)
  const stages: DatasetStage[] = []
  for (const path of await datasetsIn(url)) stages.push(...(await stagesOf(path)))
  if (stages.length === 0) {
    throw new UserError(
      `${url} is neither a dataset nor the folder of a run: no dataset.json there or one level below.`,
    )
  }
  return stages
}

async function stagesOf(url: string): Promise<DatasetStage[]> {
  const storage = openStorage(url)
  const { name } = await readDataset(storage)
  return (await datasetFunnel(storage)).map((stage) => ({ ...stage, dataset: name, url }))
}
