import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunk } from '../../src/nlp/chunk.js'
import { plainText } from '../../src/words/plain-text.js'
import { anyCaption } from './any-caption.js'
import { keptPhrases } from './kept-phrases.js'

/** Captions and the phrases of them, parted by bars. */
const photographs = {
  'A man riding a wave on top of a surfboard.': 'A man | a wave | a surfboard',
  'two brown dogs chase a frisbee near the bus stop': 'two brown dogs | a frisbee | the bus stop',
  'A group of people standing around a parking meter': 'A group of people | a parking meter',
  "A tiny red bird perched on a car's mirror": "A tiny red bird | a car's mirror",
  'A bedroom with a bed, a dresser, and decorated walls.': 'A bedroom | a bed | a dresser | decorated walls',
  'a couple of giraffes in a field': 'a couple of giraffes | a field',
  'A young man is holding his skateboard': 'A young man | his skateboard',
  'Three Asian people are riding on top of an elephant.': 'Three Asian people | an elephant',
  'THERE ARE PEOPLE STANDING IN THE GRASS': 'PEOPLE | THE GRASS',
  'A kitchen with black and white tiles': 'A kitchen | black and white tiles',
  'A piece of cake sitting on a square plate.': 'A piece of cake | a square plate',
  'a cat sleeping in a teddy bear on a cutting board': 'a cat | a teddy bear | a cutting board',
  'A man lounges on a bench watching the ocean.': 'A man | a bench | the ocean',
  'A sheep inspects a big pile of shaved wool.': 'A sheep | a big pile of shaved wool',
  'Two women stand over a table with a cake cut into pieces.': 'Two women | a table | a cake | pieces',
  'a zebra and a giraffe stand next to each other.': 'a zebra | a giraffe',
  'A man riding skis on top of snow covered ground.': 'A man | skis | snow covered ground',
  'A group of people with their faces painted in makeup': 'A group of people | their faces | makeup',
  'Two women wearing no shoes by a pool': 'Two women | a pool',
  'A dog on its bed lay down for some food': 'A dog | its bed | some food',
  'an animal and a family with a huge elderly dog': 'an animal | a family | a huge elderly dog',
  'A very old bathroom has dusty toilet and clawfoot tub.':
    'A very old bathroom | dusty toilet | clawfoot tub',
  'Smoke from a passing train obscures a huge mural.': 'Smoke | a passing train | a huge mural',
  'The red, white and blue flag of a country': 'The red, white and blue flag | a country',
  'A silver and black train pulling into a station': 'A silver and black train | a station',
  'A trash can beside a dog that can run': 'A trash can | a dog',
  'A man painting a wall outside a building': 'A man | a wall | a building',
  'Three zebras stand side by side looking at the camera.': 'Three zebras',
  "the dogs' bowl and a sheep in a closed off pen": "the dogs' bowl | a sheep | a closed off pen",
  'A child kneeling down to pet two dogs on a dolly': 'A child | two dogs | a dolly',
  'for sale': '',
  "a woman with a neon green shirt and a purple bus that can't stop":
    'a woman | a neon green shirt | a purple bus',
  'A bathroom has four sinks and two seperate twin beds': 'A bathroom | four sinks | two seperate twin beds',
  'A man jumps as another catches a ball and watches the water': 'A man | a ball | the water',
  'A kid on skateboard jumps over a cone': 'A kid | skateboard | a cone',
  'A bus with advertising on it near a railroad crossing': 'A bus | advertising | a railroad crossing',
  'A cargo train crossing under a bridge': 'A cargo train | a bridge',
  'A pizza with a slice cut out of it': 'A pizza | a slice',
  'A bed and pillows with a night stand.': 'A bed | pillows | a night stand',
  'apples, snap peas and a kitchen interior': 'apples | snap peas | a kitchen interior',
  'The bed has elaborate wood decoration': 'The bed | elaborate wood decoration',
  'A pineapple and ham pizza, a sandwich and potato chips':
    'A pineapple and ham pizza | a sandwich | potato chips',
  'A batter ready to swing at a ball': 'A batter | a ball',
  'An old school bus painted white': 'An old school bus',
  'Two sheep walk in a line down a path': 'Two sheep | a path',
  'a giraffe being fed leaves by people in Little Italy': 'a giraffe | leaves | people | Little Italy',
  'men wearing matching t-shirts on cross country skis': 'men | matching t-shirts | cross country skis',
  'people cross country skiing under a foggy mountain range': 'people | a foggy mountain range',
  'a male in a suit doing a trick during a game of poker': 'a male | a suit',
}
const titles = {
  'young confused girl standing in front of a wardrobe': 'young confused girl | a wardrobe',
  'christmas tree with gifts and decorations in the living room':
    'christmas tree | gifts | decorations | the living room',
  "a person 's hand holding a cup of coffee": "a person 's hand | a cup | coffee",
  'illustration of a cartoon character on a white background': 'a cartoon character',
  'portrait of a smiling young woman with long hair': 'a smiling young woman | long hair',
  'fog rolling over the mountains , aerial view': 'fog | the mountains',
  '<PERSON> and <PERSON> walk the red carpet': 'PERSON | PERSON | the red carpet',
  'painting of a ship by unknown artist in the 1960s': 'a ship',
  'Vintage Leather Hand-Bag - Red! (https://shop.example/x?y=1) IMG_2033.jpg': 'Vintage Leather Hand-Bag',
  'a fox &amp; a hen by the lake on a sunny day': 'a fox | a hen | the lake',
  'cute puppies #dogs @pets 🐶 ❤️': 'cute puppies',
  'pictures on the wall above a sofa': 'pictures | the wall | a sofa',
  'the café 🦓 next to the naïve dog': 'the café | the naïve dog',
  '一只猫 on a mat': 'a mat',
}
const crawled = {
  '2010 Ford Mustang front view': '2010 Ford Mustang',
  'Cute puppy stock photo': 'Cute puppy',
  'Stock photo of a happy family - Canon EOS 5D Mark II, 12/05/2010': 'a happy family',
  'taken with my Canon PowerShot in my backyard 2009-05-12 14:33': 'my backyard',
  'a woman holding a Nikon camera': 'a woman | a Nikon camera',
  'Red barn by #water in snow DSC_0012 #barn #beachlifeforever': 'Red barn | water | snow',
  'Old bridge | Shutterstock': 'Old bridge',
}
const toyWorld = {
  'a red zebra next to a small blue car': 'a red zebra | a small blue car',
  'there are two green trees on the left and a big cat': 'two green trees | a big cat',
  'photo of a purple umbrella on a sunny morning': 'a purple umbrella',
  'photo of a purple umbrella under a cloud, on a sunny morning': 'a purple umbrella | a cloud',
  'the orange key in the bottom left corner to the left of a purple jellyfish':
    'the orange key | a purple jellyfish',
  'a yellow bed beside a wrench': 'a yellow bed | a wrench',
  'the green leaf and two leaves': 'the green leaf | two leaves',
  'a bat above an orange': 'a bat | an orange',
  'this shows a white microphone right of a fire truck': 'a white microphone | a fire truck',
  'a blue book at the top and blue wrenches, with best wishes': 'a blue book | blue wrenches',
  'At the top there is an orange butterfly - free shipping': 'an orange butterfly',
}

/** What only a browser or an editor reads. */
const marked = {
  'A woman in a &quot;red&quot; dress': 'A woman | dress',
  'a red&quot;dress&quot;, a &ldquo;blue&rdquo;hat': 'dress | hat',
  'black&nbsp;dog with a red&NBSP;collar&nbsp': 'black\u00a0dog | a red\u00a0collar',
  'a dog&#39;s bowl &lt;b&gt;on&lt;/b&gt; a table': "a dog's bowl | a table",
  'a cat&amp;#39;s red &amp; white ball &amp;amp; a toy&foo;bird': "a cat's red & white ball | a toy | bird",
  '<b>red</b> dress<br/>blue <i>hat</i>': 'red dress | blue hat',
  '**Red** dog with a *big* _ball_ and `a kite`': 'Red dog | a big ball | a kite',
  'donâ€™t miss â€œcatâ€\u009d or the dog\ufffds bowl': 'cat | the dog\ufffds bowl',
  'a so&shy;fa, a cha\u00adir': 'a so\u00adfa | a cha\u00adir',
  'cat🐶house, a dog❤️ a.dog@shop.example.org shop.com/a-dog #a_dog': 'cat | house | a dog',
}

describe('noun phrases', () => {
  for (const [style, captions] of Object.entries({ photographs, titles, crawled, toyWorld, marked })) {
    describe(`of ${style}`, () => {
      for (const [caption, phrases] of Object.entries(captions)) {
        it(caption, () => expect(keptPhrases(caption).join(' | ')).toBe(phrases))
      }
    })
  }

  it('have no entity in their words or heads, and lie in the caption as it is stored', () => {
    const stored = 'a dog&#39;s red&nbsp;bowl&quot; and &lt;b&gt;a&lt;/b&gt; cat'
    const found = chunk(stored).map(({ text, head, start, end }) => [text, head, stored.slice(start, end)])
    expect(found).toEqual([
      ["a dog's red\u00a0bowl", 'bowl', 'a dog&#39;s red&nbsp;bowl'],
      ['a cat', 'cat', 'a&lt;/b&gt; cat'],
    ])
  })

  it('have the singular of their last noun for a head', () => {
    const heads = chunk("two buses, a couple of giraffes and a dog's bowls").map(({ head }) => head)
    expect(heads).toEqual(['bus', 'giraffe', 'bowl'])
  })

  it('are exact spans in code points of any string, in order and apart', () => {
    fc.assert(
      fc.property(anyCaption, (caption) => {
        const points = [...caption]
        const chunks = chunk(caption)
        let last = 0
        for (const { text, start, end, head } of chunks) {
          expect(plainText(points.slice(start, end).join(''))).toBe(text)
          expect(start).toBeGreaterThanOrEqual(last)
          expect(end).toBeGreaterThan(start)
          expect(text.trim()).toBe(text)
          expect(head).not.toBe('')
          expect(head).toBe(head.toLowerCase())
          last = end
        }
        expect(chunk(caption)).toEqual(chunks)
      }),
      { numRuns: 2000 },
    )
  })

  it('are found in a caption that is one long phrase, or none', () => {
    for (const part of ['red, ', 'a group of ', "dog's ", 'very ', '<a ', "'s ", 'a-']) {
      const caption = part.repeat(5000)
      for (const { text, start, end } of chunk(caption)) expect(caption.slice(start, end)).toBe(text)
    }
    // Lists and titles that would take minutes if a phrase looked through all of its caption.
    for (const part of ['Lamp, ', 'T-shirt/', 'NEW! '])
      expect(chunk(part.repeat(15_000)).length).toBeLessThan(15_001)
    expect(chunk(`${'very, '.repeat(3000)}${'red, '.repeat(3000)}red dog`).at(-1)?.head).toBe('dog')
  })
})
