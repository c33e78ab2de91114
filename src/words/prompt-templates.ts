import { z } from 'zod'

/**
 * The seven templates that Radford et al. (2021) found to do best together on ImageNet ("Prompt Engineering for
 * ImageNet"), with which OWL-ViT is evaluated (Minderer et al., 2022) and OWL-ST labels (2023).
 */
const bestTemplates = [
  'itap of a {}.',
  'a bad photo of the {}.',
  'a origami {}.',
  'a photo of the large {}.',
  'a {} in a video game.',
  'art of the {}.',
  'a photo of the small {}.',
] as const

const template = z
  .string()
  .max(200)
  .includes('{}', 'expected {} where the phrase stands, as in "a photo of a {}"')

/** Texts in which a phrase is asked for. */
export const templatesSchema = z.union([z.literal('best'), z.array(template).min(1).max(100)])

export type Templates = z.infer<typeof templatesSchema>

/** The templates that a configuration names; undefined where it names none. */
export const templatesOf = (templates: Templates | undefined): readonly string[] | undefined =>
  templates === 'best' ? bestTemplates : templates

/** A phrase in a template: it stands where `{}` does. */
export const fillTemplate = (text: string, phrase: string): string => text.replaceAll('{}', () => phrase)
