import { z } from 'zod'
import { parseConfig } from '../base/files/parse-config.js'
import { readYaml } from '../base/files/parse-yaml.js'
import { UserError } from '../base/user-error.js'

export interface NamingOptions {
  readonly by?: 'category'
  readonly synonyms?: string
}

const schema = z.record(z.string(), z.array(z.string().min(1)))

/** Further names by category of a YAML file, such as `person: [goalkeeper]`. Throws a UserError on another form. */
export const readSynonyms = async (path: string): Promise<z.infer<typeof schema>> =>
  parseConfig(schema, await readYaml(path), path)

/** What `--by category` and `--synonyms` ask for; undefined where neither is given. */
export async function readNaming({
  by,
  synonyms,
}: NamingOptions): Promise<{ readonly synonyms: z.infer<typeof schema> } | undefined> {
  if (synonyms !== undefined && by === undefined) throw new UserError('--synonyms goes with --by category.')
  return by && { synonyms: synonyms === undefined ? {} : await readSynonyms(synonyms) }
}
