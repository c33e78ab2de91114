import { expect, it } from 'vitest'
import { openInspected } from '../../src/cli/inspect.js'
import type { DatasetAnswer, SamplesAnswer } from '../../src/inspect/view/answers.js'
import { makeInspectDataset } from '../helpers/inspect-dataset.js'
import { s3Server } from '../helpers/s3-server.js'
import { buildPage, rawRequest, serveDataset } from '../helpers/serve-dataset.js'

const bucket = await s3Server()

it('looks at a dataset in a bucket, and reads there only what it shows', async () => {
  const url = bucket.url('little')
  await makeInspectDataset(url, { pictures: 120, shardRows: 40, rounds: 1 })
  const served = await serveDataset(url, await buildPage())
  await served.whole()
  const { pictureKey } = await served.api<DatasetAnswer>('/api/dataset')
  bucket.requests.length = 0
  const { samples } = await served.api<SamplesAnswer>('/api/samples?page=2')
  expect(samples[0].id).toBe('00000:36')
  expect(samples.at(-1)?.id).toBe('00001:31')
  expect((await rawRequest(served.port, `/thumb/${pictureKey}/00001:7`)).status).toBe(200)
  const asked = bucket.requests.join('\n')
  expect(asked).toMatch(/images\/00000-[0-9a-f]{16}\.parquet/)
  expect(asked).toMatch(/images\/00001-[0-9a-f]{16}\.parquet/)
  expect(asked).not.toContain('/00002-')
  expect(bucket.requests.every((request) => /^(GET|HEAD) /.test(request))).toBe(true)
  expect((await openInspected(url)).dataset.pictures).toBe(120)
})
