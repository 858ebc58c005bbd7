"""The words that a snippet may show: common ones, and those that prompts are made of. Names of people are not here."""

__all__ = ["PLAIN_WORDS"]

_TEXT = """
a about above according account accurate action actions active add additional address after again against agent
agents ago all allow allowed also always am an analyse analysis analyze and another answer answers any anything
api app application apply are as ask asked asks assist assistant assistants at attached attempt audience
available avoid back background based be because been before begin being below best better between book both
brief build built bullet but by call called calls can cannot case cases category change changed changes chat
check chief choose city clear clearly code come comes comment common company complete concise conclusion
condition conditions config content context continue conversation convert copy correct could count country
create created current currently customer customers data database date day days default define defined
definition describe description detail detailed details did different direct directory do doc docs document
documents does done down draft during each edit either element else email empty end english ensure enter
environment error errors even event every everything exact exactly example examples exception execute expected
expert explain explanation explicit extract fact facts false feature feedback field fields file files final find
first flag follow following follows for form format found friendly from full function functions general generate
generated get give given gives go goal goals good group guide guidelines had handle has have he header hello
help helpful helps her here high him his history host hour hours how however html i id identifier identify ids
if image important in include included including index info information input inputs inside instance instead
instruction instructions into introduction is issue issues it item items its job json just keep key kind know
known label language large last later latest least less let level like limit line lines link list ll local
location log long longer look low made main make manual many markdown match matches max may me mean means memory
message messages metadata method might min minute minutes mode model moment month months more most must my name
names need needed needs never new next no node none not note notes nothing now null number object of off offer
office ok old on once one only open operation option optional options or order orders other our out output over
own page parameter parameters part parts path pattern people person phase plain plan please policy polite
position possible present previous price problem process product products professional profile project prompt
properties property provide provided provides public purpose put query question questions quick quote random
range rather re read ready reason recent record records reference refund region related relevant reply report
request requested requests require required requirements response responses result results return returns review
right role root row rule rules run running s safe same sample save say schema scope search second seconds
section see select send sentence sentences server service session set setting settings shall she short should
show shows side simple since single small so software some something source space speak specific specified stage
standard start started state statement status step steps still stop store string structure style subject such
suggest summarize summary support sure system t table take task tasks team technical tell template temporary
test text than that the their them then there these they thing things think this those thread through ticket
time timestamp timezone title to today token tokens tomorrow tone tool tools topic total trace true try turn two
type types under unique unit unless until up update updated url us usage use used useful user users uses using
utc valid value values variable ve version very via view want was way we web week well were what when where
whether which while who whole why will with within without word words work workflow workspace world would write
writing written wrong year years yes yesterday yet you your zone
"""

PLAIN_WORDS = frozenset(_TEXT.split())
