"""Names of months and weekdays in about ninety languages, to know a written date by.

The names are those of the Unicode CLDR (wide and abbreviated, in running text and alone, Gregorian calendar),
folded as
`fold` does. Short weekdays that are common English words are left out.
"""

# ruff: noqa: RUF001, SIM905 - these are names in many scripts

import unicodedata

__all__ = ["fold", "is_month", "is_weekday"]

# fmt: off
_MONTHS = frozenset("""
january february march april may june july august september october november december jan feb mar apr jun jul
aug sep oct nov dec januar februar marz mai juni juli oktober dezember sept okt dez janvier fevrier mars avril
juin juillet aout septembre octobre novembre decembre janv fevr avr juil enero febrero marzo abril mayo junio
julio agosto septiembre octubre noviembre diciembre ene abr ago dic gennaio febbraio aprile maggio giugno luglio
settembre ottobre dicembre gen mag giu lug set ott janeiro fevereiro marco maio junho julho setembro outubro
novembro dezembro fev out januari februari maart mei augustus mrt maj augusti marts desember des tammikuuta
helmikuuta maaliskuuta huhtikuuta toukokuuta kesakuuta heinakuuta elokuuta syyskuuta lokakuuta marraskuuta
joulukuuta tammi helmi maalis huhti touko kesa heina elo syys loka marras joulu tammikuu helmikuu maaliskuu
huhtikuu toukokuu kesakuu heinakuu elokuu syyskuu lokakuu marraskuu joulukuu stycznia lutego marca kwietnia maja
czerwca lipca sierpnia wrzesnia pazdziernika listopada grudnia sty lut kwi cze lip sie wrz paz lis gru styczen
luty marzec kwiecien czerwiec lipiec sierpien wrzesien pazdziernik listopad grudzien ledna unora brezna dubna
kvetna cervna cervence srpna zari rijna listopadu prosince led uno bre dub kve cvn cvc srp zar rij pro leden
unor brezen duben kveten cerven cervenec srpen rijen prosinec januara februara aprila juna jula augusta
septembra oktobra novembra decembra marec marcius aprilis majus junius julius augusztus szeptember febr marc
szept ianuarie februarie martie aprilie iunie iulie septembrie octombrie noiembrie decembrie ian iun iul ocak
subat mart nisan mayıs haziran temmuz agustos eylul ekim kasım aralık oca sub nis haz tem agu eyl eki kas ara
января февраля марта апреля мая июня июля августа сентября октября ноября декабря янв февр мар апр июн июл авг
сент окт нояб дек январь февраль март апрель маи июнь июль август сентябрь октябрь ноябрь декабрь січня лютого
березня квітня травня червня липня серпня вересня жовтня листопада грудня січ лют бер квіт трав черв лип серп
вер жовт лист груд січень лютии березень квітень травень червень липень серпень вересень жовтень листопад
грудень студзеня лютага сакавіка красавіка чэрвеня ліпеня жніуня верасня кастрычніка лістапада снежня сту сак
кра чэр ліп жні кас ліс сне студзень люты сакавік красавік чэрвень ліпень жнівень верасень кастрычнік лістапад
снежань януари февруари април юни юли септември октомври ноември декември яну фев сеп ное ιανουαριου φεβρουαριου
μαρτιου απριλιου μαιου ιουνιου ιουλιου αυγουστου σεπτεμβριου οκτωβριου νοεμβριου δεκεμβριου ιαν φεβ μαρ απρ μαι
ιουν ιουλ αυγ σεπ οκτ νοε δεκ ιανουαριοσ φεβρουαριοσ μαρτιοσ απριλιοσ μαιοσ ιουνιοσ ιουλιοσ αυγουστοσ
σεπτεμβριοσ οκτωβριοσ νοεμβριοσ δεκεμβριοσ ינואר פברואר מרץ אפריל מאי יוני יולי אוגוסט ספטמבר אוקטובר נובמבר
דצמבר ינו׳ פבר׳ אפר׳ אוג׳ ספט׳ אוק׳ נוב׳ דצמ׳ يناير فبراير مارس ابريل مايو يونيو يوليو اغسطس سبتمبر اكتوبر
نوفمبر ديسمبر ژانویه فوریه اوریل مه ژوين ژويیه اوت سپتامبر اکتبر نوامبر دسامبر जनवरी फरवरी मारच अपरल मई जन जलाई
अगसत सितबर अकटबर नवबर दिसबर जन॰ फर॰ जल॰ अग॰ सित॰ अकट॰ नव॰ दिस॰ জানযারী ফেবরযারী মারচ এপরিল মে জন জলাই আগসট
সেপটেমবর অকটোবর নভেমবর ডিসেমবর জান ফেব এপরি জল আগ সেপ অকটো নভে ডিসে มกราคม กมภาพนธ มนาคม เมษายน พฤษภาคม มถนายน
กรกฎาคม สงหาคม กนยายน ตลาคม พฤศจกายน ธนวาคม maret agustus mac julai ogos disember ogo dis pebrero marso hunyo
hulyo setyembre oktubre nobyembre disyembre peb hun hul nob d’abril d’agost d’octubre d’abr d’ag d’oct gener
febrer maig juny juliol agost setembre desembre ag sijecnja veljace ozujka travnja svibnja lipnja srpnja
kolovoza rujna studenoga prosinca sij velj ozu tra svi kol ruj stu sijecanj veljaca ozujak travanj svibanj
lipanj srpanj kolovoz rujan studeni prosinac јануар фебруар мај јун јул септембар октобар новембар децембар јан
феб нов дец avgust septembar oktobar novembar decembar avg junij julij sausio vasario kovo balandzio geguzes
birzelio liepos rugpjucio rugsejo spalio lapkricio gruodzio saus vas kov bal geg birz liep rugp rugs spal lapkr
gruod sausis vasaris kovas balandis geguze birzelis liepa rugpjutis rugsejis spalis lapkritis gruodis janvaris
februaris maijs junijs julijs augusts septembris oktobris novembris decembris jaanuar veebruar aprill juuni
juuli oktoober detsember jaan veebr dets agust јануари јуни јули janar shkurt prill qershor korrik gusht shtator
tetor nentor dhjetor shk pri qer korr gush sht tet nen dhj urtarrila otsaila martxoa apirila maiatza ekaina
uztaila abuztua iraila urria azaroa abendua urt ots api eka uzt abu ira urr aza abe xaneiro febreiro xuno xullo
decembro xan xul eanair feabhra marta aibrean bealtaine meitheamh iuil lunasa samhain nollaig ean feabh aib beal
meith lun mfomh dfomh samh noll ionawr chwefror mawrth ebrill mehefin gorffennaf awst medi hydref tachwedd
rhagfyr ion chwef maw ebr meh gorff hyd tach rhag chw gor januarie junie julie machi aprili agosti septemba
oktoba novemba desemba yanvar fevral aprel iyun iyul avqust sentyabr oktyabr noyabr dekabr yan iyn iyl avq sen
noy dek қаңтар ақпан наурыз сәуір мамыр маусым шілде тамыз қыркүиек қазан қараша желтоқсан қаң ақп нау сәу мам
мау шіл там қыр қаз қар жел sentabr oktabr იანვარი თებერვალი მარტი აპრილი მაისი ივნისი ივლისი აგვისტო სექტემბერი
ოქტომბერი ნოემბერი დეკემბერი იან თებ მარ აპრ მაი ივნ ივლ აგვ სექ ოქტ ნოე დეკ հունվարի փետրվարի մարտի ապրիլի
մայիսի հունիսի հուլիսի օգոստոսի սեպտեմբերի հոկտեմբերի նոյեմբերի դեկտեմբերի հնվ փտվ մրտ ապր մյս հնս հլս օգս սեպ
հոկ նոյ դեկ հունվար փետրվար մարտ ապրիլ մայիս հունիս հուլիս օգոստոս սեպտեմբեր հոկտեմբեր նոյեմբեր դեկտեմբեր
जानवारी फबरवारी एपरिल जल ऑगसट सपटबर ऑकटोबर नोवहबर डिसबर जान फबर एपरि ऑग सपट ऑकटो नोवह डिस ஜனவரி பிபரவரி மாரச
ஏபரல மே ஜூன ஜூலை ஆகஸட செபடமபர அகடோபர நவமபர டிசமபர ஜன பிப மார ஏப ஆக செப அக நவ டிச జనవర ఫబరవర మరచ ఏపరల జూన జుల
ఆగసటు సపటంబర అకటబర నవంబర డసంబర జన ఫబర ఏపర ఆగ సపటం అకట నవం డసం જાનયઆરી ફબરઆરી મારચ એપરિલ જન જલાઈ ઑગસટ સપટમબર
ઑકટોબર નવમબર ડિસમબર જાનય ફબર સપટ ઑકટો નવ ડિસ ਜਨਵਰੀ ਫਰਵਰੀ ਮਾਰਚ ਅਪਰਲ ਮਈ ਜਨ ਜਲਾਈ ਅਗਸਤ ਸਤਬਰ ਅਕਤਬਰ ਨਵਬਰ ਦਸਬਰ ਫਰ ਅਪਰ
ਜਲਾ ਅਗ ਸਤ ਅਕਤ ਨਵ ਦਸ جنوری فروری مارچ اپریل ميی جون جولايی اگست ستمبر اکتوبر نومبر دسمبر फबरअरी अपरिल अगसट सपटमबर
अकटोबर नोभमबर डिसमबर ජනවාර පෙබරවාර මාරත අප‍රෙල මැය ජන ජල අගොසත සැපතැමබර ඔකතොබර නොවැමබර දෙසැමබර පෙබ අගො සැප
ඔක නොවැ දෙසැ මාර ဇနနဝါရ ဖေဖောဝါရ မတ ဧပြ မေ ဇန ဇလင ဩဂတ စကတငဘာ အောကတဘာ နဝငဘာ ဒဇငဘာ ဖေ စက အောက មករា កមភៈ មនា មេសា
ឧសភា មថនា កកកដា សហា កញញា តលា វចឆកា ធន ມງກອນ ກມພາ ມນາ ເມສາ ພດສະພາ ມຖນາ ກລະກດ ສງຫາ ກນຍາ ຕລາ ພະຈກ ທນວາ ጃንዋሪ ፌብሩዋሪ
ማርች ኤፕሪል ሜይ ጁን ጁላይ ኦገስት ሴፕቴምበር ኦክቶበር ኖቬምበር ዲሴምበር ጃን ፌብ ኤፕሪ ኦገስ ሴፕቴ ኦክቶ ኖቬም ዲሴም ม.ค ก.พ เม.ย พ.ค ม.ย ก.ค ส.ค ก.ย
ต.ค พ.ย ธ.ค кві тра чер сер жов лис гру cer сен ноя ян noi
januwari februwari mashi ephreli meyi julayi agasti septhemba okthoba disemba jannar frar marzu mejju gunju
lulju awwissu settembru ottubru novembru dicembru maerz abrell schan yanwar fewral awgust janaayo febraayo
maarso abriil maayo juun luulyo sebtembar oktoobar noofeembar diseembar jannewaris febrewaris maaie septimber
novimber desimber ফেবরযারি জানযারি दिसमबर नवमबर شباط اذار نيسان ايار حزيران تموز ايلول urtarrilaren otsailaren
martxoaren apirilaren maiatzaren ekainaren uztailaren abuztuaren
irailaren urriaren azaroaren abenduaren juny d'agost d'octubre d'abril ಜನವರ ಫಬರವರ ಮಾರಚ ಏಪರಲ ಮೕ ಜೂನ ಜುಲೖ ಆಗಸಟ
ಸಪಟಂಬರ ಅಕಟೂೕಬರ ನವಂಬರ ಡಸಂಬರ ಜನ ಫಬರ ಏಪರ ಆಗ ಸಪಟಂ ಅಕಟೂೕ ನವಂ ಡಸಂ ജനവരി ഫെബരവരി മാർചച ഏപരിൽ മേയ ജൺ ജലൈ ഓഗസററ സെപററംബർ
ഒക‌ടോബർ നവംബർ ഡിസംബർ ജന ഫെബര മാർ ഏപരി ഓഗ സെപററം ഒകടോ നവം ഡിസം ଜାନଆରୀ ଫେବଆରୀ ମାରଚଚ ଅପରେଲ ମଇ ଜନ ଜଲାଇ ଅଗଷଟ
ସେପଟେମବର ଅକଟୋବର ନଭେମବର ଡସେମବର জানৱাৰী ফেবৰৱাৰী মাৰচ এপৰিল মে’ আগষট ছেপতেমবৰ অকটোবৰ নৱেমবৰ ডিচেমবৰ ফেবৰ ছেপতে
নৱে ডিচে cʼhwevrer cʼhwe d’avrigl d’avust d’october гыинвар гыин январ феврал апрел сентябр октябр ноябр декабр
يانۋار فېۋرال مارت ياپرېل ماي يىيۇن يىيۇل ياۋغۇست سېنتەبىر يۆكتەبىر نويابىر دېكابىر جنوري فيبروري اپريل ميي
جولاء اگسٽ سيپٽمبر اڪٽوبر ڊسمبر יאנואר פעברואר מערץ מיי אויגוסט סעפטעמבער אקטאבער נאוועמבער דעצעמבער יאנ פעב אפר
אויג סעפ אקט נאוו דעצ सितमबर अकतबर अकत॰ জনৱারী ফেবরৱারি ‌ওগষট ওকটোবর ওগ জানৱারি ওগষট নবেমবর ফেবর মার জলা সেপট
ওকটো ᱡᱟᱱᱣᱟᱨᱤ ᱯᱷᱟᱨᱣᱟᱨᱤ ᱢᱟᱨᱪ ᱟᱯᱨᱮᱞ ᱢᱮ ᱡᱩᱱ ᱡᱩᱞᱟᱭ ᱟᱜᱟᱥᱛ ᱥᱮᱯᱴᱮᱢᱵᱟᱨ ᱚᱠᱴᱚᱵᱟᱨ ᱱᱟᱣᱟᱢᱵᱟᱨ ᱫᱤᱥᱟᱢᱵᱟᱨ ᱡᱟᱱ ᱯᱷᱟ ᱢᱟᱨ ᱟᱯᱨ ᱡᱩᱞ ᱟᱜᱟ
ᱥᱮᱯ ᱚᱠᱴ ᱱᱟᱣ ᱫᱤᱥ جلے جولایی ɔpɛpɔn ɔgyefoɔ ɔbɛnem kɔtɔnimma ayɛwohomumu ɔsanaa ɛbɔ ɔpɛnimma
""".split())

_WEEKDAYS = frozenset("""
sunday monday tuesday wednesday thursday friday saturday sun mon tue wed thu fri sat sonntag montag dienstag
mittwoch donnerstag freitag samstag mo di mi fr sa dimanche lundi mardi mercredi jeudi vendredi samedi dim lun
mar mer jeu ven sam domingo lunes martes miercoles jueves viernes sabado dom mie jue vie sab domenica lunedi
martedi mercoledi giovedi venerdi sabato gio seg ter qua qui sex zondag maandag dinsdag woensdag donderdag
vrijdag zaterdag zo vr za sondag mandag tisdag onsdag torsdag fredag lordag tis ons tors fre lor søndag tirsdag
lørdag søn tirs lør tir tor tysdag laurdag sø ty tys lau sunnuntai maanantaina tiistaina keskiviikkona torstaina
perjantaina lauantaina ti ke pe maanantai tiistai keskiviikko torstai perjantai lauantai niedziela poniedziałek
wtorek sroda czwartek piatek sobota niedz pon wt sr czw pt sob nedele pondeli utery streda ctvrtek patek po ut
st ct pa nedela pondelok utorok stvrtok piatok pi vasarnap hetfo kedd szerda csutortok pentek szombat sze cs szo
duminica luni marti miercuri joi vineri sambata vin pazar pazartesi salı carsamba persembe cuma cumartesi paz
pzt sal car per cum cmt воскресенье понедельник вторник среда четверг пятница суббота вс пн вт ср чт пт сб
неділя понеділок вівторок середа четвер пʼятниця субота нд нядзеля панядзелак ауторак серада чацвер пятніца ау
чц неделя понеделник сряда четвъртък петък събота κυριακη δευτερα τριτη τεταρτη πεμπτη παρασκευη σαββατο κυρ δευ
τρι τετ πεμ παρ σαβ שבת الاحد الاثنين الثلاثاء الاربعاء الخميس الجمعة السبت یکشنبه دوشنبه سه‌شنبه چهارشنبه
پنجشنبه جمعه شنبه रविवार सोमवार मगलवार बधवार गरवार शकरवार शनिवार रवि सोम मगल बध गर शकर शनि রবিবার সোমবার
মঙগলবার বধবার বহসপতিবার শকরবার শনিবার রবি সোম মঙগল বধ বহসপতি শকর শনি วนอาทตย วนจนทร วนองคาร วนพธ วนพฤหสบด วนศกร
วนเสาร อา พฤ cn minggu senin selasa rabu kamis jumat sabtu min sen sel rab kam jum ahad isnin khamis jumaat ahd
isn kha linggo miyerkules huwebes biyernes lin miy huw biy diumenge dilluns dimarts dimecres dijous divendres
dissabte dg dl dt dc dj dv ds nedjelja ponedjeljak utorak srijeda cetvrtak petak subota ned uto sri cet pet sub
недеља понедељак уторак четвртак петак нед пон уто сре чет пет суб nedelja ponedeljak sreda sre ponedeljek torek
cetrtek petek sekmadienis pirmadienis antradienis treciadienis ketvirtadienis penktadienis sestadienis sk pr an
tr kt pn svetdiena pirmdiena otrdiena tresdiena ceturtdiena piektdiena sestdiena svetd pirmd otrd tresd ceturtd
piektd sestd puhapaev esmaspaev teisipaev kolmapaev neljapaev reede laupaev sunnudagur manudagur þriðjudagur
miðvikudagur fimmtudagur fostudagur laugardagur þri mið fim fos недела четврток петок сабота вто саб hen enj pre
sht igandea astelehena asteartea asteazkena osteguna ostirala larunbata ig ar az og lr luns mercores xoves
venres xov deardaoin domh luan mairt cead aoine sath sul llun maw iau gwen sad gwe vrydag saterdag jumapili
jumatatu jumanne jumatano alhamisi ijumaa jumamosi bazar cərsənbə cumə sənbə жексенбі дүисенбі сеисенбі сәрсенбі
беисенбі жұма сенбі жс дс сс бс жм yakshanba dushanba seshanba chorshanba payshanba juma shanba yak dush sesh
chor pay shan კვირა ორშაბათი სამშაბათი ოთხშაბათი ხუთშაბათი პარასკევი შაბათი კვი ორშ სამ ოთხ ხუთ პარ შაბ կիրակի
երկուշաբթի երեքշաբթի չորեքշաբթի հինգշաբթի ուրբաթ շաբաթ կիր երկ երք չրք հնգ ուր շբթ मगळवार मगळ ஞாயிறு திஙகள
செவவாய புதன வியாழன வெளளி சனி ஞாயி திங செவ புத வியா வெள ఆదవరం సమవరం మంగళవరం బుధవరం గురువరం శుకరవరం శనవరం ఆద సమ
మంగళ బుధ గురు శుకర శన રવિવાર સોમવાર મગળવાર બધવાર ગરવાર શકરવાર શનિવાર રવિ સોમ મગળ બધ ગર શકર શનિ ਐਤਵਾਰ ਸਮਵਾਰ
ਮਗਲਵਾਰ ਬਧਵਾਰ ਵੀਰਵਾਰ ਸਕਰਵਾਰ ਸਨਿਚਰਵਾਰ ਐਤ ਸਮ ਮਗਲ ਬਧ ਵੀਰ ਸਕਰ ਸਨਿਚਰ اتوار پیر منگل بدھ جمعرات جمعہ ہفتہ आइतबार सोमबार
मङगलबार बधबार बिहिबार शकरबार शनिबार आइत मङगल बिहि ඉරදා සඳදා අඟහරවාදා බදාදා බ‍රහසපතනදා සකරාදා සෙනසරාදා අඟහ බ‍රහස
සක සෙන တနငဂနေ တနငလာ အငဂါ ဗဒဓဟး ကြာသပတေး သောကြာ စနေ អាទតយ ចនទ អងគារ ពធ ពរហសបត សករ សៅរ ពរហ ວນອາທດ ວນຈນ ວນອງຄານ
ວນພດ ວນພະຫດ ວນສກ ວນເສາ ອາທດ ຈນ ອງຄານ ພດ ພະຫດ ສກ ເສາ እሑድ ሰኞ ማክሰኞ ረቡዕ ሐሙስ ዓርብ ቅዳሜ ማክሰ ням даваа мягмар лхагва
пүрэв баасан бямба ня да мя лх пү ба бя thur thurs tues weds wednes ראשון שני שלישי רביעי חמישי שישי segunda-
feira terca-feira quarta-feira quinta-feira sexta-feira segunda terca quarta quinta sexta
hene marte merkure enjte premte shtune diel isonto umsombuluko ulwesibili ulwesithathu ulwesine ulwesihlanu
umgqibelo didomhnaich diluain dimairt diciadain
dihaoine disathairne manadagur tysdagur mikudagur hosdagur friggjadagur leygardagur sonndeg meindeg denschdeg
mettwoch donneschdeg freideg samschdeg snein moandei tiisdei woansdei tongersdei freed sneon isniin talaado
arbaco khamiis jimco sabti ಭಾನುವಾರ ಸೂೕಮವಾರ ಮಂಗಳವಾರ ಬುಧವಾರ ಗುರುವಾರ ಶುಕರವಾರ ಶನವಾರ ಭಾನು ಸೂೕಮ ಮಂಗಳ ಬುಧ ಗುರು ಶುಕರ
ഞായറാഴ‌ച തിങകളാഴ‌ച ചൊവവാഴച ബധനാഴ‌ച വയാഴാഴ‌ച വെളളിയാഴ‌ച ശനിയാഴ‌ച ഞായർ തിങകൾ ചൊവവ ബധൻ വയാഴം വെളളി ശനി ചൊവവാഴ‌ച
жекшемби дүишөмбү шеишемби шаршемби беишемби жума ишемби жек дүи шеиш шарш беиш ишм ରବବାର ସୋମବାର ମଙଗଳବାର ବଧବାର
ଗରବାର ଶକରବାର ଶନବାର ସୋମ ମଙଗଳ ଶକର দেওবাৰ সোমবাৰ মঙগলবাৰ বধবাৰ বহসপতিবাৰ শকৰবাৰ শনিবাৰ দেও শকৰ il-ħadd l-erbgħa
il-ħamis il-gimgħa ħad ħam mercʼher jummaʼa якшәмбе дүшәмбе сишәмбе чәршәмбе пәнҗешәмбе җомга шимбә якш дүш сиш
чәр пәнҗ җом шим якшанбе душанбе сешанбе чоршанбе панҷшанбе ҷумъа шанбе яшб дшб сшб чшб пшб ҷмъ шнб يەكشەنبە
دۈشەنبە سەيشەنبە چارشەنبە پەيشەنبە جۈمە شەنبە اچر سومر اڱارو اربع خميس جمعو ڇنڇر זונטיק מאנטיק דינסטיק מיטוואך
דאנערשטיק פרײטיק रबीबार मगलबार बहसपतिबार सनीचर নোংমাইজিং নিংথৌকাবা লৈবাকপোকপা যমশকৈশা শগোলশেন ইরাই থাংজ
ᱥᱤᱸᱜᱮ ᱚᱛᱮ ᱵᱟᱞᱮ ᱥᱟᱹᱜᱩᱱ ᱥᱟᱹᱨᱫᱤ ᱡᱟᱹᱨᱩᱢ ᱧᱩᱦᱩᱢ ᱥᱤᱸ ᱥᱟᱹ ᱥᱟᱹᱨ ᱡᱟᱹ اتھوار ژندرروار بۆموار بودوار برؠسوار جمہ بٹوار
ژندروار
""".split())
# fmt: on

# Hebrew writes "of" and "in" as a letter before the month; Thai may write "month" before it.
_TWO_WORDS = frozenset(("كانون الثاني", "كانون الاول", "تشرين الثاني", "تشرين الاول"))
_PREFIXES = ("\u05d1", "\u05dc", "\u05d4", "เดอน")
# Thai may leave out "day" before the weekday and joins "on the" to it.
_DAY, _ON, _THAI = "วน", "ท", "\u0e00"


def fold(word: str) -> str:
    """Case and accents taken away, so that `Février`, `fevrier` and `FÉVRIER` are one."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFD", word.casefold())
    return "".join(char for char in decomposed if unicodedata.category(char) != "Mn")


def is_month(word: str) -> bool:
    """Whether `word` names a month in some language."""
    folded = fold(word.rstrip("."))
    return (
        folded in _MONTHS
        or folded in _TWO_WORDS
        or any(folded.startswith(prefix) and folded.removeprefix(prefix) in _MONTHS for prefix in _PREFIXES)
    )


def is_weekday(word: str) -> bool:
    """Whether `word` names a day of the week in some language."""
    folded = fold(word.rstrip("."))
    return folded in _WEEKDAYS or (
        folded[:1] > _THAI and f"{_DAY}{folded.removeprefix(_DAY).removesuffix(_ON)}" in _WEEKDAYS
    )
