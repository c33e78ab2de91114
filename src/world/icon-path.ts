import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { packaged } from '../base/files/packaged.js'
import { UserError } from '../base/user-error.js'

type Icons = Readonly<Record<string, string>>

let shipped: Icons | undefined

/**
 * SVG path of a Material Design icon on its 24 x 24 grid, by the name of its export of @mdi/js. Those of
 * `datasets/toy.yaml` come with groundmill; for others @mdi/js must be installed.
 *
 * @returns undefined where there is no icon of that name
 * @throws UserError where the icon is not shipped and @mdi/js is not installed
 */
export function iconPath(icon: string): string | undefined {
  if (!icon.startsWith('mdi')) return undefined
  shipped ??= JSON.parse(readFileSync(packaged('assets/icons/icons.json'), 'utf8')) as Icons
  return shipped[icon] ?? materialIcons(icon)[icon]
}

function materialIcons(icon: string): Icons {
  try {
    return createRequire(import.meta.url)('@mdi/js')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    throw new UserError(
      `"${icon}" is not among the icons that come with groundmill, and @mdi/js, which has all of them, ` +
        'is not installed: npm install @mdi/js',
    )
  }
}
