import type { ClusterRun, JobFile } from '../../src/pipeline/clusters/cluster-run.js'
import { type Segment, segmentsOf } from '../../src/pipeline/clusters/segments.js'
import { parsePipeline } from '../../src/pipeline/read-pipeline.js'

/** A job in slices, one in slices on a GPU, and one that is whole and needs both. */
export async function threeSegments(name = 'photos'): Promise<Segment[]> {
  const pipeline = await parsePipeline({
    name,
    stages: [
      { name: 'web', uses: 'ingest', with: { format: 'tsv', path: 'a.tsv' } },
      { name: 'phrases', uses: 'chunk', needs: ['web'] },
      { name: 'label', uses: 'teach', needs: ['phrases'], with: { model: 'm', device: 'cuda' } },
      { name: 'kept', uses: 'filter', needs: ['label'] },
      { name: 'scores', uses: 'audit', needs: ['kept', 'phrases'], with: { truth: 'truth.json' } },
    ],
  })
  return segmentsOf(pipeline)
}

export const clusterRun: ClusterRun = {
  pipeline: 'photos',
  path: '/home/me/p.yaml',
  dataset: 's3://bucket/my run',
  set: ['list=a $HOME.tsv'],
  slices: 6,
  cpus: 4,
  memory: 512,
}

/** What a batch script asks of Slurm, in its order. */
export const directivesOf = (text: string | undefined): (string | undefined)[] =>
  [...(text ?? '').matchAll(/^#SBATCH (.*)$/gm)].map(([, directive]) => directive)

/** The text of each file by its name. */
export const textsOf = (files: readonly JobFile[]): Map<string, string> =>
  new Map(files.map(({ name, text }) => [name, text]))
