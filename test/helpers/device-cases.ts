import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import type { Device } from '../../src/graph/device.js'
import { needsPortable } from '../../src/graph/device.js'
import { longs, type Value } from '../../src/graph/session.js'
import { writeModelFolder } from '../../src/model/model-folder.js'
import { anchorsOf } from '../../src/model/network/anchors.js'
import { type GlipConfig, queriesOf } from '../../src/model/network/config.js'
import { glip, glipInputs } from '../../src/model/network/glip.js'
import { glipQueries } from '../../src/model/network/glip-queries.js'
import { initialValue, parametersOf } from '../../src/model/network/parameters.js'
import { specialTokens } from '../../src/model/word-piece.js'
import { openTeacher } from '../../src/teacher/open-teacher.js'
import { type TrainGraphConfig, trainGraph } from '../../src/train/loss/train-graph.js'
import { adamWStep } from '../../src/train/optimizer/adamw.js'
import { initialState, parametersOfState, stateViews } from '../../src/train/optimizer/optimizer-state.js'
import { groupParameters } from '../../src/train/optimizer/parameter-groups.js'
import { openStepSessions } from '../../src/train/step-sessions.js'
import { type DeviceProfile, deviceProfile } from './device-profile.js'
import { narrowGlip } from './glip-cases.js'
import { narrowQueries } from './query-cases.js'
import { recordedRuns } from './recorded-runs.js'
import { tinyBatch, tinyConfig, tinyOptimizer, tinyTraining } from './tiny-glip.js'

/** Numbers that two devices should agree in, by what they are. */
type Answers = Readonly<Record<string, ArrayLike<number>>>

/** Work that is done on a device and on the CPU. */
export interface DeviceCase {
  readonly name: string
  readonly answers: (device: Device, scratch: string) => Promise<Answers>
  /** Where the operators of one run of it are computed. */
  readonly profile: (device: Device, scratch: string) => Promise<DeviceProfile>
}

/** The largest difference of two answers, as a share of the largest number of the one on the CPU. */
export function largestDifference(cpu: Answers, device: Answers): number {
  const each = Object.entries(cpu).map(([name, values]) => {
    const others = device[name] ?? []
    let scale = 0
    let difference = values.length === others.length ? 0 : Number.POSITIVE_INFINITY
    for (let at = 0; at < values.length; at++) {
      if (Number.isFinite(values[at])) scale = Math.max(scale, Math.abs(values[at]!))
      // Masks make scores of minus infinity.
      if (values[at] === others[at]) continue
      const apart = Math.abs(values[at]! - others[at]!)
      difference = Number.isNaN(apart) ? Number.POSITIVE_INFINITY : Math.max(difference, apart)
    }
    return difference === 0 ? 0 : difference / scale
  })
  return Math.max(...each)
}

const phrases = ['a red dog', 'the person']

/** A picture of stripes that no two parts of are the same. */
function picture(width: number, height: number) {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, at) => (at * 7 + ((at * at) >> 9)) & 255)
  return { width, height, data, scale: 1 }
}

/** A teacher's folder: everything that its sessions answer for two pictures. */
export function teachingCase(
  name: string,
  folder: string | ((scratch: string) => Promise<string>),
  file?: string,
): DeviceCase {
  const runs = async (device: Device, scratch: string) => {
    const path = typeof folder === 'string' ? folder : await folder(scratch)
    return recordedRuns(async () => {
      const teacher = await openTeacher(path, { device, threads: 1, ...(file !== undefined && { file }) })
      const text = phrases.join(', ')
      const spans = phrases.map((phrase) => {
        const start = text.indexOf(phrase)
        return [start, start + phrase.length] as const
      })
      const queries = [picture(64, 48), picture(50, 70)].map((picture) => ({ picture, text, phrases: spans }))
      await teacher.detect(queries, { floor: 0, nms: 1, max_boxes: 10_000 })
      await teacher.close()
    })
  }
  return {
    name: `${name}: teach`,
    async answers(device, scratch) {
      const answered = (await runs(device, scratch)).flatMap(({ results }, run) =>
        Object.entries(results)
          .filter(([, { dtype }]) => dtype === 'float32')
          .map(([output, { data }]) => [`${output} ${run}`, data as Float32Array] as const),
      )
      return Object.fromEntries(answered)
    },
    async profile(device, scratch) {
      const [last] = (await runs(device, scratch)).reverse()
      if (!last) throw new Error(`${name} ran no session`)
      return deviceProfile(last.model, last.feeds, device, last.ownGraph, scratch)
    },
  }
}

/** A folder of a network with random weights. */
export async function randomFolder(config: GlipConfig, scratch: string): Promise<string> {
  const folder = await mkdtemp(join(scratch, `${config.preset}-`))
  const words = [...specialTokens, ...phrases.join(' ').split(' '), ',']
  const vocabulary = new Map([...words].map((word, index) => [word, index]))
  const inputs = glipInputs(config, 1)
  const { contrastive: _, ...outputs } =
    queriesOf(config) === undefined ? glip(config, inputs) : glipQueries(config, inputs)
  const parameters = parametersOf(Object.values(outputs)).map((parameter) => ({
    name: parameter.name,
    shape: parameter.shape,
    data: initialValue(parameter, 1),
  }))
  await writeModelFolder(folder, { config, vocabulary, parameters, card: '# Random weights\n', batch: 2 })
  return folder
}

/** A batch for any network: a picture's boxes and their words, and for queries no anchors. */
function batchOf(config: GlipConfig, training: TrainGraphConfig): Record<string, Value> {
  if (queriesOf(config) === undefined) return tinyBatch(1, config, training)
  // What is assigned to the anchors of another network of the same size is matched anew.
  const {
    centerness: _,
    assigned: __,
    ...batch
  } = tinyBatch(1, { ...tinyConfig, ...sizesOf(config) }, training)
  return batch
}

const sizesOf = ({ image_size, text }: GlipConfig) => ({
  image_size,
  text: { ...tinyConfig.text, max_tokens: text.max_tokens, vocab_size: text.vocab_size },
})

/**
 * Three steps of a training, a batch in two parts: losses, and the gradients of the last part.
 *
 * @param frozen beginnings of parameters that are not trained
 */
export function trainingCase(name: string, config: GlipConfig, frozen: readonly string[] = []): DeviceCase {
  const training = (device: Device): TrainGraphConfig => ({
    ...tinyTraining,
    batch: 2,
    trains: (parameter) => !frozen.some((beginning) => parameter.startsWith(beginning)),
    portable: needsPortable(device),
  })
  const open = async (device: Device) => {
    const graph = trainGraph(config, training(device))
    const groups = groupParameters(graph.parameters, { language_rate: 1, bias_rate: 1 })
    return { graph, state: await initialState(groups, graph.parameters, 1) }
  }
  return {
    name: `${name}: train`,
    async answers(device) {
      const { graph, state } = await open(device)
      const sessions = await openStepSessions(
        graph,
        state,
        { network: config, parts: 2 },
        { device, threads: 1, ownGraph: true },
      )
      const losses: number[] = []
      for (let step = 1; step <= 3; step++) {
        for (let part = 0; part < 2; part++) {
          const { loss = Number.NaN } = await sessions.run(batchOf(config, training(device)))
          losses.push(loss)
        }
        adamWStep(state, step, 1e-3, tinyOptimizer)
      }
      await sessions.close()
      const gradients = parametersOfState(state, 'gradient').flatMap(({ data }) => [...data])
      return { losses, gradients }
    },
    async profile(device, scratch) {
      const { graph, state } = await open(device)
      const assigned = longs(new BigInt64Array(2 * (queriesOf(config) ?? anchorsOf(config).count)), [
        2,
        queriesOf(config) ?? anchorsOf(config).count,
      ])
      const batch = { assigned, ...batchOf(config, training(device)), ...stateViews(state).feeds }
      return deviceProfile(graph.step, batch, device, true, scratch)
    },
  }
}

const fixture = (name: string) => join('test/teacher/fixtures', name)

/** All that is held against the CPU: every family, and what differs in how it is computed. */
export const deviceCases: readonly DeviceCase[] = [
  teachingCase('toy', (scratch) => randomFolder(tinyConfig, scratch)),
  teachingCase('glip-t', (scratch) => randomFolder(narrowGlip, scratch)),
  teachingCase('glip-r50', (scratch) => randomFolder(narrowQueries, scratch)),
  ...['grounding-dino', 'owlvit', 'detr', 'rt_detr', 'rt_detr_v2', 'torchvision'].map((name) =>
    teachingCase(name, fixture(name), 'model'),
  ),
  teachingCase('owlv2', fixture('owlv2')),
  teachingCase('owlvit in half precision', fixture('owlvit'), 'model_fp16'),
  trainingCase('toy', tinyConfig),
  trainingCase('toy, language frozen', tinyConfig, ['language_backbone']),
  trainingCase('glip-t', narrowGlip),
  trainingCase('glip-r50', narrowQueries),
]
