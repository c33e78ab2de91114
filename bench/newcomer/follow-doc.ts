import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type DocBlock, docBlocks } from './doc-blocks.js'

export interface Followed {
  readonly line: number
  readonly commands: string
  /** What the document says that they print. */
  readonly shown: string | null
  /** Standard output and standard error, as a terminal shows them together. */
  readonly printed: string
  readonly code: number | null
  readonly seconds: number
}

export interface FollowOptions {
  readonly folder: string
  readonly env?: NodeJS.ProcessEnv
  /** Changes what the reader is told to do, where the whole of it takes too long. */
  readonly change?: (text: string) => string
  readonly onBlock?: (block: DocBlock) => void
}

/**
 * Does in a folder what a document tells its reader, block after block, and says what came of it. Commands that go on until Ctrl-C get
 * it after some seconds. Stops at the first block of commands that fails.
 */
export async function followDoc(markdown: string, options: FollowOptions): Promise<Followed[]> {
  const { folder, change = (text: string) => text } = options
  const all: Followed[] = []
  for (const block of docBlocks(markdown)) {
    options.onBlock?.(block)
    if (block.does === 'file') {
      await mkdir(dirname(join(folder, block.name)), { recursive: true })
      await writeFile(join(folder, block.name), change(block.text))
      continue
    }
    const began = performance.now()
    const { code, printed } = await runScript(change(block.text), options)
    const seconds = (performance.now() - began) / 1000
    all.push({ line: block.line, commands: block.text, shown: block.output, printed, code, seconds })
    if (code !== 0) break
  }
  return all
}

/** 124 is what `timeout` ends with where it had to. */
const orInterrupted = '{ code=$?; [ $code = 124 ] || exit $code; }'

const endless = /^npx groundmill (?:inspect|watch|world serve)\b(?!.*(?:--once|--help|&\s*$))/

/** Runs lines of shell as one script, which ends at the first that fails. */
export async function runScript(
  text: string,
  { folder, env }: Pick<FollowOptions, 'folder' | 'env'>,
): Promise<{ code: number | null; printed: string }> {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/\s+# .*$/, ''))
    .map((line) => (endless.test(line) ? `timeout --signal=INT 3 ${line} || ${orInterrupted}` : line))
  // What a script leaves behind in the background ends with it.
  const script = ["trap 'kill $(jobs -p) 2> /dev/null || true' EXIT", 'exec 2>&1', ...lines].join('\n')
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  child.stdout.on('data', (data) => {
    printed += data
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, printed }
}
