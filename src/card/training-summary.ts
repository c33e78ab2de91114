import { counted } from '../base/counted.js'
import type { About } from './about.js'
import { type Crawler, countsOf, crawlerOf, percent, stageOf, teachersOf, wishesOf } from './ledger.js'
import type { Lineage } from './lineage.js'
import { markdownTable } from './markdown-table.js'
import { code, inline } from './markdown-text.js'

/** What hosts gave; those of `crawledHosts`. */
export interface HostSize {
  readonly host: string
  readonly pictures: number
  readonly bytes: number
}

export interface TrainingSummaryParts {
  readonly about: About
  readonly lineage: Lineage
  /** The hosts of all pictures that have an address, the largest first. */
  readonly hosts: readonly HostSize[]
  /** Whether the provider is a small or medium-sized enterprise, which may name fewer domains. */
  readonly isSmall: boolean
}

/** The figures of the summary: each is that of a query over the shards. */
export interface TrainingFigures {
  readonly pictures: number | null
  readonly pictureBytes: number | null
  readonly captions: number | null
  /** Words of the captions, as they are counted for statistics. */
  readonly words: number | null
  readonly regions: number | null
  readonly groundedPictures: number | null
  /** Pictures with an address, and the hosts of these. */
  readonly addressed: number
  readonly hosts: number
  /** The hosts that the template asks for: a tenth of them, by bytes; of small providers a twentieth, 1000 at most. */
  readonly topHosts: readonly HostSize[]
  /** What was not taken since somebody did not wish it, by reason, and of how many. */
  readonly wishes: Readonly<Record<string, number>>
  readonly asked: number
  readonly begun: string | null
  readonly ended: string | null
}

const mostOfSmall = 1000

/** Figures of the summary of training content. */
export function trainingFigures({ lineage, hosts, isSmall }: TrainingSummaryParts): TrainingFigures {
  const images = stageOf(lineage, 'images')
  const counts = countsOf(lineage)
  const named = isSmall ? Math.min(mostOfSmall, Math.ceil(hosts.length / 20)) : Math.ceil(hosts.length / 10)
  return {
    ...counts,
    words: images?.stats.histograms.words_a_caption?.moments?.sum ?? null,
    addressed: hosts.reduce((sum, { pictures }) => sum + pictures, 0),
    hosts: hosts.length,
    topHosts: hosts.slice(0, named),
    wishes: Object.fromEntries(wishesOf(lineage).map(({ reason, count }) => [reason, count])),
    asked: images?.in ?? 0,
    begun: images?.startedAt ?? null,
    ended: images?.endedAt ?? null,
  }
}

/**
 * The public summary of training content of Article 53(1)(d) of the AI Act (Regulation (EU) 2024/1689), by the template
 * of the Commission of 24 July 2025, as far as the records of a dataset can fill it. What they do not say is marked.
 */
export function trainingSummaryText(parts: TrainingSummaryParts): string {
  const { about, lineage } = parts
  const figures = trainingFigures(parts)
  return `${[
    `# Public summary of training content: ${inline(about.title ?? lineage.dataset)}`,
    `By the Commission's template for Article 53(1)(d) of Regulation (EU) 2024/1689, of one dataset. All figures are of its records and shards. Lines that begin with "${open('…')}" are for the provider.`,
    ...general(parts, figures),
    ...publicData(parts),
    ...otherData(),
    ...crawled(parts, figures),
    ...synthetic(parts, figures),
    ...processing(parts, figures),
  ].join('\n\n')}\n`
}

/** A field that no record fills. */
const open = (what: string) => `**To be filled in by you:** ${what}`

function general({ about }: TrainingSummaryParts, figures: TrainingFigures): string[] {
  const { pictures, pictureBytes, captions, words, regions, groundedPictures, ended } = figures
  const range = (value: number | null, [low, high]: readonly [number, number], what: string) => {
    if (value === null) return open('the range of its size')
    return value < low
      ? `less than ${inWords(low)} ${what}`
      : value <= high
        ? `${inWords(low)} to ${inWords(high)} ${what}`
        : `more than ${inWords(high)} ${what}`
  }
  return [
    '## 1. General information',
    '### 1.1 Provider identification',
    lines([
      open('provider name and contact details'),
      open("authorised representative's name and contact details"),
      ...(about.creators
        ? [`The dataset was made by ${about.creators.map(({ name }) => inline(name)).join(', ')}.`]
        : []),
    ]),
    '### 1.2 Model identification',
    lines([
      open('versioned model names'),
      open('model dependencies'),
      open('date of placement of the model on the Union market'),
    ]),
    '### 1.3 Modalities, overall training data size and other characteristics',
    markdownTable(
      ['modality', 'training data size', 'figures of this dataset', 'types of content'],
      [
        [
          'image',
          range(pictures, [1e6, 1e9], 'images'),
          `${known(pictures)} pictures, ${known(pictureBytes)} bytes; ${groundedPictures ?? 'an unknown number'} of them with a box`,
          open('such as photography, visual artworks, infographics, social media images'),
        ],
        [
          'text',
          words === null
            ? open('the range of its size in tokens')
            : // No word of a caption has as many as ten tokens on average.
              10 * words < 1e9
              ? 'less than 1 billion tokens'
              : open(`the range of its size in tokens, of ${words} words`),
          `${known(captions)} captions, ${known(words)} words; ${known(regions)} boxes that words of captions name`,
          'captions of pictures',
        ],
      ],
    ),
    lines([
      `Latest date of data acquisition for this dataset: ${ended === null ? open('MM/YYYY') : month(ended)}`,
      about.languages
        ? `Linguistic characteristics: captions in ${about.languages.join(', ')}`
        : open('linguistic characteristics of the training data (the key `languages`)'),
      open(
        'other relevant characteristics, such as national or regional specifics and demographic information',
      ),
    ]),
  ]
}

function publicData({ about, lineage }: TrainingSummaryParts): string[] {
  const { card } = lineage
  const sources = card
    ? [
        [
          String(card.title ?? lineage.dataset),
          typeof card.homepage === 'string' ? card.homepage : '',
          typeof card.license === 'string' ? card.license : '',
        ],
      ]
    : []
  const others = (about.derived_from ?? []).map((url) => ['', url, ''])
  const all = [...sources, ...others]
  return [
    '## 2. List of data sources',
    '### 2.1 Publicly available datasets',
    ...(all.length > 0
      ? [
          'Publicly available datasets were used: yes. Modalities: image, text.',
          markdownTable(['dataset', 'address', 'licence'], all),
        ]
      : [
          lines([
            open(
              'whether the source of this dataset is publicly available, its name and its address: it was ingested without a card',
            ),
          ]),
        ]),
  ]
}

const otherData = (): string[] => [
  '### 2.2 Private non-publicly available datasets obtained from third parties',
  lines([
    open('datasets commercially licensed by rightsholders or their representatives'),
    open('private datasets obtained from other third parties'),
  ]),
]

function crawled({ lineage, isSmall }: TrainingSummaryParts, figures: TrainingFigures): string[] {
  const title = '### 2.3 Data crawled and scraped from online sources'
  const crawler = crawlerOf(lineage)
  const { addressed, hosts, topHosts, begun, ended } = figures
  if (!crawler)
    return [
      title,
      addressed === 0
        ? 'No record says that pictures were crawled, and no picture has an address.'
        : open(
            `who fetched the ${counted(addressed, 'picture')} that have an address, and when: no record says that groundmill did`,
          ),
    ]
  return [
    title,
    lines([
      'Crawlers were used: yes.',
      `Crawler: ${code(crawler.user_agent)}`,
      open('purposes of the crawler'),
      'Behaviour: addresses of a list were asked for, and no links of pages were followed; no passwords, captchas or paywalls were passed; what was honoured is in 3.1.',
      `Period of data collection: ${begun === null ? open('MM/YYYY to MM/YYYY') : `${month(begun)} to ${month(ended ?? begun)}`}`,
      open('a comprehensive description of the type of content and online sources crawled'),
      'Modality: image.',
    ]),
    `The most relevant domain names: of ${counted(hosts, 'host')} the ${topHosts.length} that gave most bytes, ${isSmall ? 'five in a hundred and 1000 at most, as small and medium-sized enterprises may' : 'ten in a hundred'}. Names are those of hosts: \`a.example.org\` and \`b.example.org\` are two.`,
    markdownTable(
      ['domain name', 'pictures', 'bytes'],
      topHosts.map(({ host, pictures, bytes }) => [host, pictures, bytes]),
    ),
  ]
}

function synthetic({ about, lineage }: TrainingSummaryParts, figures: TrainingFigures): string[] {
  const teachers = [...new Map(teachersOf(lineage).map((teacher) => [teacher.name, teacher])).values()]
  const said =
    about.has_synthetic_data === undefined
      ? open('whether pictures or captions were made by a model (the key `has_synthetic_data`)')
      : `Pictures or captions were made by a model: ${about.has_synthetic_data ? 'yes' : 'no'}.`
  return [
    '### 2.4 User data',
    lines([open('whether data from interactions of users with your services were used')]),
    '### 2.5 Synthetic data',
    lines([
      said,
      teachers.length > 0
        ? `Boxes were found by models: ${teachers.map(({ name, sha256 }) => inline(sha256 === undefined ? name : `${name} (sha256 ${sha256})`)).join(', ')}; ${figures.regions === null ? 'how many are in the dataset is not recorded' : `${figures.regions} are in the dataset`}.`
        : 'No record says that a model found boxes.',
    ]),
    '### 2.6 Other sources of data',
    lines([open('any other source')]),
  ]
}

function processing({ lineage }: TrainingSummaryParts, figures: TrainingFigures): string[] {
  const crawler = crawlerOf(lineage)
  const wishes = wishesOf(lineage)
  const refused = wishes.map(({ reason, count, share }) => [reason, count, percent(share)])
  return [
    '## 3. Data processing aspects',
    '### 3.1 Respect of reservation of rights from the text and data mining exception',
    lines([
      open('whether you have signed the Code of Practice for general-purpose AI models'),
      ...(crawler ? [`Honoured while crawling: ${honoured(crawler).join('; ')}.`] : []),
      crawler
        ? open(
            'measures other than while crawling, such as lists of opt-outs and what rights holders have asked for',
          )
        : open('the measures of whoever collected the pictures'),
    ]),
    refused.length > 0
      ? markdownTable([`not taken of ${figures.asked}, because of`, 'pictures', 'share'], refused)
      : `Of ${figures.asked} pictures none was refused for such a reservation.`,
    '### 3.2 Removal of illegal content',
    lines([open('the measures taken: groundmill looks for none')]),
    '### 3.3 Other information',
    lines([open('anything else (optional)')]),
  ]
}

/** What a crawler was told to honour, protocol by protocol. */
function honoured({ robots, opt_out, content_usage, license, tdm }: Crawler): string[] {
  const reserved =
    tdm === 'refuse' ? 'yes' : tdm === 'record' ? 'noted where a header says it, and the picture taken' : 'no'
  return [
    `robots.txt (RFC 9309) ${robots ? 'yes' : 'no'}`,
    `X-Robots-Tag ${opt_out.join(', ') || 'no'}`,
    `Content-Usage (AIPREF) and Content-Signal ${content_usage.join(', ') || 'no'}`,
    `licences of servers (RSL) ${license === 'refuse' ? 'yes' : 'no'}`,
    `TDM Reservation Protocol ${reserved}`,
  ]
}

const lines = (texts: readonly string[]) => texts.map((text) => `- ${text}`).join('\n')
const known = (value: number | null) => (value === null ? 'an unknown number of' : String(value))
const month = (instant: string) => `${instant.slice(5, 7)}/${instant.slice(0, 4)}`
const inWords = (value: number) => (value >= 1e9 ? `${value / 1e9} billion` : `${value / 1e6} million`)
