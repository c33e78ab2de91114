import { chooseStage } from '../../catalog/choose-stage.js'
import { type OpenDataset, openDataset } from '../../catalog/open-dataset.js'

/**
 * `DATASET:STAGE` is a grounding of a dataset; `DATASET` alone is the only one that it has, gold or of a filter stage.
 *
 * @throws UserError where there are several, or none
 */
export async function openNamed(
  named: string,
): Promise<{ readonly dataset: OpenDataset; readonly grounding: string }> {
  const { url, requested } = namedStage(named)
  const dataset = await openDataset(url)
  return { dataset, grounding: chooseStage(dataset, 'grounding', { requested, option: `${url}:STAGE` }) }
}

/** The two parts of `DATASET:STAGE`; without a stage nothing is requested. */
export function namedStage(named: string): { readonly url: string; readonly requested: string | undefined } {
  const [, url = named, requested] = /^(.*?)(?::([a-z0-9-]+))?$/.exec(named) ?? []
  return { url, requested }
}
