import { z } from 'zod'
import { packaged } from '../../base/files/packaged.js'
import { readText } from '../../base/files/read-file.js'
import { hashBytes } from '../../base/hash.js'
import { plainJson } from '../../base/plain-text.js'
import { UserError } from '../../base/user-error.js'
import type { Verdict } from '../../rows/rows.js'
import { addCounts } from '../../statistics/stats.js'
import { sameText } from '../../words/same-text.js'
import type { Chat, ChatMessage } from '../chat/chat.js'
import { type ChatJudgement, judgementSchema, readAnswer } from '../chat/read-answer.js'
import {
  type AskedPicture,
  boxVerdict,
  type Judge,
  type Judged,
  phraseVerdict,
  type Question,
  type Unanswered,
} from '../judge/judge.js'
import { judgeKind } from '../judge/judge-kind.js'

const schema = z
  .strictObject({
    judge: z.literal('endpoint'),
    url: z
      .string()
      .refine(
        isBaseUrl,
        'expected the base address of a server, such as http://localhost:8000/v1, without a password',
      )
      .describe('base address of a server that speaks as OpenAI does, such as http://localhost:11434/v1'),
    model: z.string().min(1).max(200).describe('the model by its name on the server; it must see pictures'),
    prompt: z
      .string()
      .min(1)
      .optional()
      .describe(
        "a text file with the question, in which {phrase}, {caption}, {boxes} and {shown} are filled in; else groundmill's own",
      ),
    key_env: z
      .string()
      .regex(/^\w+$/)
      .optional()
      .describe(
        'name of the environment variable that holds the key of the server; the key is stored nowhere',
      ),
    pictures: z
      .enum(['marked', 'crop'])
      .default('marked')
      .describe(
        'what is shown: the picture with the boxes drawn on it and numbered, or what is cut out for each',
      ),
    side: z
      .number()
      .int()
      .min(64)
      .max(8192)
      .default(1024)
      .describe('longer side of what is shown, in pixels at most'),
    unboxed: z
      .boolean()
      .default(false)
      .describe(
        'whether phrases without a box are asked about as well: whether they can be seen, whether one is missing',
      ),
    max_tokens: z.number().int().positive().default(1024).describe('tokens of an answer at most'),
    temperature: z.number().min(0).max(2).default(0).describe('temperature at which the model answers'),
    parallel: z.number().int().min(1).max(256).default(4).describe('requests at once'),
    rate: z
      .number()
      .positive()
      .optional()
      .describe('requests a minute at most; else as many as are answered'),
    retries: z
      .number()
      .int()
      .min(0)
      .max(20)
      .default(4)
      .describe('further tries of a request that failed in a way that may pass'),
    timeout: z.number().positive().max(3600).default(120).describe('seconds that a request may take'),
  })
  .describe(
    'a model behind a server that speaks as OpenAI does (vLLM, Ollama, LM Studio, a service): it sees the picture, and says which boxes are right',
  )

type EndpointConfig = z.infer<typeof schema>

/** Further answers that are asked for where one is no judgement. */
const corrections = 2
const longestCaption = 2000
const longestDetail = 200
const longestPrompt = 20_000

/**
 * Asks a model behind a server about all boxes of a phrase at once. Phrases of the same words with the same boxes are
 * asked about once a picture. An answer that is no judgement goes back with the reason, and is left
 * unanswered (`bad_answer`) where that does not help; so is a question that the server refuses (`refused`).
 */
export const endpoint = judgeKind({
  name: 'endpoint',
  schema,
  model: null,
  needsBoxes: true,
  notHashed: ['url', 'prompt', 'key_env', 'parallel', 'rate', 'retries', 'timeout'],
  async check(config) {
    await promptOf(config)
    const { checkServer } = await import('../chat/chat.js')
    await checkServer({ ...config, key: keyOf(config) })
  },
  inputs: async (config) => ({
    endpoint: config.model,
    prompt: hashBytes(Buffer.from(await promptOf(config))),
  }),
  async open(config): Promise<Judge> {
    const template = await promptOf(config)
    const key = keyOf(config)
    const [{ openChat }, show] = await Promise.all([
      import('../chat/chat.js'),
      import('../chat/show-boxes.js'),
    ])
    const chat = openChat({ ...config, key })
    return {
      ...{ name: config.model, parallel: config.parallel },
      async judge(picture, signal) {
        const groups = groupsOf(picture.questions, config.unboxed)
        const answers = await Promise.all(
          groups.map(async (questions) => {
            const [question] = questions as [Question]
            const boxes = question.boxes.map(({ xyxy }) => xyxy)
            const isCut = config.pictures === 'crop' && boxes.length > 0
            const shown = await (isCut ? show.croppedBoxes : show.markedPicture)(
              ...([picture.bytes, boxes, config.side, picture.key] as const),
            )
            const text = filled(template, picture, question, isCut ? undefined : shown.boxes)
            const parts = [{ text }, ...shown.jpegs.map((jpeg) => ({ jpeg }))]
            return { questions, ...(await askPatiently(chat, parts, boxes.length, key, signal)) }
          }),
        )
        return judgedOf(config.model, picture, answers)
      },
      close: () => chat.close(),
    }
  },
})

/** Questions of the same words about the same boxes together. */
function groupsOf(questions: readonly Question[], unboxed: boolean): Question[][] {
  const groups = new Map<string, Question[]>()
  for (const question of questions) {
    const { words, boxes } = question
    if (boxes.length === 0 && !unboxed) continue
    const name = JSON.stringify([sameText(words.text), boxes.map(({ xyxy }) => xyxy)])
    groups.set(name, [...(groups.get(name) ?? []), question])
  }
  return [...groups.values()]
}

/** What a model said of some questions at last, and what that took. */
interface Asked {
  readonly judgement?: ChatJudgement
  readonly unanswered?: Pick<Unanswered, 'reason' | 'detail'>
  readonly counts: Readonly<Record<string, number>>
}

/** Asks until the answer is a judgement; one that is none goes back with the reason. */
async function askPatiently(
  chat: Chat,
  parts: ChatMessage['parts'],
  boxes: number,
  key: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Asked> {
  const { RefusedRequest, withoutKey } = await import('../chat/chat.js')
  const messages: ChatMessage[] = [{ role: 'user', parts }]
  let counts: Readonly<Record<string, number>> = {}
  for (let attempt = 0; ; attempt++) {
    try {
      const { text, isCut, counts: own } = await chat.ask(messages, judgementSchema, signal)
      counts = addCounts(counts, own)
      const read = readAnswer(text, boxes)
      if ('judgement' in read) return { judgement: read.judgement, counts }
      const problem = isCut ? 'it is cut off at max_tokens' : read.problem
      const detail = `${problem}: ${withoutKey(text, key)}`.slice(0, longestDetail)
      if (attempt === corrections) return { unanswered: { reason: 'bad_answer', detail }, counts }
      const again = `That is not an answer in the form that was asked for: ${problem}. Answer again, with the JSON object alone.`
      messages.push(
        { role: 'assistant', parts: [{ text: text.slice(0, longestCaption) || '-' }] },
        { role: 'user', parts: [{ text: again }] },
      )
    } catch (error) {
      if (!(error instanceof RefusedRequest)) throw error
      return { unanswered: { reason: 'refused', detail: error.message.slice(0, longestDetail) }, counts }
    }
  }
}

/** The verdicts of a picture in the order of its questions. */
function judgedOf(
  judge: string,
  { questions }: AskedPicture,
  answers: readonly (Asked & { readonly questions: readonly Question[] })[],
): Judged {
  const byPhrase = new Map(
    answers.flatMap((one) => one.questions.map(({ phrase }) => [phrase, one] as const)),
  )
  const verdicts: Verdict[] = []
  const unanswered: Unanswered[] = []
  for (const { phrase, boxes } of questions) {
    const answer = byPhrase.get(phrase)
    if (answer?.unanswered) unanswered.push({ boxes: boxes.length, ...answer.unanswered })
    const { judgement } = answer ?? {}
    if (!judgement) continue
    for (const [at, box] of boxes.entries()) {
      const { right, confidence } = judgement.boxes[at] as ChatJudgement['boxes'][number]
      verdicts.push({
        ...boxVerdict(judge, phrase, box, probabilityOf(right, confidence)),
        verdict: right ? 'accept' : 'reject',
      })
    }
    const { visible, complete, confidence } = judgement.phrase
    const isComplete = visible && complete
    verdicts.push({
      ...phraseVerdict(judge, phrase, probabilityOf(isComplete, confidence)),
      verdict: visible ? (complete ? 'complete' : 'incomplete') : 'unseen',
    })
  }
  const counts = answers.reduce((sum, answer) => addCounts(sum, answer.counts), {})
  return { verdicts, unanswered, counts }
}

/** Of yes and no with a confidence of 0 (a guess) to 1 (certain). */
const probabilityOf = (isTrue: boolean, confidence: number): number =>
  isTrue ? 0.5 + confidence / 2 : 0.5 - confidence / 2

/** The question. What is filled in is not looked at for more to fill in; strangers' words are quoted as JSON. */
function filled(
  template: string,
  { captions }: AskedPicture,
  { words, boxes }: Question,
  drawn: readonly (readonly number[])[] | undefined,
): string {
  const caption = captions[words.caption]?.text ?? ''
  const cut = caption.length > longestCaption ? `${caption.slice(0, longestCaption)}…` : caption
  const listed = boxes.map((_, at) => {
    const sides = drawn?.[at]?.map(Math.round)
    return { number: at + 1, ...(sides && { x1: sides[0], y1: sides[1], x2: sides[2], y2: sides[3] }) }
  })
  const values: Readonly<Record<string, string>> = {
    caption: plainJson(cut),
    phrase: plainJson(words.text.slice(0, longestCaption)),
    boxes: JSON.stringify(listed),
    shown: shownText(boxes.length, drawn !== undefined),
  }
  return template.replace(/\{(caption|phrase|boxes|shown)\}/g, (_, name: string) => values[name] as string)
}

function shownText(boxes: number, isDrawn: boolean): string {
  if (boxes === 0) return 'You are shown a picture, in which no box was found for a phrase of its caption.'
  return isDrawn
    ? 'You are shown a picture on which boxes are drawn, each with its number; they were found for a phrase of its caption. Their sides are given in pixels.'
    : 'You are shown what is in each of the boxes that were found for a phrase of the caption of a picture, one picture a box in the order of their numbers, with a little around it.'
}

async function promptOf({ prompt }: EndpointConfig): Promise<string> {
  const path = prompt ?? packaged('assets/prompts/judge.txt')
  const text = await readText(path)
  if (text.length > longestPrompt)
    throw new UserError(`${path} has ${text.length} characters: a prompt has ${longestPrompt} at most.`)
  for (const name of ['{phrase}', '{boxes}'])
    if (!text.includes(name))
      throw new UserError(`${path}: the prompt has no ${name}: it is where the question is filled in.`)
  return text
}

/** The key; undefined where none is asked for. */
function keyOf({ key_env: name }: EndpointConfig): string | undefined {
  if (name === undefined) return undefined
  const key = process.env[name]?.trim()
  if (!key)
    throw new UserError(
      `key_env: the environment variable ${name} is not set: put the key of the server there.`,
    )
  if (!/^[\x21-\x7e]+$/.test(key)) throw new UserError(`key_env: what ${name} holds is no key.`)
  return key
}

function isBaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password, search, hash } = new URL(text)
  return (protocol === 'http:' || protocol === 'https:') && !(username || password || search || hash)
}
