"""Values that are not names: dates, ages, numbers, addresses, organisations, secrets; and look-alikes of them."""

import datetime
import re

from . import words

MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(),
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre".split()}
WEEKDAYS = {"en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
            "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag".split(),
            "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche".split(),
            "es": "lunes martes miércoles jueves viernes sábado domingo".split(),
            "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica".split()}
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()


def _ordinal(d):
    return f"{d}{'th' if 10 <= d % 100 <= 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(d % 10, 'th')}"


def some_day(rng):
    return datetime.date(rng.choice([rng.randint(1930, 2026), rng.randint(2005, 2026), rng.randint(2018, 2026)]),
                         rng.randint(1, 12), rng.randint(1, 28))


def numeric_date(rng, lang, d):
    y, m, day = d.year, d.month, d.day
    a, b = (m, day) if lang == "en" and rng.random() < 0.65 else (day, m)
    sep = rng.choice({"de": "....-/", "en": "////-."}.get(lang, "///-."))
    wide = rng.random() < 0.6
    left = f"{a:02}{sep}{b:02}" if wide else f"{a}{sep}{b}"
    roll = rng.random()
    if roll < 0.68:
        return f"{left}{sep}{y}"
    if roll < 0.86:
        return f"{left}{sep}{y % 100:02}"
    if roll < 0.97:
        return f"{y}-{m:02}-{day:02}"
    return left + ("." if sep == "." else "")


def word_date(rng, lang, d):
    y, day, month = d.year, d.day, MONTHS[lang][d.month - 1]
    roll = rng.random()
    if lang == "en":
        short = month[:3] + rng.choice(["", "."]) if len(month) > 4 and rng.random() < 0.3 else month
        forms = [f"{short} {day}, {y}", f"{short} {_ordinal(day)}, {y}", f"{day} {short} {y}", f"{_ordinal(day)} of {month} {y}",
                 f"{short} {day}", f"{short} {_ordinal(day)}", f"{_ordinal(day)} {short}", f"the {_ordinal(day)} of {month}",
                 f"{month} {y}", f"{short} {day} {y}", f"{day}-{month[:3]}-{y}", f"{day:02}{month[:3].upper()}{y}",
                 f"{rng.choice(ORDINALS)} of {month}"]
        out = rng.choices(forms, [6, 3, 4, 1, 4, 4, 1, 1, 3, 1, 1, 0.5, 0.4])[0]
        return out[4:] if out.startswith("the ") else out
    if lang == "de":
        short = month[:3] + "." if len(month) > 4 and rng.random() < 0.15 else month
        forms = [f"{day}. {short} {y}", f"{day}. {short}", f"{month} {y}", f"{day:02}. {short} {y}"]
    elif lang == "fr":
        d1 = "1er" if day == 1 else str(day)
        forms = [f"{d1} {month} {y}", f"{d1} {month}", f"{month} {y}", f"{d1} {month} {y}"]
    elif lang == "es":
        forms = [f"{day} de {month} de {y}", f"{day} de {month}", f"{month} de {y}", f"{day} de {month} del {y}"]
    else:
        forms = [f"{day} {month} {y}", f"{day} {month}", f"{month} {y}", f"{'1°' if day == 1 else day} {month} {y}"]
    return forms[0 if roll < 0.6 else 1 if roll < 0.8 else 2 if roll < 0.9 else 3]


def date(rng, lang, d=None):
    d = d or some_day(rng)
    return numeric_date(rng, lang, d) if rng.random() < 0.5 else word_date(rng, lang, d)


def age_phrase(rng, lang, n):
    """(text before, labelled, text after)"""
    if lang == "en":
        return rng.choices([("", f"{n}-year-old", ""), ("", f"{n} year old", ""), ("", f"{n}yo", ""), ("", f"{n} yo", ""), ("", f"{n} y/o", ""),
                            ("", f"{n} years old", ""), ("aged ", f"{n}", ""), ("age ", f"{n}", ""), ("", f"{n} y.o.", ""),
                            ("", f"{n}y", ""), ("", f"{n} years of age", ""), ("age: ", f"{n}", "")],
                           [10, 3, 4, 3, 3, 4, 2, 3, 1, 1, 1, 1])[0]
    if lang == "de":
        return rng.choice([("", f"{n}-jährig" + rng.choice(["e", "er", "en"]), ""), ("", f"{n} Jahre alt", ""), ("", f"{n} Jahre", ""),
                           ("", f"{n} J.", ""), ("", f"{n}jährige" + rng.choice(["", "r", "n"]), "")])
    if lang == "fr":
        return rng.choice([("", f"{n} ans", ""), ("âgé de ", f"{n} ans", ""), ("de ", f"{n} ans", "")])
    if lang == "es":
        return rng.choice([("de ", f"{n} años", ""), ("de ", f"{n} años de edad", ""), ("", f"{n} años", "")])
    return rng.choice([("di ", f"{n} anni", ""), ("", f"{n} anni", ""), ("", f"{n}enne", ""), ("di anni ", f"{n}", "")])


def digits(rng, n):
    return "".join(rng.choice("0123456789") for _ in range(n))


def letters(rng, n):
    return "".join(rng.choice("ABCDEFGHJKLMNPRSTUVWXYZ") for _ in range(n))


def phone(rng, lang):
    d = digits
    if lang == "en":
        a, b, c = f"{rng.randint(201, 989)}", d(rng, 3), d(rng, 4)
        return rng.choice([f"({a}) {b}-{c}", f"{a}-{b}-{c}", f"{a}.{b}.{c}", f"+1 {a} {b} {c}", f"+1-{a}-{b}-{c}", f"{b}-{c}",
                           f"+44 20 {d(rng, 4)} {d(rng, 4)}", f"07{d(rng, 3)} {d(rng, 6)}", f"{a}{b}{c}", f"({a}){b}-{c} ext. {d(rng, 3)}"])
    if lang == "de":
        return rng.choice([f"0{rng.randint(30, 9999)} {d(rng, 6)}", f"+49 {rng.randint(151, 179)} {d(rng, 7)}", f"0{rng.randint(151, 179)}/{d(rng, 8)}",
                           f"0{rng.randint(30, 899)}-{d(rng, 6)}", f"+41 {rng.randint(21, 81)} {d(rng, 3)} {d(rng, 2)} {d(rng, 2)}",
                           f"0{rng.randint(201, 899)}/{d(rng, 5)}-{d(rng, 2)}", f"+43 {rng.randint(1, 9)} {d(rng, 7)}"])
    if lang == "fr":
        p = [d(rng, 2) for _ in range(4)]
        return rng.choice([f"0{rng.randint(1, 9)} " + " ".join(p), f"+33 {rng.randint(1, 9)} " + " ".join(p), f"0{rng.randint(1, 9)}." + ".".join(p),
                           f"0{rng.randint(1, 9)}" + "".join(p), f"+32 {rng.randint(2, 9)} {d(rng, 3)} {d(rng, 2)} {d(rng, 2)}"])
    if lang == "es":
        return rng.choice([f"{rng.choice('69')}{d(rng, 2)} {d(rng, 3)} {d(rng, 3)}", f"+34 {rng.choice('69')}{d(rng, 8)}", f"{rng.choice('69')}{d(rng, 2)} {d(rng, 2)} {d(rng, 2)} {d(rng, 2)}",
                           f"{rng.choice('69')}{d(rng, 8)}"])
    return rng.choice([f"3{d(rng, 2)} {d(rng, 7)}", f"+39 3{d(rng, 2)} {d(rng, 7)}", f"0{rng.randint(2, 99)} {d(rng, 7)}", f"0{rng.randint(10, 99)}/{d(rng, 6)}"])


def zipcode(rng, lang):
    if lang == "en":
        return rng.choice([digits(rng, 5), digits(rng, 5), digits(rng, 5) + "-" + digits(rng, 4),
                           letters(rng, rng.choice([1, 2])) + digits(rng, 1) + " " + digits(rng, 1) + letters(rng, 2)])
    return digits(rng, 4) if lang == "de" and rng.random() < 0.3 else digits(rng, 5)


def house(rng):
    n = rng.randint(1, 250)
    return rng.choices([f"{n}", f"{n}{rng.choice('abcd')}", f"{n}/{rng.randint(1, 9)}", f"{n}-{n + 2}"], [10, 1.5, 0.7, 0.4])[0]


DE_STREET = "straße straße straße str. str. weg weg gasse allee platz ring ufer damm steig".split()
DE_STEM = """Haupt Bahnhof Schul Garten Dorf Kirch Wald Linden Berg Mühl Birken Rosen Goethe Schiller Mozart Ring Feld Wiesen
Industrie Post Markt Kant Lessing Bismarck Eichen Tannen Ahorn Sonnen Brunnen Burg Schloss Rhein Donau Kloster Friedhof""".split()
FR_STREET = "rue rue rue avenue avenue boulevard impasse allée place chemin route quai cours square".split()
FR_STEM = """de la République;Victor Hugo;de la Gare;des Lilas;du Moulin;de l'Église;Jean Jaurès;Pasteur;des Écoles;de Paris;
du Général de Gaulle;Gambetta;de la Paix;des Acacias;du Château;Saint-Martin;de la Liberté;des Fleurs;Voltaire;du Port""".replace("\n", "").split(";")
ES_STREET = "Calle Calle Calle C/ C/ Avenida Avda. Av. Plaza Paseo Ronda Camino Travesía Carrer".split()
ES_STEM = """Mayor;Real;de Alcalá;de la Constitución;San Juan;Cervantes;del Carmen;Nueva;Goya;de la Paz;Santa Ana;de Colón;
Velázquez;del Sol;de los Reyes;Libertad;Jorge Juan;Serrano;del Pilar;de la Estación""".replace("\n", "").split(";")
IT_STREET = "Via Via Via Via Viale Corso Piazza Piazzale Vicolo Largo Strada via".split()
IT_STEM = """Roma;Garibaldi;Mazzini;Dante Alighieri;Giuseppe Verdi;della Repubblica;XX Settembre;San Giovanni;Cavour;Manzoni;
delle Rose;Leonardo da Vinci;Marconi;dei Mille;IV Novembre;Matteotti;della Libertà;Vittorio Emanuele II;Gramsci;Monte Rosa""".replace("\n", "").split(";")
EN_STREET = "Street St St. Avenue Ave Ave. Road Rd Lane Ln Drive Dr Dr. Court Ct Way Boulevard Blvd Place Terrace Close Crescent Square Parkway Circle".split()
EN_STEM = """Main High Park Oak Pine Maple Cedar Elm Washington Lake Hill Church Station Victoria Mill River Spring Ridge
Highland Sunset Jackson Lincoln Madison Franklin Walnut Chestnut Meadow Forest Willow Broad Market North South""".split()


def street(rng, lang):
    if lang == "en":
        stem = rng.choice(EN_STEM) if rng.random() < 0.4 else rng.choice(words.last_names("en"))
        pre = rng.choice(["", "", "", "", "North ", "W ", "E. ", "South "])
        return f"{pre}{stem} {rng.choice(EN_STREET)}"
    if lang == "de":
        if rng.random() < 0.6:
            stem = rng.choice(DE_STEM) if rng.random() < 0.5 else rng.choice(words.last_names("de"))
            return stem + rng.choice(DE_STREET)
        return rng.choice(["Am {}", "An der {}", "Im {}", "Auf dem {}", "Zum {}"]).format(rng.choice(DE_STEM)) if rng.random() < 0.3 else \
            rng.choice(words.cities("de")) + "er " + rng.choice(["Straße", "Str.", "Weg", "Allee"])
    kinds, stems = {"fr": (FR_STREET, FR_STEM), "es": (ES_STREET, ES_STEM), "it": (IT_STREET, IT_STEM)}[lang]
    stem = rng.choice(stems) if rng.random() < 0.55 else rng.choice(
        [rng.choice(words.last_names(lang)), rng.choice(words.first_names(lang, "m")) + " " + rng.choice(words.last_names(lang))])
    kind = rng.choice(kinds)
    if lang == "fr" and rng.random() < 0.3:
        kind = kind.capitalize()
    return f"{kind} {stem}" if kind != "C/" else f"{kind}{rng.choice(['', ' '])}{stem}"


def street_line(rng, lang):
    s, n = street(rng, lang), house(rng)
    if lang == "en":
        n = str(rng.randint(1, 9999))
        flat = rng.choices(["", f" Apt {rng.randint(1, 99)}", f", Apt. {rng.randint(1, 40)}{rng.choice('ABC')}", f" #{rng.randint(1, 400)}",
                            f", Suite {rng.randint(100, 900)}", f", Flat {rng.randint(1, 20)}", f", Unit {rng.randint(1, 60)}"],
                           [10, 1, 1, 0.6, 0.8, 0.6, 0.5])[0]
        return f"{n} {s}{flat}" if rng.random() < 0.97 else f"P.O. Box {digits(rng, 4)}"
    if lang == "de":
        return f"{s} {n}" if rng.random() < 0.96 else f"Postfach {digits(rng, 4)}"
    if lang == "fr":
        return f"{n}{rng.choice(['', '', ' bis', ' ter'])}{rng.choice([', ', ' ', ' '])}{s}"
    if lang == "es":
        return s + rng.choice([", ", " ", ", nº ", " nº", ", "]) + n + rng.choices(
            ["", f", {rng.randint(1, 9)}º {rng.choice(['izq.', 'dcha.', 'A', 'B', 'C'])}", f", {rng.randint(1, 9)}{rng.choice('ABCD')}", ", bajo"], [6, 2, 2, 1])[0]
    return s + rng.choice([", ", " ", ", n. "]) + n


def address(rng, lang, town):
    """Pieces (text, label) of a full postal address; street, postcode and town are one ADDRESS only when on one line."""
    line, code = street_line(rng, lang), zipcode(rng, lang)
    sep = rng.choice([", ", ", ", "\n", " "]) if lang != "en" else rng.choice([", ", ", ", "\n", ", "])
    if lang == "en":
        state = rng.choice("AL AK AZ CA CO CT FL GA IL IN KS KY LA MA MD MI MN MO NC NJ NM NV NY OH OK OR PA TX UT VA WA WI".split())
        tail = f"{town}, {state} {code}" if code[0].isdigit() else f"{town} {code}"
    elif lang == "es":
        tail = rng.choice([f"{code} {town}", f"{town}, {code}", f"{code}, {town}"])
    elif lang == "it":
        tail = rng.choice([f"{code} {town}", f"{code} {town} ({letters(rng, 2)})"])
    elif lang == "de":
        tail = rng.choice([f"{code} {town}", f"{code} {town}", rng.choice(["D-", "A-", "CH-"]) + f"{code} {town}"])
    else:
        tail = rng.choice([f"{code} {town}", f"{code} {town}", f"{code} {town} Cedex"])
    return line, sep, tail


LEGAL = {"en": "Inc. Inc LLC Ltd Ltd. Corp. Group PLC Partners Holdings Associates Consulting Solutions Technologies Bank Industries Systems Services Insurance".split(),
         "de": "GmbH GmbH AG KG OHG e.V. SE UG Versicherung Bank Stiftung Verlag Apotheke Praxis".split(),
         "fr": "SA SARL SAS Groupe & Fils Conseil Assurances Industries et Associés".replace("& Fils", "&_Fils").replace("et Associés", "et_Associés").split(),
         "es": "S.A. S.L. SL S.A.U. Consultores Seguros Hermanos e_Hijos y_Asociados Grupo".split(),
         "it": "S.p.A. S.r.l. Srl SpA Snc & Figli Assicurazioni Costruzioni Consulting Gruppo".replace("& Figli", "&_Figli").split()}
STEMS = "Nova Globe Blue Green Data Cloud Med Bio Tech Solar Alpha Delta Omni Prime Vertex Quantum North Sky Apex Core Inno Euro Trans Agro Eco".split()
TAILS = "tech soft med works line point gen dyne net ware care logic ventures trade star path bridge labs".split()


def company(rng, lang):
    roll = rng.random()
    last = rng.choice(words.last_names(lang))
    if roll < 0.3:
        return rng.choice(words.ORGS).replace("_", " ")
    legal = rng.choice(LEGAL[lang]).replace("_", " ")
    if roll < 0.55:
        return f"{last} {legal}"
    if roll < 0.65:
        return f"{last} {'&' if lang != 'it' else '&'} {rng.choice(words.last_names(lang))}" + rng.choice(["", " " + legal])
    coined = rng.choice(STEMS) + rng.choice(["", ""] + TAILS)
    return f"{coined} {legal}" if roll < 0.9 else coined + rng.choice(TAILS).capitalize()


HOSPITAL = {"en": "{c} General Hospital|St. {f} Hospital|{c} Medical Center|{l} Memorial Hospital|{c} Community Hospital|{l} Clinic|"
                  "Mercy Hospital|{c} Children's Hospital|University Hospital {c}|{c} Family Practice|{l} Rehabilitation Center|{c} Regional Medical Center",
            "de": "Universitätsklinikum {c}|Klinikum {c}|Krankenhaus {c}|St. {f} Krankenhaus|Universitätsspital {c}|Kantonsspital {c}|"
                  "Kreisklinik {c}|Praxis Dr. {l}|Rehaklinik {c}|Gemeinschaftspraxis {l}",
            "fr": "CHU de {c}|Hôpital Saint-{f}|Clinique {l}|Centre hospitalier de {c}|Hôpital {l}|EHPAD {l}|Clinique de {c}|CHR {c}",
            "es": "Hospital Universitario de {c}|Hospital General de {c}|Hospital San {f}|Clínica {l}|Centro de Salud {l}|Hospital de {c}|Hospital Clínico de {c}",
            "it": "Ospedale San {f}|Ospedale di {c}|Policlinico {c}|Clinica {l}|Azienda Ospedaliera di {c}|Ospedale {l}|Istituto {l}|Casa di cura Villa {l}"}
SCHOOL = {"en": "University of {c}|{c} University|{l} High School|{c} State University|{l} Elementary School|{l} College|{c} City Council|{c} Police Department",
          "de": "Universität {c}|Technische Universität {c}|{l}-Gymnasium|Grundschule {c}|Stadtverwaltung {c}|Landgericht {c}|Amtsgericht {c}|Finanzamt {c}|FC {c}|Polizei {c}",
          "fr": "Université de {c}|Lycée {l}|Collège {l}|Mairie de {c}|Tribunal de grande instance de {c}|Préfecture de {c}|École {l}|AS {c}",
          "es": "Universidad de {c}|Instituto {l}|Colegio San {f}|Ayuntamiento de {c}|Audiencia Provincial de {c}|Tribunal Supremo|Junta de {c}|CF {c}",
          "it": "Università di {c}|Liceo {l}|Istituto Comprensivo {l}|Comune di {c}|Tribunale di {c}|Regione {c}|Procura di {c}|Questura di {c}|AC {c}"}

CLUB = {"en": "{c} United|{c} City|{c} Rovers|{c} Wolves|{c} Hawks|{c} Tigers|FC {c}|{c} Athletic Club|{c} Wildcats",
        "de": "FC {c}|SV {c}|TSV {c}|VfL {c}|SpVgg {c}|Borussia {c}|Arminia {c}|Eintracht {c}|Fortuna {c}|Dynamo {c}|1. FC {c}|TV {c}|SG {c}",
        "fr": "AS {c}|FC {c}|RC {c}|Olympique {c}|Stade {c}|US {c}|Racing {c}|ES {c}|Girondins {c}",
        "es": "CF {c}|UD {c}|CD {c}|Real {c}|Atlético {c}|Deportivo {c}|Sporting {c}|CB {c}|Racing {c}",
        "it": "AC {c}|US {c}|Virtus {c}|Pro {c}|Juve {c}|Dinamo {c}|Polisportiva {c}|Atletico {c}|Olimpia {c}|Pallacanestro {c}"}
FIRM = {"it": "Meccanica {l}|Officine {l}|Fonderie {c}|Tessitura {l}|Cantina {l}|Mobilificio {l}|Fondazione {l}|Edil {l}|Autotrasporti {l}"}
LAWFIRM = {"fr": "SCP {l} et {l}|SCP {l}, {l} et {l}|SELARL {l} & {l}|SCP {l}-{l}|SELARL {l}|SCP {l}"}


def templated_org(rng, lang, table):
    slots = {"c": lambda: words.city(rng, lang), "l": lambda: rng.choice(words.last_names(lang)),
             "f": lambda: rng.choice(words.first_names(lang, rng.choice("mf")))}
    return re.sub(r"\{(.)\}", lambda m: slots[m.group(1)](), rng.choice(table[lang].split("|")))


def identifier(rng, kind):
    d, L = digits, letters
    table = {
        "mrn": lambda: rng.choice([d(rng, 8), d(rng, 7), d(rng, 6), "MRN" + d(rng, 6), L(rng, 2) + d(rng, 6), L(rng, 3) + "-" + d(rng, 6),
                                   d(rng, 3) + "-" + d(rng, 2) + "-" + d(rng, 3), L(rng, 1) + d(rng, 7), d(rng, 4) + "-" + d(rng, 4)]),
        "ssn": lambda: rng.choice([f"{d(rng, 3)}-{d(rng, 2)}-{d(rng, 4)}", f"{d(rng, 3)} {d(rng, 2)} {d(rng, 4)}", d(rng, 9)]),
        "policy": lambda: rng.choice([L(rng, 3) + d(rng, 7), L(rng, 2) + "-" + d(rng, 6) + "-" + d(rng, 2), d(rng, 10), L(rng, 1) + d(rng, 9)]),
        "iban": lambda: rng.choice(["DE", "FR", "ES", "IT", "CH", "GB"]) + d(rng, 2) + rng.choice([" ", ""]).join([""] + [d(rng, 4) for _ in range(4)]) + d(rng, 2),
        "card": lambda: rng.choice([" ", "-", ""]).join([rng.choice("45") + d(rng, 3)] + [d(rng, 4) for _ in range(3)]),
        "passport": lambda: rng.choice([L(rng, 1) + d(rng, 8), L(rng, 2) + d(rng, 7), d(rng, 9)]),
        "plate": lambda: rng.choice([L(rng, 2) + "-" + L(rng, 2) + " " + d(rng, 3), L(rng, 2) + "-" + d(rng, 3) + "-" + L(rng, 2), d(rng, 4) + " " + L(rng, 3), L(rng, 3) + " " + d(rng, 4)]),
        "dni": lambda: d(rng, 8) + rng.choice(["", "-"]) + L(rng, 1),
        "cf": lambda: L(rng, 6) + d(rng, 2) + L(rng, 1) + d(rng, 2) + L(rng, 1) + d(rng, 3) + L(rng, 1),
        "nir": lambda: f"{rng.choice('12')} {d(rng, 2)} {rng.randint(1, 12):02} {d(rng, 2)} {d(rng, 3)} {d(rng, 3)}" + rng.choice(["", " " + d(rng, 2)]),
        "ahv": lambda: f"756.{d(rng, 4)}.{d(rng, 4)}.{d(rng, 2)}",
        "tax": lambda: rng.choice([d(rng, 11), d(rng, 2) + " " + d(rng, 3) + " " + d(rng, 3) + " " + d(rng, 3), d(rng, 3) + "/" + d(rng, 4) + "/" + d(rng, 4)]),
        "account": lambda: rng.choice([d(rng, 8), d(rng, 10), d(rng, 12), L(rng, 2) + d(rng, 8)]),
        "case": lambda: rng.choice([f"{d(rng, 2)} {rng.choice(['C', 'O', 'Js'])} {d(rng, 3)}/{d(rng, 2)}", L(rng, 2) + "-" + d(rng, 4) + "-" + d(rng, 5), d(rng, 6) + "/" + d(rng, 2)]),
        "ip": lambda: ".".join(str(rng.randint(1, 254)) for _ in range(4)),
    }
    return table[kind]()


def secret(rng):
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    def run(n):
        return "".join(rng.choice(alphabet) for _ in range(n))
    return rng.choice(["sk-" + run(32), "ghp_" + run(36), "AKIA" + run(16).upper(), "Bearer " + run(40), run(10) + rng.choice("!#$%") + run(3),
                       rng.choice(["Summer", "Welcome", "Passw0rd", "hunter", "Qwertz"]) + str(rng.randint(1, 2026)) + rng.choice(["!", "", "?", "$"])])


EPONYMS = """Crohn's disease;Parkinson's disease;Alzheimer's;Hodgkin lymphoma;Graves' disease;Addison's disease;Cushing syndrome;Hashimoto's thyroiditis;
Bell's palsy;Wilson's disease;Marfan syndrome;Down syndrome;Sjögren syndrome;Raynaud's phenomenon;Apgar score;Glasgow Coma Scale;
Foley catheter;Babinski sign;Murphy's sign;Romberg test;Epley maneuver;Achilles tendon;Adam's apple;Barrett's esophagus;Meniere's disease;
Tourette syndrome;Kawasaki disease;Guillain-Barré syndrome;Ehlers-Danlos;Wernicke encephalopathy;Burkitt lymphoma;Dupuytren's contracture;
Paget's disease;Peyronie's disease;Takotsubo;Wells score;Child-Pugh class B;Gleason 7;Kaplan-Meier curve;Cox regression;Student's t-test;
Fisher exact test;Mann-Whitney U test;Doppler;Holter monitor;Heimlich;Kegel exercises;Braden scale;Ranson criteria;Gram stain;Pap smear;
Whipple procedure;Nissen fundoplication;Billroth II;Swan-Ganz catheter;Hickman line;Bence Jones protein;Huntington's disease;Lou Gehrig's disease;
Lyme disease;Legionnaires' disease;Ebola;Zika;West Nile virus;Coombs test;Mantoux;Snellen chart;Mallampati II;Karnofsky;Rankin scale""".replace("\n", "").split(";")
EPONYM_WORDS = {
    "de": "Morbus Crohn;Morbus Parkinson;Alzheimer-Demenz;Hodgkin-Lymphom;Morbus Basedow;Cushing-Syndrom;Hashimoto-Thyreoiditis;Glasgow Coma Scale;Foley-Katheter;Apgar;Raynaud-Syndrom;Morbus Bechterew;Röntgen Thorax;Langzeit-EKG;Lasègue negativ;Babinski negativ;Murphy-Zeichen;Billroth II;Karnofsky-Index",
    "fr": "maladie de Crohn;maladie de Parkinson;maladie d'Alzheimer;lymphome de Hodgkin;syndrome de Cushing;maladie de Basedow;score de Glasgow;sonde de Foley;signe de Babinski;syndrome de Raynaud;score d'Apgar;maladie de Horton;syndrome de Guillain-Barré;signe de Lasègue",
    "es": "enfermedad de Crohn;enfermedad de Parkinson;enfermedad de Alzheimer;linfoma de Hodgkin;síndrome de Cushing;enfermedad de Graves;escala de Glasgow;sonda Foley;signo de Babinski;fenómeno de Raynaud;test de Apgar;síndrome de Guillain-Barré;signo de Murphy;enfermedad de Chagas",
    "it": "morbo di Crohn;morbo di Parkinson;malattia di Alzheimer;linfoma di Hodgkin;sindrome di Cushing;morbo di Basedow;scala di Glasgow;catetere di Foley;segno di Babinski;fenomeno di Raynaud;indice di Apgar;sindrome di Guillain-Barré;segno di Murphy;tiroidite di Hashimoto"}
DRUGS = """metformin lisinopril atorvastatin amlodipine Lantus Humalog Xarelto Eliquis warfarin Plavix Lasix furosemide prednisone
Tylenol ibuprofen Advil Norvasc Zoloft sertraline Prozac Lexapro Xanax Ativan gabapentin Neurontin Lyrica tramadol oxycodone
Percocet Vicodin morphine Keppra Dilantin Synthroid levothyroxine albuterol Ventolin Symbicort Spiriva Nexium omeprazole Zantac
Augmentin amoxicillin azithromycin Cipro vancomycin Bactrim Humira Enbrel Remicade Rituxan Keytruda Opdivo tamoxifen Ozempic
Trulicity Jardiance Januvia spironolactone digoxin metoprolol carvedilol losartan valsartan hydrochlorothiazide Viagra insulin""".split()
TECH = """Python Java Kotlin Ruby Rust Go Django Flask Jackson Hudson Jenkins Ada Julia Haskell Pascal Perl Swift Spark Kafka
Docker Kubernetes Redis Postgres MongoDB Linux Debian Ubuntu Windows Android iOS React Angular Vue Node Maven Gradle Git GitHub
Excel Word Outlook Slack Zoom Teams Jira Notion Salesforce Alexa Siri Cortana Bixby Bluetooth Wi-Fi Tesla Mercedes Ford Lincoln
iPhone Kindle Xbox PlayStation Nintendo Gmail ChatGPT Claude Gemini Copilot TensorFlow PyTorch NumPy Pandas""".split()
CONCEPTS = {"en": "Newton's laws|the Pythagorean theorem|Moore's law|Murphy's law|the Turing test|Bayesian statistics|a Gaussian distribution|the Fibonacci sequence|Celsius|Fahrenheit|Pascal's triangle|"
                  "Dijkstra's algorithm|Nash equilibrium|Euler's formula|Fermat's last theorem|a Fourier transform|Schrödinger's equation|a hamburger|French fries|Swiss cheese|Danish pastry|Roman numerals|English grammar|Greek yogurt|"
                  "Black Friday|Mother's Day|Christmas|Easter|Halloween|Thanksgiving|a Caesar salad|an Alexander technique|the Big Dipper|Venus|Mars|Saturn|Gemini|Leo",
            "de": "das Ohmsche Gesetz|der Satz des Pythagoras|die Fibonacci-Folge|Newtonsche Mechanik|ein Hamburger|Wiener Schnitzel|Berliner|Frankfurter Würstchen|Weihnachten|Ostern|Pfingsten|Celsius|Schwarzwälder Kirschtorte|Excel",
            "fr": "le théorème de Pythagore|la loi de Murphy|la loi d'Ohm|la suite de Fibonacci|les lois de Newton|Noël|Pâques|la Toussaint|le brie de Meaux|la moutarde de Dijon|Celsius|Excel",
            "es": "el teorema de Pitágoras|la ley de Murphy|la ley de Ohm|la sucesión de Fibonacci|las leyes de Newton|Navidad|Semana Santa|el jamón de Jabugo|Celsius|Excel",
            "it": "il teorema di Pitagora|la legge di Murphy|la legge di Ohm|la successione di Fibonacci|le leggi di Newton|Natale|Pasqua|Ferragosto|il prosciutto di Parma|l'aceto di Modena|Celsius|Excel"}
LABS = ["BP {a}/{b}", "HR {b}", "SpO2 {c}%", "WBC {d}", "Hgb {d}", "Na {e}", "K {d}", "creatinine {d} mg/dL", "HbA1c {d}%", "T {t}", "RR {r}",
        "LVEF {b}%", "INR {d}", "glucose {e} mg/dL", "TSH {d}", "BMI {f}", "{m} mg", "{m} mg PO BID", "{m} mg daily", "{m}mcg q4h"]


def lab(rng):
    return rng.choice(LABS).format(a=rng.randint(95, 190), b=rng.randint(45, 99), c=rng.randint(85, 100), d=round(rng.uniform(0.5, 14), 1),
                                   e=rng.randint(100, 300), t=round(rng.uniform(36, 40), 1), r=rng.randint(10, 30), f=round(rng.uniform(18, 45), 1),
                                   m=rng.choice([2.5, 5, 10, 20, 25, 40, 50, 75, 81, 100, 250, 500, 850, 1000]))


def url(rng, user):
    host = rng.choice(STEMS).lower() + rng.choice(TAILS) + rng.choice([".com", ".org", ".io", ".de", ".fr", ".it", ".es"])
    return rng.choice([f"https://www.{host}/{user}", f"www.{host}", f"https://{host}/profile?id={user}", f"http://{host}/~{user}",
                       f"https://linkedin.com/in/{user}", f"https://github.com/{user}", f"facebook.com/{user}", f"https://t.co/{letters(rng, 8)}"])
