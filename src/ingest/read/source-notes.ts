/** What an export of this program says of where a picture came from. */
export interface SourceNotes {
  readonly source_id?: string | undefined
  readonly source_name?: string | undefined
}

/** Those as `meta` has them: both where there is one, so that the names of the export are not taken for the source's. */
export const sourceNotes = ({ source_id, source_name }: SourceNotes): object =>
  source_id === undefined && source_name === undefined
    ? {}
    : { source_id: source_id ?? null, source_name: source_name ?? null }
