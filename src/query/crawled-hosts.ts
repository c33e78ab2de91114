import { hostPattern } from '../statistics/measures.js'
import type { Storage } from '../storage/storage.js'
import { runQuery } from './run-query.js'
import { quoted } from './sql.js'

/** What a host gave: its name is that of the address, lower case, without its port. */
export interface CrawledHost {
  readonly host: string
  readonly pictures: number
  /** Of the pictures as they are stored. */
  readonly bytes: number
}

/** The SQL of `crawledHosts`, over the views of a dataset with its pictures (`groundmill query --images`). */
export const crawledHostsSql = `select lower(regexp_extract(url, ${quoted(hostPattern)}, 1, 'i')) as host, count(*) as pictures, sum(octet_length(image.bytes)) as bytes from images where url is not null group by 1 order by bytes desc, host`

/**
 * The hosts of the pictures that have an address, those first that gave most bytes. All pictures are read.
 *
 * @throws UserError as `runQuery` does
 */
export function crawledHosts(storage: Storage, signal?: AbortSignal): Promise<CrawledHost[]> {
  return runQuery(
    storage,
    crawledHostsSql,
    { withImages: true, ...(signal && { signal }) },
    async ({ rows }) => {
      const hosts: CrawledHost[] = []
      for await (const some of rows)
        for (const [host, pictures, bytes] of some)
          hosts.push({ host: String(host), pictures: Number(pictures), bytes: Number(bytes) })
      return hosts
    },
  )
}
