/**
 * Fetches the pictures of a list of url and caption, finds the noun phrases of the captions, writes shards:
 *
 *     npx tsx examples/make-shards.ts pairs.tsv runs/pairs [http://127.0.0.1:8088/]
 *
 * The third argument is what the list's addresses are relative to. A server of your own is only asked where
 * it is named.
 */
import { parsePipeline, runPipeline } from 'groundmill'
import { openDataset } from 'groundmill/dataset'

const [path = 'pairs.tsv', folder = 'runs/pairs', base] = process.argv.slice(2)

const pipeline = await parsePipeline({
  name: 'pairs',
  stages: [
    {
      name: 'web',
      uses: 'ingest',
      with: { format: 'tsv', path, ...(base && { base_url: base, fetch: { allow_hosts: [base] } }) },
    },
    { name: 'phrases', uses: 'chunk', needs: ['web'] },
  ],
})
const { failed } = await runPipeline(pipeline, folder)

const { stages, shards } = await openDataset(`${folder}/web`)
console.log(`${shards.length} shards, of which ${failed} failed`)
for (const { stage, unit, in: given, out, rejected } of stages)
  console.log(`${stage}: ${out} of ${given} ${unit}`, rejected)
