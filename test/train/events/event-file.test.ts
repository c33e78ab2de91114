import { appendFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { crc32c } from '../../../src/train/events/crc32c.js'
import { encodeEvent, type TrainEvent } from '../../../src/train/events/event-proto.js'
import { frameRecord, readRecords } from '../../../src/train/events/event-records.js'
import { openTrainingLog } from '../../../src/train/training-log.js'
import { readEvents } from '../../helpers/read-events.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

describe('a record of an event', () => {
  const time = 1700000000.25
  // Written by TensorBoard 2.21: RecordWriter of Event.SerializeToString(deterministic=True).
  it.each<[TrainEvent, string]>([
    [
      { time, step: 0, what: { version: 'brain.Event:2' } },
      '1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe9',
    ],
    [{ time, step: 0, what: { start: true } }, '0d000000000000003c37b8340900001040fc54d9413a0208018c8e54cd'],
    [
      { time, step: 0, what: { tag: 'settings', text: 'größe' } },
      '34000000000000005e33175c0900001040fc54d9412a290a270a0873657474696e67734211080712041202080142076772c3b6c39f654a080a060a0474657874d9cac8ca',
    ],
    [
      { time: 1700000001.5, step: 300, what: { scalars: { 'train/loss': 1.5, 'eval/ap': 0.25 } } },
      '31000000000000009d8383e90900006040fc54d94110ac022a230a110a0a747261696e2f6c6f7373150000c03f0a0e0a076576616c2f6170150000803ecfc07749',
    ],
  ])('is to the byte what TensorBoard writes: %j', (event, bytes) => {
    expect(Buffer.from(frameRecord(encodeEvent(event))).toString('hex')).toBe(bytes)
  })

  it('has sums of RFC 3720', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  })

  it('is read up to one that is cut short or damaged', () => {
    const parts = [Buffer.from('a'), Buffer.alloc(0), Buffer.from('ccc')].map(frameRecord)
    const file = Buffer.concat(parts)
    const texts = (bytes: Uint8Array) => readRecords(bytes).map((record) => Buffer.from(record).toString())
    expect(texts(file)).toEqual(['a', '', 'ccc'])
    const ends = [17, 33, 52]
    for (let length = 0; length < file.length; length++)
      expect(texts(file.subarray(0, length)).length).toBe(ends.filter((end) => end <= length).length)
    for (let at = 0; at < file.length; at++) {
      const damaged = Buffer.from(file)
      damaged[at]! ^= 0x10
      expect(texts(damaged).length).toBe(ends.filter((end) => end <= at).length)
    }
  })
})

describe('the event file of a training', () => {
  const line = (step: number, loss: number) => ({
    ...{ step, learning_rate: 0.5, gradient_norm: 2, seconds: 1, data_seconds: 0.25 },
    ...{ loss, giou: loss / 2, ...(step % 2 === 0 && { eval_ap: step / 8 }) },
  })
  const shown = (step: number, loss: number) => ({
    ...{ 'train/loss': loss, 'train/learning_rate': 0.5, 'train/gradient_norm': 2, 'train/seconds': 1 },
    ...{
      'train/data_seconds': 0.25,
      'train/loss_giou': loss / 2,
      ...(step % 2 === 0 && { 'eval/ap': step / 8 }),
    },
  })
  const filesOf = async (folder: string) =>
    (await readdir(folder)).filter((name) => name.includes('tfevents'))
  const eventsOf = async (folder: string) => {
    const files = await filesOf(folder)
    expect(files.length).toBe(1)
    return readEvents(await readFile(join(folder, files[0]!)))
  }
  const stepsOf = (events: Awaited<ReturnType<typeof eventsOf>>) =>
    Object.fromEntries(events.filter(({ step }) => step > 0).map(({ step, scalars }) => [step, scalars]))

  it('has the lines of metrics.jsonl as they come, behind its version, a beginning and the settings', async () => {
    const folder = await temporaryFolder()
    const log = await openTrainingLog(folder, 0, { batch: 3 })
    await log.add(line(1, 4))
    const [version, start, settings, first, ...others] = await eventsOf(folder)
    expect(version).toMatchObject({ step: 0, version: 'brain.Event:2' })
    expect(start).toMatchObject({ step: 0, start: true })
    expect(settings!.texts).toEqual({ settings: '```json\n{\n  "batch": 3\n}\n```' })
    expect(first).toMatchObject({ step: 1, scalars: shown(1, 4) })
    expect(Math.abs(first!.time - Date.now() / 1000)).toBeLessThan(60)
    expect(others).toEqual([])
    await log.add(line(2, 2))
    expect(stepsOf(await eventsOf(folder))).toEqual({ 1: shown(1, 4), 2: shown(2, 2) })
  })

  it('has each step once where a training goes on, at the time that it had, whatever became of the file', async () => {
    const folder = await temporaryFolder()
    const log = await openTrainingLog(folder, 0, {})
    for (const step of [1, 2, 3, 4]) await log.add(line(step, 8 / step))
    const [name] = await filesOf(folder)
    const before = await eventsOf(folder)
    const { length } = await readFile(join(folder, name!))
    // Killed while it wrote step 4, after a checkpoint of step 2.
    await truncate(join(folder, name!), length - 3)
    await writeFile(join(folder, 'events.out.tfevents.1700000000.somebody'), 'theirs')
    const resumed = await openTrainingLog(folder, 2, {})
    const names = await filesOf(folder)
    expect(names).toContain('events.out.tfevents.1700000000.somebody')
    // A reader that follows the folder is at the end of the earlier file, and goes on to the name that comes later.
    const [emptied, own, ...others] = names.filter((other) => other.endsWith('groundmill'))
    expect([emptied, others]).toEqual([name, []])
    expect((await readFile(join(folder, emptied!))).length).toBe(0)
    await resumed.add(line(3, 7))
    const events = readEvents(await readFile(join(folder, own!)))
    expect(stepsOf(events)).toEqual({ 1: shown(1, 8), 2: shown(2, 4), 3: shown(3, 7) })
    expect(events.filter(({ step }) => step === 1 || step === 2).map(({ time }) => time)).toEqual(
      before.filter(({ step }) => step === 1 || step === 2).map(({ time }) => time),
    )
    await openTrainingLog(folder, 3, {})
    expect((await filesOf(folder)).length).toBe(3)
    expect(await filesOf(folder)).not.toContain(name)
  })

  it('is made of metrics.jsonl where an older version wrote none', async () => {
    const folder = await temporaryFolder()
    await appendFile(join(folder, 'metrics.jsonl'), `${JSON.stringify(line(1, 4))}\n`)
    await openTrainingLog(folder, 1, {})
    expect(stepsOf(await eventsOf(folder))).toEqual({ 1: shown(1, 4) })
  })
})
