import { describe, expect, it } from 'vitest'
import { segmentsOf } from '../../../src/pipeline/clusters/segments.js'
import { parsePipeline, readPipeline } from '../../../src/pipeline/read-pipeline.js'

const ingest = (name: string) => ({ name, uses: 'ingest', with: { format: 'tsv', path: `${name}.tsv` } })

/** Segments in one line each: kind, stages, what comes before. */
async function segments(stages: readonly object[], only?: readonly string[]): Promise<string[]> {
  const pipeline = await parsePipeline({ name: 'p', stages })
  return segmentsOf(pipeline, only).map(({ sliced, gpu, stages, needs, last }) => {
    const kind = `${sliced ? 'slices' : 'one'}${gpu ? ' gpu' : ''}`
    return `${kind}: ${stages.map(({ name }) => name).join(' ')} | ${last.join(' ')} | ${needs.join(' ')}`
  })
}

const cuda = { device: 'cuda' }

describe('segmentsOf', () => {
  it('runs what goes from shard to the same shard as one job, GPU stages apart', async () => {
    const stages = [
      ingest('web'),
      { name: 'phrases', uses: 'chunk', needs: ['web'] },
      { name: 'label', uses: 'teach', needs: ['phrases'], with: { model: 'm', ...cuda } },
      { name: 'kept', uses: 'filter', needs: ['label'] },
    ]
    expect(await segments(stages)).toEqual([
      'slices: web phrases | phrases | ',
      'slices gpu: label | label | phrases',
      'slices: kept | kept | label',
    ])
  })

  it('needs no machine with a GPU for a teacher that is asked on the CPU', async () => {
    const stages = [
      ingest('web'),
      { name: 'phrases', uses: 'chunk', needs: ['web'] },
      { name: 'label', uses: 'teach', needs: ['phrases'], with: { model: 'm' } },
      { name: 'kept', uses: 'filter', needs: ['label'] },
    ]
    expect(await segments(stages)).toEqual(['slices: web phrases label kept | kept | '])
  })

  it('begins slices again behind what looks at all shards; what goes in order is one job', async () => {
    const stages = [
      ingest('web'),
      { name: 'unlike', uses: 'dedup', needs: ['web'] },
      { name: 'phrases', uses: 'chunk', needs: ['unlike'] },
      { name: 'label', uses: 'teach', needs: ['phrases'], with: { model: 'm' } },
      {
        name: 'rare',
        uses: 'filter',
        needs: ['label'],
        with: { rules: [{ rule: 'frequency_score', rare: 0.3, common: 0.4, frequent: 0.5 }] },
      },
      { name: 'out', uses: 'export', needs: ['rare'], with: { format: 'coco', out: 'out' } },
    ]
    expect(await segments(stages)).toEqual([
      'slices: web | web | ',
      'one: unlike | unlike | web',
      'slices: phrases label | label | unlike',
      'slices: rare | rare | label',
      'one: out | out | rare',
    ])
  })

  it('leaves what is not asked for', async () => {
    const stages = [
      ingest('web'),
      ingest('gold'),
      { name: 'phrases', uses: 'chunk', needs: ['web'] },
      { name: 'gold-phrases', uses: 'chunk', needs: ['gold'] },
    ]
    expect(await segments(stages, ['phrases'])).toEqual(['slices: web phrases | phrases | '])
    await expect(segments(stages, ['none'])).rejects.toThrow('There is no stage "none"')
  })

  it('asks for every last stage of a job that has several', async () => {
    const stages = [
      ingest('web'),
      { name: 'a', uses: 'chunk', needs: ['web'] },
      { name: 'b', uses: 'chunk', needs: ['web'] },
    ]
    expect(await segments(stages)).toEqual(['slices: web a b | a b | '])
  })

  it('has every job of a round after those that it needs', async () => {
    const pipeline = await readPipeline('pipelines/quickstart.yaml', {
      set: ['rounds.teach.device=cuda', 'teacher.device=cuda', 'rounds.count=2'],
    })
    const all = segmentsOf(pipeline)
    expect(all.flatMap(({ stages }) => stages.map(({ name }) => name)).sort()).toEqual(
      pipeline.stages.map(({ name }) => name).sort(),
    )
    const before = new Set<string>()
    for (const { name, needs } of all) {
      for (const need of needs) expect(before, `${need} before ${name}`).toContain(need)
      before.add(name)
    }
    const one = (name: string) => all.find((segment) => segment.name === name)
    expect(one('phrases')).toMatchObject({ sliced: true, gpu: false, needs: [] })
    expect(one('teacher')).toMatchObject({ sliced: false, gpu: true, needs: ['gold', 'phrases'] })
    expect(one('round-1-label')).toMatchObject({ sliced: true, gpu: true, needs: ['phrases', 'teacher'] })
    expect(one('round-1-filter')).toMatchObject({ sliced: true, gpu: false, needs: ['round-1-label'] })
    expect(one('round-2-label')).toMatchObject({ needs: ['phrases', 'round-1-promote'] })
  })
})
