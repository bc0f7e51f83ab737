"""Decides which nouns name things worth keeping, which name people, and which are only talk."""

from __future__ import annotations

from zts_worker.crews.reading.words import listed

TALK = listed("""
    app application game website site page web platform product software system solution service tool idea project
    startup company business market industry world thing stuff way kind sort type lot bit part piece side end
    beginning middle problem issue pain trouble difficulty question answer reason result purpose aim benefit
    advantage feature version release prototype mvp launch step phase time day week month year hour minute second
    moment morning evening afternoon night noon weekend monday tuesday wednesday thursday friday saturday sunday
    january february march april june july august september october november december spring summer autumn fall
    winter season holiday life today euro euros dollar dollars cent pound money cost price fee budget revenue
    profit income interest percent percentage number amount total average half third quarter person people
    somebody anyone man woman guy folk folks everybody human user audience customer-base community crowd public
    family home house street city town country state area region place spot world internet phone smartphone
    computer laptop tablet screen browser button click tap swipe cloud server backend frontend database api
    endpoint interface dashboard login signup password account gdpr privacy security consent encryption law
    paper spreadsheet excel sheet notebook whiteboard whatsapp facebook instagram twitter linkedin telegram slack
    google amazon alternative competitor competition rival case example fact information data datum detail
    overview view history summary insight analysis statistic stats chart graph success failure mistake error
    chance risk opportunity experience knowledge feeling hope fear worry fun joy love hate trust help support care
    need demand wish desire effort work job use usage need start finish start-up founder team staff crew
    head hand eye mind word term name date level rate size length width height age colour color shape
    mode scope focus pilot test trial beta flyer forum club newsletter blog podcast channel advert advertising ad
    ai ml model algorithm machine-learning blockchain technology tech code programming internet-of-things iot
    hardware firmware device gadget thanks please beginner expert everyone back front top bottom left right
    everything anything nothing something use-case list record log entry item set group pair couple row line
    majority minority rest whole range variety quality quantity distance radius neighbourhood neighborhood quarter
    village block bluetooth wifi wi-fi usb csv pdf sms e-mail email mail internet network power energy battery
    advance order-of-magnitude attention habit routine progress pace pressure chaos mess waste lack loss room
    demand supply access ability effect impact change improvement growth difference similarity vision mission
    value proposition sense skill saas integration hobby profession career future past present decade century
        survey interview
    waitlist sign-up onboarding conversion retention subscription-fee freemium plan-b pricing payment-provider
    share marketplace mobile other last afterward weekday iphone android ios airbnb uber buck bucks happier elder
    partner association meter centimetre kilometre mile gram kilogram kilo litre liter watt volt kilometer""")
"""Words of pitching and measuring; an idea never keeps track of them unless it says "each ... has"."""

PRODUCTS = listed("""
    app application website site platform tool system software service manager tracker planner finder organizer
    organiser log diary marketplace calendar scheduler dashboard bot assistant library portal journal directory
    generator monitor checker saas""")
"""Nouns that name the product itself; the noun before them says what it is about."""
GENERIC_HEADS = listed("""
    log record list entry item report plan session slot card point sheet page set group line note event task ticket
    form file document kit pack class program programme account box unit station status request order run rule
    visit job place room diary""")
"""Nouns that say little alone: `reading session` is a better name than `session` where the idea uses both words."""

PEOPLE = listed("""
    builder parent child kid teenager teen adult senior pensioner mother father mom dad daughter son grandparent student
    pupil teacher tutor professor coach trainer athlete runner cyclist climber hiker swimmer player gamer fan
    doctor nurse patient therapist caregiver carer midwife dentist vet client customer guest tenant landlord
    neighbour neighbor resident citizen member volunteer donor refugee migrant tourist traveller traveler
    commuter driver passenger owner buyer seller lender borrower renter vendor supplier farmer gardener beekeeper
    florist baker cook chef waiter barista brewer winemaker artist musician singer dancer writer author blogger
    journalist photographer designer developer engineer programmer scientist researcher analyst librarian lawyer
    accountant bookkeeper freelancer contractor consultant manager lead boss employee worker colleague intern
    apprentice technician mechanic plumber electrician carpenter craftsman cleaner janitor caretaker inspector
    officer firefighter policeman soldier hunter fisherman angler sailor pilot captain collector maker tinkerer
    hobbyist enthusiast shopper consumer subscriber reader listener viewer learner candidate applicant recruiter
    employer founder investor administrator admin moderator organizer organiser host user nanny babysitter sitter
    walker groomer stylist hairdresser barber agent broker clerk receptionist secretary assistant dispatcher
    courier rider clinician pharmacist psychologist couple household family neighbourhood parentsitter friend
    roommate flatmate expat newcomer immigrant veteran lecturer mentor mentee tester speaker attendee participant
    contestant referee umpire team-mate shopkeeper grocer butcher retailer wholesaler restaurant-owner potter
    knitter sewer quilter birdwatcher birder astronomer surfer skier diver sportsman musician drummer guitarist
    pianist choir-director conductor composer landlady housekeeper warehouse-worker operator hotelier innkeeper""")
RECORDED_PEOPLE = listed("""
    client customer patient student pupil member guest tenant volunteer donor employee candidate applicant
    participant attendee supplier vendor contact subscriber learner resident""")
"""People an idea often keeps records of, not only serves."""
ORGANISATIONS = listed("""
    company school restaurant clinic club municipality hospital shop studio farm library startup firm agency
    cooperative charity bakery cafe brewery kindergarten university museum hotel theatre church practice pharmacy
    salon garage workshop winery publisher manufacturer organisation organization team""")
"""Bodies of people that an idea may be for."""
NOT_PEOPLE = listed("""
    reminder order number letter paper timer server computer tracker planner water weather sensor calendar paper
    counter monitor filter folder power tower flower river winter summer dinner cover corner offer error mirror
    motor tractor factor color colour floor door meter metre liter litre semester chapter master matter newsletter
    poster router printer scanner controller microcontroller charger adapter battery-charger speaker trailer
    container freezer cooker heater cooler hammer ladder shower cancer fever plaster register voucher ticket-master
    quarter hour four disorder border buffer cluster layer parameter header footer banner sticker flyer brochure
    paper wallpaper browser transfer tour labor labour favor favour honor behaviour behavior harbor vendor-list
    after under over other another either neither rather together however never ever whether further sweater
    car bar jar seminar calculator generator indicator detector actuator elevator refrigerator projector connector
    processor resistor capacitor transistor conductor-wire vector sector doctor-note manor minor major interior
    exterior prior dessert-bar center centre theater theatre character disaster twitter helicopter laser beer deer
    peer engineer-drawing career cheer tier pier list checklist wishlist playlist shortlist waitlist twist wrist
    mist artist-fee plant elephant restaurant grant warrant peanut accelerator simulator locker blocker marker
    sticker tracker organizer-app helper reader-app loyalty builder finder trigger shelter leather feather hamster
    lobster blister cylinder shoulder barrier carrier premier frontier blender dishwasher toaster planner planter
    composter diffuser dispenser thermometer barometer hygrometer hangover makeover turnover leftover takeover
    discover thunder lavender calender slider folder encounter hamburger burger chapter hopper banner spinner
    corridor humidor motor-boat terminator simulator trimmer mower lawnmower strimmer starter
    saucer drawer excavator painkiller trailer killer thriller eraser razor scissor""")
EVENTS = listed("""
    inspection visit harvest appointment booking reservation session meeting match race workout exercise
    lesson class course event trip tour ride delivery shipment order purchase sale payment transaction donation
    loan rental measurement reading test exam treatment vaccination feeding watering repair maintenance
    shift inspection interview call review sighting observation checkup check-in dose incident complaint
    collection pickup handover concert show screening tournament competition experiment attempt run hike climb
    dive swim flight walk consultation audit election vote poll survey quiz leave absence vacation""")
MATTERS = listed("""
    task ticket request invoice bill reminder issue bug todo chore application claim offer quote contract
    subscription membership order loan""")
"""Things that are open until they are done, so that a status is asked for."""
ABSTRACT_ENDINGS = ("ness", "ity", "ism", "ship", "hood", "ance", "ence", "ment", "tion", "sion", "ics", "dom")
CONCRETE_DESPITE_ENDING = listed("""
    appointment payment document apartment shipment assignment tournament comment element measurement treatment
    experiment investment garment instrument inspection reservation subscription donation question transaction
    collection prescription medication vaccination translation competition notification auction position station
    application medicine-ration season lesson mission version instance allowance insurance ambulance sequence
    sentence conference membership scholarship internship relationship spaceship sponsorship entity activity
    facility city university charity property commodity amenity celebrity recipe segment settlement agreement
    complaint department monument ornament supplement compartment cement exhibition excursion expedition
    publication regulation petition potion portion ration session permission commission decision discussion
    emission profession edition mansion pension observation consultation consignment allocation demonstration
    nutrition ingredient residence sighting invention section action reaction election recommendation accommodation""")


def is_person(noun: str) -> bool:
    """True for a lower-case singular that names people, by list or, for longer words, by its ending."""
    if noun in PEOPLE:
        return True
    if noun in TALK or noun in NOT_PEOPLE or len(noun) < 7:
        return False
    return noun.endswith(("er", "or", "ist", "eer", "ian"))
