"""Decides which English words are not nouns: closed classes in full, open classes by list."""

from __future__ import annotations


def listed(words: str) -> frozenset[str]:
    """The words of a text, as a set: how every word list of this package is written."""
    return frozenset(words.split())


DETERMINERS = listed("a an the each every any some no all both either neither another this that these those")
DISTRIBUTIVES = listed("each every per")
POSSESSIVES = listed("my your his her its our their whose")
PREPOSITIONS = listed("""
    of in on at by for from with without within about into onto over under between among through during before
    after since until till against per via across behind beyond near like than upon inside outside around toward
    towards along off up down out beside besides except despite as next instead throughout unlike""")
PRONOUNS = listed("""
    i me myself you yourself he him she it itself we us ourselves they them themselves who whom which what
    someone somebody anyone anybody everyone everybody nobody none something anything everything nothing one ones
    others mine yours ours theirs there here""")
CONJUNCTIONS = listed("and or but nor plus &")
SUBORDINATORS = listed("because if when while where whether although though so unless once how why whenever wherever")
AUXILIARIES = listed("""
    am is are was were be been being do does did done doing have has had having will would shall should can could
    may might must cannot can't won't don't doesn't didn't isn't aren't wasn't weren't i'm i've we're we've we'll
    i'll i'd they're they've they'll it's that's there's let's you're you've you'll hasn't haven't shouldn't
    couldn't wouldn't""")
MODALS = listed(
    "will would shall should can could may might must cannot can't won't don't doesn't didn't to let lets help helps"
)
SUBJECTS = listed("i you he she we they who which that it")
ADVERBS = listed("""
    not only also just too very more most less least much well even still yet already always never often sometimes
    usually rarely again soon later now then today tonight yesterday tomorrow currently instead together apart ago
    almost quite rather really simply maybe perhaps otherwise however therefore moreover meanwhile once twice first
    far away back enough ever forever everywhere anywhere somewhere nowhere online offline abroad honestly gladly
    e.g i.e etc approximately roughly nearly exactly automatically easily quickly directly""")
NUMERALS = listed("""
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen eighteen
    twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion dozen dozens hundreds
    thousands millions half quarter several few many lots couple various multiple""")
ADJECTIVES = listed("""
    good better best bad worse worst big bigger biggest small smaller smallest large larger great high higher
    highest low lower lowest new newer newest old older oldest young long longer short shorter early late last
    next past own same other different similar such certain certainly sure clear easy easier hard harder difficult
    simple fast faster slow slower quick cheap cheaper expensive free open closed full empty public private local
    global national regional real true false right wrong main major minor whole single double daily weekly monthly
    yearly annual hourly current recent upcoming future previous former first second third final total average
    available ready busy happy sad angry safe unsafe dangerous healthy sick ill hot cold warm dry wet clean dirty
    dark light heavy strong weak thick thin deep shallow wide narrow near far remote digital mobile manual
    automatic smart intelligent modern traditional medical legal financial social personal individual common rare
    special general specific particular important relevant useful helpful useless necessary possible impossible
    likely unlikely popular famous unknown known little tiny huge giant enormous extra additional independent
    rural urban elderly blind deaf fresh raw organic green red blue black white yellow brown professional hobby
    amateur beautiful nice pretty ugly boring fun funny exciting interesting tired lonely busy wrong poor rich
    wireless electric electronic solar battery-powered soft rough smooth internal external upper lower
    anonymous verified secure encrypted freelance part-time full-time non-profit nonprofit due overdue paid unpaid
    top bottom left several few many due custom default vegan vegetarian""")
NOUNS_LIKE_ADJECTIVES = listed("""
    animal meal proposal rental goal journal hospital material signal trial deal approval arrival referral portal
    festival manual professional individual terminal interval total capital medal metal pedal crystal withdrawal
    appraisal disposal renewal denial removal survival carnival canal mineral topic clinic music traffic fabric
    metric public logic picnic mechanic basic comic mosaic epic archive motive objective initiative executive
    detective incentive perspective native relative adjective hive drive olive dive vegetable table cable variable
    timetable deliverable wearable recyclable collectible consumable bus virus campus census status bonus
    focus menu mushroom spectacle handful teaspoonful tutorial serial aerial cereal memorial dental rental recital
    vial dial radial festival funeral bible crucible""")

DATA_VERBS = listed("""
    add log record track list store save manage create enter register import upload submit book reserve schedule
    order request plan note collect organize organise catalog catalogue document report post publish share lend
    borrow rent sell buy trade swap exchange rate review assign edit update archive maintain monitor capture scan
    keep write fill open close approve offer announce set invite""")
PRODUCT_VERBS = DATA_VERBS | listed("""
    accept reject decline cancel confirm pay charge refund invoice bill send receive notify remind alert warn
    message email text call search find filter sort browse compare match recommend suggest rank score show display
    view see visualize visualise draw plot map export download print sync synchronize synchronise delete remove
    restore backup connect link integrate embed compute calculate count sum measure sense detect predict forecast
    estimate classify label tag transcribe translate summarize summarise generate convert merge split check verify
    validate test sign join leave follow subscribe unsubscribe vote comment reply award earn unlock
    play start stop pause resume finish complete return deliver ship pick collect drop donate volunteer adopt
    feed water harvest plant inspect repair replace clean wash cook learn teach practice practise train study
    answer ask quiz review grade mark hire apply interview onboard route assign dispatch navigate locate track
    sleep wake blink light switch turn control regulate dim heat cool pump open lock unlock charge transmit
    broadcast stream listen watch read query call poll fetch serve return authenticate authorize throttle cache
    analyze analyse aggregate group combine import clean normalise normalize deduplicate annotate simulate
    get compete follow build fight explore attack defend collect jump dodge solve upgrade trade shoot race move
        discover escape replay resend retry discard suggest propose""")
STORY_VERBS = listed("""
    want need know think believe feel hope wish try help make let get give take go come look seem become happen
    forget remember lose miss waste spend cost save struggle hate love like enjoy prefer use work run live stay
    keep tell say talk speak mean understand decide choose care worry suffer complain ask die kill grow fall rise
    change improve reduce increase avoid prevent stop begin end start continue exist depend require allow enable
    support provide include contain consist belong involve cover replace bring carry hold put set turn copy paste
    scroll climb skip corrode agree invite measure serve launch target reach attract convince promise handle own
    hand pass fail break fix win beat switch wait sit stand sleep eat drink drive ride walk travel visit meet host
    cause leave lead move show hear see watch lack face solve base pack fit guess gather produce receive sit
    interview survey speak last""")
VERBS = PRODUCT_VERBS | STORY_VERBS

IRREGULAR_VERBS = {
    "kept": "keep", "wrote": "write", "written": "write", "sold": "sell", "bought": "buy", "lent": "lend",
    "paid": "pay", "sent": "send", "found": "find", "shown": "show", "saw": "see", "seen": "see", "drew": "draw",
    "drawn": "draw", "won": "win", "lost": "lose", "woke": "wake", "woken": "wake", "took": "take",
    "taken": "take", "went": "go", "gone": "go", "came": "come", "became": "become", "forgot": "forget",
    "forgotten": "forget", "knew": "know", "known": "know", "thought": "think", "felt": "feel", "gave": "give",
    "given": "give", "got": "get", "made": "make", "said": "say", "told": "tell", "spoke": "speak",
    "spoken": "speak", "spent": "spend", "meant": "mean", "understood": "understand", "chose": "choose",
    "chosen": "choose", "grew": "grow", "grown": "grow", "fell": "fall", "rose": "rise", "began": "begin",
    "begun": "begin", "brought": "bring", "held": "hold", "ran": "run", "stood": "stand", "sat": "sit",
    "slept": "sleep", "ate": "eat", "eaten": "eat", "drank": "drink", "drove": "drive", "driven": "drive",
    "rode": "ride", "ridden": "ride", "met": "meet", "left": "leave", "led": "lead", "heard": "hear",
    "broke": "break", "broken": "break", "built": "build", "taught": "teach", "fed": "feed", "fought": "fight",
    "shot": "shoot", "copied": "copy", "dies": "die", "died": "die", "dying": "die",
}  # fmt: skip
