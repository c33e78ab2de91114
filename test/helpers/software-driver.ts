import { existsSync } from 'node:fs'

const places = [
  '/usr/lib/chromium/vk_swiftshader_icd.json',
  '/usr/lib/chromium-browser/vk_swiftshader_icd.json',
  '/opt/google/chrome/vk_swiftshader_icd.json',
]

/** The Vulkan driver that computes on the CPU and comes with chromium (SwiftShader), where it is installed. */
export const softwareDriver = (): string | undefined => places.find((path) => existsSync(path))
