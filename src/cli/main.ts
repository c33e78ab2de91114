#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { packaged, packagedCards } from '../base/files/packaged.js'
import { programVersion } from '../base/files/program-version.js'
import { refuseUnknownCommands } from './options/refuse-unknown.js'
import { endWithReader, listenForInterrupts, tellOfEarlyEnd } from './terminal/interrupts.js'

const interrupted = listenForInterrupts()
endWithReader()
tellOfEarlyEnd()

const program = new Command('groundmill')
  .description(
    'The data engine of GLIP: captions and pictures in, grounding shards out, a student trained on them and promoted to the next teacher.',
  )
  .version(programVersion)
  .option('--verbose', 'print the stack of an error')
  .showHelpAfterError('(--help says more)')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'groundmill:')) })
  .hook('preAction', async (_, command) => {
    const { refuseEmptyWords, requireOutputs } = await import('./options/refuse-words.js')
    refuseEmptyWords(command)
    await requireOutputs(command)
    const { showFetches } = await import('./terminal/show-fetches.js')
    showFetches(interrupted)
  })
  .addHelpText('after', '\nExample:\n  $ groundmill quickstart')
  .exitOverride()

const repeated = (flags: string, description: string) =>
  new Option(flags, `${description}; may be given again`)
    .argParser((value: string, all: readonly string[]) => [...all, value])
    .default([], 'none')
const whole = (value: string): number => {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('A whole number of 1 or more is expected.')
  return number
}
const byCategory = () =>
  new Option('--by <words>', 'words name what is true by their category (without it: by spans)').choices([
    'category',
  ])
const synonymsFile = () =>
  new Option(
    '--synonyms <list>',
    'with --by: further names of categories: a YAML file, such as `person: [goalkeeper]`, or coco, lvis, objects365',
  )
const theOnly = (what: string) => `(default: the only ${what}; of several one has to be named)`
const itsGold = "a grounding taken for gold (default: the dataset's own gold)"
const rulesOption = () =>
  new Option(
    '--rules <file or stage>',
    'the rules: as YAML in their order, of a filter stage, or `default` (default: those of the grounding that is made, where it is there; else of the last filter stage over these proposals; else the default ones)',
  )
const port = (value: string): number => {
  const number = whole(value)
  if (number > 65535) throw new InvalidArgumentError('Ports go to 65535.')
  return number
}
const exchangeFormat = () =>
  new Option('--format <tool>', 'whose file it is')
    .choices(['label-studio', 'cvat', 'coco'])
    .makeOptionMandatory()
const dropped =
  'remove shards that a source no longer gives, and replace others though fewer pictures came in; without it they stay'
const example = (command: string) => `\nExample:\n  $ groundmill ${command}`

// Each command's module is loaded only when it is called: --help stays fast.
program
  .command('quickstart')
  .description('the whole cycle on the toy world: make it, crawl it, label, filter, train, evaluate, promote')
  .option('--dataset <url>', 'folder of the run', 'runs/quickstart')
  .addOption(repeated('--set <key=value>', 'change the pipeline, such as teacher.steps=200'))
  .option('--json', 'print the report as JSON')
  .addHelpText('after', example('quickstart --dataset runs/quickstart'))
  .action(async (options) => (await import('./quickstart.js')).quickstart(options, interrupted))

program
  .command('run <pipeline>')
  .description('run a pipeline; what is already done is skipped')
  .option('--dataset <url>', 'folder of the run (default: runs/ and the name of the pipeline)')
  .addOption(
    repeated(
      '--set <key=value>',
      'change a stage (stage.key=value, of a filter stage.rule.key=value such as kept.score.min=0.4, or all of it: stage={key: value}), rounds (rounds.key=value, rounds.filter.score.min=0.4) or a variable; `groundmill keys` lists the keys',
    ),
  )
  .addOption(repeated('--only <stage>', 'run this stage and what it needs'))
  .option(
    '--retry-failed [reasons]',
    'which rejected rows are fetched again: transient (the default: what may have passed), all, no, or reasons such as http_404,robots',
  )
  .option('--drop', dropped)
  .option('--workers <n>', 'make the shards in that many processes of this machine', whole)
  .option(
    '--queue [url]',
    'hand the tasks to workers over a queue in Redis: its address, or that of GROUNDMILL_QUEUE',
  )
  .option('--metrics <[host:]port>', 'tell Prometheus of the tasks, at /metrics (on loopback by default)')
  .option(
    '--slice [i/n]',
    'make every n-th shard alone, from the i-th on (0 to n - 1); without a value as a Slurm array or an Indexed Job says; auto/n where that says no n',
  )
  .option('--plan', 'print what would be done, what is there already and what it takes; nothing is written')
  .option('--json', 'print what was done as JSON')
  .addHelpText('after', example('run pipelines/coco-folder.yaml --set folder=photos --dataset runs/photos'))
  .action(async (pipeline, options) => (await import('./run.js')).run(pipeline, options, interrupted))

program
  .command('label <pictures>')
  .description(
    'label pictures with a teacher: write the pipeline that does it, run it, and say where to look',
  )
  .requiredOption('--teacher <model>', 'a model folder, hf://ORG/MODEL, or the file of a teacher of your own')
  .option(
    '-o, --out <url>',
    'folder of the run and its pipeline.yaml (default: runs/ and the name of the pictures)',
  )
  .option(
    '--names <list>',
    'of a folder without captions: what each picture is asked for, such as dog,bicycle',
  )
  .option('--url <column>', 'of a list: the column of addresses or file names (url)')
  .option('--caption <column>', 'of a list: the column of captions (caption, text and others by themselves)')
  .option('--device <name>', 'where the teacher runs: cpu, cuda, webgpu or auto', 'auto')
  .option('--force', 'write the pipeline anew though it was edited')
  .option('--plan', 'print what would be done, as run --plan; nothing is written')
  .option('--json', 'print what was done as JSON, as run does')
  .addHelpText('after', example('label photos --teacher detector -o runs/mine'))
  .action(async (pictures, options) => (await import('./label.js')).label(pictures, options, interrupted))

program
  .command('submit <pipeline>')
  .description('print the files with which a cluster runs a pipeline: for Slurm or for Kubernetes')
  .option('--slurm', 'job arrays, and submit.sh that chains them')
  .option('--k8s', 'Indexed Jobs, and submit.sh that creates one after another')
  .option('--dataset <url>', 'as in run')
  .addOption(repeated('--set <key=value>', 'as in run'))
  .addOption(repeated('--only <stage>', 'as in run'))
  .option('--slices <n>', 'how many slices the shards are cut into', whole, 8)
  .option('--limit <n>', 'most slices at once (all)', whole)
  .option('--cpus <n>', 'processors of a job', whole, 4)
  .option('--memory <size>', 'memory of a job, in M, G or T', '16G')
  .option('--partition <name>', 'Slurm: the partition')
  .option('--gpu-partition <name>', 'Slurm: the partition of GPU jobs (that of --partition)')
  .option('--time <time>', 'Slurm: longest time of a job (24:00:00)')
  .option('--gres <name>', 'Slurm: what a GPU job is given (gpu:1)')
  .addOption(
    repeated('--sbatch <option>', 'Slurm: another option of sbatch, such as --sbatch=--account=vision'),
  )
  .option('--command <words>', 'Slurm: how the program is started (groundmill)')
  .option('--image <name>', "Kubernetes: the image (groundmill and this program's version)")
  .option('--namespace <name>', "Kubernetes: the namespace (kubectl's own)")
  .option('--claim <name>', 'Kubernetes: a volume claim, at /data, where relative paths begin')
  .option('--secret <name>', 'Kubernetes: a Secret that is the environment, such as the keys of a bucket')
  .option('--gpu <n>', 'Kubernetes: GPUs of a GPU job (1)', whole)
  .option('-o, --out <folder>', 'write the files there; else they are printed')
  .option('--json', 'print the files and what each runs as JSON')
  .addHelpText(
    'after',
    example('submit pipelines/cc3m.yaml --slurm --slices 100 --set list=cc3m.tsv -o jobs'),
  )
  .action(async (pipeline, options) =>
    (await import('./machines/submit.js')).submit(pipeline, options, programVersion),
  )

program
  .command('round <pipeline>')
  .description('run the next round of self-training of a run')
  .option('--dataset <url>', 'folder of the run (default: runs/ and the name of the pipeline)')
  .option('--count <n>', 'how many more rounds; those that were interrupted come first', whole, 1)
  .addOption(repeated('--set <key=value>', 'as in run'))
  .option('--drop', dropped)
  .option('--plan', 'as in run')
  .option('--json', 'print the rounds as JSON')
  .addHelpText('after', example('round pipelines/quickstart.yaml --dataset runs/quickstart'))
  .action(async (pipeline, options) => (await import('./round.js')).round(pipeline, options, interrupted))

program
  .command('worker')
  .description('take tasks of runs from a queue, one of each resource at a time, until Ctrl-C')
  .option('--queue <url>', 'redis://HOST:6379, or rediss:// (default: GROUNDMILL_QUEUE)')
  .option('--take <resources>', 'what it takes tasks of: fetch, cpu, gpu', 'fetch,cpu,gpu')
  .option('--metrics <[host:]port>', 'tell Prometheus of the tasks, at /metrics (on loopback by default)')
  .option('--json', 'print at the end what was done as JSON')
  .addHelpText('after', example('worker --queue redis://queue:6379 --take gpu'))
  .action(async (options) => (await import('./machines/worker.js')).worker(options, interrupted))

program
  .command('watch <run>')
  .description(
    'what is going on in a run, in a folder or a bucket: tasks by stage, who works on it, rates, time left, what was set aside and why',
  )
  .option('--once', 'print it once')
  .option('--metrics <[host:]port>', 'tell it to Prometheus too, at /metrics (on loopback by default)')
  .option('--json', 'print it as JSON, an object a line')
  .addHelpText('after', example('watch runs/quickstart'))
  .action(async (run, options) => (await import('./machines/watch.js')).watch(run, options, interrupted))

program
  .command('queue')
  .description('a queue of tasks')
  .command('status')
  .description('what waits in a queue, what is being done, and which workers there are')
  .option('--queue <url>', 'redis://HOST:6379, or rediss:// (default: GROUNDMILL_QUEUE)')
  .option('--json', 'print it as JSON')
  .addHelpText('after', example('queue status --queue redis://queue:6379'))
  .action(async (options) => (await import('./machines/queue.js')).queueStatus(options))

program
  .command('train <dataset...>')
  .description('train a model on groundings: DATASET:STAGE, or DATASET where it has one alone')
  .requiredOption('-o, --out <folder>', 'the model folder to write')
  .addOption(
    repeated('--set <key=value>', 'a key of the train stage (`groundmill keys train`), such as steps=500'),
  )
  .option('--json', 'print the last losses as JSON')
  .addHelpText('after', example('train runs/quickstart/gold -o models/teacher --set steps=200'))
  .action(async (datasets, options) => (await import('./train.js')).train(datasets, options, interrupted))

program
  .command('teach <dataset>')
  .description('ask a model for boxes of the phrases of a dataset: proposals')
  .requiredOption('--model <folder>', 'the model folder, or the file of a teacher of your own')
  .option('--phrases <stage>', `the stage whose phrases are asked for ${theOnly('one')}`)
  .requiredOption('--as <stage>', 'the name of the proposals')
  .addOption(
    repeated('--set <key=value>', 'a key of the teach stage (`groundmill keys teach`), such as floor=0.05'),
  )
  .option('--json', 'print the counts as JSON')
  .addHelpText(
    'after',
    example('teach runs/quickstart/web --model models/teacher --phrases phrases --as label'),
  )
  .action(async (dataset, options) => (await import('./teach.js')).teach(dataset, options, interrupted))

program
  .command('mine <dataset>')
  .description(
    'find phrases that name nothing in the pictures of gold and that a model still finds a box for',
  )
  .option(
    '--model <folder>',
    'the model folder, or the file of a teacher of your own (none: what is kept is drawn)',
  )
  .option('--gold <stage>', "the grounding whose pictures they are of (default: the dataset's own gold)")
  .requiredOption('--as <stage>', 'the name of the negatives')
  .addOption(
    repeated('--set <key=value>', 'a key of the mine stage (`groundmill keys mine`), such as max=15'),
  )
  .option('--json', 'print the counts as JSON')
  .addHelpText('after', example('mine runs/quickstart/gold --model runs/quickstart/models/teacher --as hard'))
  .action(async (dataset, options) => (await import('./mine.js')).mine(dataset, options, interrupted))

program
  .command('verify <dataset>')
  .description(
    'ask a second opinion on boxes: DATASET:STAGE, a grounding or proposals, or DATASET where it has one grounding',
  )
  .requiredOption('--judge <name>', 'who is asked (`groundmill keys verify` tells of them)')
  .option('--model <model>', 'the model of the judge: a folder, or its name on a server')
  .requiredOption('--as <stage>', 'the name of the verdicts')
  .addOption(
    repeated('--set <key=value>', 'a key of the judge (`groundmill keys verify`), such as max_boxes=5'),
  )
  .option('--json', 'print the counts as JSON')
  .addHelpText('after', example('verify runs/quickstart/web:filter --judge clip --model clip --as checked'))
  .action(async (dataset, options) =>
    (await import('./review/verify.js')).verify(dataset, options, interrupted),
  )

program
  .command('doubt <dataset>')
  .description(
    'what is likely to be wrong in a grounding, gold too: boxes that are misplaced, of another phrase, of nothing, or missing',
  )
  .option('--proposals <stage>', 'what a model found for the same phrases, down to a low score')
  .option('--verdicts <stage>', "a judge's verdicts on the same boxes (`groundmill verify`), counted in")
  .option('--top <count>', 'how many are listed', whole, 20)
  .option('--as <stage>', 'leave them as verdicts of this name: the page, filters and training read them')
  .addOption(repeated('--set <key=value>', 'a key of the stage (`groundmill keys doubt`)'))
  .option('-o, --out <file>', 'all of them as JSON, one a line')
  .option('--json', 'print the counts and the list as JSON')
  .addHelpText('after', example('doubt runs/quickstart/gold --proposals gold-boxes --top 50'))
  .action(async (dataset, options) =>
    (await import('./review/doubt.js')).doubt(dataset, options, interrupted),
  )

program
  .command('filter <dataset>')
  .description(
    'make another grounding of the same proposals with other rules; the teacher is not asked again',
  )
  .requiredOption('--as <stage>', 'the name of the grounding')
  .option('--proposals <stage>', `the proposals to filter ${theOnly('ones')}`)
  .addOption(rulesOption())
  .addOption(
    repeated(
      '--set <rule.key=value>',
      'change a rule (`groundmill keys filter`), such as score.min=0.4 (rules.2.min=0.4: the third), or all: rules=[…]',
    ),
  )
  .option('--json', 'print what was kept and dropped as JSON')
  .addHelpText('after', example('filter runs/quickstart/web --as strict --set score.min=0.7'))
  .action(async (dataset, options) => (await import('./filter.js')).filter(dataset, options, interrupted))

program
  .command('compare <dataset> <before> <after>')
  .description(
    'what changed from one grounding of a dataset to another, of one teacher or of two rounds, and by which rules',
  )
  .option('--top <n>', 'how many phrases to show', whole, 12)
  .option('--pictures <n>', 'draw the pictures that changed most', whole)
  .option('-o, --out <file>', 'the contact sheet', 'compare.png')
  .option('--json', 'print the changes as JSON')
  .addHelpText(
    'after',
    example('compare runs/quickstart/web round-1-filter round-2-filter --pictures 6 -o changes.png'),
  )
  .action(async (dataset, before, after, options) =>
    (await import('./compare.js')).compare(dataset, [before, after], options, interrupted),
  )

program
  .command('sweep <dataset>')
  .description('regions, phrases and agreement with gold over the values of one parameter of a rule')
  .option('--proposals <stage>', `the proposals to filter ${theOnly('ones')}`)
  .option('--gold <stage>', itsGold)
  .addOption(byCategory())
  .addOption(synonymsFile())
  .addOption(rulesOption())
  .addOption(repeated('--set <rule.key=value>', 'as in filter'))
  .option('--vary <rule.key>', 'what is varied', 'score.min')
  .option('--from <value>', 'its first value', '0.1')
  .option('--to <value>', 'its last value', '0.9')
  .option('--steps <n>', 'how many values', whole, 17)
  .option('--svg <file>', 'draw the table')
  .option('--json', 'print the points as JSON')
  .addHelpText('after', example('sweep runs/quickstart/known --svg sweep.svg'))
  .action(async (dataset, options) => (await import('./sweep.js')).sweep(dataset, options, interrupted))

program
  .command('calibrate <dataset>')
  .description(
    "measure on gold how often a teacher's proposals of each score are right, for the filter's rule calibrate",
  )
  .option('--proposals <stage>', `the proposals to judge ${theOnly('ones')}`)
  .option('--gold <stage>', itsGold)
  .addOption(byCategory())
  .addOption(synonymsFile())
  .addOption(
    new Option('--method <name>', 'the map to fit').choices(['isotonic', 'temperature']).default('isotonic'),
  )
  .addOption(rulesOption())
  .addOption(repeated('--set <rule.key=value>', 'as in filter'))
  .option(
    '--nms <iou>',
    'proposals of a phrase that overlap more count once (default: as the rule nms says, else 0.5)',
  )
  .option('-o, --out <file>', 'the calibration', 'calibration.json')
  .option('--json', 'print it as JSON')
  .addHelpText('after', example('calibrate runs/quickstart/known -o teacher.json'))
  .action(async (dataset, options) => (await import('./calibrate.js')).calibrate(dataset, options))

program
  .command('evaluate <dataset>')
  .description('score a model on a dataset with gold boxes: COCO AP and phrase recall@k')
  .requiredOption('--model <folder>', 'the model folder, or the file of a teacher of your own')
  .option('--as <stage>', "keep the scores as that stage of the dataset's run, evaluations/STAGE.json")
  .option(
    '--attributes',
    'also ask phrases with a colour, size, number or place with another value: are they told apart?',
  )
  .addOption(
    repeated(
      '--set <key=value>',
      'a key of the evaluate stage (`groundmill keys evaluate`), such as names_a_prompt=8',
    ),
  )
  .option('--json', 'print the scores as JSON')
  .addHelpText('after', example('evaluate runs/quickstart/known --model runs/quickstart/models/teacher'))
  .action(async (dataset, options) => (await import('./evaluate.js')).evaluate(dataset, options, interrupted))

program
  .command('audit <dataset>')
  .description(
    'how right the regions of a grounding are, by kind of phrase: held against a truth, or by a sample that a person judges',
  )
  .option('--grounding <stage>', `the grounding ${theOnly('one besides the truth')}`)
  .option(
    '--truth <stage or file>',
    'another grounding of the dataset, or a COCO file with captions and tokens_positive',
  )
  .addOption(byCategory())
  .addOption(synonymsFile())
  .option(
    '--known <source>',
    'whose regions make nouns known: a grounding of the dataset, or DATASET[:STAGE] as in train',
  )
  .option('--as <stage>', "keep the figures as that stage of the dataset's run, audits/STAGE.json")
  .option('--sample <n>', 'draw that many regions to judge, as lines of JSON', whole)
  .option('--without-box <n>', 'draw phrases without a box too, for recall', whole)
  .option('--seed <n>', 'which regions are drawn', whole, 1)
  .option('-o, --out <file>', 'the sample to judge')
  .option('--judged <file>', 'a sample that was judged')
  .option('--review <name>', 'with --judged: take what is not judged in the file from this review')
  .option('--json', 'print the figures as JSON')
  .addHelpText(
    'after',
    example(
      'audit runs/quickstart/web --truth runs/quickstart/world/web/truth.json --known runs/quickstart/gold',
    ),
  )
  .action(async (dataset, options) => (await import('./audit.js')).audit(dataset, options, interrupted))

program
  .command('benchmark <name>')
  .description(
    'a published benchmark by its official files: coco, lvis, lvis-fixed, flickr30k, refcoco, odinw13, odinw35, saco',
  )
  .addOption(
    repeated(
      '--truth <path>',
      "the annotation file; for flickr30k, refcoco and odinw the data's folder; for saco a file an annotator",
    ).makeOptionMandatory(),
  )
  .option('--images <folder>', 'the pictures')
  .option('--model <folder>', 'the model to ask, a folder or a file of your own')
  .option('--predictions <path>', 'what a model has answered, in the place of a model')
  .option('--split <name>', 'of flickr30k (test) and refcoco (val)')
  .option('--by <name>', "who made refcoco's split: unc, google or umd", 'unc')
  .option('-o, --out <path>', 'where to keep what the model answers')
  .addOption(repeated('--set <key=value>', 'a key of the evaluate stage, such as names_a_prompt=40'))
  .option('--json', 'print the scores as JSON')
  .addHelpText(
    'after',
    example('benchmark coco --truth instances_val2017.json --images val2017 --model models/glip-t'),
  )
  .action(async (name, options) => (await import('./benchmark.js')).benchmark(name, options, interrupted))

program
  .command('import-model <checkpoint...>')
  .description('published weights (GLIP, BERT, Swin, ResNet; .pth or safetensors) as a model folder')
  .requiredOption('--preset <name>', 'the network, such as glip-t')
  .requiredOption('-o, --out <folder>', 'the model folder to write')
  .addOption(repeated('--part <part>', 'backbone or language alone, in place of all'))
  .option('--tokenizer <file>', 'tokenizer.json or vocab.txt (the one beside the checkpoint)')
  .option('--ema', "take the moving averages of a training state, its 'model_ema'")
  .option('--allow-missing', 'write weights to train from even where parameters are missing')
  .option('--batch <n>', 'pictures that model.onnx takes in one run', whole, 1)
  .option(
    '--sizes <list>',
    'inputs to write graphs for, such as 800x1344,1344x800 (those of the official network)',
  )
  .addOption(repeated('--set <key=value>', 'image_size or max_tokens of the network'))
  .option('--json', 'print what became of every weight as JSON')
  .addHelpText('after', example('import-model glip_tiny_model.pth --preset glip-t -o models/glip-t'))
  .action(async (checkpoints, options) =>
    (await import('./import-model.js')).importModelCommand(checkpoints, options),
  )

program
  .command('export-model <folder>')
  .description("a model's weights as safetensors with the official GLIP names, and its card")
  .requiredOption('-o, --out <file>', 'the file to write, NAME.safetensors; the card is NAME.md')
  .option('--module', 'begin the keys with "module.", as the official checkpoints do')
  .addOption(repeated('--scores <file>', 'scores for the card: what evaluate --json printed'))
  .option('--license <id>', "the model's licence for the card, such as apache-2.0")
  .option('--json', 'print what was written as JSON')
  .addHelpText('after', example('export-model runs/quickstart/models/teacher -o teacher.safetensors'))
  .action(async (folder, options) => (await import('./export-model.js')).exportModelCommand(folder, options))

program
  .command('export <dataset>')
  .description('a grounding and its pictures as a folder that other programs read')
  .option('--as <stage>', `the grounding to export ${theOnly('one')}`)
  .addOption(
    new Option('--format <name>', 'the format')
      .choices(['hf', 'webdataset', 'odvg', 'coco', 'saco', 'glip-tsv', 'yolo', 'csv'])
      .makeOptionMandatory(),
  )
  .requiredOption('-o, --out <folder>', 'the folder to make')
  .option(
    '--images <how>',
    'copy (the default), link (to files of --link-from with the same bytes) or url (left where they were crawled)',
  )
  .option('--link-from <folder>', 'pictures to link: of an earlier export, or those that were ingested')
  .option('--only <name|file>', "a selection of the dataset's pictures, or a file of their keys, one a line")
  .option('--keep-empty', 'keep pictures and captions that no region names')
  .option(
    '--classes <names>',
    'what boxes are called in yolo, odvg and coco: categories, labels (of a detector), heads, phrases, or a text file of names (the first of categories, labels and heads that there are)',
  )
  .option('--split <name>', 'the name of the split in hf and yolo (train)')
  .option(
    '--card <file>',
    'what only people know of it, as YAML: title, license, data_biases (docs/papers.md)',
  )
  .option('--negatives <stage>', "the mined negatives to export (what the grounding's own source says)")
  .option(
    '--push <address>',
    'push the export: hf://datasets/ORG/NAME[@BRANCH] of the Hub (hf), or s3://BUCKET/PREFIX[?endpoint=…]',
  )
  .option('--private', 'with --push hf://…: a repository that is made is private')
  .option('--commit-message <text>', 'with --push hf://…: what its commit is called')
  .option('--force', 'replace another export that lies there, or make the same anew')
  .option('--json', 'print the report as JSON')
  .addHelpText('after', example('export runs/quickstart/web --as round-1-filter --format hf -o web-hf'))
  .action(async (dataset, options) =>
    (await import('./export.js')).exportCommand(dataset, options, interrupted),
  )

program
  .command('card <dataset>')
  .description('the data card of a grounding: sources, ledger, labels, audits, limits, as Markdown')
  .option('--as <stage>', `the grounding ${theOnly('one')}`)
  .option('--card <file>', 'what only people know, as YAML: title, license, data_biases (docs/papers.md)')
  .option('--eu', "the summary of training content that Article 53(1)(d) of the EU's AI Act asks for")
  .option('--sme', 'with --eu: five in a hundred of the domain names, and 1000 at most, not ten')
  .option('-o, --out <file>', 'write it there')
  .option('--json', 'print the same as JSON')
  .addHelpText('after', example('card runs/quickstart/web --as round-1-filter -o CARD.md'))
  .action(async (dataset, options) => (await import('./papers/card.js')).card(dataset, options, interrupted))

program
  .command('stats <dataset>')
  .description(
    'the funnel and the statistics of a dataset, or of every dataset of a run with the scores of its models',
  )
  .option('--exact', "read the rows, not the sums in the shards' records: slower, nothing estimated")
  .option('--all', 'every histogram and table, not the lines that answer most questions')
  .option('--top <n>', 'how many words to show: heads, hosts, licences', whole, 12)
  .option(
    '--vocabulary <file>',
    "how much of it the heads cover: a name a line, or the JSON of COCO's or LVIS' annotations",
  )
  .option('--json', 'print them as JSON')
  .addHelpText('after', example('stats runs/quickstart'))
  .action(async (dataset, options) => (await import('./stats.js')).stats(dataset, options, interrupted))

program
  .command('check <dataset>')
  .description(
    'hold every record of a dataset, or of a run with all its datasets, against its files: what is wrong, missing or left over',
  )
  .option('--deep', 'read every file and compare its SHA-256; else its size alone')
  .option(
    '--mend',
    'keep the pictures of broken files that are whole; remove what is left over and the records of other broken files, which the next run then makes anew; name files of older versions as today',
  )
  .option('--json', 'print what was found as JSON')
  .addHelpText('after', example('check runs/quickstart --deep'))
  .action(async (dataset, options) => (await import('./check.js')).check(dataset, options, interrupted))

program
  .command('query <dataset> [sql]')
  .description(
    "SQL over a dataset's captions, phrases, proposals, regions and rejects; without SQL, what there is",
  )
  .addOption(
    new Option('--format <name>', 'how to print the rows')
      .choices(['table', 'csv', 'json', 'jsonl'])
      .default('table'),
  )
  .option('--rows <n>', 'most rows of a table', whole, 100)
  .option('--images', "give the view images the pictures' bytes, as base64 where they are printed")
  .option('--json', 'the same as --format json')
  .addHelpText(
    'after',
    `
Examples:
  $ groundmill query runs/quickstart/web
  $ groundmill query runs/quickstart/web "select head, count(*) as phrases from phrases group by head order by 2 desc limit 10"
  $ groundmill query runs/quickstart/web "select stage, text, score, x1, y1, x2, y2 from grounding order by score desc limit 5"
  $ groundmill query runs/quickstart/web "select * from rejects" --format csv > rejects.csv`,
  )
  .action(async (dataset, sql, options) =>
    (await import('./query.js')).query(dataset, sql, options, interrupted),
  )

program
  .command('render <dataset>')
  .description('draw pictures with their regions and phrases')
  .option('--grounding <stage>', `the grounding to draw ${theOnly('one')}`)
  .option('--only <name|file>', "a selection of the dataset's pictures, or a file of their keys, one a line")
  .option('--sample <n>', 'how many pictures, drawn from all (8; with --only all of them)', whole)
  .option('--seed <n>', 'which pictures', whole, 1)
  .option('-o, --out <folder>', 'where to write the PNG files', 'render')
  .option('--json', 'print the names of the files as JSON')
  .addHelpText('after', example('render runs/quickstart/web --sample 4 -o pictures'))
  .action(async (dataset, options) => (await import('./render.js')).render(dataset, options))

const review = program.command('review').description('what people have said of boxes and phrases')
review
  .command('status <dataset>')
  .description('the reviews of a dataset: what was said, by whom and how fast, and how far reviewers agree')
  .option('--name <review>', 'this one alone')
  .option('--json', 'print them as JSON')
  .addHelpText('after', example('review status runs/quickstart/web'))
  .action(async (dataset, options) => (await import('./review/status.js')).showReviews(dataset, options))
review
  .command('export <dataset[:grounding]>')
  .description('boxes as a file of a labelling tool, to be accepted, rejected, redrawn and added there')
  .addOption(exchangeFormat())
  .requiredOption('-o, --out <file>', 'the file; what else the tool needs is written beside it')
  .option('--only <name|file>', "a selection of the dataset's pictures, or a file of their keys, one a line")
  .option('--name <review>', 'leave out the pictures that were looked at in this review')
  .option(
    '--pictures <folder>',
    'write the pictures there, as KEY.jpg; Label Studio is told that it serves that folder',
  )
  .option(
    '--picture-url <address>',
    'where the tool finds a picture, such as https://pictures.example/{key}.{ext} (default: that folder, else where it was crawled)',
  )
  .option('--json', 'print the report as JSON')
  .addHelpText(
    'after',
    example(
      'review export runs/quickstart/web:round-1-filter --format label-studio -o tasks.json --pictures pictures',
    ),
  )
  .action(async (dataset, options) =>
    (await import('./review/export.js')).exportForReview(dataset, options, interrupted),
  )
review
  .command('import <dataset> <file>')
  .description(
    'what was said in a labelling tool of boxes that `review export` gave it, as entries of a review',
  )
  .addOption(exchangeFormat())
  .requiredOption('--name <review>', 'the review; it is made where there is none')
  .option('--reviewer <name>', 'who has reviewed (default: whom the file of Label Studio names)')
  .option('--export <id>', 'which export it is of, where the file has lost that')
  .option('--json', 'print the report as JSON')
  .addHelpText(
    'after',
    example('review import runs/quickstart/web project-1.json --format label-studio --name first'),
  )
  .action(async (dataset, file, options) =>
    (await import('./review/import.js')).importFromTool(dataset, file, options, interrupted),
  )

program
  .command('inspect <dataset>')
  .description('look at a dataset in the browser: pictures, regions, histograms, thresholds, rejects')
  .option('--port <n>', 'the port (that of the last time, else any free one)', port)
  .option('--host <address>', 'the address to listen on; any but this lets other machines in', '127.0.0.1')
  .option('--new-token', 'a new token: older links to the page open nothing any more')
  .option(
    '--review <name>',
    'let people judge boxes and phrases on the page: what they say goes into this review',
  )
  .option('--reviewer <who>', 'with --review: in whose name (default: the user of this machine)')
  .option('--queue <file>', 'with --review: the lines to judge, a sample of `audit --sample`')
  .option('--json', 'print the address as JSON')
  .addHelpText('after', example('inspect runs/quickstart/web'))
  .action(async (dataset, options) => (await import('./inspect.js')).inspect(dataset, options, interrupted))

program
  .command('keys [kind...]')
  .description('every key of pipelines, stages, rules, sources and cards: type and range, default, meaning')
  .option(
    '--schema',
    'a JSON Schema instead, by which editors complete and check: of pipelines, or of that kind',
  )
  .option('--json', 'print them as JSON')
  .addHelpText(
    'after',
    `
Examples:
  $ groundmill keys
  $ groundmill keys ingest tsv
  $ groundmill keys filter score
  $ groundmill keys learning_rate
  $ groundmill keys --schema > pipeline.schema.json`,
  )
  .action(async (kind, options) => (await import('./reference/keys.js')).keys(kind, options))

const cards = program
  .command('datasets [name]')
  .description('the dataset cards: all of them, or one')
  .option('--json', 'print them as JSON')
  .addHelpText('after', example('datasets lvis'))
  .action(async (name, options) => (await import('./datasets.js')).datasets(name, options))
cards
  .command('check <name> <file>')
  .description("read a file as a card says: its columns, its first rows and its counts; no picture's bytes")
  .addOption(
    repeated('--set <key=value>', 'a key of the ingest stage (`groundmill keys ingest`), such as images=DIR'),
  )
  .option('--rows <n>', 'read no more than these', whole)
  .option('--json', 'print what was found as JSON')
  .addHelpText('after', example('datasets check cc3m Train_GCC-training.tsv --rows 1000'))
  .action(async (name, file, _, command) =>
    (await import('./datasets.js')).checkDataset(name, file, command.optsWithGlobals(), interrupted),
  )

const world = program
  .command('world')
  .description('the toy world')
  .addHelpText('after', example('world make runs/world'))
world
  .command('make <folder>')
  .description('write the scenes, captions and boxes of a recipe')
  .addOption(
    new Option('--recipe <file>', 'the recipe').default(packaged('datasets/toy.yaml'), "groundmill's own"),
  )
  .option('--json', 'print the folder and whether it was there already as JSON')
  .addHelpText('after', example('world make runs/world'))
  .action(async (folder, options) =>
    (await import('./world.js')).makeWorldCommand(folder, options, interrupted),
  )
world
  .command('serve <folder>')
  .description('serve a folder of pictures on loopback until Ctrl-C')
  .option('--port <n>', 'the port', port, 8088)
  .option('--json', 'print the address as JSON')
  .addHelpText('after', example('world serve runs/world/web --port 8088'))
  .action(async (folder, options) =>
    (await import('./world.js')).serveWorldCommand(folder, options, interrupted),
  )

try {
  refuseUnknownCommands(program, process.argv.slice(2), { datasets: packagedCards })
  await program.parseAsync()
  if (interrupted.aborted) process.exitCode = 130
} catch (error) {
  // Commander throws too where it has shown its help.
  if (!(error instanceof CommanderError) || error.exitCode !== 0) {
    const { reportError } = await import('./terminal/report-error.js')
    process.exitCode = reportError(error, { interrupted, verbose: program.opts().verbose })
  }
}
