import { type WasmFunction, wasmModule } from './wasm-code.js'

/** Memory that modules work on; shared where several threads see it. */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike
}

/** What of WebAssembly is used: Node's types do not declare it. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object
  readonly Memory: new (pages: {
    readonly initial: number
    readonly maximum: number
    readonly shared: boolean
  }) => WasmMemory
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
}
const { Module, Memory, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi })
  .WebAssembly

/** A compiled module, which any number of memories can be worked on with: of shared ones, or of others. */
export const compileWasm = (functions: readonly WasmFunction[], shared = false): object =>
  new Module(wasmModule(functions, shared))

/**
 * Zeros that stay where they are.
 *
 * @param bytes at most 4 GiB, WebAssembly's addresses
 * @throws RangeError where there is no memory left
 */
export function wasmMemory(bytes: number, shared = false): WasmMemory {
  const pages = Math.max(1, Math.ceil(bytes / 65_536))
  return new Memory({ initial: pages, maximum: pages, shared })
}

/** The functions of a module, working on a memory. */
export const wasmExports = <Exports>(compiled: object, memory: WasmMemory): Exports =>
  new Instance(compiled, { of: { memory } }).exports as Exports
