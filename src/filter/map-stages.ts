import type { RuleConfig } from './rules.js'

/** A rule's parameters, with another name in the place of each stage that they name. */
export function mapStages(config: RuleConfig, map: (stage: string) => string): RuleConfig {
  if (config.rule === 'verdict') return config.by === undefined ? config : { ...config, by: map(config.by) }
  if (config.rule === 'calibrate') return config.of === undefined ? config : { ...config, of: map(config.of) }
  if (config.rule === 'consensus')
    return config.of === undefined ? config : { ...config, of: config.of.map(map) }
  return config
}

/** The stages that rules name. */
export function stagesIn(rules: readonly RuleConfig[]): readonly string[] {
  const names = new Set<string>()
  for (const config of rules)
    mapStages(config, (name) => {
      names.add(name)
      return name
    })
  return [...names]
}
