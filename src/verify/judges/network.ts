import { z } from 'zod'
import { judgeKind } from '../judge/judge-kind.js'

/**
 * A small network that a `judge` stage has trained on gold: how likely a box is right for its phrase, and whether the
 * boxes that it accepts are all that the phrase names.
 */
export const network = judgeKind({
  name: 'network',
  schema: z
    .strictObject({
      judge: z.literal('network'),
      model: z
        .string()
        .min(1)
        .optional()
        .describe('a folder of a judge or the name of a judge stage; else the one it needs'),
      threads: z.number().int().min(0).default(0).describe('threads of a session; 0: as onnxruntime chooses'),
    })
    .describe('a small network that was trained on gold to tell right boxes from wrong ones'),
  model: 'judge',
  needsBoxes: true,
  notHashed: ['model', 'threads'],
  check: async ({ model }) =>
    model !== undefined && (await import('../network/judge-folder.js')).readJudgeFolder(model),
  inputs: async () => ({}),
  async open({ threads }, { model }) {
    if (!model) throw new Error('the judge `network` was opened without its model')
    const { openNetworkJudge } = await import('../network/open-network-judge.js')
    return openNetworkJudge(model.folder, { name: model.name, threads })
  },
})
