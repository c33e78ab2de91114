import { wordSet } from './word-set.js'

/** What shops write, by what it says of a good. Small letters; singular and plural where both are written. */
/** Whom goods are for. */
const buyers = `women womens woman men mens man kids kid children childrens child girls girl boys boy baby babies toddler toddlers
  infant infants newborn unisex ladies lady gents adult adults teen teens junior youth youths father mother dad mom mum`
/** When. */
const occasions = `summer winter spring autumn fall christmas xmas halloween easter birthday valentine valentines wedding party
  anniversary holiday holidays graduation thanksgiving hanukkah bridal cosplay housewarming`
/** What is said of a good in front of its name, by nouns and by adjectives that are also nouns. */
const kinds = `vintage antique retro handmade handcrafted custom personalized personalised novelty funny cute luxury premium
  kawaii boho rustic farmhouse modern contemporary victorian portable mini foldable folding stretch stretchy disposable reusable
  replacement universal heavy-duty multifunctional multipurpose waterproof wireless cordless rechargeable inflatable stackable adjustable
  decorative artificial faux genuine authentic original professional deluxe classic casual elegant sexy formal sporty`
/** And what it is done with. */
const uses = 'workout gym yoga hiking camping running training outdoor indoor travel'
const stuffs =
  'cotton leather wooden linen velvet denim silk satin wool fleece chiffon lace knit knitted crochet'

/** What opens another name behind one that is whole: "Unicorn Pool Float | Summer Party Toy". */
export const nameOpeners = wordSet(`${buyers} ${occasions} ${kinds} ${uses} ${stuffs}`)
/** Of these, what stands behind a name with no other name behind it. */
export const targets = wordSet(`${buyers} ${occasions}`)

/** Finishes that have names of their own. */
export const finishes =
  wordSet(`slate graphite gunmetal nickel chrome pewter champagne mocha espresso natural blush rust sage mint coral lilac lavender mauve taupe
  plum wine aqua cyan magenta indigo fuchsia peach mustard terracotta oatmeal sand stone camel cognac chestnut mahogany walnut birch maple
  cherry ebony blueprint midnight heather oat ochre amber ruby emerald sapphire jet onyx pearl ice smoke storm anthracite platinum titanium
  lime lemon apricot salmon crimson scarlet vermilion aubergine eggplant moss fern eucalyptus seafoam denim chalk indigo ecru bone linen alabaster`)

/** What only says how a good is, behind its name: its make, fit, side, state, diet and what it can do. */
export const featureWords = wordSet(`
  bluetooth wifi wi-fi usb usb-c nfc gps rgb hifi hi-fi stereo hdr ips amoled oled qled led 4k 8k 1080p uhd fhd 5g 4g lte dab android alexa mfi
  unlocked refurbished online waterproof wireless rechargeable adjustable foldable dimmable washable removable detachable reusable
  expandable retractable breathable lightweight heavyweight portable stackable collapsible reversible nonstick non-stick nonslip non-slip
  anti-slip antislip hypoallergenic unscented scented fragrance-free cruelty-free bpa-free leakproof shockproof dustproof windproof
  rustproof weatherproof soundproof fireproof scratchproof splashproof water-resistant weather-resistant durable sturdy ergonomic
  quick-dry breathable insulated padded lined unlined sleeveless strapless backless seamless wrinkle-free tangle-free toolless
  vegan vegetarian kosher halal organic natural non-gmo gmo bpa gluten-free dairy-free sugar-free unsalted salted unsweetened decaf
  rh lh ns os nearside offside l/h r/h o/s n/s left-hand right-hand
  nwt nwot bnwt bnib nib nos vgc euc mint sealed boxed unboxed unframed unused used preowned pre-owned refurb restored
  unstrung unsigned signed unfinished assembled unassembled handheld tested working works pair prelit pre-lit fitted universal
  petite plus-size xs s m l xl xxl xxxl 2xl 3xl 4xl 5xl regular relaxed oversized standard
  diesel petrol gasoline auto automatic manual awd 4wd fwd rwd 2wd 4x4 a-line v-neck crewneck crew-neck scoop-neck round square rectangular oval king queen twin single double full super hexagonal octagonal semicircle triangular curved
  horizontal vertical mono portrait landscape
  diy bulk assorted multicolor multicolour washed distressed embroidered quilted
  non size sizes sz age ages pack oem ecofriendly eco-friendly biodegradable sustainable recycled nesting
`)

/** What an edge or an end of a name is called by, and no good: "Air Fryer | 6 Functions", "Table | 3 Drawer". */
export const countedParts = wordSet(`
  drawer drawers shelf shelves door doors function functions speed speeds mode modes setting settings person people man light lights
  led leds bulb bulbs gang way ways zone zones level levels color colors colour colours shade shades port ports slot slots pocket pockets
  wheel wheels burner burners cup cups slice slices sheet sheets page pages track tracks disc discs disk disks string strings key keys seat seats
  bit bits blade blades row rows layer layers section sections compartment compartments step steps jet jets bed bath ingredient ingredients serving servings minute minutes min
  gear gears variety varieties design designs style styles size sizes scent scents flavor flavors flavour flavours
  channel channels band bands day days hour hours month months year years
  pair pairs tube tubes stitch stitches needle needles watt head heads bottle bottles month-protection panel panels tab tabs`)

/** Said to the buyer in front of a name or between signs, and no thing: words of which a shout is made. */
export const tradeWords = wordSet(`
  new brand sale hot buy get free limited edition clearance bestseller best seller deal deals offer special exclusive official
  genuine authentic original rare lot bulk wholesale discount save off reduced bargain bogo pre-order preorder restock arrival
  arrivals promo listing auction reserve bid shipping delivery uk us eu usa seller fast quick delivery postage`)

/** Goods that come in shades which have names of their own. */
export const shadedGoods =
  wordSet(`lipstick lipgloss lip-gloss gloss mascara blush eyeshadow foundation concealer
  eyeliner bronzer polish paint yarn thread balm dye`)

/** What a work comes on or is bound in, by which a title is told from what is shown. */
export const mediaWords =
  wordSet(`paperback hardcover hardback hardbound audiobook ebook e-book kindle dvd dvds cd cds blu-ray bluray vhs
  vinyl lp lps cassette softcover`)

/** Computers that games are made for. */
export const platforms =
  wordSet(`ps1 ps2 ps3 ps4 ps5 xbox switch wii nintendo playstation pc mac steam 3ds ds psp vita gamecube n64 gba
  sega dreamcast genesis snes nes`)

/** What is sold, though WordNet files it as people, stuff, doings or a group, or has it not. */
export const soldThings = wordSet(`
  set kit pack bundle combo duo trio multipack assortment collection tee t-shirt hoodie sundress jumpsuit romper onesie slipcover
  mount holder driver trainer trainers cleaner protector trimmer grinder monitor topper runner runners organizer organiser planner
  warmer cooler heater purifier humidifier diffuser shaver clipper epilator straightener curler dispenser opener peeler slicer
  chopper juicer blender mixer toaster fryer steamer roaster smoker griller sharpener stapler shredder laminator scanner
  printer router charger adapter adaptor extender splitter receiver transmitter transceiver tracker finder locator controller
  console speaker speakers earbuds earphones earpods headset smartwatch smartphone smartband webcam dashcam drone gimbal
  serum cream lotion gel shampoo conditioner cleanser moisturizer moisturiser sunscreen spray oil powder mask polish glue paint paints
  wash soap scrub toner primer remover ointment balm deodorant perfume cologne detergent softener bleach lubricant cleaner
  supplement vitamins capsules tablets gummies protein seeds feed litter food foods treats kibble
  figure figurine statue plush plushie doll toy puzzle playset playhouse game poster decal sticker stickers sign plaque
  mat rug runner throw cushion pillow duvet comforter bedspread tapestry
  bike bicycle scooter stroller pram pushchair carrier bassinet cot crib
  cookware bakeware dinnerware tableware glassware cutlery flatware drinkware silverware
  speaker joggers loafers pumps flats mules oxfords wedges slides boxers briefs leggings sweater sweatpants sweatshirt ssd hdd tv hdtv pc nas gpu
  protector peripherals subwoofer soundbar headrest armrest spoiler grille footwear eyewear sportswear swimwear underwear sleepwear loungewear nightwear knitwear workwear activewear
  watch clip pick picks soak scrub wipe wipes mist tint solution mattress ring towel towels mug plate vacuum knob handle sink toilet shower journal belt case rack feeder yarn fabric
  ribbon garland tapestry turntable kneepad mouse tablet bracket carseat cage trellis novel racket tent card cards invitation invitations collar leash harness muzzle kennel aquarium vivarium birdcage gift gifts present coin coins stamp stamps postcard postcards banknote medal badge patch book books comic magazine record album
  tyre tyres tire tires rim rims float floatie soap candle bulb battery batteries
  paperback hardcover hardback audiobook dvd dvds cd cds blu-ray vhs vinyl lp lps cassette`)
