/** How published weights name their parameters, and GLIP's official names for these. */
import { nameList } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import type { StoredTensor } from '../weights/weight-file.js'
import { foldBatchNorms } from './fold-batch-norm.js'

/** Where the tensor of a key belongs. */
export interface KeyPlace {
  /** Official name, without `module.`. */
  readonly parameter: string
  /** Which third of the parameter's rows it is, where query, key and value are tensors of their own. */
  readonly third?: 0 | 1 | 2
  /** Whether the inputs of a patch merging come in the order of `unfold`, as MMDetection has them. */
  readonly unfolded?: boolean
}

export interface Naming {
  /** What such a file is. */
  readonly source: string
  place(key: string): KeyPlace
  /** The file's tensors as the network has them, under the same keys, where several make one. */
  prepare?(tensors: ReadonlyMap<string, StoredTensor>): ReadonlyMap<string, StoredTensor>
  /** Parameters of the network that such a file never has, and why. */
  readonly absent?: { readonly names: RegExp; readonly reason: string }
}

/** Parts of the network that can be imported alone, by the start of their parameters' names. */
export const parts = {
  backbone: 'backbone.body.',
  language: 'language_backbone.body.model.',
  all: '',
} as const

export type Part = keyof typeof parts

/**
 * What a file may have that the network has no use for, by official names, and why it is left out.
 * microsoft/GLIP: modeling/rpn/vldyhead.py, modeling/backbone/swint.py.
 */
const ignorable: readonly (readonly [RegExp, string])[] = [
  [/^rpn\.head\.cls_logits\./, 'class logits: never read, their loss is multiplied by 0'],
  [/^rpn\.anchor_generator\./, 'anchors: computed'],
  [/\.relative_position_index$/, 'places in a window: computed'],
  [/\.attn_mask$/, 'mask of shifted windows: computed'],
  [/\.position_ids$/, 'positions of tokens: computed'],
  [/\.pooler\./, 'pooler of BERT: not part of the text encoder'],
  [/^language_backbone\.body\.cls\./, 'heads of the pre-training of BERT'],
  [/^backbone\.body\.(norm|head|fc)\./, 'head of an image classifier'],
  [/\.running_(mean|var)$/, 'statistics of a batch norm: folded into its weight and bias'],
  [/\.num_batches_tracked$/, 'batches that a batch norm has seen: for training it'],
  [/^rpn\.resizer\./, 'resizer of text features: of another kind of fusion'],
  [/^rpn\.head\.mlm_head\./, 'masked language modelling: a loss of other trainings'],
  [/^rpn\.loss_evaluator\./, 'contrastive loss of other trainings'],
  [/^rpn\.tunable_linear\./, 'prompt tuning: NOT applied, so answers are those of the model before it'],
]

/** Why a key may be left out, or undefined where nothing is known of it. */
export function reasonToIgnore(name: string): string | undefined {
  return ignorable.find(([pattern]) => pattern.test(name))?.[1]
}

type Replacement = readonly [RegExp, string]

const replaced = (key: string, replacements: readonly Replacement[]): string =>
  replacements.reduce((name, [pattern, by]) => name.replace(pattern, by), key)

const withoutModule = (key: string) => key.replace(/^module\./, '')

const official: Naming = {
  source: 'GLIP, official names',
  place: (key) => ({ parameter: withoutModule(key) }),
}

/** tools/model_converters/glip_to_mmdet.py of MMDetection, backwards. */
const mmdetection: readonly Replacement[] = [
  [/^backbone\./, 'backbone.body.'],
  [/\.stages\./, '.layers.'],
  [/\.patch_embed\.projection\./, '.patch_embed.proj.'],
  [/\.ffn\.layers\.0\.0\./, '.mlp.fc1.'],
  [/\.ffn\.layers\.1\./, '.mlp.fc2.'],
  [/\.attn\.w_msa\./, '.attn.'],
  [/^neck\.lateral_convs\.0\.conv\./, 'backbone.fpn.fpn_inner2.'],
  [/^neck\.lateral_convs\.1\.conv\./, 'backbone.fpn.fpn_inner3.'],
  [/^neck\.lateral_convs\.2\.conv\./, 'backbone.fpn.fpn_inner4.'],
  [/^neck\.fpn_convs\.0\.conv\./, 'backbone.fpn.fpn_layer2.'],
  [/^neck\.fpn_convs\.1\.conv\./, 'backbone.fpn.fpn_layer3.'],
  [/^neck\.fpn_convs\.2\.conv\./, 'backbone.fpn.fpn_layer4.'],
  [/^neck\.fpn_convs\.3\.conv\./, 'backbone.fpn.top_blocks.p6.'],
  [/^neck\.fpn_convs\.4\.conv\./, 'backbone.fpn.top_blocks.p7.'],
  [/^language_model\.language_backbone\./, 'language_backbone.'],
  [/^bbox_head\./, 'rpn.'],
  [/\.dyconvs\./, '.DyConv.'],
  [/\.attnconv\./, '.AttnConv.'],
]

const fromMmdetection: Naming = {
  source: 'GLIP, names of MMDetection',
  place(key) {
    const parameter = replaced(withoutModule(key), mmdetection)
    return { parameter, unfolded: /\.downsample\.(reduction|norm)\./.test(parameter) }
  },
}

/** BERT of Hugging Face, also with the names of norms that the first checkpoints had. */
const bert: Naming = {
  source: 'BERT, names of Hugging Face',
  place: (key) => ({
    parameter: replaced(withoutModule(key), [
      [/^bert\./, ''],
      [/^(?=cls\.)/, 'language_backbone.body.'],
      [/^(?=(embeddings|encoder|pooler)\.)/, parts.language],
      [/LayerNorm\.gamma$/, 'LayerNorm.weight'],
      [/LayerNorm\.beta$/, 'LayerNorm.bias'],
    ]),
  }),
}

const stageNorms = {
  names: /^backbone\.body\.norm\d\./,
  reason: 'norms of the maps that a detector reads: an image classifier has none',
}

const swin: Naming = {
  source: 'Swin, official names',
  absent: stageNorms,
  place: (key) => ({ parameter: parts.backbone + withoutModule(key) }),
}

/** timm counts a patch merging to the stage after it. */
const swinOfTimm: Naming = {
  source: 'Swin, names of timm',
  absent: stageNorms,
  place: (key) => ({
    parameter: `${parts.backbone}${key.replace(
      /^layers\.(\d+)\.downsample\./,
      (_, stage: string) => `layers.${Number(stage) - 1}.downsample.`,
    )}`,
  }),
}

const huggingFaceSwin: readonly Replacement[] = [
  [/^swin\./, ''],
  [/^embeddings\.patch_embeddings\.projection\./, 'patch_embed.proj.'],
  [/^embeddings\.norm\./, 'patch_embed.norm.'],
  [/^encoder\./, ''],
  [/\.layernorm_before\./, '.norm1.'],
  [/\.layernorm_after\./, '.norm2.'],
  [/\.attention\.self\.(query|key|value)\./, '.attn.qkv.'],
  [/\.attention\.self\./, '.attn.'],
  [/\.attention\.output\.dense\./, '.attn.proj.'],
  [/\.intermediate\.dense\./, '.mlp.fc1.'],
  [/\.output\.dense\./, '.mlp.fc2.'],
  [/^layernorm\./, 'norm.'],
  [/^classifier\./, 'head.'],
]

const swinOfHuggingFace: Naming = {
  source: 'Swin, names of Hugging Face',
  absent: stageNorms,
  place(key) {
    const [, name] = /\.attention\.self\.(query|key|value)\./.exec(key) ?? []
    const third = name ? (['query', 'key', 'value'].indexOf(name) as 0 | 1 | 2) : undefined
    return { parameter: parts.backbone + replaced(key, huggingFaceSwin), third }
  },
}

const resnet: Naming = {
  source: 'ResNet, names of torchvision',
  place: (key) => ({ parameter: parts.backbone + withoutModule(key) }),
  prepare: foldBatchNorms,
}

/** The naming that the keys of a file follow. Throws a UserError where they are of no model that is known. */
export function namingOf(keys: readonly string[], path: string): Naming {
  const plain = new Set(keys.map(withoutModule))
  const has = (pattern: RegExp) => [...plain].some((key) => pattern.test(key))
  if (has(/^(neck|bbox_head|language_model)\.|^backbone\.stages\./)) return fromMmdetection
  if (has(/^(backbone\.(body|fpn)|language_backbone|rpn)\./)) return official
  if (has(/^(bert\.)?embeddings\.word_embeddings\.weight$/)) return bert
  if (has(/^(swin\.)?embeddings\.patch_embeddings\./)) return swinOfHuggingFace
  if (has(/^patch_embed\.proj\.weight$/) && has(/^layers\.0\.blocks\.0\.attn\.qkv\.weight$/))
    return has(/^layers\.0\.downsample\./) ? swin : swinOfTimm
  if (has(/^conv1\.weight$/) && has(/^layer1\.0\.conv3\.weight$/)) return resnet
  throw new UserError(
    `${path} has the keys of no model that is known (GLIP, BERT, Swin or ResNet): ${nameList(keys)}.`,
  )
}
