import { UserError } from '../base/user-error.js'
import { isDataset, readDataset } from '../shards/dataset.js'
import { openStorage } from '../storage/open-storage.js'
import { datasetFunnel, type FunnelStage } from './funnel.js'
import { datasetsIn } from './open-dataset.js'
import { requireFolder } from './require-folder.js'

/** A stage's part of the funnel, with the dataset that it belongs to. */
export type DatasetStage = FunnelStage & { readonly dataset: string }

/** The funnel of a dataset, or of every dataset in the folder of a run. */
export async function readStats(url: string): Promise<DatasetStage[]> {
  const stages: DatasetStage[] = []
  for (const path of await datasetsAt(url)) {
    const storage = openStorage(path)
    const { name } = await readDataset(storage)
    stages.push(...(await datasetFunnel(storage)).map((stage) => ({ ...stage, dataset: name })))
  }
  return stages
}

/** The URL itself where it is a dataset's, else those of the datasets in the folder of a run. */
export async function datasetsAt(url: string): Promise<string[]> {
  await requireFolder(url)
  if (await isDataset(openStorage(url))) return [url]
  const inside = await datasetsIn(url)
  if (inside.length > 0) return inside
  throw new UserError(
    `${url} is neither a dataset nor the folder of a run: no dataset.json there or one level below.`,
  )
}
