/** Heads that name nothing that a box could hold. Singular; grouped only to be read. */
const groups: Readonly<Record<string, string>> = {
  time: `time day daytime night nighttime morning afternoon evening noon dusk dawn hour minute second moment
    week weekend month year decade century season summer winter spring autumn fall today tomorrow
    yesterday tonight date past future christmas easter halloween thanksgiving birthday holiday
    anniversary january february march april june july august september october november december monday
    tuesday wednesday thursday friday saturday sunday`,
  feelings: `love harmony joy happiness peace hope fun pleasure fear anger mood feeling thought mind memory dream
    wish luck interest passion pride excitement surprise care comfort beauty freedom faith spirit
    emotion attitude thanks`,
  ideas: `fact matter idea reason cause result way manner method kind type sort style variety number amount
    plenty series order sense purpose point example detail difference problem question answer
    choice option opportunity possibility chance experience knowledge information concept theme topic
    subject meaning truth inspiration advice tip fashion formation life death world history nature
    culture tradition reality fiction motivation motive relation management leadership communication networking
    partnership freelance outsourcing ecommerce e-commerce recruitment recruiting hiring inclusion recycling warming
    energy economy recession fraud cybersecurity hacking law democracy depression burnout nutrition surgery cancer
    coronavirus covid covid-19 fatherhood marriage engagement agriculture aviation gastronomy charity volunteering data
    analytics safety hazard protection defense defence intelligence power mission religion christianity islam buddhism
    zodiac horoscope destiny fate terror trivia riddle internet wifi automation blockchain cryptocurrency innovation`,
  posts: `vibe fail inspo funday staycation housewarming giveaway shoutout hashtag podcast livestream vlog pilates
    trekking motif remodel thank fair prep cosplay dance hunt`,
  doings: `use action activity motion movement position focus preparation progress process work play practice
    training competition tournament championship match game sport race attempt effort turn break trip
    travel vacation conversation discussion talk attention help support service performance
    demonstration celebration arrival return visit tennis soccer skateboarding snowboarding surfing
    skiing cooking shopping swimming sightseeing horseback
    meeting rally briefing hearing interview trial debate final semifinal playoff derby debut session workout
    audition rehearsal photocall fundraiser seminar webinar expo auction reunion picnicking repost rerun
    meeting premiere gala ceremony conference festival event throwback makeover
    bite trick jump swing serve pitch ride stunt pose walk run`,
  trade: `sale price quality shipping delivery stock offer discount deal rent value cost brand collection business
    industry marketing company storage`,
  measures: `size height length width depth weight shape color colour distance direction angle level degree range
    rate speed location condition state status series portion amount pace height temperature weather
    sunlight daylight darkness lighting air wind breeze`,
  pictures: `atmosphere ambiance ambience vibe composition contrast backdrop setting perspective tone palette hue
    tranquility serenity elegance warmth gaze expression glance posture blur depth simplicity accent emphasis charm
    aesthetic pattern smile grin mix blend combination mid-air design layout`,
  pronouns: `something nothing anything everything anyone anybody nobody someone somebody everyone everybody
    one other self itself himself herself themselves each`,
}

export const abstractHeads: ReadonlySet<string> = new Set(
  Object.values(groups).flatMap((words) => words.trim().split(/\s+/)),
)
