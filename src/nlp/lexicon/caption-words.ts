const words = (text: string) => text.trim().split(/\s+/)

/** Words that newspapers lack or use otherwise than captions do, by the tags to try first. */
const byTags: readonly (readonly [tags: readonly string[], words: readonly string[]])[] = [
  [
    ['CD'],
    words(`one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
      seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand dozen`),
  ],
  [
    ['NN'],
    words(`bear stop sink monitor curb platter dump sled bobsled moped steed mural urinal cymbal petal sandal
      jewel plywood monopoly dragonfly butterfly firefly handle net gala interstate tabletop countertop cherry key`),
  ],
  [['NN', 'VB', 'VBP'], words('match surf cover sail stick produce')],
  [['NNS'], words('bears tracks mirrors leaves stairs scissors')],
  [['VBG', 'NN'], words('surfing rowing')],
  [['VBG'], words('chillin lovin livin feelin lookin goin doin cruisin sippin rockin ridin playin')],
  [['VBZ'], words('surfs grazes perches rides')],
  [
    ['JJ'],
    words(`mini asian african american canadian chinese mexican japanese victorian roman british english
      european italian german spanish indian russian korean unmade third second fourth fifth first next former
      checkered plaid polka male female tan young neon`),
  ],
  [['JJ', 'NN'], words('half remote')],
  [['RB'], words('indoors outdoors upstairs downstairs upright together sideways upside-down')],
  [
    ['IN'],
    words('near by beside behind beneath underneath above below like per atop amongst alongside via onto'),
  ],
  [['PDT'], words('both such')],
  [['JJ'], words('matt matte matching backlit freestanding free-standing his-and-hers compatible')],
  [['IN'], words('vs versus incl inc. w')],
  // What people write to each other, and nothing that is there.
  [
    ['UH'],
    words(`lol lmao rofl omg omfg wtf tfw mfw pov tbt fbf tgif fyi btw imo imho tbh idk smh brb ikr ftw psa icymi dm yay
      yum ugh oops wow haha hahaha hehe hmm yeah yep nope hey hi hello bye ok okay pls plz thx xoxo nwt bnib nib euc
      y'all yall rn ngl fr fyp tysm ootd dis omw irl asap lmfao woohoo yikes hooray congrats`),
  ],
  [
    ['PRP'],
    words(`i i'm im i've ive i'd i'll you'll we'll they'll he'll she'll it'll you'd we'd
    they'd you're youre you've they're theyre we're we've ur`),
  ],
  [['MD'], words('cant dont wont didnt doesnt isnt arent wasnt couldnt shouldnt wouldnt gonna wanna gotta')],
]

/** An addition to natural's lexicon: a word and its tags, the likeliest first. */
export const captionWords: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  byTags.flatMap(([tags, list]) => list.map((word) => [word, tags])),
)
