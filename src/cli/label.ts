import { basename, extname, join } from 'node:path'
import { stringify } from 'yaml'
import { parseYaml } from '../base/files/parse-yaml.js'
import { readTextIfThere } from '../base/files/read-file.js'
import { writeFileAtomic } from '../base/files/write-file-atomic.js'
import { UserError } from '../base/user-error.js'
import { guessSource } from '../ingest/guess-source.js'
import { shellQuote } from '../pipeline/clusters/shell-quote.js'
import { parsePipeline } from '../pipeline/read-pipeline.js'
import { refuseFaults } from '../pipeline/run-pipeline.js'
import { openStorage } from '../storage/open-storage.js'
import { run } from './run.js'
import { showPlan } from './run-with-progress.js'
import { note, print } from './terminal/print.js'

export interface LabelOptions {
  readonly teacher: string
  readonly out?: string
  readonly names?: string
  readonly url?: string
  readonly caption?: string
  readonly device: string
  readonly force?: boolean
  readonly plan?: boolean
  readonly json?: boolean
}

/**
 * `groundmill label`: writes the pipeline that labels pictures with a teacher into the folder of its run, and runs it.
 * What is made here is a file to edit: one that was edited is not written over.
 */
export async function label(photos: string, options: LabelOptions, signal: AbortSignal): Promise<void> {
  const name = nameOf(options.out ?? photos)
  const out = options.out ?? `runs/${name}`
  const storage = openStorage(out)
  const { isLocal } = storage
  const file = isLocal ? join(out, 'pipeline.yaml') : `${name}.yaml`
  const again = `groundmill run ${shellQuote(file)} --dataset ${shellQuote(out)}`
  const text = await pipelineText(name, photos, options, again)
  const before = await readTextIfThere(file)
  if (before !== undefined && before !== text && !options.force)
    throw new UserError(
      `${file} says something else: it was edited, or made of other options. \`${again}\` runs it; --force writes it anew, -o names another folder.`,
    )
  const pipeline = await parsePipeline(parseYaml(text, file), file)
  if (options.plan) {
    await showPlan(pipeline, out, { only: undefined, signal, json: options.json })
    return
  }
  // What is wrong is told before the file is there, and the same command with that mended is not refused for it.
  await refuseFaults(pipeline.stages, storage, { signal })
  if (before !== text) await writeFileAtomic(file, text)
  note(`${before === text ? 'found' : 'wrote'} ${file}`)
  await run(file, { ...{ dataset: out, set: [], only: [] }, ...(options.json && { json: true }) }, signal)
  if (options.json || process.exitCode) return
  const dataset = shellQuote(isLocal ? join(out, 'photos') : storage.path('photos'))
  const drawn = isLocal ? join(out, 'pictures') : `${name}-pictures`
  print(`
Look at them, with the threshold as a slider:   groundmill inspect ${dataset}
Draw some into files:                           groundmill render ${dataset} --sample 9 -o ${shellQuote(drawn)}
Other rules, without asking the teacher again:  edit ${file}, then ${again}
Hand them on:                                   groundmill export ${dataset} --format hf -o ${shellQuote(`${name}-hf`)}`)
}

/** A name for the run by its folder or its source: small letters, digits and hyphens. */
function nameOf(place: string): string {
  const base = basename(place.replace(/[?#].*$/, '').replace(/\/+$/, ''))
  const plain = base
    .slice(0, base.length - extname(base).length)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return plain.slice(0, 40) || 'labelled'
}

async function pipelineText(
  name: string,
  photos: string,
  { teacher, names, url, caption, device }: LabelOptions,
  command: string,
): Promise<string> {
  const { ingest: source, isBare, isEmpty } = await guessSource(photos)
  const columns = { ...(url && { url }), ...(caption && { caption }) }
  const asked = names
    ?.split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
  if (isEmpty)
    throw new UserError(
      `${photos} has no pictures, nor a list of them (.parquet, .tar, .csv, .tsv, .jsonl, .json): name another folder or file.`,
    )
  if (asked?.length === 0)
    throw new UserError(
      '--names names nothing: --names dog,bicycle asks each picture for a dog and a bicycle.',
    )
  if (asked !== undefined && source.format !== 'folder')
    throw new UserError(
      `--names is for folders of pictures: ${photos} is read as ${source.format}, and has its own captions.`,
    )
  if (Object.keys(columns).length > 0 && source.format === 'coco')
    throw new UserError(`--url and --caption are for lists: ${photos} is read as COCO's captions.`)
  if (isBare && asked === undefined)
    throw new UserError(
      `${photos} has pictures and no captions: --names dog,bicycle asks each for these; or give each a text file of its name, or the folder a metadata.jsonl.`,
    )
  const ingest = {
    ...source,
    ...(Object.keys(columns).length > 0 && { columns }),
    ...(asked && { names: asked }),
  }
  const teach = { model: teacher, floor: 0.05, device }
  const flow = (value: object) => stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim()
  return `# Labels the pictures of ${oneLine(photos)} with ${oneLine(teacher)}. Edit it, and run it again:
#   ${oneLine(command)}
# What did not change is found done. The keys: groundmill keys, or docs/keys.md.
name: ${name}
stages:
  - name: photos
    uses: ingest
    with: ${flow(ingest)}
  # Which words of a caption name a thing.
  - name: phrases
    uses: chunk
    needs: [photos]
  # Boxes for each of them, weak ones too: the filter decides.
  - name: label
    uses: teach
    needs: [phrases]
    with: ${flow(teach)}
  - name: kept
    uses: filter
    needs: [label]
    with:
      rules:
        # Of a detector with a list of labels: its label names what the phrase means. Others leave it nothing to do.
        - { rule: label }
        # OWL-ViT's scores are lower than others': 0.2. \`groundmill inspect\` has it as a slider.
        - { rule: score, min: 0.4 }
        - { rule: nms, iou: 0.5 }
        # "a man" is one of the men.
        - { rule: number, singular: noun, fewer: keep }
`
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ')
