/** A mistake of somebody who is new here: what they do, and how the program is to answer. */
export interface Mistake {
  readonly title: string
  /** Written into the folder before. */
  readonly files?: Readonly<Record<string, string>>
  /** Shell that makes the mistake ready; not shown. */
  readonly before?: string
  readonly command: string
  readonly code: 0 | 1 | 2
  /** What the message must have, beside being one message. */
  readonly says: RegExp
}

export interface MistakeKind {
  readonly title: string
  readonly mistakes: readonly Mistake[]
}

const pipeline = (name: string, ingest: string, more = '') => `name: ${name}
stages:
  - { name: photos, uses: ingest, with: ${ingest} }
  - { name: phrases, uses: chunk, needs: [photos] }
${more}`
const label = (
  model: string,
  rules: string,
) => `  - { name: label, uses: teach, needs: [phrases], with: { model: ${model}, floor: 0.05 } }
  - { name: kept, uses: filter, needs: [label], with: { rules: ${rules} } }
  - { name: shards, uses: export, needs: [kept], with: { format: hf } }
`
const rounds = (keys: string) => `name: rounds
stages:
  - { name: photos, uses: ingest, with: { format: coco, images: coco/images, instances: coco/instances.json, captions: coco/captions.json } }
  - { name: phrases, uses: chunk, needs: [photos], with: { categories: false } }
  - { name: kept, uses: filter, needs: [label], with: { rules: [{ rule: label }] } }
  - { name: label, uses: teach, needs: [phrases], with: { model: detector } }
rounds:
${keys}
`

/** In a folder after the README was followed in it, with `photos`, `coco`, `detector`, `photos.yaml` and `runs/photos`. */
export const mistakeKinds: readonly MistakeKind[] = [
  {
    title: 'What is to be read',
    mistakes: [
      {
        title: 'The folder is not there',
        command: 'groundmill run photos.yaml --set photos.path=fotos --dataset runs/a',
        code: 2,
        says: /fotos/,
      },
      {
        title: 'A list names files, and nothing says where they are',
        files: {
          'files.yaml': pipeline(
            'files',
            '{ format: tsv, path: files.tsv, columns: { url: 0, caption: 1 }, header: false }',
            label('detector', '[{ rule: label }]'),
          ),
        },
        before: 'for f in photos/*.jpg; do printf \'%s\\ta dog on the grass\\n\' "$f"; done > files.tsv',
        command: 'groundmill run files.yaml --dataset runs/b',
        code: 2,
        says: /images|base_url/,
      },
      {
        title: 'The same, with the folder said',
        command: 'groundmill run files.yaml --set photos.images=. --only phrases --dataset runs/c',
        code: 0,
        says: /photos/,
      },
      {
        title: 'A server of your own that was not named',
        files: {
          'own.tsv': 'http://127.0.0.1:8088/1.jpg\ta dog\n',
          'own.yaml': pipeline(
            'own',
            '{ format: tsv, path: own.tsv, columns: { url: 0, caption: 1 }, header: false }',
          ),
        },
        command: 'groundmill run own.yaml --dataset runs/d',
        code: 2,
        says: /--set 'photos\.fetch\.allow_hosts=\[/,
      },
      {
        title: 'The list is empty',
        files: {
          'empty.tsv': '',
          'none.yaml': pipeline(
            'none',
            '{ format: tsv, path: empty.tsv, columns: { url: 0, caption: 1 }, header: false }',
          ),
        },
        command: 'groundmill run none.yaml --dataset runs/e',
        code: 2,
        says: /empty\.tsv/,
      },
      {
        title: 'A column that the list has not',
        files: {
          'columns.tsv': 'link\ttext\nhttp://example.com/1.jpg\ta dog\n',
          'columns.yaml': pipeline(
            'columns',
            '{ format: tsv, path: columns.tsv, columns: { url: url, caption: text } }',
          ),
        },
        command: 'groundmill run columns.yaml --dataset runs/f',
        code: 2,
        says: /link/,
      },
      {
        title: 'A format that there is not',
        command: 'groundmill run photos.yaml --set photos.format=floder --dataset runs/g',
        code: 2,
        says: /folder/,
      },
      {
        title: 'No captions',
        before: 'mkdir -p bare && cp photos/000000000790.jpg bare/',
        command: 'groundmill run photos.yaml --set photos.path=bare --dataset runs/h',
        code: 2,
        says: /caption/,
      },
    ],
  },
  {
    title: 'Keys',
    mistakes: [
      {
        title: 'A key that a stage has not',
        command: 'groundmill run photos.yaml --set label.flor=0.1',
        code: 2,
        says: /floor/,
      },
      {
        title: 'A stage that there is not',
        command: 'groundmill run photos.yaml --set labels.floor=0.1',
        code: 2,
        says: /label/,
      },
      {
        title: 'A key that a rule has not',
        command: 'groundmill run photos.yaml --set kept.score.mni=0.3',
        code: 2,
        says: /min/,
      },
      {
        title: 'A rule that there is not',
        command: 'groundmill run photos.yaml --set kept.bogus=7',
        code: 2,
        says: /bogus/,
      },
      {
        title: 'A key set into the list of rules',
        command: 'groundmill run photos.yaml --set kept.rules.bogus=7',
        code: 2,
        says: /bogus/,
      },
      {
        title: 'A number out of its range',
        command: 'groundmill run photos.yaml --set kept.score.min=40',
        code: 2,
        says: /at most 1/,
      },
      {
        title: 'A rule by its name, of a grounding that is there',
        command: 'groundmill filter runs/photos/photos --as other --set kept.score.min=0.6',
        code: 2,
        says: /score\.min/,
      },
      {
        title: 'A sweep of a key that a rule has not',
        command: 'groundmill sweep runs/photos/photos --vary score.max',
        code: 2,
        says: /min/,
      },
    ],
  },
  {
    title: 'Models',
    mistakes: [
      {
        title: 'The model folder is not there',
        command: 'groundmill run photos.yaml --set label.model=detektor --dataset runs/i',
        code: 2,
        says: /detektor/,
      },
      {
        title: 'A folder that is no model',
        command: 'groundmill run photos.yaml --set label.model=photos --dataset runs/i',
        code: 2,
        says: /config\.json/,
      },
      {
        title: 'A device that is not there',
        command:
          'groundmill teach runs/photos/photos --model detector --phrases phrases --as gpu --set device=cuda',
        code: 2,
        says: /cuda/,
      },
      {
        title: 'A label in a list of synonyms that the detector has not',
        files: { 'synonyms.yaml': 'persn: [man, woman]\n' },
        command:
          'groundmill run photos.yaml --set kept.label.synonyms=synonyms.yaml --dataset runs/photos --only kept',
        code: 0,
        says: /persn/,
      },
      {
        title: 'A training into a folder of something else',
        command: 'groundmill train runs/photos/photos:kept -o detector --set steps=2',
        code: 2,
        says: /detector is there and holds no model that groundmill has made/,
      },
      {
        title: 'A student that starts from a detector',
        command: 'groundmill train runs/photos/photos:kept -o models/other --set init=detector --set steps=2',
        code: 2,
        says: /init/,
      },
    ],
  },
  {
    title: 'Nothing came of it',
    mistakes: [
      {
        title: 'A threshold that nothing reaches',
        command: 'groundmill run photos.yaml --set kept.score.min=0.99 --dataset runs/photos',
        code: 2,
        says: /score\.min/,
      },
      {
        title: 'Training on it',
        command: 'groundmill train runs/photos/photos:kept -o models/other --set steps=2',
        code: 2,
        says: /kept/,
      },
      {
        title: 'A grounding that there is not',
        command: 'groundmill export runs/photos/photos --as keep --format hf -o other',
        code: 2,
        says: /kept/,
      },
    ],
  },
  {
    title: 'Rounds',
    mistakes: [
      {
        title: 'A pipeline without rounds',
        command: 'groundmill round photos.yaml',
        code: 2,
        says: /rounds/,
      },
      {
        title: 'A teacher that is neither a stage nor a folder',
        files: {
          'rounds-a.yaml': rounds(
            '  teacher: teacher\n  phrases: phrases\n  gold: []\n  held_out: [photos]\n  promote: { set: photos }',
          ),
        },
        command: 'groundmill round rounds-a.yaml --dataset runs/j',
        code: 2,
        says: /teacher/,
      },
      {
        title: 'A teacher that is another kind of stage',
        files: {
          'rounds-b.yaml': rounds(
            '  teacher: kept\n  phrases: phrases\n  gold: []\n  held_out: [photos]\n  promote: { set: photos }',
          ),
        },
        command: 'groundmill round rounds-b.yaml --dataset runs/j',
        code: 2,
        says: /kept/,
      },
      {
        title: 'The same pictures to train on and to judge by',
        files: {
          'rounds-c.yaml': rounds(
            '  teacher: detector\n  phrases: phrases\n  gold: [photos]\n  start: scratch\n  held_out: [photos]\n  promote: { set: photos }',
          ),
        },
        command: 'groundmill round rounds-c.yaml --dataset runs/j',
        code: 2,
        says: /held_out/,
      },
    ],
  },
  {
    title: 'Commands',
    mistakes: [
      {
        title: 'A command that there is not',
        command: 'groundmill rnu photos.yaml --help',
        code: 2,
        says: /run/,
      },
      {
        title: 'A port that is taken',
        before:
          "(node -e \"require('net').createServer().listen(8099, '127.0.0.1'); setTimeout(() => process.exit(), 5000)\" > /dev/null 2>&1 &); sleep 0.5",
        command: 'groundmill inspect runs/photos/photos --port 8099',
        code: 2,
        says: /8099/,
      },
      {
        title: 'An error, for a script',
        command: 'groundmill stats runs/nothing --json',
        code: 2,
        says: /\{"error":\{"message":/,
      },
      {
        title: 'The folder of an export holds something else',
        before: 'mkdir -p mine && echo mine > mine/notes.txt',
        command: 'groundmill export runs/photos/photos --as kept --format yolo -o mine',
        code: 2,
        says: /mine/,
      },
    ],
  },
]
