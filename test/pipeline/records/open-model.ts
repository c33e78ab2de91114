/** Run as a program of its own by model-store.test.ts: opens a run's model, and prints its folder and hash. */
import { hashModel } from '../../../src/model/model-folder.js'
import { modelStore } from '../../../src/pipeline/records/model-store.js'
import { openStorage } from '../../../src/storage/open-storage.js'

const [url = '', prefix = ''] = process.argv.slice(2)
const folder = await modelStore(openStorage(url), prefix).open()
process.stdout.write(`${folder} ${folder && (await hashModel(folder))}`)
