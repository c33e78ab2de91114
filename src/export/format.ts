import type { RecordLayout } from '../card/croissant-records.js'
import type { NamedAudit } from '../card/ledger.js'
import type { Lineage } from '../card/lineage.js'
import type { Classes } from './classes.js'
import type { ExportConfig } from './config.js'
import type { ExportFolder } from './export-folder.js'
import type { ExportRow, ExportShard, ExportSource } from './export-rows.js'
import type { ExportSums, Facet } from './export-sums.js'
import type { PictureNames } from './picture-names.js'

/** What a writer keeps from one shard to the next: plain JSON, which a checkpoint holds. */
export interface Memory {
  readonly sums: ExportSums
  /** Numbers that go on, such as the last id of a box. */
  readonly counters: Record<string, number>
  /** Licences in the order in which they were met. */
  readonly licenses: string[]
}

export interface WriterContext {
  readonly folder: ExportFolder<Memory>
  readonly config: ExportConfig
  readonly source: ExportSource
  readonly shards: readonly ExportShard[]
  /** The licence of the dataset's card. */
  readonly license: string | undefined
  readonly classes: Classes
  /** How the grounding came to be, and what audits say of it. */
  readonly lineage: Lineage
  readonly audits: readonly NamedAudit[]
  readonly names: PictureNames
  readonly memory: Memory
}

/** A picture that is written, and where its file lies below the folder; null where it lies in none. */
export interface RowWithFile {
  readonly row: ExportRow
  /** With forward slashes. */
  readonly file: string | null
  /** What its file is called, without the ending (`PictureNames`). */
  readonly name: string
}

/** A shard that is written, and its place in the list of shards. */
export interface ShardPlace {
  readonly shard: string
  readonly index: number
}

export interface Writer {
  /** Whether a picture is written; where there is no such function, whether it has a region. */
  wants?(row: ExportRow): boolean
  /** Writes the rows of a shard. Which captions and boxes were written is the writer's to count. */
  shard(place: ShardPlace, rows: AsyncIterable<RowWithFile>): Promise<void>
  /** Writes what can be written only when all shards are; may be called again. */
  finish(): Promise<void>
}

/** A format that datasets are exported to. */
export interface Format {
  /**
   * Whether pictures are files beside the annotations, lie within the export's own files, or may do without.
   */
  readonly pictures: 'files' | 'within'
  /** Where files of pictures lie, and their split's folder. */
  readonly folder?: (config: ExportConfig) => string
  /** Whether pictures may be left where they were crawled. */
  readonly urls: boolean
  /** Whether boxes have classes. */
  readonly classes?: boolean
  /** What it has no place for. */
  readonly lacks: readonly Facet[]
  /** What a reader should know. */
  readonly notes: readonly string[]
  open(context: WriterContext): Promise<Writer>
  /** Folders of files that croissant.json describes one by one, beside those of the export's own. */
  readonly inner?: readonly string[]
  /** What its files hold, in Croissant's words. */
  layout(context: Pick<WriterContext, 'config' | 'memory' | 'shards'>): RecordLayout
  /**
   * The `with` of an ingest stage that reads it back, by what is read; none where its reader gives other
   * rows.
   */
  ingest(folder: string, config: ExportConfig, sums: ExportSums): Readonly<Record<string, object>>
}
