import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tinyConfig } from './tiny-glip.js'

/** Writes files that make a folder a model as far as its hash is concerned; nothing can be asked of it. */
export async function writeTinyModel(folder: string, graph = 'graph'): Promise<void> {
  await mkdir(folder, { recursive: true })
  const files = {
    'config.json': JSON.stringify(tinyConfig),
    'tokenizer.json': '{}',
    'README.md': '# tiny\n',
    'model.onnx': graph,
    'model.safetensors': 'weights',
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
}
