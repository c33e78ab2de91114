import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runScript } from './follow-doc.js'
import type { Mistake, MistakeKind } from './mistakes.js'

export interface MadeMistake extends Mistake {
  readonly kind: string
  readonly printed: string
  readonly ended: number | null
  /** What is wrong with the answer; null where nothing is. */
  readonly wrong: string | null
}

/** What no message has: a stack, or words of the system, of a library or of a schema. */
const raw =
  /^\s+at .*:\d+:\d+|\bE(?:NOENT|ACCES|ADDRINUSE|ISDIR|EXIST)\b|discriminator|\[object Object\]|\bundefined\b|\[[EW]:onnxruntime|Invalid input/m

/** Makes one mistake after another in a folder in which the README was followed, and looks at what is answered. */
export async function makeMistakes(
  kinds: readonly MistakeKind[],
  folder: string,
  env?: NodeJS.ProcessEnv,
): Promise<MadeMistake[]> {
  const made: MadeMistake[] = []
  for (const { title: kind, mistakes } of kinds)
    for (const mistake of mistakes) {
      for (const [name, text] of Object.entries(mistake.files ?? {}))
        await writeFile(join(folder, name), text)
      if (mistake.before) await runScript(mistake.before, { folder, env })
      const command = mistake.command.replace(/^groundmill/, 'npx groundmill')
      const { code, printed } = await runScript(command, { folder, env })
      made.push({ ...mistake, kind, printed, ended: code, wrong: fault(mistake, code, printed) })
    }
  return made
}

function fault({ code, says }: Mistake, ended: number | null, printed: string): string | null {
  if (ended !== code) return `ended with ${ended}, not ${code}`
  if (!says.test(printed)) return `does not say ${says}`
  return raw.exec(printed)?.[0] ?? null
}

/** The page that lists them: what was done, what was answered, and with which code. */
export function mistakesPage(made: readonly MadeMistake[]): string {
  const kinds = [...new Set(made.map(({ kind }) => kind))]
  const sections = kinds.map((kind) => {
    const entries = made
      .filter((one) => one.kind === kind)
      .map((one) => {
        const files = Object.entries(one.files ?? {}).map(([name, text]) =>
          fenced('', `# ${name}\n${text.trimEnd()}`),
        )
        const answer = [`$ ${one.command}`, messageOf(one.printed)].join('\n')
        return [`### ${one.title}`, ...files, fenced('', answer), `Exit code ${one.ended}.`].join('\n\n')
      })
    return [`## ${kind}`, ...entries].join('\n\n')
  })
  return `${head}\n\n${sections.join('\n\n')}\n`
}

const head = `# When it goes wrong

Every message says what is wrong, where, and what to do. The exit code is 2 for what you must mend, 1 for work that failed and that the
same command tries again, 130 after Ctrl-C, 75 for a slice that waits for others. \`--verbose\` adds where in the program an error comes from. With \`--json\` standard output is an object with \`error\`.

- **It was stopped**: run the same command again. What each stage loses at most: [reliability.md](reliability.md).
- **Pictures are missing**: \`groundmill stats\` counts them by reason and says what to do, the page shows them, \`groundmill query DATASET "select * from rejects"\` lists them;
  \`run --retry-failed\` fetches again what may have passed ([fetching.md](fetching.md)).
- **Files are broken**: \`groundmill check DATASET --deep\`, and \`--mend\` ([many-writers.md](many-writers.md)).
- **It stops before it begins**: \`groundmill run PIPELINE --plan\` says what would run, on what, and which disk it needs.

Below are mistakes that are easy to make, with what is answered. \`npm run verify:newcomer\` makes each of them after it has followed the README, and writes this page.`

const fenced = (language: string, text: string) => `\`\`\`${language}\n${text}\n\`\`\``

/** Without the lines of stages that went well, and of tables. */
function messageOf(printed: string): string {
  const lines = printed.trimEnd().split('\n')
  const said = lines.filter((line) => /^groundmill: |^\{"error"|warning|^ {2}\S/.test(line))
  return (said.length > 0 ? said : lines.slice(-6)).join('\n')
}
