import { UserError } from '../base/user-error.js'
import { readSynonyms, type Synonyms } from '../words/read-synonyms.js'

export interface NamingOptions {
  readonly by?: 'category'
  readonly synonyms?: string
}

/** What `--by category` and `--synonyms` ask for; undefined where neither is given. */
export async function readNaming({
  by,
  synonyms,
}: NamingOptions): Promise<{ readonly synonyms: Synonyms } | undefined> {
  if (synonyms !== undefined && by === undefined) throw new UserError('--synonyms goes with --by category.')
  return by && { synonyms: synonyms === undefined ? {} : await readSynonyms(synonyms) }
}
