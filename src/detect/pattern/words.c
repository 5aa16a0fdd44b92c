/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/pattern/words.h"

#include <assert.h>

#include "text/fold.h"
#include "text/utf8.h"

/* Words and phrases, separated by '|', as sotto_fold() leaves them: lower case, no diacritics. */
struct words_row {
    uint32_t roles;
    uint8_t kind;
    uint8_t value;
    const char *list;
};

#define LABEL(kind, list)                                                                          \
    {                                                                                              \
        ROLE_LABEL, CTX_##kind, 0, list                                                            \
    }
#define HINT(kind, list)                                                                           \
    {                                                                                              \
        0, CTX_##kind, 0, list                                                                     \
    }
#define ROLE(role, list)                                                                           \
    {                                                                                              \
        ROLE_##role, 0, 0, list                                                                    \
    }
#define VALUE(role, value, list)                                                                   \
    {                                                                                              \
        ROLE_##role, 0, value, list                                                                \
    }

static const struct words_row words_dates[] = {
    VALUE(MONTH, 1, "january|jan|januar|janner|janvier|janv|gennaio|genn|gen|enero|ene"),
    VALUE(MONTH, 2, "february|feb|februar|feber|fevrier|fevr|fev|febbraio|febbr|febrero"),
    VALUE(MONTH, 3, "march|mar|marz|maerz|mrz|mars|marzo"),
    VALUE(MONTH, 4, "april|apr|avril|avr|aprile|abril|abr"),
    VALUE(MONTH, 5, "may|mai|maggio|magg|mag|mayo"),
    VALUE(MONTH, 6, "june|jun|juni|juin|giugno|giu|junio"),
    VALUE(MONTH, 7, "july|jul|juli|juillet|juil|luglio|lug|julio"),
    VALUE(MONTH, 8, "august|aug|aout|agosto|ago"),
    VALUE(MONTH, 9, "september|sept|sep|septembre|settembre|sett|set|septiembre|setiembre"),
    VALUE(MONTH, 10, "october|oct|oktober|okt|octobre|ottobre|ott|octubre"),
    VALUE(MONTH, 11, "november|nov|novembre|noviembre"),
    VALUE(MONTH, 12, "december|dec|dezember|dez|decembre|dicembre|dic|diciembre"),
    ROLE(WEEKDAY, "monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tue|tues|wed|thu|"
                  "thur|thurs|fri|sat|sun|montag|dienstag|mittwoch|donnerstag|freitag|samstag|"
                  "sonnabend|sonntag|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunedi|"
                  "martedi|mercoledi|giovedi|venerdi|sabato|domenica|lunes|martes|miercoles|jueves|"
                  "viernes|sabado|domingo"),
    ROLE(YEAR_CUE, "in|since|from|until|till|before|after|by|of|during|early|late|mid|year|circa|"
                   "around|fall|spring|summer|winter|autumn|im|seit|von|bis|vor|nach|jahr|jahre|"
                   "anfang|ende|sommer|herbst|fruhjahr|en|depuis|avant|apres|annee|ete|hiver|"
                   "printemps|automne|nel|dal|del|dall|dell|fino|anno|desde|hasta|ano|verano|"
                   "invierno|otono|primavera|estate|inverno|autunno|to|and"),
    HINT(DOB,
         "dob|birth|birthdate|birthday|born|geboren|geb|geburtsdatum|geburtstag|geburts|ne|nee|"
         "naissance|nascita|nato|nata|nacimiento|nacido|nacida|date of birth|d o b|fecnac|"
         "fdn|ddn|data di nascita|fecha de nacimiento|date de naissance|birth date|dateofbirth"),
    HINT(DATE, "date|datum|data|fecha|day|admitted|admission|discharge|discharged|visit|seen|died|"
               "death|fecha de ingreso|fecha de alta|ingreso|entlassung|aufnahme|expiry|expires"),
};

static const struct words_row words_ages[] = {
    ROLE(YEARS, "years|year|yrs|yr|yo|y|ans|jahre|jahren|jahr|jahrige|jahriger|jahrigen|jahriges|"
                "jahrig|jaehrige|jaehriger|jaehrigen|jaehrig|anni|anos|jahrigem|jahres"),
    ROLE(MONTHS, "months|month|mos|mo|weeks|week|wks|wk|days|day|monate|monaten|monat|monatige|"
                 "wochen|woche|tage|tagen|mois|semaines|jours|mesi|mese|settimane|giorni|"
                 "meses|mes|semanas|dias|monatiges|monatiger"),
    ROLE(OLD, "old|alt|alte|alter|alten|age|aged"),
    ROLE(AGED,
         "aged|age|ages|edad|alter|alters|eta|im alter von|agee|ageee|agees|all eta di|agee de|"
         "edad de|turned|turns|turning"),
    ROLE(PERSON, "man|woman|male|female|boy|girl|patient|m|f|gentleman|lady|person|mother|father|"
                 "son|daughter|husband|wife|child|infant|mann|frau|patientin|madchen|junge|kind|"
                 "homme|femme|fille|garcon|patiente|uomo|donna|paziente|ragazzo|ragazza|hombre|"
                 "mujer|varon|paciente|nino|nina|dame|herr|signora|signore|baby|teen|student"),
    VALUE(TENS, 20, "twenty"),
    VALUE(TENS, 30, "thirty"),
    VALUE(TENS, 40, "forty"),
    VALUE(TENS, 50, "fifty"),
    VALUE(TENS, 60, "sixty"),
    VALUE(TENS, 70, "seventy"),
    VALUE(TENS, 80, "eighty"),
    VALUE(TENS, 90, "ninety"),
    VALUE(ONES, 1, "one"),
    VALUE(ONES, 2, "two"),
    VALUE(ONES, 3, "three"),
    VALUE(ONES, 4, "four"),
    VALUE(ONES, 5, "five"),
    VALUE(ONES, 6, "six"),
    VALUE(ONES, 7, "seven"),
    VALUE(ONES, 8, "eight"),
    VALUE(ONES, 9, "nine"),
    VALUE(ONES, 10, "ten"),
    VALUE(ONES, 11, "eleven"),
    VALUE(ONES, 12, "twelve"),
    VALUE(ONES, 13, "thirteen"),
    VALUE(ONES, 14, "fourteen"),
    VALUE(ONES, 15, "fifteen"),
    VALUE(ONES, 16, "sixteen"),
    VALUE(ONES, 17, "seventeen"),
    VALUE(ONES, 18, "eighteen"),
    VALUE(ONES, 19, "nineteen"),
};

static const struct words_row words_places[] = {
    ROLE(STREET_LAST,
         "street|st|road|rd|avenue|ave|av|boulevard|blvd|lane|ln|drive|dr|court|ct|way|"
         "place|pl|plaza|square|sq|terrace|ter|terr|trail|trl|parkway|pkwy|highway|hwy|circle|cir|"
         "alley|aly|crescent|cres|close|row|mews|walk|gardens|grove|loop|turnpike|tpke|"
         "expressway|freeway|pike|esplanade|quay|broadway|embarcadero|crossing|bend|ridge|"
         "hill|heights|run|path|point|cove|green|park|wharf|rise|vale|view|strasse|strase|str|"
         "alameda|mall|knoll|knolls|hollow|causeway|bypass|skyway|viaduct|junction|orchard|"
         "landing|glen|crest|bluff|bluffs|fork|forks|spur|meadow|meadows|manor|estates|brook|"
         "corner|corners|shoals|shores"),
    ROLE(STREET_FIRST,
         "rue|avenue|av|ave|boulevard|bd|bld|chemin|ch|allee|allees|impasse|quai|cours|route|rte|"
         "place|pl|passage|ruelle|sentier|square|faubourg|fbg|via|viale|v le|corso|piazza|"
         "piazzale|largo|vicolo|strada|lungarno|lungotevere|contrada|calle|cl|avenida|avda|"
         "avd|paseo|plaza|pza|plza|camino|carretera|ctra|ronda|travesia|rambla|carrer|"
         "glorieta|pasaje|rua|callejon|urbanizacion|urb|poligono|passeig|"
         "avinguda|cuesta|via|stradone|salita|via|cra|carrera|c"),
    ROLE(COMPASS, "north|south|east|west|northeast|northwest|southeast|southwest|n|s|e|w|ne|nw|se|"
                  "sw"),
    ROLE(UNIT_PART,
         "apt|apartment|suite|ste|unit|floor|fl|room|rm|bldg|building|flat|level|"
         "wohnung|whg|stock|etage|bis|ter|appartement|appt|batiment|bat|escalier|interno|"
         "int|scala|piano|piso|puerta|pta|portal|escalera|esc|planta|bajo|izq|dcha|"
         "local|bloque|blq|izquierda|derecha|bj|lot|trailer|house|tower|km|num|numero|"
         "hausnummer|top|stiege|entresuelo|atico|principal"),
    ROLE(BOX, "po box|p o box|box|postfach|casella postale|boite postale|case postale|"
              "apartado de correos|apartado|apdo|bp"),
    ROLE(
        STATE,
        "al|ak|az|ar|ca|co|ct|de|fl|ga|hi|id|il|in|ia|ks|ky|la|me|md|ma|mi|mn|ms|mo|mt|ne|nv|nh|nj|"
        "nm|ny|nc|nd|oh|ok|or|pa|ri|sc|sd|tn|tx|ut|vt|va|wa|wv|wi|wy|dc|alabama|alaska|arizona|"
        "arkansas|california|colorado|connecticut|delaware|florida|georgia|hawaii|idaho|illinois|"
        "indiana|iowa|kansas|kentucky|louisiana|maine|maryland|massachusetts|michigan|minnesota|"
        "mississippi|missouri|montana|nebraska|nevada|new hampshire|new jersey|new mexico|new york|"
        "north carolina|north dakota|ohio|oklahoma|oregon|pennsylvania|rhode island|south carolina|"
        "south dakota|tennessee|texas|utah|vermont|virginia|washington|west virginia|wisconsin|"
        "wyoming|district of columbia|ontario|quebec|alberta|manitoba|saskatchewan"),
    ROLE(COUNTRY, "usa|us|united states|uk|united kingdom|germany|deutschland|france|italy|italia|"
                  "spain|espana|switzerland|schweiz|suisse|svizzera|austria|osterreich|england|"
                  "scotland|wales|ireland|canada|australia|belgium|netherlands|portugal|mexico|"
                  "allemagne|autriche|belgique|alemania|francia|suiza|germania"),
    ROLE(ADDRESS, "domicilio|direccion|address|adresse|anschrift|indirizzo|residenza|wohnort|"
                  "residencia|wohnhaft|addr"),
    ROLE(LINK, "de|of|the|la|le|les|du|des|del|della|delle|dei|degli|di|da|dal|los|las|el|y|e|und|"
               "der|den|dem|am|an|im|in|zum|zur|auf|von|van|a|et|sur|sous|saint|san|d|l|do|dos|i|"
               "santa|sant"),
    LABEL(ZIP, "zip|zip code|zipcode|postal code|postcode|plz|postleitzahl|code postal|cp|cap|"
               "codigo postal|c p|post code|npa"),
};

static const struct words_row words_glue[] = {
    ROLE(
        FILLER,
        "is|was|are|id|of|the|for|ist|lautet|war|est|es|e|fue|era|di|du|de|del|della|la|le|l|d|der|"
        "die|das|des|mit|with|a|an|my|your|his|her|their|meine|mein|mon|ma|mi|su|sa|son|il|"
        "patient|patients|s|value|as|reads|at|on|under|card|file|identifier|full|new|"
        "old|current|primary|please|following|to|be|assigned|issued|listed|nummer|"
        "holder|member|client|und|and|or|code|us|ch|uk|por|con|mio|mia|sua|suo|per|lo"),
    ROLE(NUMBER, "number|numbers|no|nos|nr|num|nummer|numero|n|num|nro|nn|id|ids|identifier|code|"
                 "kennung|identification|kennnummer|identifiant|identificativo|identificador|"
                 "identifikationsnummer|matricule|ref|reference|referenz|referencia|referenz|"
                 "riferimento|no|nbr|kennzahl|codice|codigo"),
    ROLE(MEASURE,
         "mg|ml|kg|g|mcg|ug|cm|mm|km|mmhg|bpm|dl|l|mmol|iu|ie|units|unit|percent|hours|hour|hrs|"
         "minutes|min|seconds|sec|times|mi|miles|ft|feet|inches|inch|lb|lbs|oz|kcal|euros|eur|usd|"
         "dollars|chf|gb|mb|kb|tb|ms|hz|mhz|ghz|pages|people|patients|cases|kwh|volt|watt|stunden|"
         "uhr|heures|ore|horas|beats|tablets|pixels|px|dpi|rpm|mph|kmh|kw|hp|cc|bar|psi|degrees|"
         "mio|millionen|million|millions|billion|milliarden|mrd|thousand|tausend|mille|mil"),
    HINT(NEGATIVE,
         "version|ver|release|isbn|issn|doi|pmid|pmc|nct|page|pages|chapter|section|figure|"
         "fig|table|line|lines|port|build|article|arts|art|abs|rfc|iso|din|seite|kapitel|"
         "abbildung|tabelle|zeile|paragraph|price|preis|total|amount|betrag|prix|precio|prezzo|"
         "importe|summe|cost|kosten|score|ratio|sample|items|equation|theorem|vol|volume|"
         "issue|commit|sha|revision|rev|pp|ean|upc|gtin|sku|asin|clinicaltrials|grant|"
         "episode|season|level|grade|model|width|height|temperature|byte|bytes|"
         "offset|addr|error|http|status|size|count|population|bible|verse"),
    ROLE(TENS, "hundred"),
};

static const struct words_row words_people[] = {
    HINT(PHONE,
         "phone|phones|telephone|tel|telefon|telefono|cell|cellphone|mobile|mob|handy|mobil|"
         "natel|call|called|calling|callback|reach|reached|contact|text|texted|sms|whatsapp|ring|"
         "dial|anrufen|ruf|rufnummer|rufen|telefonnummer|mobilnummer|handynummer|telephonisch|"
         "telefonisch|erreichbar|portable|appeler|appelez|joindre|movil|tfno|tlf|tfn|celular|"
         "cellulare|chiamare|chiama|llamar|llame|telf|tf|telephoner|pager|hotline|durchwahl|"
         "phone number|ph|signal|telegram|numero de telephone|fono|mobilephone|landline|tlfno|"
         "festnetz|emergency contact|recapito|fijo|numbers|number"),
    LABEL(PHONE, "phone|phones|telephone|tel|telefon|telefono|cell|mobile|mob|handy|mobil|natel|"
                 "whatsapp|telefonnummer|mobilnummer|handynummer|rufnummer|portable|movil|tfno|tlf|"
                 "celular|cellulare|telf|phone number|pager|telefonnr|tlfno|fono|landline|ph"),
    LABEL(FAX, "fax|telefax|faxnummer|facsimile|telecopie|fax number"),
    LABEL(MRN, "mrn|medical record|medical records|chart|hospital number|patient id|patient "
               "number|patientid|"
               "patientennummer|patienten|patientennr|patienten nr|patienten id|fallnummer|fall nr|"
               "fallnr|pat nr|pat id|patnr|krankenaktennummer|krankenakte|aufnahmenummer|dossier|"
               "dossier patient|n dossier|ipp|iep|nhc|historia clinica|numero de historia|hc|"
               "cartella clinica|nosografico|cartella|record|encounter|accession|specimen|visit id|"
               "medical id|health record|hospital id|unit number|episodio|numero episodio|case id|"
               "medical record id|record id|hospital record|emr|ehr|patient identifier|pid|"
               "patient record|csn|har|num dossier|medical file|file number|study id|"
               "subject id|participant|participant id|sample id|n historia|med rec|hospital mrn|"
               "patient no|patient nr|medrec|patient ref|patient account|admission|icu|"
               "patientenakte|patientin nr|aufnahme nr|nip|nda|identifiant patient|id paziente|"
               "id paciente|codice paziente|codice sanitario|patient file|patient code|cipa|site "
               "id|mr|historia|num historia|hist clinica"),
    LABEL(HEALTH_PLAN,
          "health plan|insurance|ins|hicn|insurance plan|insurance id|member "
          "id|memberid|subscriber|subscriber "
          "id|beneficiary|"
          "medicaid|medicare|insurance number|health insurance|insurance member|plan id|"
          "versicherungsnummer|versichertennummer|versicherten|versicherungs|versicherten nr|"
          "versichertennr|krankenversicherung|krankenversicherungsnummer|krankenkasse|"
          "assurance|assurance maladie|numero d assure|assure|tessera sanitaria|"
          "tarjeta sanitaria|cip|sip|cartesanitaria|carte d assure|group number|"
          "health card|health insurance id|group id|assicurazione|seguro medico|"
          "mutua|numero afiliado|afiliado|membership|member|versicherung|insured id|"
          "health id|payer id|claim|claim id|claim number|rx bin|cuss|cupss"),
    LABEL(POLICY, "policy|policy number|police|policen|policennummer|polizza|poliza|police nr|"
                  "versicherungsschein|vertragsnummer|vertrags|vertrag|contract|contract number|"
                  "contrat|numero de contrat|contratto|contrato"),
    LABEL(ACCOUNT, "account|accounts|acct|konto|kontonummer|konto nr|compte|conto|cuenta|"
                   "kundenkonto|account id|accountid|acc"),
    LABEL(
        BANK,
        "bank account|account number|account no|checking account|savings account|checking|"
        "kontonummer|kto|bankkonto|bankverbindung|conto corrente|cuenta bancaria|"
        "compte bancaire|numero de compte|sort code|cuenta corriente|savings|bank|numero di conto|"
        "numero de cuenta|acct number|acct no|rib|ccc"),
    LABEL(ROUTING, "routing|routing number|aba|aba number|rtn|transit|transit number|blz|"
                   "bankleitzahl|sort code|wire|bsb|abi|cab"),
    LABEL(CARD, "credit card|debit card|card number|kreditkarte|kreditkartennummer|karte|"
                "kartennummer|carte bancaire|carte de credit|carta di credito|tarjeta|"
                "tarjeta de credito|visa|mastercard|amex|american express|maestro|cardnumber|"
                "discover|cc number|credit|debit|pan|ccnum|cc|card no|card|tarjeta de debito|"
                "carta|diners|jcb|kreditkarten"),
    LABEL(CVV, "cvv|cvc|cvv2|cvc2|security code|csc|card verification|prufnummer|prufziffer|"
               "codice di sicurezza|cryptogramme|codigo de seguridad"),
    LABEL(IBAN, "iban|ibannummer"),
    LABEL(BIC, "bic|swift|swift code|bic code|swiftcode|bic swift|swift bic"),
    LABEL(CASE,
          "case|case number|docket|aktenzeichen|az|geschaftszeichen|gz|akz|vorgangsnummer|vorgang|"
          "verfahrensnummer|verfahren|numero de dossier|no de dossier|n de dossier|reference|"
          "referenznummer|referenz|expediente|numero de expediente|numero de procedimiento|"
          "procedimiento|pratica|numero pratica|rg|rol|proceso|ticket|incident|"
          "report number|report id|file|file no|requete|affaire|procedura|fascicolo|"
          "matter|citation number|application no|application number|request number|requete no|"
          "beschwerde|akte|geschafts nr|geschaftsnummer|bestellnummer|order|order number|order id|"
          "order no|invoice|invoice number|rechnungsnummer|rechnung|factura|fattura|facture|"
          "booking|booking reference|confirmation|confirmation number|reservation|"
          "tracking|tracking number|sendungsnummer|auftragsnummer|buchungsnummer|pnr|"
          "transaction|transaction id|barcode|ref|case no|dispute|complaint|recurso|sentencia|"
          "numero de commande|commande|pedido|ordine|request id|tramite"),
    LABEL(LICENSE,
          "license|licence|license number|certificate|certificate number|certification|licencia|"
          "lizenz|lizenznummer|zulassungsnummer|approbation|permit|permit number|"
          "registration|registration number|colegiado|numero de colegiado|ncol|nocol|nocolegiado|n "
          "col|"
          "numero colegiado|no col|rpps|adeli|albo|medical license|iscrizione|badge|"
          "badge number|arztnummer|lanr|bsnr|betriebsstattennummer|betriebsstatten|gmc|nmc|"
          "cedula profesional|fahrausweis|licence number|col|state license|certificado"),
    LABEL(DRIVER,
          "driver license|drivers license|driver s license|driving licence|driving license|dl|"
          "fuhrerschein|fuhrerscheinnummer|fuhrerausweis|permis de conduire|permis|patente|"
          "patente di guida|permiso de conducir|carnet de conducir|driver licence|"
          "licencia de conducir|drivers licence|driver s licence|dln"),
    LABEL(PASSPORT, "passport|passport number|passport no|reisepass|pass|passnummer|passeport|"
                    "passaporto|pasaporte|reisepassnummer|pass nr|passnr|passports|reisepas|pas"),
    LABEL(NATIONAL,
          "national id|national insurance|identity|identity card|id card|identity number|"
          "national identity|citizen|personalausweis|ausweis|ausweisnummer|carte d identite|"
          "carta d identita|carta di identita|documento|cedula|curp|documento de identidad|"
          "government id|alien|alien number|a number|visa number|green card|uscis|"
          "identitatskarte|cni|tessera|state id|rfc|personal id|"
          "id document|permesso di soggiorno|titre de sejour|aufenthaltstitel"),
    LABEL(TAX, "tax|tax id|tin|taxpayer|tax number|steuernummer|steuer|steuernr|numero fiscal|"
               "identification fiscale|spi|utr|fiscal|tax identification|tax file|tfn"),
    LABEL(PLATE, "plate|license plate|licence plate|number plate|kennzeichen|autokennzeichen|"
                 "immatriculation|plaque|plaque d immatriculation|targa|targata|matricula|"
                 "kontrollschild|nummernschild|plates|tag number|car registration|"
                 "kfz|vehicle registration|registration plate|vehicle plate|autonummer"),
    LABEL(
        VIN,
        "vin|vehicle identification|chassis|fahrgestellnummer|fahrgestell|fin|fin nr|telaio|"
        "numero di telaio|bastidor|numero de bastidor|numero de serie du vehicule|chassis number"),
    LABEL(IMEI, "imei|imsi|iccid|meid"),
    LABEL(
        DEVICE,
        "serial|serial number|seriennummer|serien|serie|numero de serie|numero di serie|sn|"
        "s n|device|device id|device serial|udi|implant|pacemaker|lot|lot number|"
        "geratenummer|gerate|gerat|matricola|asset|asset tag|deviceid|serien nr|device identifier|"
        "device number|lot no|ref no|equipment|model serial|seriale|advertising id|gaid|idfa"),
    LABEL(EMPLOYEE,
          "employee|employee id|employee number|staff id|personalnummer|personal nr|"
          "mitarbeiternummer|mitarbeiter|matricule|numero de matricule|matricola dipendente|"
          "empleado|numero de empleado|payroll|staff number|worker id|badge id|"
          "student id|student number|matrikelnummer|matrikel|numero etudiant|"
          "student|service number|militarpassnummer"),
    LABEL(CUSTOMER,
          "customer|customer id|customer number|client id|client number|kundennummer|kunden|"
          "kunden nr|kundennr|kunde|numero de client|numero client|codice cliente|cliente|"
          "numero cliente|numero de cliente|mitgliedsnummer|mitglied|mitglieds|user id|"
          "userid|member number|membership number|loyalty|frequent flyer|codigo cliente|"
          "id cliente|customer no|client no|mitgliedernummer|rewards|uid"),
    LABEL(PIN, "pin|pin code|pincode|puk|otp|passcode|tan|verification code|geheimzahl|codice pin|"
               "one time code|security pin|access code|zugangscode|auth code|2fa code|2fa"),
};

static const struct words_row words_numbers[] = {
    LABEL(SSN, "ssn|social security|social security number|soc sec|social|socialsecurity|ss#|ssns"),
    LABEL(ITIN, "itin|individual taxpayer"),
    LABEL(EIN, "ein|fein|employer identification|employer id|federal tax"),
    LABEL(NPI, "npi|national provider|provider id|provider number"),
    LABEL(DEA, "dea|dea number|dea registration"),
    LABEL(MBI, "mbi|medicare|medicare beneficiary|medicare id|medicare number"),
    LABEL(NHS, "nhs|nhs number|nhs no"),
    LABEL(NINO, "nino|national insurance|ni number|ni no|nin"),
    LABEL(AHV, "ahv|avs|ahv nr|ahvn|navs|oasi|ahv nummer|ahvnr|sozialversicherung|ahvnummer|"
               "sozialversicherungsnummer|numero avs|ahvn13|navs13|no avs|numero ahv"),
    LABEL(UID, "uid|mwst|tva|iva|unternehmens|ide|idi|unternehmensidentifikation|mwst nr|uid nr|"
               "uid nummer"),
    LABEL(VEKA, "veka|kartennummer|versichertenkarte|carte d assure|tessera d assicurato|"
                "krankenversicherungskarte|krankenkassenkarte|numero de carte"),
    LABEL(GLN, "gln|ean|gln nr"),
    LABEL(ZSR, "zsr|rcc|zsr nr|concordat|zahlstellenregister"),
    LABEL(QR, "referenznummer|reference number|qr|qr reference|referenz|esr|zahlungsreferenz|"
              "numero de reference|numero di riferimento"),
    LABEL(STEUER, "steuer id|steueridentifikationsnummer|steuer identifikationsnummer|idnr|"
                  "steuerid|steuer idnr|tin|identifikationsnummer|steuer|steuernummer"),
    LABEL(RVNR, "rentenversicherung|rentenversicherungsnummer|sozialversicherungsnummer|rvnr|svnr|"
                "sv nummer|sv nr|versicherungsnummer|rv nummer|rentenversicherungs"),
    LABEL(KVNR,
          "kvnr|krankenversichertennummer|versichertennummer|krankenversicherungsnummer|"
          "versicherten|versicherten id|kv nummer|kv nr|krankenversicherten|egk|versicherten nr|"
          "gesundheitskarte"),
    LABEL(HRB, "hrb|hra|handelsregister|handelsregisternummer|registergericht|handelsregisternr"),
    LABEL(ID_CARD, "personalausweis|ausweis|ausweisnummer|personalausweisnummer|reisepass|pass|"
                   "passnummer|perso|ausweisnr|personalausweisnr"),
    LABEL(SVNR, "svnr|sozialversicherungsnummer|sv nummer|sv nr|sozialversicherung|"
                "versicherungsnummer|e card|svnummer"),
    LABEL(NIR, "nir|securite sociale|numero de securite sociale|insee|carte vitale|vitale|"
               "num secu|secu|n securite sociale|nss|no de securite sociale|immatriculation"),
    LABEL(SIREN, "siren|siret|rcs|numero siren|numero siret"),
    LABEL(CF, "codice fiscale|cf|cod fisc|c f|codfisc|codicefiscale|cod fiscale"),
    LABEL(PIVA, "partita iva|p iva|piva|iva|partitaiva|part iva"),
    LABEL(DNI,
          "dni|nif|nie|documento nacional|documento de identidad|d n i|n i f|n i e|dninie|cif"),
    LABEL(NASS, "nass|nuss|numero de la seguridad social|seguridad social|numero seguridad social|"
                "afiliacion|numero de afiliacion|n s s|ss|nss"),
    LABEL(NIF, "nif|contribuinte|numero de contribuinte|numero fiscal|nif pt"),
    LABEL(BE, "rijksregisternummer|registre national|numero national|niss|insz|national number|"
              "rrn|nationalregister|rijksregister|numero de registre national|nrn"),
    LABEL(BSN, "bsn|burgerservicenummer|sofi|sofinummer|burger service"),
    LABEL(PESEL, "pesel"),
    LABEL(SE, "personnummer|samordningsnummer|personal number|personnr"),
    LABEL(FI, "hetu|henkilotunnus|personbeteckning|sotu"),
    LABEL(NO, "fodselsnummer|fnr|personnummer|fodselsnr|d nummer"),
    LABEL(DK, "cpr|cpr nummer|cpr nr|cprnr|cprnummer|personnummer"),
    LABEL(PPS, "pps|ppsn|pps number|personal public service|pps no"),
    LABEL(CNP, "cnp|cod numeric personal|cod numeric"),
    LABEL(RC, "rodne cislo|rc|rodnecislo|rodne"),
    LABEL(AMKA, "amka"),
    LABEL(AADHAAR, "aadhaar|aadhar|uidai|adhaar|aadhaar number"),
    LABEL(CN, "chinese id|resident identity|resident id|id number"),
    LABEL(CPF, "cpf|cadastro de pessoas|cadastro"),
    LABEL(ZA, "south african id|sa id|rsa id|id number|identity number"),
    LABEL(VAT,
          "vat|vat number|vat no|ust|ustid|ust idnr|ust id|umsatzsteuer|tva|iva|btw|moms|"
          "vat id|vat reg|umsatzsteuer id|mwst|uid|n tva|vatin|ustidnr|cif|partita iva|nip|dic"),
    LABEL(ISIN, "isin|wkn|valor|cusip|sedol"),
    LABEL(LEI, "lei|legal entity identifier"),
    LABEL(CRYPTO, "bitcoin|btc|ethereum|eth|wallet|crypto|wallet address|litecoin"),
    HINT(ID, "identifier|identification|number|nummer|numero|no|nr|id"),
    LABEL(ID,
          "id|uuid|guid|identifier|identification|identification number|id number|id no|kennung|"
          "identifikationsnummer|kennnummer|identifiant|identificativo|identificador|"
          "reference number|unique id|unique identifier"),
};

static const struct words_row words_secrets[] = {
    ROLE(SECRET, "password|passwd|pwd|passwort|kennwort|passphrase|mot de passe|contrasena|clave|"
                 "parola d ordine|secret|token|apikey|api key|access key|secret key|"
                 "private key|auth token|access token|client secret|bearer|api secret|api token|"
                 "secret access key|refresh token|session token|authtoken|accesskey|secretkey|"
                 "accesstoken|webhook secret|signing key|encryption key|pass|pw|credentials|"
                 "authorization|master key|app password|license key|session id|"
                 "sessionid|cookie|x api key|subscription key|shared key|storage key|account key|"
                 "accountkey|sharedaccesskey|connection string|db password|root password|pswd|psw|"
                 "private token|deploy token|access secret|consumer secret|consumer key|key|"
                 "recovery code|backup code|seed phrase|mot passe|motdepasse"),
    ROLE(SECRET_HEAD, "ghp|gho|ghu|ghs|ghr|github|sk|pk|rk|whsec|xoxb|xoxp|xoxa|xoxr|xoxs|xapp|"
                      "glpat|hf|npm|pypi|dop|shpat|shpss|shpca|sg|ya|key|sbp|"
                      "atlasv|dapi|nvapi|gsk|xai|pplx|r|tvly|lsv|figd|ntn|secret|hvs|hvb|eyj|"
                      "age|pat|patkey|sntrys|doo|glc|glsa|gitea|ops|pscale|rubygems|sl|tfe|vercel"),
    ROLE(USER,
         "username|user name|login|benutzername|benutzer|nom d utilisateur|utilisateur|"
         "nome utente|utente|usuario|nombre de usuario|user|userid|user id|screen name|handle|"
         "login name|skype|nickname|account name|github|twitter|instagram|telegram|"
         "identifiant|screenname|nutzername|anmeldename|discord"),
    ROLE(CODE, "begin|http|https|ftp|ftps|sftp|www|ssh|mailto|tel"),
    ROLE(SOCIAL,
         "facebook|linkedin|instagram|twitter|x|tiktok|xing|t|wa|github|gitlab|pinterest|vk|"
         "orcid|researchgate|linktr|snapchat|keybase|paypal|venmo|calendly|mastodon|threads|"
         "bsky|doctolib|myspace|telegram|twitch|soundcloud|patreon|bitbucket|academia"),
    ROLE(PROFILE,
         "user|users|u|profile|profiles|profil|people|person|member|members|author|authors|"
         "patient|patients|patientid|account|accounts|staff|benutzer|usuario|utente|employee|"
         "employees|name|firstname|lastname|email|mail|userid|ssn|phone|customer|customers|dob|"
         "mrn|token|login|team|home|faculty|uid|session|sessionid|username|surname|personal|"
         "medewerker|mitarbeiter|personnel|bio|in|add|candidate|resume|cv"),
    VALUE(TLD, 0,
          "com|org|net|edu|gov|mil|biz|io|ai|uk|eu|ch|fr|ru|cn|jp|br|au|ca|nl|pl|se|dk|fi|cz|pt|"
          "gr|hu|ro|ie|lu|li|nz|mx|ar|cl|kr|tw|hk|sg|za|tr|ua|il|gmbh|swiss|wien|berlin|hamburg|"
          "bayern|koeln|nyc|bg|hr|sk|si|lt|lv|ee|cy|mt|by|kz|th|vn|ph|pk|bd|lk|ae|sa|eg|ng|ke|gh|"
          "ma|dz|tn|pe|ve|ec|uy|bo|cr|gt|gg|tv|ws|fm|gl|onion|xyz|icu"),
    VALUE(TLD, 1,
          "de|at|it|es|in|is|no|me|my|us|be|to|so|do|am|as|an|id|la|or|pm|st|sh|py|md|rs|js|ps|ms|"
          "cs|tm|mo|re|va|sc|pr|fo|nu|su|ad|ag|al|cd|cf|cg|et|ga|gd|gs|im|mu|na|ne|pa|pn|pw|qa|sb|"
          "sm|sn|sr|sv|sy|td|tf|tg|tj|tk|tl|tt|ug|vc|vg|vi|vu|wf|ye|yt|info|dev|app|co|cat|online|"
          "site|shop|store|tech|cloud|blog|name|health|clinic|bank|law|care|hospital|example|test|"
          "paris|london|club|agency|email|digital|media|news|academy|school|university|live|life|"
          "world|global|international|int|museum|aero|coop|jobs|mobi|travel|tel|pro|je|cc|ly|gle|"
          "goo|page|website|space|top|vip|link|click|wiki|design|systems|solutions|services|"
          "network|group|team|studio|legal|dental|doctor|finance|money|capital|insurance|pharmacy|"
          "surgery|local|lan|internal|corp"),
};

#undef LABEL
#undef HINT
#undef ROLE
#undef VALUE

static uint64_t hash_word(const char *text, size_t len)
{
    char folded[WORDS_FOLDED] = {0};
    assert(len < WORDS_FOLDED);
    memcpy(folded, text, len);
    return words_hash(folded, len);
}

static uint64_t hash_phrase(const char *text, size_t len)
{
    const char *end = text + len;
    uint64_t phrase = 0;
    for (bool first = true; text < end; first = false) {
        const char *space = memchr(text, ' ', (size_t)(end - text));
        size_t word_len = (size_t)((space != NULL ? space : end) - text);
        uint64_t hash = hash_word(text, word_len);
        phrase = first ? hash : words_join(phrase, hash);
        text += word_len + 1;
    }
    return phrase;
}

static void put(struct words *words, uint64_t hash, const struct words_row *row)
{
    size_t i = words_slot(hash) % WORDS_SLOTS;
    while (words->slots[i].hash != 0 && words->slots[i].hash != hash) {
        i = (i + 1) % WORDS_SLOTS;
    }
    struct word *word = &words->slots[i];
    word->hash = hash;
    word->roles |= row->roles;
    if (row->kind != CTX_NONE) {
        context_put(&word->context, (enum context_kind)row->kind);
        if (word->kind == CTX_NONE && (row->roles & ROLE_LABEL) != 0) {
            word->kind = row->kind;
        }
    }
    if (row->value != 0) {
        word->value = row->value;
    }
    size_t bit = (size_t)(hash >> 40) % WORDS_BLOOM_BITS;
    words->bloom[bit / 64] |= (uint64_t)1 << (bit % 64);
    if ((row->roles & ROLES_CALLING) != 0) {
        bit = (size_t)hash % WORDS_CALLS_BITS;
        words->calls[bit / 64] |= (uint64_t)1 << (bit % 64);
    }
}

static size_t put_rows(struct words *words, const struct words_row *rows, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        for (const char *at = rows[i].list; *at != '\0'; total++) {
            size_t len = strcspn(at, "|");
            put(words, hash_phrase(at, len), &rows[i]);
            at += len + (at[len] == '|' ? 1 : 0);
        }
    }
    return total;
}

void words_build(struct words *words)
{
    memset(words, 0, sizeof(*words));
    for (uint32_t c = 0; c < WORDS_LATIN; c++) {
        uint32_t folded = sotto_fold(c);
        words->fold[c] = (uint8_t)(folded < 0x80 ? folded : '?');
        words->classes[c] = (uint8_t)sotto_char_classes(c);
    }
    words->fold[0xaa] = 'a'; /* "nº", "3ª": decomposed for compatibility only */
    words->fold[0xba] = 'o';
    size_t total = 0;
#define PUT(rows) total += put_rows(words, rows, SOTTO_COUNT(rows))
    PUT(words_dates);
    PUT(words_ages);
    PUT(words_places);
    PUT(words_glue);
    PUT(words_numbers);
    PUT(words_people);
    PUT(words_secrets);
#undef PUT
    assert(total < WORDS_SLOTS / 2);
}
