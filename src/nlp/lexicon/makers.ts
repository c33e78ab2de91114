import { wordSet } from './word-set.js'
/**
 * Makers of goods. What follows one of them is a name: "Air Max", "Golf" and "Galaxy" are then no air, sport or
 * stars. WordNet lacks most of them, and has others as something else; a name that it lacks needs no place
 * here.
 */
export const makers: ReadonlySet<string> = wordSet(`
  apple amazon microsoft google intel dell acer canon sony sharp brother epson dyson shark ninja philips siemens bosch
  ford dodge ram jeep chevy chevrolet lincoln mercury saturn mini smart lotus jaguar honda toyota nissan mazda subaru
  suzuki yamaha triumph indian harley audi bmw mercedes volkswagen vw porsche opel seat fiat ferrari lamborghini volvo
  saab renault peugeot citroen tesla rolls bentley cadillac buick pontiac chrysler lexus acura infinity land range
  nike puma reebok converse vans columbia coach guess gap levi polo diesel boss fossil swatch omega seiko casio
  lego mattel hasbro barbie fender gibson steinway samsung logitech nikon leica pampers oral gillette dove
  stanley makita ryobi craftsman singer hoover whirlpool frigidaire keurig pyrex tupperware corning anchor hydro
  north patagonia carhartt timberland ugg crocs birkenstock adidas gucci prada weber yankee hp lg bose graco chicco heinz kraft dewalt trek giant specialized schwinn coleman thermos
  igloo yeti oakley champion hanes brooks reef keen crayola sharpie pilot parker cross brita tide olay mac clinique lush nivea
  tommy calvin ralph lacoste burberry fendi coach kong felix moen wilson spalding deere callaway osprey rockport panasonic chanel dior hermes cartier rolex
  aston alfa bugatti maserati mclaren kia hyundai mitsubishi vauxhall skoda hummer vespa airstream winnebago polaris kawasaki ducati
  sunbeam braun garnier vaseline neutrogena thule salomon hoka asics goodyear michelin dunlop pandora tiffany versace balenciaga
  wrangler leapfrog joie nestle hershey barilla twinings waterford wedgwood doulton corsair lenovo asus garmin nintendo playstation
  tefal breville cuisinart nespresso staedtler moleskine zippo sonos jbl sennheiser titleist taylormade`)
