/** Latin-1's letters and signs from U+00A0 on, by the names of HTML 4. */
const latin1 =
  `nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3
  acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring
  AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times
  Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute
  ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc
  uuml yacute thorn yuml`.split(/\s+/)

/** The other names that are met in texts. */
const others: Readonly<Record<string, string>> = {
  ...{ quot: '"', amp: '&', lt: '<', gt: '>', apos: "'", num: '#', commat: '@', lowbar: '_', ast: '*' },
  ...{
    excl: '!',
    quest: '?',
    comma: ',',
    period: '.',
    colon: ':',
    semi: ';',
    sol: '/',
    bsol: '\\',
    vert: '|',
  },
  ...{
    lpar: '(',
    rpar: ')',
    lsqb: '[',
    rsqb: ']',
    lbrack: '[',
    rbrack: ']',
    lcub: '{',
    rcub: '}',
    plus: '+',
  },
  ...{
    dollar: '$',
    percnt: '%',
    equals: '=',
    grave: '`',
    hyphen: '-',
    Tab: '\t',
    NewLine: '\n',
    verbar: '|',
  },
  ...{ ensp: ' ', emsp: ' ', thinsp: ' ', hairsp: ' ', numsp: ' ', zwnj: '\u200c', zwj: '\u200d' },
  ...{ lrm: '\u200e', rlm: '\u200f', ZeroWidthSpace: '\u200b', NoBreak: '\u2060', dash: '-', horbar: '―' },
  ...{ ndash: '–', mdash: '—', lsquo: '‘', rsquo: '’', sbquo: '‚', ldquo: '“', rdquo: '”', bdquo: '„' },
  ...{ rsquor: '’', rdquor: '”', lsaquo: '‹', rsaquo: '›', hellip: '…', bull: '•', dagger: '†', trade: '™' },
  ...{ euro: '€', prime: '′', Prime: '″', permil: '‰', minus: '−', frasl: '/', OElig: 'Œ', oelig: 'œ' },
  ...{ Scaron: 'Š', scaron: 'š', Zcaron: 'Ž', zcaron: 'ž', Yuml: 'Ÿ', fnof: 'ƒ', circ: 'ˆ', tilde: '˜' },
  ...{ larr: '←', rarr: '→', uarr: '↑', darr: '↓', hearts: '♥', star: '☆', starf: '★', check: '✓' },
  ...{ ccaron: 'č', Ccaron: 'Č', cacute: 'ć', Cacute: 'Ć', eogon: 'ę', aogon: 'ą', lstrok: 'ł', inodot: 'ı' },
}

const named: ReadonlyMap<string, string> = new Map([
  ...latin1.map((name, at) => [name, String.fromCodePoint(0xa0 + at)] as const),
  ...Object.entries(others),
])

/** Windows-1252's signs where Unicode has control codes: browsers read `&#146;` as an apostrophe. */
export const windows1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'

/**
 * Old names, which browsers take without a semicolon, and these with a letter right behind them: no English
 * word begins so.
 */
const glued = `quot|nbsp|amp|lt|gt|[lr]squo|[lrsb]dquo|[nm]dash|hellip|apos|${latin1.filter((name) => /^[A-Za-z](?:grave|acute|circ|tilde|uml|ring|slash)$|elig$|szlig|cedil./i.test(name)).join('|')}`
/** Others that have lost their semicolon, which no word behind them makes a name. */
const apart = `${latin1.join('|')}|bull|trade|euro|hearts|[lr]arr|e[nm]sp|thinsp|zwn?j|lrm|rlm|[lr]saquo`
const ending = String.raw`(?![\p{L};])`

/**
 * A reference to a character as HTML writes it, once escaped or several times ("&amp;quot;"): by number, by
 * a name with a semicolon, whatever its case, or by an old name without one.
 */
export const entityPattern = new RegExp(
  String.raw`&(?:amp;)*(?:#(?<decimal>\d{1,7});?|#x(?<hex>[\da-f]{1,6});?|(?<name>[a-z][a-z\d]{1,31});|(?<old>(?:${apart})${ending}|(?:${glued})))`,
  'giu',
)

/** In the place of what HTML does not have: a sign that joins nothing. */
const unknown = '\ufffd'

/** What a match of `entityPattern` stands for. */
export function entityCharacter(groups: Readonly<Record<string, string | undefined>>): string {
  const { decimal, hex, name, old } = groups
  if (decimal !== undefined) return characterOf(Number(decimal))
  if (hex !== undefined) return characterOf(Number.parseInt(hex, 16))
  const word = name ?? old ?? ''
  return named.get(word) ?? named.get(word.toLowerCase()) ?? unknown
}

function characterOf(code: number): string {
  if (code >= 0x80 && code <= 0x9f) return windows1252.charAt(code - 0x80)
  const isCharacter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
  return isCharacter ? String.fromCodePoint(code) : unknown
}
