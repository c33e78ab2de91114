import { describe, expect, it } from 'vitest'
import { chunk } from '../../src/nlp/chunk.js'
import { itKeeps } from './kept-phrases.js'

describe('names with a small word inside', () => {
  itKeeps({
    'Museum of Modern Art, New York': 'Museum of Modern Art',
    'the Temple of Heaven and a tree': 'the Temple of Heaven | a tree',
    'Statue of Liberty, New York Harbor': 'Statue of Liberty | New York Harbor',
    'Breakfast at the Inn at Perry Cabin': 'Breakfast | the Inn at Perry Cabin',
    'Gardens by the Bay, Singapore': 'Gardens by the Bay',
    'Christ the Redeemer statue on a hill': 'Christ the Redeemer statue | a hill',
    'Mayor of London Sadiq Khan': 'Mayor of London Sadiq Khan',
    'The Duchess of Cambridge greets a boy': 'The Duchess of Cambridge | a boy',
    // No names.
    'Sea of clouds over a valley': 'Sea | clouds | a valley',
    'Statue of Lenin in Kyiv': 'Statue | Lenin',
    'Dave the dog': 'Dave | the dog',
    'the gardens at Versailles': 'the gardens',
  })

  it('of a head that is an idea say that nothing is known of what is seen', () => {
    const [name] = chunk('Statue of Liberty')
    expect(name).toMatchObject({ kept: 'unknown', leftOut: undefined })
  })
})

describe('names of places', () => {
  itKeeps({
    'Waterfall in Plitvice Lakes National Park': 'Waterfall | Plitvice Lakes National Park',
    'A rocket lifts off from Launch Complex 39A in Florida': 'A rocket | Launch Complex 39A',
    'Lake Louise with canoes, Banff National Park, Alberta': 'Lake Louise | canoes | Banff National Park',
    'a road in Palm Springs, California': 'a road',
    'a tent on Long Beach': 'a tent | Long Beach',
    'a tower in County Clare': 'a tower',
    'A man in Ohio, U.S., May 2': 'A man',
    'The U.S. flag on a pole': 'The U.S. flag | a pole',
    'Palms at Playa del Carmen, Mexico': 'Palms',
    'Snow leopard carrying her cub, Ladakh.': 'Snow leopard | her cub',
    'London Underground sign at a station': 'London Underground sign | a station',
    'Santorini blue domed church': 'Santorini blue domed church',
    'Sydney is sunny': '',
    'a river in Europe': 'a river',
    'a house destroyed by fire in Paradise': 'a house | fire',
    'Chapel Bridge, Lucerne': 'Chapel Bridge',
    'Pier 39 sea lions': 'Pier 39 sea lions',
    'a road to the Scottish Highlands': 'a road',
  })
})

describe('who does what in news', () => {
  itKeeps({
    "Britain's Prime Minister Theresa May leaves 10 Downing Street":
      "Britain's Prime Minister Theresa May | 10 Downing Street",
    'Actor Will Smith waves to fans': 'Actor Will Smith | fans',
    'Will a dog eat bread?': 'a dog | bread',
    "midfielder N'Golo Kante trains ahead of a game": "midfielder N'Golo Kante",
    'a fisherman from Senegal mends nets': 'a fisherman | nets',
    'Fans of Argentina cheer before the game': 'Fans',
    'Woman jogging in a park': 'Woman | a park',
    'the stadium before the match between Ajax and Chelsea': 'the stadium',
    'a bridge between Ohio and a lake': 'a bridge | a lake',
    "Women's World Cup: a player and a ball": 'a player | a ball',
    'Cracked phone screen': 'Cracked phone screen',
    'Cars queue at a petrol station': 'Cars | a petrol station',
    'Protesters wave Catalan flags': 'Protesters | Catalan flags',
    'South Korean boy band with flags': 'South Korean boy band | flags',
    'Ana Reis of Juventus celebrates his goal': 'Ana Reis',
    'Ana Reis, flanked by Roger Federer': 'Ana Reis | Roger Federer',
    'Ana Reis plays against Novak Djokovic': 'Ana Reis | Novak Djokovic',
    'Ana Reis plays against Real Madrid': 'Ana Reis',
    'Naomi Osaka, of Japan, hits a ball': 'Naomi Osaka | a ball',
    'photo issued by Kent Police of a van': 'a van',
    'a band on a stage. (Ana Reis/Invision/AP)': 'a band | a stage',
    'a red coat by Catherine Walker': 'a red coat',
    'Bill Gates, co-founder of Microsoft': 'Bill Gates | co-founder',
    "a sign reading 'No entry for dogs' on a door": 'a sign | a door',
    "a sign and the dogs' bowl": "a sign | the dogs' bowl",
  })
})

describe('words of the picture', () => {
  itKeeps({
    'Room with balcony and ocean view': 'Room | balcony',
    'Hotel Ritz Paris exterior': 'Hotel Ritz Paris',
    'Home office icon set, line style': 'Home office',
    'Minimalist bedroom inspiration': 'Minimalist bedroom',
    'traffic on highway interchange night': 'traffic | highway interchange',
    'a night at the museum': 'the museum',
    'teamwork and partnership concept': '',
    'Saving money concept': '',
    'Healthy food concept': 'Healthy food',
    'banner with place for your text': 'banner',
    'Product image 1': '',
    'cover photo': '',
    avatar: '',
    'logo design': 'logo',
    'Cute fox cartoon vector illustration': 'Cute fox',
    'a word cloud': '',
  })
})

describe('sayings and quotations', () => {
  itKeeps({
    'Life is short, buy the shoes': '',
    'Kindness is free. Sprinkle that stuff everywhere!': '',
    'But first, coffee': '',
    'Be the change you wish to see in the world - Gandhi': '',
    '"Be yourself; everyone else is already taken." ― Oscar Wilde': '',
    'You had me at tacos t-shirt': 't-shirt',
    'Best Dad Ever coffee mug': 'coffee mug',
    'Home sweet home wooden sign': 'wooden sign',
    'I love my garden t-shirt design': 't-shirt',
    'a sign reading KEEP OUT on a gate': 'a sign | a gate',
    'A SIGN ON A GATE': 'A SIGN | A GATE',
    "It's a girl! a pink cake": 'a pink cake',
    'You are what you eat infographic with fruits': 'fruits',
    // What is there.
    'You can see a lake from the cabin': 'a lake | the cabin',
    'Dream catcher with feathers': 'Dream catcher | feathers',
    'Love birds on a branch': 'Love birds | a branch',
    'Tennis is being played by two women': 'two women',
    'Life is good with my dog': 'my dog',
  })
})

describe('what a post says to its reader, and where it stands', () => {
  itKeeps({
    'Like, follow & tag 2 friends': '',
    'Tag a friend who needs this cake': 'this cake',
    'DM to book!': '',
    'TIL that otters hold hands': 'otters | hands',
    'Happy 40th to my favorite human': 'my favorite human',
    'Congrats to the class of 2021': '',
    'Outfit of the day: white tee': 'white tee',
    'New post on the blog': '',
    'Lunch today: avocado toast': 'avocado toast',
    'Sunday brunch with the girls': 'the girls',
    'Farmers market Saturday 9-2: corn': 'Farmers market | corn',
    'Today I adopted this dog': 'this dog',
    'Tags: sunset, surfer': 'sunset | surfer',
    'Home / Table Lamps': 'Table Lamps',
    'Final_v3 (1) copy': '',
    red_mustang_front: '',
    'P1080423.JPG': '',
    "Happy Father's Day card with tie": 'card | tie',
    'Just chillin with my best friend': 'my best friend',
    'Pin on Home Decor': 'Home Decor',
    'a cat by u/moth_mother': 'a cat',
    'Portrait of Anna': 'Anna',
    'Boats on a lake, oil on canvas': 'Boats | a lake',
    'Aesthetic wallpaper with clouds': 'clouds',
    'floral wallpaper in a bedroom': 'floral wallpaper | a bedroom',
    "My dad and his '67 Camaro": "My dad | his '67 Camaro",
    "Jack-o'-lanterns carved by my kids": "Jack-o'-lanterns | my kids",
    "Sippin' on lemonade": 'lemonade',
    'A stray cat followed me home': 'A stray cat',
    'Cookies for a baby shower': 'Cookies',
    'Lazy Sunday with my pup': 'my pup',
    'Meal prep: chicken': 'chicken',
    'Home made pasta with baby booties': 'Home made pasta | baby booties',
  })
})

describe('key words', () => {
  itKeeps({
    'white kitchen cabinets brass hardware': 'white kitchen cabinets | brass hardware',
    'girl sitting window book rain mood': 'girl | window | book',
    'owl, bird, wildlife, night': 'owl | bird',
    'wildlife in a park': 'wildlife | a park',
    'kids bike helmet': 'kids bike helmet',
    'mens leather shoes brown size': 'mens leather shoes',
  })
})

describe('small mistakes of the tagger', () => {
  itKeeps({
    'how to tie a bow tie step by step': 'a bow tie',
    'A man leans back mid-solo': 'A man',
    'a drummer, hidden by a plant, watches him': 'a drummer | a plant',
    'A man rock climbing': 'A man',
    'a rock climbing wall': 'a rock climbing wall',
    'the letter A and a cat': 'the letter A | a cat',
    'a chess set made of bolts': 'a chess set | bolts',
    'a few sheep, no bigger than dots': 'a few sheep',
    'a cup smaller than the plate': 'a cup | the plate',
    'Growing plant on coins': 'Growing plant | coins',
    'Floral wedding invitation': 'Floral wedding invitation',
    'People crossing street': 'People | street',
    'a railroad crossing': 'a railroad crossing',
    'the sun sets behind a mountain': 'the sun | a mountain',
    'the Hampton Inn & Suites': 'the Hampton Inn & Suites',
    'The ancient theatre of Taormina': 'The ancient theatre',
    'Panorama of a lake': 'a lake',
    'Double tap if you love puppies!': 'puppies',
    'The flat lay shows a passport': 'a passport',
    'a flat roof lay in ruins': 'a flat roof | ruins',
    'bridesmaids in sage green dresses': 'bridesmaids | sage green dresses',
    'A sprig of lavender on the map': 'A sprig of lavender | the map',
    'Bumper sticker reads: MY OTHER CAR IS A BROOM': 'Bumper sticker',
    "Cozy Reading Nook Ideas You'll Love": 'Cozy Reading Nook',
    'a child on a swing': 'a child | a swing',
    'The image is a comic strip with four panels': 'four panels',
    'Slide 12': '',
    'a slide in a park': 'a slide | a park',
  })
})
