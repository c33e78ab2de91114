/**
 * The messages of TensorFlow's event.proto that a log of scalars needs, written field by field.
 * Field numbers: https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto
 */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

export interface TrainEvent {
  /** Seconds since 1970. */
  readonly time: number
  readonly step: number
  readonly what:
    | { readonly version: string }
    /** Says that a run begins at this step: what the log had from it on is dropped. */
    | { readonly start: true }
    | { readonly scalars: Readonly<Record<string, number>> }
    /** A text in Markdown. */
    | { readonly tag: string; readonly text: string }
}

/** What every reader asks for in the first event of a file. */
export const fileVersion = 'brain.Event:2'

const startStatus = 1
const stringType = 7

const message = (writer: BinaryWriter, field: number, write: (inner: BinaryWriter) => void) => {
  writer.tag(field, WireType.LengthDelimited).fork()
  write(writer)
  writer.join()
}
const text = (writer: BinaryWriter, field: number, value: string) =>
  writer.tag(field, WireType.LengthDelimited).string(value)

/** The bytes of an Event. */
export function encodeEvent({ time, step, what }: TrainEvent): Uint8Array {
  const writer = new BinaryWriter()
  writer.tag(1, WireType.Bit64).double(time)
  if (step !== 0) writer.tag(2, WireType.Varint).int64(step)
  if ('version' in what) text(writer, 3, what.version)
  else if ('start' in what) message(writer, 7, (log) => log.tag(1, WireType.Varint).int32(startStatus))
  else
    message(writer, 5, (summary) => {
      if ('text' in what) writeText(summary, what.tag, what.text)
      else for (const [tag, value] of Object.entries(what.scalars)) writeScalar(summary, tag, value)
    })
  return writer.finish()
}

function writeScalar(summary: BinaryWriter, tag: string, value: number) {
  message(summary, 1, (inner) => {
    text(inner, 1, tag)
    inner.tag(2, WireType.Bit32).float(value)
  })
}

/** A tensor of one string, which the text plugin shows. */
function writeText(summary: BinaryWriter, tag: string, value: string) {
  message(summary, 1, (inner) => {
    text(inner, 1, tag)
    message(inner, 8, (tensor) => {
      tensor.tag(1, WireType.Varint).int32(stringType)
      message(tensor, 2, (shape) => message(shape, 2, (side) => side.tag(1, WireType.Varint).int64(1)))
      text(tensor, 8, value)
    })
    message(inner, 9, (metadata) => message(metadata, 1, (plugin) => text(plugin, 1, 'text')))
  })
}

/** When an event was, and of which step; undefined where the bytes are none. */
export function timeOfEvent(bytes: Uint8Array): Pick<TrainEvent, 'time' | 'step'> | undefined {
  try {
    const reader = new BinaryReader(bytes)
    let [time, step] = [Number.NaN, 0]
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag()
      if (field === 1 && type === WireType.Bit64) time = reader.double()
      else if (field === 2 && type === WireType.Varint) step = Number(reader.int64())
      else reader.skip(type)
    }
    return Number.isFinite(time) ? { time, step } : undefined
  } catch {
    return undefined
  }
}
