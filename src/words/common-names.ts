/**
 * What captions call the things of COCO's 80 categories, one category a line: `category: name, name`. Words
 * that people use for several categories stand at each of them ("a bike", "a board", "fruit"). Left out are
 * words that mostly mean something else where a box of the category is likely all the same, above all of
 * people: a "pitcher" may be a jug, and somebody stands behind nearly every table. The list was made from the
 * head nouns of 25,000 captions of COCO val2017, those that occur four times or more.
 */
const coco = `
person: people, man, woman, boy, girl, guy, lady, gentleman, gentlemen, kid, child, baby, toddler, infant, youth, teenager, teen, adult, male, female, human, individual, folk, friend, couple, crowd, crew, team, audience, mother, father, mom, dad, parent, son, daughter, brother, sister, wife, husband, bride, groom, grandmother, grandfather, player, athlete, batter, hitter, catcher, umpire, referee, opponent, teammate, skier, snowboarder, boarder, surfer, skateboarder, skater, swimmer, runner, jogger, rider, jockey, cowboy, biker, bicyclist, cyclist, motorcyclist, driver, racer, passenger, pedestrian, traveler, tourist, hiker, walker, spectator, onlooker, bystander, worker, employee, chef, cook, waiter, waitress, bartender, vendor, farmer, fisherman, photographer, officer, policeman, policewoman, cop, fireman, firefighter, soldier, guard, businessman, businesswoman, student, teacher, doctor, nurse, dentist, president, model, actor, singer, musician, performer, clown, customer, shopper, guest, diner
bicycle: bike, cycle, tricycle
car: automobile, sedan, suv, taxi, cab, taxicab, jeep, van, minivan, hatchback, convertible, limousine, limo, vehicle
motorcycle: motorbike, motor bike, motor cycle, bike, scooter, moped, vespa, motor scooter, vehicle
airplane: plane, air plane, aeroplane, aircraft, jet, jetliner, airliner, biplane
bus: minibus, double decker, coach, trolley, van, vehicle
train: locomotive, subway, tram, trolley, streetcar, railcar, caboose, train engine, train car
truck: pickup, pick up, firetruck, lorry, semi, van, jeep, tractor trailer, vehicle
boat: ship, sailboat, ferry, canoe, kayak, yacht, rowboat, raft, gondola, vessel, barge, tugboat, motorboat, speedboat, watercraft
traffic light: light, stoplight, stop light, signal, traffic signal
fire hydrant: hydrant, fireplug
stop sign: stopsign
parking meter: meter
bench: park bench
bird: seagull, gull, duck, duckling, goose, swan, pigeon, dove, parrot, parakeet, canary, owl, eagle, hawk, falcon, pelican, crow, raven, penguin, flamingo, peacock, ostrich, rooster, hen, sparrow, heron, egret, crane, stork, hummingbird, robin, cockatiel, cockatoo, finch, vulture, animal
cat: kitten, kitty, feline, tabby, pet, animal
dog: puppy, pup, doggy, canine, hound, poodle, labrador, retriever, terrier, bulldog, dachshund, chihuahua, collie, beagle, greyhound, corgi, husky, pug, dalmatian, spaniel, sheepdog, pet, animal
horse: pony, colt, foal, stallion, mare, animal
sheep: lamb, ram, ewe, animal
cow: cattle, bull, calf, ox, oxen, steer, heifer, animal
elephant: animal
bear: cub, panda, grizzly, animal
zebra: animal
giraffe: animal
backpack: back pack, rucksack, knapsack, bookbag, bag
umbrella: parasol
handbag: hand bag, purse, tote, bag
tie: necktie, neck tie, bowtie
suitcase: suit case, luggage, baggage, briefcase, bag
frisbee: frisbe, disc, disk
skis: ski, skiis
snowboard: snow board, board
sports ball: ball, baseball, basketball, football, volleyball, softball, soccerball
kite: parasail
baseball bat: bat
baseball glove: mitt, catcher's mitt
skateboard: skate board, longboard, board
surfboard: surf board, boogie board, bodyboard, body board, paddleboard, paddle board, board
tennis racket: racket, racquet
bottle: wine bottle
wine glass: glass, wineglass, goblet
cup: mug, teacup, tumbler, glass
fork: utensil, silverware
knife: utensil, silverware
spoon: utensil, silverware
banana: plantain, fruit
apple: fruit
sandwich: sub, hamburger, burger, cheeseburger, panini, hoagie, wrap
orange: tangerine, clementine, mandarin, citrus, fruit
broccoli: brocolli, brocoli, vegetable, veggy, veggie
carrot: vegetable, veggy, veggie
hot dog: hotdog, frankfurter, chili dog
donut: doughnut, do-nut
cake: cupcake, cheesecake
chair: armchair, recliner, lawnchair
couch: sofa, loveseat, love seat
potted plant: plant, houseplant, house plant, planter, flowerpot
dining table: table
toilet: commode, urinal
tv: television, t.v, monitor, screen, television set, computer
laptop: laptop computer, lap top, macbook, notebook computer, computer
mouse: computer mouse
remote: remote control, controller, game controller, clicker
keyboard: computer keyboard
cell phone: phone, cellphone, smartphone, smart phone, iphone, mobile phone
microwave: microwave oven
oven: stove, range, stovetop, stove top, toaster oven
toaster: toaster oven
sink: washbasin, wash basin, basin
refrigerator: fridge, freezer, refridgerator
book: novel, textbook
clock: clock face, alarm clock
teddy bear: teddy, teddybear, stuffed bear, toy bear, stuffed animal, stuffed toy, plush toy
hair drier: hair dryer, hairdryer, hairdrier, blow dryer, blowdryer, dryer
toothbrush: tooth brush
`

/** What others call COCO's categories: Pascal VOC, Objects365, Open Images. */
const otherLists = {
  aeroplane: 'airplane',
  motorbike: 'motorcycle',
  sofa: 'couch',
  diningtable: 'dining table',
  pottedplant: 'potted plant',
  tvmonitor: 'tv',
  television: 'tv',
  'mobile phone': 'cell phone',
  doughnut: 'donut',
  ball: 'sports ball',
  racket: 'tennis racket',
  ski: 'skis',
  'hair dryer': 'hair drier',
  'microwave oven': 'microwave',
} as const

/** Things of their own whose last word would name a category. */
const otherThings =
  'street light, light fixture, ceiling light, christmas light, head light, reading glass, eye glass, magnifying glass, stained glass, cutting board, bulletin board, ironing board, chess board, message board, clip board, diving board, record player, cd player, dvd player, trash bag, plastic bag, paper bag, sleeping bag, bean bag'

const listed = coco
  .trim()
  .split('\n')
  .map((line): readonly [string, readonly string[]] => {
    const [category = '', names = ''] = line.split(': ')
    return [category, names.split(', ')]
  })
const ofCoco: ReadonlyMap<string, readonly string[]> = new Map(listed)

/** Further names by category, lower case: of COCO's categories, and of the same things in other lists. */
export const commonNames: ReadonlyMap<string, readonly string[]> = new Map([
  ...listed,
  ...Object.entries(otherLists).map(([name, category]): readonly [string, readonly string[]] => [
    name,
    [category, ...(ofCoco.get(category) ?? [])],
  ]),
])

/** Names of several words that no category has, and whose last word some category has. */
export const otherNames: readonly string[] = otherThings.split(', ')
